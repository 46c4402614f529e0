package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Fields are the members of a JSON object or the parameters of a query, read
// one by one. What is wrong with them is gathered and told at once by
// [Fields.Problem]; a member that nobody asked for is wrong too. It is not safe
// for concurrent use.
type Fields struct {
	values map[string]json.RawMessage
	asked  map[string]bool
	errs   []FieldError
	text   bool // a query: every value is a string
}

const maxDepth = 16

// ParseObject reads a JSON object strictly: valid UTF-8, no member twice, no
// depth over 16, nothing behind it. Anything else is a 400.
func ParseObject(body []byte) (*Fields, *Problem) {
	f := &Fields{values: map[string]json.RawMessage{}, asked: map[string]bool{}}
	if !utf8.Valid(body) {
		return f, BadRequest("The body is not valid UTF-8.")
	}
	if err := checkJSON(body); err != nil {
		return f, BadRequest("The body is not a JSON object: " + err.Error() + ".")
	}
	if err := json.Unmarshal(body, &f.values); err != nil {
		return f, BadRequest("The body is not a JSON object.")
	}
	return f, nil
}

// checkJSON walks the tokens of one value. Its errors are for the caller.
func checkJSON(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	first, err := d.Token()
	if err != nil || first != json.Delim('{') {
		return errors.New("it must begin with {")
	}
	if err := checkMembers(d, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

func checkMembers(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("it is nested too deeply")
	}
	seen := map[string]bool{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return errors.New("its syntax is wrong")
		}
		name := k.(string) // the decoder gives nothing else as a key
		if seen[name] {
			return errors.New("a member stands in it twice")
		}
		seen[name] = true
		if err := checkValue(d, depth); err != nil {
			return err
		}
	}
	return closing(d)
}

func checkValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return errors.New("its syntax is wrong")
	}
	switch t {
	case json.Delim('{'):
		return checkMembers(d, depth+1)
	case json.Delim('['):
		if depth+1 > maxDepth {
			return errors.New("it is nested too deeply")
		}
		for d.More() {
			if err := checkValue(d, depth+1); err != nil {
				return err
			}
		}
		return closing(d)
	}
	return nil
}

func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("its syntax is wrong")
	}
	return nil
}

// ParseQuery reads a query string strictly: well-formed, valid UTF-8, no
// parameter twice.
func ParseQuery(raw string) (*Fields, *Problem) {
	f := &Fields{values: map[string]json.RawMessage{}, asked: map[string]bool{}, text: true}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return f, BadRequest("The query can't be parsed.")
	}
	for k, v := range q {
		if len(v) > 1 {
			return f, BadRequest("A query parameter is given twice.")
		}
		if !utf8.ValidString(k) || !utf8.ValidString(v[0]) {
			return f, BadRequest("The query is not valid UTF-8.")
		}
		f.values[k], _ = json.Marshal(v[0])
	}
	return f, nil
}

// Has reports whether the member is given and not null.
func (f *Fields) Has(name string) bool {
	f.asked[name] = true
	v, ok := f.values[name]
	return ok && string(v) != "null"
}

// Null reports whether the member is given as null, which clears it where that
// makes sense.
func (f *Fields) Null(name string) bool {
	f.asked[name] = true
	return string(f.values[name]) == "null"
}

// Wrong notes that something is wrong with a member.
func (f *Fields) Wrong(name, code, detail string) {
	f.errs = append(f.errs, FieldError{Field: name, Code: code, Detail: detail})
}

// Require notes each of the members that is not given.
func (f *Fields) Require(names ...string) {
	for _, n := range names {
		if !f.Has(n) {
			f.Wrong(n, "required", "It is needed.")
		}
	}
}

// String reads a string of at most maxLen characters, without control
// characters but line breaks and tabs. ok is false if it isn't given or wrong.
func (f *Fields) String(name string, maxLen int) (s string, ok bool) {
	if !f.Has(name) {
		return "", false
	}
	if json.Unmarshal(f.values[name], &s) != nil {
		f.Wrong(name, "wrong_type", "It must be a string.")
		return "", false
	}
	if n := utf8.RuneCountInString(s); n == 0 || n > maxLen {
		f.Wrong(name, "out_of_range", "It must have 1 to "+strconv.Itoa(maxLen)+" characters.")
		return "", false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return (r < ' ' && r != '\n' && r != '\t') || r == 0x7f }) {
		f.Wrong(name, "invalid", "It must not contain control characters.")
		return "", false
	}
	return s, true
}

