package authn

import (
	"time"

	"github.com/pointgate/pointgate/store"
)

// SetupFor is how long a setup link is good.
const SetupFor = time.Hour

// NewSetupLink makes the secret of a setup link and its row.
func NewSetupLink(tenant string, now time.Time) (secret string, row store.SetupLink) {
	secret = random62(secretChars)
	return secret, store.SetupLink{Hash: digest(secret), Tenant: tenant, ExpiresAt: store.At(now.Add(SetupFor))}
}

// SetupHash is the hash by which the row of a setup link is found.
func SetupHash(secret string) []byte { return digest(secret) }
