package authn_test

import (
	"bytes"
	"crypto/sha256"
	"regexp"
	"testing"

	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/store"
)

func TestNewKey(t *testing.T) {
	for prefix, want := range map[string]struct{ secret, id, kind string }{
		authn.KeyPrefix:   {`^pgk_[0-9A-Za-z]{65}$`, `^key_[0-9A-Za-z]{16}$`, store.KindKey},
		authn.TokenPrefix: {`^pgt_[0-9A-Za-z]{65}$`, `^tok_[0-9A-Za-z]{16}$`, store.KindToken},
	} {
		secret, row := authn.NewKey(prefix)
		sum := sha256.Sum256([]byte(secret))
		if !regexp.MustCompile(want.secret).MatchString(secret) || !regexp.MustCompile(want.id).MatchString(row.ID) ||
			row.Kind != want.kind || !bytes.Equal(row.Hash, sum[:]) {
			t.Errorf("%s: secret %q, row %+v", prefix, secret, row)
		}
		if again, _ := authn.NewKey(prefix); again == secret {
			t.Errorf("%s: the same twice", prefix)
		}
	}
}
