package oauth2

import (
	"context"
	"crypto"
	"errors"
	"slices"
	"time"

	"github.com/pointgate/pointgate/store"
)

const (
	// KeyLead is how long a key is published before it signs, so that those who
	// verify have it by then.
	KeyLead = time.Hour
	// MaxKeyLead bounds what can be asked for.
	MaxKeyLead = 7 * 24 * time.Hour
	// keyAfter is how long a key is published after it has signed for the last
	// time: longer than all that it has signed is good.
	keyAfter = 2 * time.Hour
	// maxTenantKeys bounds what one JWK set holds of one algorithm.
	maxTenantKeys = 8

	tendLease    = "signing_keys"
	tendLeaseFor = time.Minute
)

// freshKey makes a key outside of any write: that takes its time for RS256.
func (s *signing) freshKey(tenant, alg string) (*store.SigningKey, error) {
	a, ok := algorithms[alg]
	if !ok {
		return nil, errKeyType
	}
	private, err := a.generate()
	if err != nil {
		return nil, err
	}
	row := &store.SigningKey{ID: newID("sgk_"), Tenant: tenant, Alg: alg}
	if row.PublicJWK, err = ownPublicJWK(row.ID, alg, crypto.PublicKey(private.Public())); err != nil {
		return nil, err
	}
	row.Sealed, err = s.seal(row, private)
	return row, err
}

// signer is the key that signs for the tenant now. Where there is none, it makes
// one, which signs at once. It writes, so it must not be called in a write.
func (s *signing) signer(ctx context.Context, tenant, alg string) (*signingKey, error) {
	if k := s.ring.Load().signs(tenant, alg, s.now()); k != nil {
		return k, nil
	}
	s.making.Lock()
	defer s.making.Unlock()
	if err := s.load(ctx); err != nil && !errors.Is(err, ErrSealed) {
		return nil, err
	}
	if k := s.ring.Load().signs(tenant, alg, s.now()); k != nil {
		return k, nil
	}
	row, err := s.freshKey(tenant, alg)
	if err != nil {
		return nil, err
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error { return s.addFirst(ctx, tx, row) })
	if err != nil {
		return nil, err
	}
	if err := s.load(ctx); err != nil && !errors.Is(err, ErrSealed) {
		return nil, err
	}
	if k := s.ring.Load().signs(tenant, alg, s.now()); k != nil {
		return k, nil
	}
	return nil, ErrSealed // there is one, which this process can't open
}

// addFirst adds a key that signs at once, unless there is one: another node may
// have been faster. It signs until the next one that waits for its time.
func (s *signing) addFirst(ctx context.Context, tx *store.Tx, row *store.SigningKey) error {
	keys, err := keysOf(ctx, tx, row.Tenant, row.Alg)
	if err != nil {
		return err
	}
	now := tx.Now()
	row.RetiredAt, row.EndsAt = store.Time{}, store.Time{}
	for i := range keys {
		k := &keys[i]
		if len(k.Sealed) > 0 && current(k, now.Time) {
			return nil
		}
		waits := k.SignsFrom.After(now.Time) && (k.RetiredAt.IsZero() || k.RetiredAt.After(k.SignsFrom.Time))
		if waits && row.RetiredAt.IsZero() { // they are in the order of their times
			row.RetiredAt, row.EndsAt = k.SignsFrom, store.At(k.SignsFrom.Add(keyAfter))
		}
	}
	row.CreatedAt, row.SignsFrom = now, now
	return s.insert(ctx, tx, row)
}

// rotate adds a key that signs after the lead; those before it sign until then.
func (s *signing) rotate(ctx context.Context, tx *store.Tx, row *store.SigningKey, lead time.Duration) error {
	keys, err := keysOf(ctx, tx, row.Tenant, row.Alg)
	if err != nil {
		return err
	}
	if len(keys) >= maxTenantKeys {
		return store.ErrConflict
	}
	row.CreatedAt, row.SignsFrom = tx.Now(), store.At(tx.Now().Add(lead))
	if !slices.ContainsFunc(keys, func(k store.SigningKey) bool { return current(&k, tx.Now().Time) && len(k.Sealed) > 0 }) {
		row.SignsFrom = row.CreatedAt // there is none to sign meanwhile
	}
	if err := tx.RetireSigningKeys(ctx, row.Tenant, row.Alg, row.SignsFrom, store.At(row.SignsFrom.Add(keyAfter))); err != nil {
		return err
	}
	return s.insert(ctx, tx, row)
}

func (s *signing) insert(ctx context.Context, tx *store.Tx, row *store.SigningKey) error {
	s.record(ctx, tx, Event{
		Kind: KeyCreated, At: row.CreatedAt.Time, Tenant: row.Tenant, KeyID: row.ID, Type: row.Alg, Since: row.SignsFrom.Time,
	})
	return tx.InsertSigningKey(ctx, row)
}

// keysOf are the published keys of a tenant and algorithm.
func keysOf(ctx context.Context, tx *store.Tx, tenant, alg string) ([]store.SigningKey, error) {
	all, err := store.SigningKeys(ctx, tx, tx.Now())
	return slices.DeleteFunc(all, func(k store.SigningKey) bool { return k.Tenant != tenant || k.Alg != alg }), err
}
