package oauth2

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pointgate/pointgate/store"
)

// OpenKeys reads the signing keys at the start. Those that are sealed under a
// key on its way out are sealed anew. Those that can't be opened are [ErrSealed];
// with replace they retire instead, and others are made when they are needed.
func (p *Provider) OpenKeys(ctx context.Context, replace bool) error {
	rows, err := store.SigningKeys(ctx, p.store, store.At(p.now()))
	if err != nil {
		return err
	}
	for i := range rows {
		if err := p.signing.reseal(ctx, &rows[i], replace); err != nil {
			return err
		}
	}
	return p.signing.load(ctx)
}

func (s *signing) reseal(ctx context.Context, row *store.SigningKey, replace bool) error {
	if len(row.Sealed) == 0 {
		return nil
	}
	private, stale, err := s.unseal(row)
	switch {
	case errors.Is(err, ErrSealed) && replace:
		return s.store.Write(ctx, func(tx *store.Tx) error { return s.giveUp(ctx, tx, row) })
	case err != nil || !stale:
		return err
	}
	again, err := s.seal(row, private)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error { return tx.ResealSigningKey(ctx, row.ID, row.Sealed, again) })
}

// giveUp retires the keys of a tenant and algorithm of which one can't be opened.
func (s *signing) giveUp(ctx context.Context, tx *store.Tx, row *store.SigningKey) error {
	if err := tx.RetireSigningKeys(ctx, row.Tenant, row.Alg, tx.Now(), store.At(tx.Now().Add(keyAfter))); err != nil {
		return err
	}
	return s.forget(ctx, tx, row)
}

// forget destroys the private half of a key that is retired.
func (s *signing) forget(ctx context.Context, tx *store.Tx, row *store.SigningKey) error {
	done, err := tx.DestroySigningKey(ctx, row.ID)
	if done {
		s.record(ctx, tx, Event{Kind: KeyDestroyed, At: tx.Now().Time, Tenant: row.Tenant, KeyID: row.ID, Type: row.Alg})
	}
	return err
}

// CheckKeys says how many signing keys there are whose private half is sealed,
// and [ErrSealed] if one does not open. It changes nothing.
func CheckKeys(ctx context.Context, r store.Reader, now time.Time, seals [][]byte) (int, error) {
	rows, err := store.SigningKeys(ctx, r, store.At(now))
	if err != nil {
		return 0, err
	}
	s := &signing{}
	if s.seals, err = keySeals(seals); err != nil {
		return 0, err
	}
	n := 0
	for i := range rows {
		if len(rows[i].Sealed) == 0 {
			continue
		}
		n++
		if _, _, uerr := s.unseal(&rows[i]); uerr != nil {
			err = errors.Join(err, uerr)
		}
	}
	return n, err
}

// LoadKeys reads the signing keys anew: after a change on this node, and every
// few seconds for those on others. With [ErrSealed] the others are loaded.
func (p *Provider) LoadKeys(ctx context.Context) error { return p.signing.load(ctx) }

// TendKeys does what is due: a first key for who needs one, a successor for a
// key whose time comes, the end of the private half of one that signs no more.
// Of several processes the one that gets the lease does it; holder is a name
// that no other has.
func (p *Provider) TendKeys(ctx context.Context, holder string) error {
	s := p.signing
	if held, err := s.store.Lease(ctx, tendLease, holder, tendLeaseFor); err != nil || !held {
		return err
	}
	if err := s.load(ctx); err != nil && !errors.Is(err, ErrSealed) {
		return err
	}
	wanted, err := s.wanted(ctx)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		if err := s.tend(ctx, holder, w.tenant, w.alg); err != nil {
			return err
		}
	}
	return errors.Join(s.destroy(ctx, holder), s.load(ctx))
}

// use is an algorithm with which a tenant's tokens are signed.
type use struct{ tenant, alg string }

// wanted is the default for each tenant, and what its clients have registered.
func (s *signing) wanted(ctx context.Context) ([]use, error) {
	tenants, err := store.Tenants(ctx, s.store)
	if err != nil {
		return nil, err
	}
	registered, err := store.SigningAlgs(ctx, s.store)
	if err != nil {
		return nil, err
	}
	var out []use
	for i := range tenants {
		if tenants[i].DisabledAt.IsZero() {
			out = append(out, use{tenants[i].ID, defaultAlg})
		}
	}
	for _, r := range registered {
		if u := (use{r.Tenant, r.Alg}); r.Alg != "" && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out, nil
}

func (s *signing) tend(ctx context.Context, holder, tenant, alg string) error {
	k, err := s.signer(ctx, tenant, alg)
	if errors.Is(err, ErrSealed) {
		return nil // load says so
	}
	if err != nil || !s.due(k, s.now()) {
		return err
	}
	row, err := s.freshKey(tenant, alg)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.HoldsLease(ctx, tendLease, holder); err != nil {
			return err
		}
		now, err := store.GetSigningKey(ctx, tx, tenant, k.row.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && !now.RetiredAt.IsZero() {
			return nil // somebody was faster
		}
		if err != nil {
			return err
		}
		return s.rotate(ctx, tx, row, KeyLead)
	})
}

// due reports whether a successor is to be published, so that it can sign when
// the key has signed for as long as it should.
func (s *signing) due(k *signingKey, now time.Time) bool {
	return s.every > 0 && k.row.RetiredAt.IsZero() && !now.Before(k.row.SignsFrom.Add(s.every-KeyLead))
}

// destroy forgets the private halves of keys that sign no more.
func (s *signing) destroy(ctx context.Context, holder string) error {
	now := s.now()
	for _, k := range s.ring.Load().byID {
		if len(k.row.Sealed) == 0 || k.row.RetiredAt.IsZero() || now.Before(k.row.RetiredAt.Time) {
			continue
		}
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			if err := tx.HoldsLease(ctx, tendLease, holder); err != nil {
				return err
			}
			return s.forget(ctx, tx, &k.row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// FreshKeys makes a key of each algorithm, which belongs to nobody before
// [Provider.RotateKeys]; without algorithms, of those that the tenant has.
func (p *Provider) FreshKeys(tenant string, algs []string) ([]*store.SigningKey, error) {
	if len(algs) == 0 {
		for _, k := range p.signing.ring.Load().byTenant[tenant] {
			if k.published(p.now()) && !slices.Contains(algs, k.row.Alg) {
				algs = append(algs, k.row.Alg)
			}
		}
	}
	if len(algs) == 0 {
		algs = []string{defaultAlg}
	}
	var out []*store.SigningKey
	for _, alg := range algs {
		row, err := p.signing.freshKey(tenant, alg)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// RotateKeys adds fresh keys to those of their tenant. Each signs after the lead,
// and those before it until then; where there is none, at once. store.ErrConflict:
// too many are published.
func (p *Provider) RotateKeys(ctx context.Context, tx *store.Tx, fresh []*store.SigningKey, lead time.Duration) error {
	for _, row := range fresh {
		if err := p.signing.rotate(ctx, tx, row, lead); err != nil {
			return err
		}
	}
	return nil
}
