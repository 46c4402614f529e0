package authn_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/server/authn"
)

func TestPasswords(t *testing.T) {
	p, err := authn.NewPasswords()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	long := strings.Repeat("long ", 200)
	hash, err := p.Hash(ctx, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	longHash, err := p.Hash(ctx, long)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q", hash)
	}
	for _, c := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"right", hash, "correct horse battery", true},
		{"wrong", hash, "correct horse", false},
		{"empty", hash, "", false},
		{"nobody's", "", "correct horse battery", false},
		{"nobody's, empty", "", "", false},
		{"as long as may be", longHash, long, true},
		{"longer, with a right beginning", longHash, long + strings.Repeat(" ", authn.MaxPassword), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := p.Verify(ctx, c.hash, c.password); got != c.want || err != nil {
				t.Errorf("%v (%v), want %v", got, err, c.want)
			}
		})
	}
	t.Run("a hash that can't be read is an error", func(t *testing.T) {
		if ok, err := p.Verify(ctx, "plain", "plain"); ok || err == nil {
			t.Errorf("%v (%v), want an error", ok, err)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	for name, c := range map[string]struct {
		password string
		want     bool
	}{
		"the fewest characters":              {"twelve chars", true},
		"one less":                           {"eleven char", false},
		"the fewest, of several bytes":       {strings.Repeat("é", 12), true},
		"four characters of sixteen bytes":   {"🔑🔑🔑🔑", false},
		"the most bytes":                     {strings.Repeat("x", 1024), true},
		"one more":                           {strings.Repeat("x", 1025), false},
		"few characters, but too many bytes": {strings.Repeat("🔑", 257), false},
		"none":                               {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := authn.CheckPassword(c.password); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
