package oauth2

import (
	"bytes"
	"strings"
	"testing"
)

func TestUserCodes(t *testing.T) {
	seen := map[byte]bool{}
	for range 200 {
		code := newUserCode()
		if len(code) != userLength || strings.Trim(code, userLetters) != "" {
			t.Fatalf("%q is no code", code)
		}
		for i := range code {
			seen[code[i]] = true
		}
	}
	if len(seen) != len(userLetters) {
		t.Errorf("of %d letters, %d are used", len(userLetters), len(seen))
	}
	for typed, want := range map[string]string{
		"BCDF-GHJK": "BCDFGHJK", "bcdf ghjk": "BCDFGHJK", " b c d f g h j k ": "BCDFGHJK", "bcdf\u2013ghjk": "BCDFGHJK",
		"BCDF-GHJ": "", "BCDF-GHJKL": "", "ACDF-GHJK": "", "BCDF-GHJ1": "", "": "", "BCDF\x00GHJK": "", strings.Repeat("-", 60) + "BCDFGHJK": "",
	} {
		if got, ok := readUserCode(typed); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", typed, got, ok, want)
		}
	}
	p, q := &Provider{userKey: []byte("one")}, &Provider{userKey: []byte("two")}
	h := p.userCodeHash("demo", "BCDFGHJK")
	if bytes.Equal(h, p.userCodeHash("other", "BCDFGHJK")) || bytes.Equal(h, q.userCodeHash("demo", "BCDFGHJK")) {
		t.Error("a hash is the same for another tenant, or under another key")
	}
}

func FuzzUserCode(f *testing.F) {
	for _, s := range []string{"BCDF-GHJK", "bcdf ghjk", "", "\u2010\xff", "ſſſſſſſſ", "BCDFGHJK\u0130"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := readUserCode(typed)
		if !ok {
			return
		}
		if len(code) != userLength || strings.Trim(code, userLetters) != "" || len(typed) > 64 {
			t.Fatalf("%q is taken for %q", typed, code)
		}
		if again, ok := readUserCode(spell(code)); !ok || again != code {
			t.Errorf("%q is shown as %q, which is %q", code, spell(code), again)
		}
	})
}
