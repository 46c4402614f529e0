package store

import (
	"context"
	"time"
)

// codesKept is how long a code stays after its end, so that its reuse is
// noticed for longer than its tokens live.
const codesKept = time.Hour

// Code is an authorization code (RFC 6749 §4.1.2). The row has the SHA-256 of
// the code's signature, never the code.
type Code struct {
	Hash            []byte `db:"hash"`
	Flow            string `db:"flow"` // the authorization request that it answers: it has at most one code
	GrantID         string `db:"grant_id"`
	Tenant          string `db:"tenant"`
	ClientID        string `db:"client_id"`
	RedirectURI     string `db:"redirect_uri"` // as it was sent; empty if it was not
	Challenge       string `db:"challenge"`    // S256 (RFC 7636)
	RequestedScopes Words  `db:"requested_scopes"`
	Scopes          Words  `db:"scopes"` // that were granted
	Audience        string `db:"audience"`
	Nonce           string `db:"nonce"` // of OpenID Connect
	Cnf             string `db:"cnf"`   // the key that the client must show (dpop_jkt, RFC 9449 §10)
	CreatedAt       Time   `db:"created_at"`
	ExpiresAt       Time   `db:"expires_at"`
	UsedAt          Time   `db:"used_at"`
	Standing               // read with it; not written
}

// GetCode finds a code, in whatever state; ErrNotFound also for another tenant's.
func GetCode(ctx context.Context, r Reader, tenant string, hash []byte) (*Code, error) {
	var c Code
	err := r.Get(ctx, &c, `SELECT t.hash, t.flow, t.grant_id, t.tenant, t.client_id, t.redirect_uri, t.challenge,
			t.requested_scopes, t.scopes, t.audience, t.nonce, t.cnf, t.created_at, t.expires_at, t.used_at, `+standingColumns+`
		FROM codes t`+standingJoin+` WHERE t.hash = ? AND t.tenant = ?`, hash, tenant)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// InsertCode adds one; ErrExists if its flow has a code already.
func (tx *Tx) InsertCode(ctx context.Context, c *Code) error {
	_, err := tx.Exec(ctx, `INSERT INTO codes (hash, flow, grant_id, tenant, client_id, redirect_uri, challenge,
		requested_scopes, scopes, audience, nonce, cnf, created_at, expires_at, used_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		c.Hash, c.Flow, c.GrantID, c.Tenant, c.ClientID, c.RedirectURI, c.Challenge,
		c.RequestedScopes, c.Scopes, c.Audience, c.Nonce, c.Cnf, c.CreatedAt, c.ExpiresAt, c.UsedAt)
	return err
}

// UseCode redeems a code; false if it is used already or at its end.
func (tx *Tx) UseCode(ctx context.Context, hash []byte, now Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE codes SET used_at = ? WHERE hash = ? AND used_at IS NULL AND expires_at > ?`, now, hash, now)
	return n == 1, err
}

// DeleteCodes removes at most limit codes whose end is long past.
func (tx *Tx) DeleteCodes(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`, At(tx.Now().Add(-codesKept)), limit)
}
