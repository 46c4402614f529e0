package oauth2

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"strconv"
	"time"

	"github.com/pointgate/pointgate/store"
)

// nonceWindow is how long one nonce is handed out. It is good for as long again,
// so whoever is handed one has five minutes at least.
const nonceWindow = 5 * time.Minute

// Nonce is what a DPoP proof of this tenant's clients must or may name now
// (RFC 9449 §8): the MAC of the time, so that no proof can be made before its
// time, every node knows it, and nobody keeps it.
func (p *Provider) Nonce(t *store.Tenant) string { return p.nonceAt(t, p.now()) }

func (p *Provider) nonceAt(t *store.Tenant, at time.Time) string {
	mac := hmac.New(sha256.New, p.nonceKey)
	mac.Write(bind([]string{t.ID, strconv.FormatInt(at.Unix()/int64(nonceWindow.Seconds()), 10)}))
	return encode(mac.Sum(nil)[:16])
}

// fresh reports whether a nonce is of this window, of the one before it, or of
// the next, as a node whose clock is ahead hands it out.
func (p *Provider) fresh(t *store.Tenant, nonce string) bool {
	now, good := p.now(), 0
	for _, shift := range []time.Duration{-nonceWindow, 0, nonceWindow} {
		good |= subtle.ConstantTimeCompare([]byte(nonce), []byte(p.nonceAt(t, now.Add(shift))))
	}
	return good == 1
}
