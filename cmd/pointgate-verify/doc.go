// Command pointgate-verify checks Pointgate's audit trail without trusting who
// runs it. It shares no code with the server: it was written from the formats
// below, and can be written again from them in another language.
//
// It answers with its exit code: 0 what was checked holds; 1 it does not, each
// finding on a line of its own with its index; 2 wrong usage or unreadable input;
// 3 the log can't be reached or said no. Every command is in docs/audit.md.
//
// To audit it, read checkpoint.go, record.go, json.go, proof.go and tiles.go: what
// they accept is accepted. export.go and follow.go walk over many records with them;
// fetch.go, report.go and main.go read, tell and wire.
//
// # The record
//
// The log is one list of records, index 0, 1, 2, … without a gap. A record is one
// JSON object: the body. It ends in `}}`, because its last member is the object
// `custom`, which is never empty. The tree holds not the body but its entry:
//
//	commitment = SHA-256("pointgate-record-v1" || 0x0A || nonce || body)   nonce: 32 random bytes
//	entry      = SHA-256(index || commitment)                              index: 8 bytes, big endian
//	leaf       = SHA-256(0x00 || entry)                                    RFC 6962, section 2.1
//	node       = SHA-256(0x01 || left || right);  root of no leaves = SHA-256("")
//
// An exported event is the body with this text put before its final `}}`:
//
//	,"index":N,"nonce":"B"      N: decimal without leading zeroes; B: base64 (RFC 4648,
//	                            section 4, padded) of the nonce, always 44 characters
//
// To verify: cut exactly that text out again, anchored at the end of the line, and
// hash what remains. All bytes count. Text of that kind elsewhere in the line is
// part of the body; inside a JSON string its quotes are escaped, so nobody who
// chooses a string can imitate it. Two kinds of line have no body, and carry
// `,"index":N,"entry":"B"}}` at the end instead, with the entry itself:
//
//	erased    {"decision_id":…,"timestamp":…,"erased":[…],"custom":{"tenant":…,"erased_by":…,"index":N,"entry":"B"}}
//	withheld  {"custom":{"withheld":true,"index":N,"entry":"B"}}
//
// They may hold no other member: nothing in them is proven but that some record
// stands at this index. An export is one such line for each record, each ended by
// 0x0A, in order of the index, as a file or gzip (RFC 1952).
//
// # The checkpoint
//
// A C2SP tlog-checkpoint: a signed note whose text is origin, size, base64 of the
// root. The origin equals the name of the log's key. At least one signature is by
// a key that was given, and none by a known key is wrong. The log may add a
// cosignature/v1 (C2SP tlog-cosignature, type 0x04) with the same Ed25519 key and
// name: it carries the time, by the log's word. Witnesses add theirs; only those
// are worth anything against the log itself. Keys are C2SP vkeys of Ed25519: 0x01
// for the log, 0x01 or 0x04 for a witness (0x01 is taken for its 0x04).
//
//	signature = key id (4) || time (8, big endian, Unix seconds) || Ed25519("cosignature/v1\ntime T\n" || text)
//	key id    = SHA-256(name || 0x0A || 0x04 || public key)[:4]
//
// # The proof
//
// A C2SP tlog-proof; `extra` is the exported event. The index in it must be the
// index of the proof, and its entry must be the leaf that the proof leads from.
//
// # The tiles
//
// C2SP tlog-tiles of height 8 under the address of the log, or the same paths in
// a folder: checkpoint, tile/L/N[.p/W] and tile/entries/N[.p/W], where an entry
// is two bytes of length (0, 32) and the 32 bytes of the entry. No tile is
// believed before it led to the root of a signed checkpoint.
//
// # What it refuses
//
// Plain http except on loopback, redirects to another host, answers longer than
// the format allows, a line over 1 MiB, keys of types that it can't check. It tells
// nothing out of a body in which a member is there twice, or beside one that is
// read, another in other letters (Result, result): readers of JSON disagree there.
//
// # To add a command
//
//   - its line in commands (main.go), its function beside those that it resembles
//   - an honest log that it accepts, and one lie for each thing that it says it checks
//   - its paragraph in docs/audit.md
package main
