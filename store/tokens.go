package store

import (
	"context"
	"time"
)

const (
	// accessKept is how long an access token stays after its end, so that its
	// holder is told that it expired, and not that it never was.
	accessKept = 24 * time.Hour
	// grantsKept is how long a person's grant stays after its end in lists.
	grantsKept = 90 * 24 * time.Hour
)

// AccessToken is a bearer token (RFC 6750). The row has the SHA-256 of the
// token's signature, never the token.
type AccessToken struct {
	Hash      []byte `db:"hash"`
	GrantID   string `db:"grant_id"`
	Tenant    string `db:"tenant"`
	ClientID  string `db:"client_id"`
	Scopes    Words  `db:"scopes"`
	Audience  string `db:"audience"`
	CreatedAt Time   `db:"created_at"`
	ExpiresAt Time   `db:"expires_at"`
	RevokedAt Time   `db:"revoked_at"` // by itself; its grant may be revoked as well
	Cnf       string `db:"cnf"`        // what it is bound to: dpop:<jkt>, x5t:<thumbprint>, or nothing
	Standing         // read with it; not written
}

// GetAccessToken finds one, of any tenant and in whatever state, with its
// standing: one query, for every request that carries a token.
func GetAccessToken(ctx context.Context, r Reader, hash []byte) (*AccessToken, error) {
	var t AccessToken
	err := r.Get(ctx, &t, `SELECT t.hash, t.grant_id, t.tenant, t.client_id, t.scopes, t.audience,
			t.created_at, t.expires_at, t.revoked_at, t.cnf, `+standingColumns+`
		FROM access_tokens t`+standingJoin+` WHERE t.hash = ?`, hash)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// InsertAccessToken adds one.
func (tx *Tx) InsertAccessToken(ctx context.Context, t *AccessToken) error {
	_, err := tx.Exec(ctx, `INSERT INTO access_tokens (hash, grant_id, tenant, client_id, scopes, audience, created_at, expires_at, revoked_at, cnf)
		VALUES (?,?,?,?,?,?,?,?,?,?)`, t.Hash, t.GrantID, t.Tenant, t.ClientID, t.Scopes, t.Audience, t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.Cnf)
	return err
}

// RevokeAccessToken revokes one alone; what is revoked or gone stays so.
func (tx *Tx) RevokeAccessToken(ctx context.Context, hash []byte) error {
	_, err := tx.Exec(ctx, `UPDATE access_tokens SET revoked_at = ? WHERE hash = ? AND revoked_at IS NULL`, tx.Now(), hash)
	return err
}

// RefreshToken is used once and replaced by the next of its grant (RFC 9700
// §4.14). The used ones stay until the grant's end: whoever shows one again
// ends the grant.
type RefreshToken struct {
	Hash        []byte `db:"hash"`
	GrantID     string `db:"grant_id"`
	Tenant      string `db:"tenant"`
	ClientID    string `db:"client_id"`
	Scopes      Words  `db:"scopes"` // of the grant; an access token may have fewer
	Audience    string `db:"audience"`
	CreatedAt   Time   `db:"created_at"`
	ExpiresAt   Time   `db:"expires_at"` // if it is not used until then
	UsedAt      Time   `db:"used_at"`
	NextHash    []byte `db:"next_hash"`
	Successor   []byte `db:"successor"`     // the answer that replaced it, readable only with the token itself
	GraceEndsAt Time   `db:"grace_ends_at"` // until then the successor may be had again
	KeptUntil   Time   `db:"kept_until"`    // the end of the grant
	Cnf         string `db:"cnf"`           // of a public client's: the key that must be shown with it
	Standing           // read with it; not written
}

// GetRefreshToken finds one, of any tenant and in whatever state, with its
// standing.
func GetRefreshToken(ctx context.Context, r Reader, hash []byte) (*RefreshToken, error) {
	var t RefreshToken
	err := r.Get(ctx, &t, `SELECT t.hash, t.grant_id, t.tenant, t.client_id, t.scopes, t.audience, t.created_at, t.expires_at,
			t.used_at, t.next_hash, t.successor, t.grace_ends_at, t.kept_until, t.cnf, `+standingColumns+`
		FROM refresh_tokens t`+standingJoin+` WHERE t.hash = ?`, hash)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// InsertRefreshToken adds one.
func (tx *Tx) InsertRefreshToken(ctx context.Context, t *RefreshToken) error {
	_, err := tx.Exec(ctx, `INSERT INTO refresh_tokens (hash, grant_id, tenant, client_id, scopes, audience, created_at, expires_at,
		used_at, next_hash, successor, grace_ends_at, kept_until, cnf) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		t.Hash, t.GrantID, t.Tenant, t.ClientID, t.Scopes, t.Audience, t.CreatedAt, t.ExpiresAt,
		t.UsedAt, t.NextHash, t.Successor, t.GraceEndsAt, t.KeptUntil, t.Cnf)
	return err
}

// UseRefreshToken marks a token as used, with its UsedAt, NextHash, Successor
// and GraceEndsAt; false if it is used already or at its end.
func (tx *Tx) UseRefreshToken(ctx context.Context, t *RefreshToken) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE refresh_tokens SET used_at = ?, next_hash = ?, successor = ?, grace_ends_at = ?
		WHERE hash = ? AND used_at IS NULL AND expires_at > ?`, t.UsedAt, t.NextHash, t.Successor, t.GraceEndsAt, t.Hash, t.UsedAt)
	return n == 1, err
}

// EmptySuccessors removes at most limit sealed answers whose grace is over.
func (tx *Tx) EmptySuccessors(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `UPDATE refresh_tokens SET successor = NULL WHERE hash IN
		(SELECT hash FROM refresh_tokens WHERE successor IS NOT NULL AND grace_ends_at <= ? ORDER BY grace_ends_at LIMIT ?)`, tx.Now(), limit)
}

// DeleteAccessTokens removes at most limit access tokens whose end is long past.
func (tx *Tx) DeleteAccessTokens(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM access_tokens WHERE hash IN (SELECT hash FROM access_tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
		At(tx.Now().Add(-accessKept)), limit)
}

// DeleteRefreshTokens removes at most limit refresh tokens of ended grants.
func (tx *Tx) DeleteRefreshTokens(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE kept_until <= ? ORDER BY kept_until LIMIT ?)`, tx.Now(), limit)
}

// spent is the query for those of some grants that have neither code nor token
// left. These are few: PostgreSQL would else join all tokens that there are.
// Codes and tokens end before their grant, and are removed before it, so those
// that have some don't stay in the way.
func spent(these string) string {
	return `SELECT g.id FROM (` + these + ` ORDER BY expires_at LIMIT ?) AS g
		WHERE NOT EXISTS (SELECT 1 FROM codes WHERE grant_id = g.id)
			AND NOT EXISTS (SELECT 1 FROM access_tokens WHERE grant_id = g.id)
			AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE grant_id = g.id)`
}

// DeleteGrants removes at most limit grants that people gave, a time after their
// end in which the person may want to look at them.
func (tx *Tx) DeleteGrants(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM grants WHERE id IN (`+spent(`SELECT id FROM grants
		WHERE subject_type <> 'client' AND parent_id = '' AND expires_at <= ?`)+`)`, At(tx.Now().Add(-grantsKept)), limit)
}

// DeleteClientGrants removes at most limit grants that clients took for
// themselves, or got by exchange, as soon as their tokens are gone.
func (tx *Tx) DeleteClientGrants(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM grants WHERE id IN (`+spent(`SELECT id FROM grants
		WHERE (subject_type = 'client' OR parent_id <> '') AND expires_at <= ?`)+`)`, At(tx.Now().Add(-accessKept)), limit)
}
