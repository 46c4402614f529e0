package pages

import (
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pointgate/pointgate/server/web"
)

// form reads the body of a form strictly: URL-encoded, valid UTF-8, no NUL, and
// no field twice but those that may be.
func form(r *web.Request, many ...string) (url.Values, *web.Problem) {
	if t, _, err := mime.ParseMediaType(r.Header("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return url.Values{}, web.NewProblem("unsupported_media_type", "Send the form as application/x-www-form-urlencoded.")
	}
	f, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return url.Values{}, web.BadRequest("The form can't be parsed.")
	}
	for name, values := range f {
		if len(values) > 1 && !slices.Contains(many, name) {
			return url.Values{}, web.BadRequest("A field of the form is given twice.")
		}
		for _, v := range append(values, name) {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return url.Values{}, web.BadRequest("The form holds characters that it may not.")
			}
		}
	}
	return f, nil
}

const wrongName = "Please enter a name of up to 100 characters."

// goodName reports whether it is a name of one line, as the admin API takes it.
func goodName(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= 100 && !strings.ContainsFunc(s, unicode.IsControl)
}

const formTooOld = "This page was open for too long, or was sent from another one. Please try again."

// signedForm is form, for the forms of a signed-in person: it must carry the
// token of that person's session.
func (p *Pages) signedForm(r *web.Request, many ...string) (url.Values, *web.Problem) {
	f, fault := form(r, many...)
	if fault == nil && !p.Forms.Check(r, f.Get("csrf")) {
		fault = web.NewProblem("denied", formTooOld)
	}
	return f, fault
}

// query is one parameter of the query string; of several, the first.
func query(r *web.Request, name string) string {
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil || !utf8.ValidString(q.Get(name)) {
		return ""
	}
	return q.Get(name)
}
