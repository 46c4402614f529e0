package oauth2

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// userLetters are those of user codes: no vowel, so that no code is a word, and
// nothing that looks like a digit (RFC 8628 §6.1).
const (
	userLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userLength  = 8
)

// newUserCode is one of 20^8 codes, each as likely as another.
func newUserCode() string {
	const fair = 256 - 256%len(userLetters) // bytes from here on would favour the first letters
	out := make([]byte, 0, userLength)
	for b := make([]byte, 1); len(out) < userLength; {
		_, _ = rand.Read(b) // never fails: see crypto/rand
		if int(b[0]) < fair {
			out = append(out, userLetters[int(b[0])%len(userLetters)])
		}
	}
	return string(out)
}

// spell is a user code as people see it.
func spell(code string) string { return code[:userLength/2] + "-" + code[userLength/2:] }

// readUserCode reads what a person typed: case, dashes and spaces do not matter.
// ok is false for what can't be a code.
func readUserCode(typed string) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	code = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '\u2010' || r == '\u2011' || r == '\u2013' {
			return -1 // some keyboards make other dashes of it
		}
		return r
	}, strings.ToUpper(typed))
	good := len(code) == userLength && strings.Trim(code, userLetters) == ""
	return code, good
}

// userCodeHash is what the database knows a user code by. They are few enough to
// try all of them against a plain hash, so it has a key.
func (p *Provider) userCodeHash(tenant, code string) []byte {
	m := hmac.New(sha256.New, p.userKey)
	m.Write(bind([]string{tenant, code}))
	return m.Sum(nil)
}
