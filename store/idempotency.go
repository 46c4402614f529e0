package store

import (
	"context"
	"time"
)

// IdempotencyTTL is how long an answer is kept for repeats.
const IdempotencyTTL = 24 * time.Hour

// IdempotencyKey is the answer that a request with this key got.
type IdempotencyKey struct {
	Tenant      string `db:"tenant"`
	Client      string `db:"client"`
	Subject     string `db:"subject"`
	Route       string `db:"route"`
	Key         string `db:"key"`
	Fingerprint []byte `db:"fingerprint"` // SHA-256 of the request
	Status      int    `db:"status"`
	Body        []byte `db:"body"`
	CreatedAt   Time   `db:"created_at"`
}

// IdempotencyKey finds the kept answer for k's scope and key; ErrNotFound if
// there is none or its time is over.
func (tx *Tx) IdempotencyKey(ctx context.Context, k *IdempotencyKey) (*IdempotencyKey, error) {
	var was IdempotencyKey
	err := tx.Get(ctx, &was, `SELECT tenant, client, subject, route, key, fingerprint, status, body, created_at FROM idempotency_keys
		WHERE tenant = ? AND client = ? AND subject = ? AND route = ? AND key = ? AND created_at > ?`,
		k.Tenant, k.Client, k.Subject, k.Route, k.Key, At(tx.Now().Add(-IdempotencyTTL)))
	if err != nil {
		return nil, err
	}
	return &was, nil
}

// InsertIdempotencyKey keeps an answer, in place of one whose time is over.
func (tx *Tx) InsertIdempotencyKey(ctx context.Context, k *IdempotencyKey) error {
	_, err := tx.Exec(ctx, `INSERT INTO idempotency_keys (tenant, client, subject, route, key, fingerprint, status, body, created_at)
		VALUES (?,?,?,?,?,?,?,?,?)
		ON CONFLICT (tenant, client, subject, route, key) DO UPDATE SET
			fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body, created_at = excluded.created_at`,
		k.Tenant, k.Client, k.Subject, k.Route, k.Key, k.Fingerprint, k.Status, k.Body, k.CreatedAt)
	return err
}

// DeleteIdempotencyKeys removes at most limit keys whose time is over.
func (tx *Tx) DeleteIdempotencyKeys(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM idempotency_keys WHERE (tenant, client, subject, route, key) IN
		(SELECT tenant, client, subject, route, key FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)`,
		At(tx.Now().Add(-IdempotencyTTL)), limit)
}
