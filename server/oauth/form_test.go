package oauth

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseForm(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want url.Values
	}{
		"empty":             {"", url.Values{}},
		"a pair":            {"a=b", url.Values{"a": {"b"}}},
		"no value":          {"a&b=", url.Values{"a": {""}, "b": {""}}},
		"empty pairs":       {"&a=b&&", url.Values{"a": {"b"}}},
		"escapes":           {"a%20b=c+d%26%3d", url.Values{"a b": {"c d&="}}},
		"twice stays twice": {"a=1&a=2", url.Values{"a": {"1", "2"}}},
		"half an escape":    {"a=%4", nil},
		"not hex":           {"a=%zz", nil},
		"not UTF-8":         {"a=%ff", nil},
		"not UTF-8 name":    {"%ff=a", nil},
		"raw not UTF-8":     {"a=\xff", nil},
		"NUL":               {"a=%00", nil},
		"no name":           {"=a", nil},
		"semicolon":         {"a=1;b=2", nil},
		"too many":          {strings.Repeat("a=b&", 65), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseForm(c.raw)
			if (err != nil) != (c.want == nil) || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func FuzzParseForm(f *testing.F) {
	for _, raw := range []string{"", "a=b&c=d", "a=%2B+%", "a;b", "a=%ff", "%00", "a=b=c", "&&&", "scope=points%3Aread+points%3Awrite"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := parseForm(raw)
		if err != nil {
			return
		}
		n := 0
		for k, values := range form {
			for _, s := range append(values, k) {
				if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
					t.Errorf("%q is let through", s)
				}
			}
			n += len(values)
		}
		if n > maxParameters {
			t.Errorf("%d parameters", n)
		}
		again, err := parseForm(form.Encode())
		if err != nil || !reflect.DeepEqual(form, again) {
			t.Errorf("%q: %v is written and read as %v, %v", raw, form, again, err)
		}
		standard, err := url.ParseQuery(raw)
		if err != nil || !reflect.DeepEqual(form, standard) {
			t.Errorf("%q: %v, but net/url reads %v, %v", raw, form, standard, err)
		}
	})
}
