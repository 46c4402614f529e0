package admin

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

const (
	maxName  = 100
	maxEmail = 254
	maxWords = 50  // members of a list
	maxWord  = 512 // characters of each
)

// plainID is what ids look like that people choose for tenants, clients and
// staff; customerID is wider, for they come from other systems.
var (
	plainID    = regexp.MustCompile(`^[a-z][a-z0-9_-]{1,63}$`)
	customerID = regexp.MustCompile(`^[A-Za-z0-9_-]{3,64}$`)
)

// matching reads a string of a form.
func matching(f *web.Fields, name string, form *regexp.Regexp) (string, bool) {
	s, ok := f.String(name, 128)
	if ok && !form.MatchString(s) {
		f.Wrong(name, "invalid", "It must match "+form.String()+".")
		return "", false
	}
	return s, ok
}

// line reads a text of one line, which is not blank.
func line(f *web.Fields, name string) (string, bool) {
	s, ok := f.String(name, maxName)
	if ok && (strings.ContainsAny(s, "\n\t") || strings.TrimSpace(s) != s) {
		f.Wrong(name, "invalid", "It must be one line, with no white space at its ends.")
		return "", false
	}
	return s, ok
}

// address reads an email address, bare: no name, no quotes, no comment.
func address(f *web.Fields, name string) (string, bool) {
	s, ok := f.String(name, maxEmail)
	if !ok {
		return "", false
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || !printable(s) {
		f.Wrong(name, "invalid", "It must be an email address.")
		return "", false
	}
	return s, true
}

// words reads a list; null empties it. Each member is printable ASCII: the
// store keeps them in one text, split at white space.
func words(f *web.Fields, name string) (store.Words, bool) {
	if f.Null(name) {
		return nil, true
	}
	all, ok := f.Strings(name, maxWords, maxWord)
	if ok && slices.ContainsFunc(all, func(s string) bool { return !printable(s) }) {
		f.Wrong(name, "invalid", "Its members must be printable ASCII.")
		return nil, false
	}
	return all, ok
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// notNull refuses null for members that can't be cleared.
func notNull(f *web.Fields, names ...string) {
	for _, name := range names {
		if f.Null(name) {
			f.Wrong(name, "wrong_type", "It can't be null.")
		}
	}
}

// expiry reads when something ends; null means never.
func expiry(f *web.Fields, name string) (store.Time, bool) {
	if f.Null(name) {
		return store.Time{}, true
	}
	t, ok := f.Time(name)
	return store.At(t), ok
}

// disabled reads the switch and makes a change of it; switching off twice keeps
// the first time.
func disabled[R any](f *web.Fields, in *input[R], at func(*R) *store.Time) {
	off, ok := f.Bool("disabled")
	if !ok {
		return
	}
	in.changes = append(in.changes, func(row *R, now store.Time) {
		switch t := at(row); {
		case !off:
			*t = store.Time{}
		case t.IsZero():
			*t = now
		}
	})
}

// wrong is a 422 for one member, found where the store had to be asked.
func wrong(field, code, detail string) error {
	return web.Unprocessable(web.FieldError{Field: field, Code: code, Detail: detail})
}

func conflict(detail string) error { return &store.Conflict{Code: "conflict", Detail: detail} }

// within refuses words that are not among those allowed.
func within(field string, words store.Words, allowed []string, detail string) error {
	for _, w := range words {
		if !slices.Contains(allowed, w) {
			return wrong(field, "out_of_range", w+": "+detail)
		}
	}
	return nil
}

// when shows a time; null where there is none.
func when(t store.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}

// shown is a list that is never null.
func shown(w store.Words) []string {
	if w == nil {
		return []string{}
	}
	return w
}
