package store

import (
	"context"
	"time"
)

// SigningKeysKept is how long a key stays after its end: for lists, and for who
// shows an ID token that has long expired.
const SigningKeysKept = 90 * 24 * time.Hour

// SigningKey signs the tokens of a tenant, or did. Of all with one tenant and
// algorithm the one that signs is the newest whose time has come.
type SigningKey struct {
	ID        string `db:"id"` // the kid of its tokens
	Tenant    string `db:"tenant"`
	Alg       string `db:"alg"`        // by RFC 7518: ES256, RS256, EdDSA
	PublicJWK string `db:"public_jwk"` // RFC 7517, as it is published
	Sealed    []byte `db:"sealed"`     // the private half, which this package can't read; empty once it is destroyed
	CreatedAt Time   `db:"created_at"` // published from then on
	SignsFrom Time   `db:"signs_from"`
	RetiredAt Time   `db:"retired_at"` // when it ends, or ended, to sign; zero: no end is set
	EndsAt    Time   `db:"ends_at"`    // until when it is published; zero: no end is set
	Issuer    string `db:"issuer"`     // of its tenant, as it is today. Not written.
}

// Revoked says that the key was ended before its time.
func (k *SigningKey) Revoked() bool { return !k.EndsAt.IsZero() && !k.EndsAt.After(k.RetiredAt.Time) }

const selectSigningKeys = `SELECT k.id, k.tenant, k.alg, k.public_jwk, k.sealed, k.created_at, k.signs_from, k.retired_at, k.ends_at, t.issuer
	FROM signing_keys k JOIN tenants t ON t.id = k.tenant`

// SigningKeys are those of all tenants that end after this time; of a tenant and
// algorithm those that sign first, first.
func SigningKeys(ctx context.Context, r Reader, after Time) (keys []SigningKey, err error) {
	err = r.Select(ctx, &keys, selectSigningKeys+` WHERE k.ends_at IS NULL OR k.ends_at > ? ORDER BY k.tenant, k.alg, k.signs_from, k.id`, after)
	return keys, err
}

// TenantSigningKeys lists at most limit keys of a tenant, the ended ones too, by
// their ids, those after the given one.
func TenantSigningKeys(ctx context.Context, r Reader, tenant, after string, limit int) (keys []SigningKey, err error) {
	err = r.Select(ctx, &keys, selectSigningKeys+` WHERE k.tenant = ? AND k.id > ? ORDER BY k.id LIMIT ?`, tenant, after, limit)
	return keys, err
}

// GetSigningKey is one by its id; ErrNotFound also for another tenant's.
func GetSigningKey(ctx context.Context, r Reader, tenant, id string) (*SigningKey, error) {
	var k SigningKey
	if err := r.Get(ctx, &k, selectSigningKeys+` WHERE k.tenant = ? AND k.id = ?`, tenant, id); err != nil {
		return nil, err
	}
	return &k, nil
}

// SigningAlgs are the algorithms that the enabled clients of enabled tenants
// have in their registrations.
func SigningAlgs(ctx context.Context, r Reader) (pairs []struct {
	Tenant string `db:"tenant"`
	Alg    string `db:"signing_alg"`
}, err error) {
	err = r.Select(ctx, &pairs, `SELECT DISTINCT c.tenant, c.signing_alg FROM clients c JOIN tenants t ON t.id = c.tenant
		WHERE c.disabled_at IS NULL AND t.disabled_at IS NULL ORDER BY c.tenant, c.signing_alg`)
	return pairs, err
}

// InsertSigningKey adds one; ErrExists if its id is taken.
func (tx *Tx) InsertSigningKey(ctx context.Context, k *SigningKey) error {
	_, err := tx.Exec(ctx, `INSERT INTO signing_keys (id, tenant, alg, public_jwk, sealed, created_at, signs_from, retired_at, ends_at)
		VALUES (?,?,?,?,?,?,?,?,?)`, k.ID, k.Tenant, k.Alg, k.PublicJWK, k.Sealed, k.CreatedAt, k.SignsFrom, k.RetiredAt, k.EndsAt)
	return err
}

// RetireSigningKeys sets the ends of all keys of a tenant and algorithm that
// would sign for longer.
func (tx *Tx) RetireSigningKeys(ctx context.Context, tenant, alg string, retired, ends Time) error {
	_, err := tx.Exec(ctx, `UPDATE signing_keys SET retired_at = ?, ends_at = ? WHERE tenant = ? AND alg = ? AND (retired_at IS NULL OR retired_at > ?)`,
		retired, ends, tenant, alg, retired)
	return err
}

// RevokeSigningKey ends a key at once and forgets its private half: nothing that
// it has signed is good any more. ErrConflict if it has ended.
func (tx *Tx) RevokeSigningKey(ctx context.Context, tenant, id string) error {
	now := tx.Now()
	return tx.ExecOne(ctx, ErrConflict, `UPDATE signing_keys SET sealed = NULL, retired_at = ?, ends_at = ?
		WHERE tenant = ? AND id = ? AND (ends_at IS NULL OR ends_at > ?)`, now, now, tenant, id, now)
}

// DestroySigningKey forgets the private half of a key that signs no more; false
// if it may still sign, or is destroyed.
func (tx *Tx) DestroySigningKey(ctx context.Context, id string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE signing_keys SET sealed = NULL WHERE id = ? AND retired_at <= ? AND sealed IS NOT NULL`, id, tx.Now())
	return n == 1, err
}

// ResealSigningKey puts the private half of a key under another seal; what is
// not sealed as it was is left alone.
func (tx *Tx) ResealSigningKey(ctx context.Context, id string, was, sealed []byte) error {
	_, err := tx.Exec(ctx, `UPDATE signing_keys SET sealed = ? WHERE id = ? AND sealed = ?`, sealed, id, was)
	return err
}

// DeleteSigningKeys removes at most limit keys whose end is long past.
func (tx *Tx) DeleteSigningKeys(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM signing_keys WHERE id IN (SELECT id FROM signing_keys WHERE ends_at <= ? LIMIT ?)`,
		At(tx.Now().Add(-SigningKeysKept)), limit)
}
