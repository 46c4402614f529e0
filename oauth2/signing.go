package oauth2

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pointgate/pointgate/store"
)

// signing has the keys that sign tokens: those of the store, opened, in memory.
// It is safe for concurrent use.
type signing struct {
	store *store.DB
	now   func() time.Time
	seals []sealer // the first seals, all open
	every time.Duration
	// record notes what became of a key in the write that did it.
	record func(ctx context.Context, tx *store.Tx, e Event)

	ring    atomic.Pointer[ring]
	loading sync.Mutex
	making  sync.Mutex // one key is made at a time
}

// ring is all keys that are published, or were not long ago, as they were when it
// was read.
type ring struct {
	read     time.Time
	byID     map[string]*signingKey
	byHead   map[string]*signingKey   // by the head of their access tokens
	byTenant map[string][]*signingKey // the one that signs last, last
}

// ErrSealed says that keys in the store can't be opened: they were sealed under
// another key than those that are given.
var ErrSealed = errors.New("signing keys can't be opened with this key")

// load reads the keys anew. A key that can't be opened is published all the
// same, and does not sign; the error, which is [ErrSealed], says so.
func (s *signing) load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	now := s.now()
	rows, err := store.SigningKeys(ctx, s.store, store.At(now.Add(-store.SigningKeysKept))) // the ended ones too: see vouches
	if err != nil {
		return err
	}
	was := s.ring.Load()
	next := &ring{read: now, byID: map[string]*signingKey{}, byHead: map[string]*signingKey{}, byTenant: map[string][]*signingKey{}}
	var sealed error
	for i := range rows {
		k, err := s.open(&rows[i], was.byID[rows[i].ID])
		if err != nil && !errors.Is(err, ErrSealed) {
			return err
		}
		sealed = errors.Join(sealed, err)
		next.byID[k.row.ID], next.byHead[k.head(typAccess)] = k, k
		next.byTenant[k.row.Tenant] = append(next.byTenant[k.row.Tenant], k)
	}
	s.ring.Store(next)
	return sealed
}

// open makes a key of its row, and of the same key as it was known before: a
// private half that was opened once need not be opened again.
func (s *signing) open(row *store.SigningKey, known *signingKey) (*signingKey, error) {
	k := &signingKey{row: *row, alg: algorithms[row.Alg]}
	if known != nil && known.row.PublicJWK == row.PublicJWK {
		k.public, k.private = known.public, known.private
	} else {
		var j jwk
		err := json.Unmarshal([]byte(row.PublicJWK), &j)
		if k.public = j.public(); err != nil || k.public == nil || j.Alg != row.Alg || j.Kid != row.ID {
			return nil, fmt.Errorf("oauth2: the signing key %s is none: %w", row.ID, errors.Join(err, errKeyType))
		}
	}
	if len(row.Sealed) == 0 || !row.RetiredAt.IsZero() && !row.RetiredAt.After(s.now()) {
		k.private = nil
		return k, nil
	}
	if k.private != nil {
		return k, nil
	}
	var err error
	k.private, _, err = s.unseal(row)
	if err == nil && !samePublic(k.public, k.private.Public()) {
		k.private, err = nil, fmt.Errorf("%w: %s is another key's", ErrSealed, row.ID)
	}
	return k, err
}

// seal is the row's private half under the first of the seals, bound to whose it
// is and what it is for.
func (s *signing) seal(row *store.SigningKey, private crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return s.seals[0].seal(der, row.Tenant, row.ID, row.Alg), nil
}

// unseal opens a private half; stale says that it was not under the first seal.
func (s *signing) unseal(row *store.SigningKey) (private crypto.Signer, stale bool, err error) {
	for i, seal := range s.seals {
		der, err := seal.open(row.Sealed, row.Tenant, row.ID, row.Alg)
		if err != nil {
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, false, err
		}
		private, ok := key.(crypto.Signer)
		if !ok {
			return nil, false, errKeyType
		}
		return private, i > 0, nil
	}
	return nil, false, fmt.Errorf("%w: %s", ErrSealed, row.ID)
}

// signs is the key that signs for a tenant now, or nil.
func (r *ring) signs(tenant, alg string, now time.Time) *signingKey {
	for _, k := range slices.Backward(r.byTenant[tenant]) {
		if k.row.Alg == alg && k.private != nil && current(&k.row, now) {
			return k
		}
	}
	return nil
}

// current reports whether the key may sign now.
func current(row *store.SigningKey, now time.Time) bool {
	return !now.Before(row.SignsFrom.Time) && (row.RetiredAt.IsZero() || now.Before(row.RetiredAt.Time))
}

// published reports whether what the key has signed is still to be believed.
func (k *signingKey) published(now time.Time) bool {
	return k.row.EndsAt.IsZero() || now.Before(k.row.EndsAt.Time)
}

// vouches reports whether the key did sign what it has signed: unless it was in
// wrong hands, also after its end. That is for those who show a token of the past.
func (k *signingKey) vouches() bool { return !k.row.Revoked() }

// reloadAtMost is how often keys are read anew for a token of a key that is not
// known here: it may be one that another node made a moment ago. Who sends junk
// can cause no more reads than that.
const reloadAtMost = time.Second

// byHead finds the key of an access token by the token's first part, or nil.
func (s *signing) byHead(ctx context.Context, head string) (*signingKey, error) {
	r := s.ring.Load()
	k := r.byHead[head]
	if k == nil && kidOf(head) != "" && s.now().Sub(r.read).Abs() >= reloadAtMost {
		if err := s.load(ctx); err != nil && !errors.Is(err, ErrSealed) {
			return nil, err
		}
		k = s.ring.Load().byHead[head]
	}
	if k == nil || !k.published(s.now()) {
		return nil, nil
	}
	return k, nil
}

// JWKS is the tenant's published keys as a JWK set (RFC 7517 §5).
func (p *Provider) JWKS(t *store.Tenant) any {
	keys := []json.RawMessage{}
	now := p.now()
	for _, k := range p.signing.ring.Load().byTenant[t.ID] {
		if k.published(now) {
			keys = append(keys, json.RawMessage(k.row.PublicJWK))
		}
	}
	return struct {
		Keys []json.RawMessage `json:"keys"`
	}{keys}
}
