// Package mail sends what is in the outbox of the store. Whoever has something
// to tell puts a [store.Mail] there in the write of what it tells of; the
// [Outbox] sends it afterwards through a [Transport]: an SMTP server, or files
// where none is configured.
//
// What it promises:
//
//   - At least once: a mail that a server has taken, and whose taking could not be
//     noted, is sent again. Its Message-ID stays the same, so that the repetition
//     is recognised.
//   - A server that hangs, refuses or is away holds up nobody but its own mails:
//     each attempt has a time, the time between attempts doubles, and after a day
//     of them a mail is given up, which is logged.
//   - No text can become a header, another recipient or a command: addresses are
//     parsed, control characters are taken out, lines are encoded.
//   - Nothing leaves for a server in clear, but to this machine or where the
//     operator wrote smtp+insecure.
//
// What it refuses: HTML, attachments, and to decide who is told.
//
// # To add a transport
//
//   - <name>.go with a Transport, which makes its message by compose
//   - its choice in cmd/pointgate, next to the others
package mail
