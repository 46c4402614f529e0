package web

import (
	"encoding/json"
	"math"
	"net/url"
	"testing"
	"unicode/utf8"
)

// FuzzParseObject: what is taken is JSON that the standard library reads alike,
// and what a reader gives keeps the reader's promise.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":"x","c":["y"],"d":true,"e":"2026-11-22T12:00:00Z"}`, `{"a":1e3}`, `{"a":{"a":[null]}}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, p := ParseObject(body)
		if p != nil {
			if p.Status != 400 {
				t.Errorf("refused with %d", p.Status)
			}
			return
		}
		var same map[string]any
		if !utf8.Valid(body) || json.Unmarshal(body, &same) != nil || len(same) != len(fields.values) {
			t.Errorf("taken, but not by others: %q", body)
		}
		read(t, fields)
	})
}

// FuzzParseQuery: the same of a query.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1&b=x", "a=%ff", "a=1&a=2", "a=1;b=2", "a=%00", "e=2026-11-22T12:00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		fields, p := ParseQuery(raw)
		if p != nil {
			if p.Status != 400 {
				t.Errorf("refused with %d", p.Status)
			}
			return
		}
		if q, err := url.ParseQuery(raw); err != nil || len(q) != len(fields.values) {
			t.Errorf("taken, but not by others: %q", raw)
		}
		read(t, fields)
	})
}

// read asks for five members, each in its way, and then for what is wrong: one
// that was read is right, and one that is wrong was not read.
func read(t *testing.T, f *Fields) {
	n, a := f.Int("a", 1, 1000)
	s, b := f.String("b", 10)
	l, c := f.Strings("c", 3, 10)
	_, d := f.Bool("d")
	at, e := f.Time("e")
	if a && (n < 1 || n > 1000) || b && (s == "" || utf8.RuneCountInString(s) > 10 || !utf8.ValidString(s)) || c && len(l) > 3 || e && (at.Year() < 1969 || at.Year() > 10_000) {
		t.Errorf("%d %q %q %v", n, s, l, at)
	}
	wrong := map[string]bool{}
	if p := f.Problem(); p != nil {
		for _, e := range p.Errors {
			wrong[e.Field] = true
		}
		if p.Status != 422 || len(p.Errors) == 0 || len(p.Errors) > 5+10 {
			t.Errorf("%d with %d errors", p.Status, len(p.Errors))
		}
	}
	for name, ok := range map[string]bool{"a": a, "b": b, "c": c, "d": d, "e": e} {
		if given := f.Has(name); given && ok == wrong[name] || !given && (ok || wrong[name]) {
			t.Errorf("%s: given %t, read %t, wrong %t", name, given, ok, wrong[name])
		}
	}
	if _, ok := f.Int("absent", math.MinInt64, math.MaxInt64); ok && !f.Has("absent") {
		t.Error("a member that is not there was read")
	}
}
