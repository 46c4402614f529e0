package store

import "context"

// PushedRequest is an authorization request that a client has sent ahead
// (RFC 9126). The row has the SHA-256 of its handle, never the handle.
type PushedRequest struct {
	Hash      []byte `db:"hash"`
	Tenant    string `db:"tenant"`
	ClientID  string `db:"client_id"`
	Form      string `db:"form"` // urlencoded, without credentials
	CreatedAt Time   `db:"created_at"`
	ExpiresAt Time   `db:"expires_at"`
	UsedAt    Time   `db:"used_at"`
}

// InsertPushedRequest adds one; ErrExists if its handle is taken.
func (tx *Tx) InsertPushedRequest(ctx context.Context, r *PushedRequest) error {
	_, err := tx.Exec(ctx, `INSERT INTO pushed_requests (hash, tenant, client_id, form, created_at, expires_at, used_at) VALUES (?,?,?,?,?,?,?)`,
		r.Hash, r.Tenant, r.ClientID, r.Form, r.CreatedAt, r.ExpiresAt, r.UsedAt)
	return err
}

// GetPushedRequest finds one, in whatever state; ErrNotFound also for another
// client's.
func GetPushedRequest(ctx context.Context, r Reader, tenant, client string, hash []byte) (*PushedRequest, error) {
	var p PushedRequest
	err := r.Get(ctx, &p, `SELECT hash, tenant, client_id, form, created_at, expires_at, used_at FROM pushed_requests
		WHERE hash = ? AND tenant = ? AND client_id = ?`, hash, tenant, client)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// UsePushedRequest takes a request out; false if it is used already or at its
// end. Of several at once, on whatever node, one gets it.
func (tx *Tx) UsePushedRequest(ctx context.Context, hash []byte, now Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE pushed_requests SET used_at = ? WHERE hash = ? AND used_at IS NULL AND expires_at > ?`, now, hash, now)
	return n == 1, err
}

// DeletePushedRequests removes at most limit requests whose time is over.
func (tx *Tx) DeletePushedRequests(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM pushed_requests WHERE hash IN (SELECT hash FROM pushed_requests WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`, tx.Now(), limit)
}
