package web

import (
	"regexp"
	"strings"
)

// maxPath is how much of a path is kept; the longest of our routes is far shorter.
const maxPath = 256

// secrets are what our tokens look like, by their prefixes; jwts, by the braces of
// their first two parts.
var (
	secrets = regexp.MustCompile(`pg[a-z]_[A-Za-z0-9_.~-]{12,}`)
	jwts    = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_.-]*`)
)

// Redact replaces what looks like one of our tokens by its prefix: whoever puts
// one where it does not belong must not find it in the log and the records.
func Redact(s string) string {
	if strings.Contains(s, "eyJ") {
		s = jwts.ReplaceAllString(s, "eyJ…")
	}
	if !strings.Contains(s, "pg") {
		return s
	}
	return secrets.ReplaceAllStringFunc(s, func(t string) string { return t[:4] + "…" })
}

// IDPattern is what an id can be that somebody sends: one of ours, or the address
// of a document that is a client. Anything else names nothing.
var IDPattern = regexp.MustCompile(`^([A-Za-z0-9._~-]{1,128}|https?://[A-Za-z0-9[][!-~]{0,247})$`)

// noID matches no id, so nothing has it.
const noID = "(unknown)"

// ID is what somebody sent as an id, fit to be looked up and recorded: itself if
// it can be one, empty if it is, else the id of nothing. It may have been any
// text of any length, which a database may refuse and a record must not keep.
func ID(s string) string {
	if s != "" && !IDPattern.MatchString(s) {
		return noID
	}
	return s
}

// SafePath is a path as logs and records keep it: a copy, valid UTF-8, of
// bounded length and without tokens.
func SafePath(path string) string {
	return strings.Clone(clip(Redact(strings.ToValidUTF8(path, "\uFFFD")), maxPath)) // redacted first: a token that is cut is still a part of one
}
