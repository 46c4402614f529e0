package mail

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/pointgate/pointgate/store"
)

const (
	maxAddress = 254 // RFC 5321 §4.5.3.1.3, with the two brackets
	maxSubject = 200
)

// Address reads one e-mail address, without a name in front of it: ASCII, as
// every server takes it.
func Address(text string) (string, error) {
	a, err := netmail.ParseAddress(text)
	switch {
	case err != nil, a.Address != text, len(text) > maxAddress, strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("%q is no address such as security@example.com", text)
	}
	return text, nil
}

// Sender reads the address that mails come from, with or without a name.
func Sender(text string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no address such as Pointgate <pointgate@example.com>", text)
	}
	if _, err := Address(a.Address); err != nil {
		return nil, err
	}
	a.Name = line(a.Name, maxSubject)
	return a, nil
}

// compose makes the message: plain text from us to one recipient.
func compose(from *netmail.Address, m *store.Mail) (*gomail.Msg, error) {
	to, err := Address(m.Recipient)
	if err != nil {
		return nil, err
	}
	_, domain, ok := strings.Cut(from.Address, "@")
	if !ok || m.ID == "" || strings.ContainsFunc(m.ID, func(r rune) bool { return !idRune(r) }) {
		return nil, errors.New("the mail has no id that a header can hold")
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(&netmail.Address{Address: to})
	msg.Subject(line(m.Subject, maxSubject))
	msg.SetMessageIDWithValue(m.ID + "@" + domain)
	msg.SetDateWithValue(m.CreatedAt.Time)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation answers it
	msg.SetBodyString(gomail.TypeTextPlain, text(m.Body))
	return msg, nil
}

func idRune(r rune) bool {
	return r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// line makes one line of at most n characters of s. What is in alerts was
// written by strangers: it must not end a header, nor turn the text of a line
// around.
func line(s string, n int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }), " ")
	s = strings.ReplaceAll(s, "=?", "= ?") // or a mail program would decode what was never encoded (RFC 2047)
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// text keeps the line ends of s and nothing else that can't be seen.
func text(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "?"))
}