// OneOf reads a string that is one of the words.
func (f *Fields) OneOf(name string, words ...string) (string, bool) {
	s, ok := f.String(name, 64)
	if ok && !slices.Contains(words, s) {
		f.Wrong(name, "out_of_range", "It must be one of: "+strings.Join(words, ", ")+".")
		return "", false
	}
	return s, ok
}

// Int reads a whole number from lowest to highest.
func (f *Fields) Int(name string, lowest, highest int64) (int64, bool) {
	if !f.Has(name) {
		return 0, false
	}
	digits := string(f.values[name])
	if f.text {
		_ = json.Unmarshal(f.values[name], &digits)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		n = math.MaxInt64
	case err != nil && !f.text && isNumber(digits):
		f.Wrong(name, "wrong_type", "It must be a whole number.")
		return 0, false
	case err != nil:
		f.Wrong(name, "wrong_type", "It must be a number.")
		return 0, false
	}
	if err != nil || n < lowest || n > highest {
		f.Wrong(name, "out_of_range", "It must be from "+strconv.FormatInt(lowest, 10)+" to "+strconv.FormatInt(highest, 10)+".")
		return 0, false
	}
	return n, true
}

func isNumber(s string) bool {
	var n json.Number
	return json.Unmarshal([]byte(s), &n) == nil && s != "" && s[0] != '"'
}

// Bool reads true or false.
func (f *Fields) Bool(name string) (value, ok bool) {
	if !f.Has(name) {
		return false, false
	}
	s := string(f.values[name])
	if f.text {
		_ = json.Unmarshal(f.values[name], &s)
	}
	if s != "true" && s != "false" {
		f.Wrong(name, "wrong_type", "It must be true or false.")
		return false, false
	}
	return s == "true", true
}

// Time reads an RFC 3339 time.
func (f *Fields) Time(name string) (time.Time, bool) {
	if !f.Has(name) {
		return time.Time{}, false
	}
	var s string
	_ = json.Unmarshal(f.values[name], &s)
	t, err := time.Parse(time.RFC3339Nano, s)
	t = t.UTC() // before the year is looked at: 9999-12-31T23:59:59-00:01 is in the year 10000, which JSON can't say
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		f.Wrong(name, "invalid", "It must be a time as RFC 3339 writes it, from the year 1970 on.")
		return time.Time{}, false
	}
	return t, true
}

// Strings reads a list of at most maxItems different strings, each as [Fields.String].
func (f *Fields) Strings(name string, maxItems, maxLen int) ([]string, bool) {
	if !f.Has(name) {
		return nil, false
	}
	var all []string
	if json.Unmarshal(f.values[name], &all) != nil || all == nil {
		f.Wrong(name, "wrong_type", "It must be a list of strings.")
		return nil, false
	}
	if len(all) > maxItems {
		f.Wrong(name, "out_of_range", "It has too many members.")
		return nil, false
	}
	for i, s := range all {
		if s == "" || utf8.RuneCountInString(s) > maxLen || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) || slices.Contains(all[:i], s) {
			f.Wrong(name, "invalid", "Its members must be different, not empty, not too long, and without white space.")
			return nil, false
		}
	}
	return all, true
}

// Object reads a JSON object of at most maxBytes, as compact as can be.
func (f *Fields) Object(name string, maxBytes int) (json.RawMessage, bool) {
	if !f.Has(name) {
		return nil, false
	}
	var b bytes.Buffer
	switch v := f.values[name]; {
	case f.text || v[0] != '{' || json.Compact(&b, v) != nil:
		f.Wrong(name, "wrong_type", "It must be an object.")
		return nil, false
	case b.Len() > maxBytes:
		f.Wrong(name, "out_of_range", "It must have at most "+strconv.Itoa(maxBytes)+" bytes.")
		return nil, false
	}
	return b.Bytes(), true
}

// Problem is what is wrong, or nil. It is asked last: a member that was not
// asked for until then is unknown.
func (f *Fields) Problem() *Problem {
	var unknown []string
	for name := range f.values {
		if !f.asked[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown[:min(len(unknown), 10)] {
		f.Wrong(clip(name, 64), "unknown_field", "There is no such field.")
	}
	if len(f.errs) == 0 {
		return nil
	}
	return Unprocessable(f.errs...)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
