package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/pointgate/pointgate/policies"
)

// lifetime records when a server starts and stops.
type lifetime struct {
	installation *Installation
	policy       *policies.Engine
	start        start
	now          func() time.Time
	began        time.Time
}

// startTimeout bounds the record of the start; a database that hangs for longer
// is not one to serve from.
const startTimeout = 15 * time.Second

func newLifetime(c *Config) *lifetime {
	return &lifetime{
		installation: &Installation{Store: c.Store, Labels: c.Labels}, policy: c.Policy, now: c.Now,
		start: start{tenant: c.Home, settings: c.Settings, fingerprint: fingerprint(c.CSRFKey)},
	}
}

func (l *lifetime) begin() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	l.began, l.start.revision = l.now(), l.policy.Revision()
	return l.installation.started(ctx, l.start)
}

func (l *lifetime) end(ctx context.Context) error {
	if err := l.installation.stopped(ctx, l.start.tenant, l.now().Sub(l.began)); err != nil {
		return fmt.Errorf("the stop can't be recorded: %w", err)
	}
	return nil
}

// fingerprint tells one master secret from another by a key that is derived from
// it for another purpose: 64 bits of a digest, of which nobody can compute
// either.
func fingerprint(key []byte) string {
	sum := sha256.Sum256(append([]byte("pointgate fingerprint\x00"), key...))
	return hex.EncodeToString(sum[:8])
}
