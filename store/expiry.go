package store

import "context"

// Expiry is how many of a customer's points expire at one instant.
type Expiry struct {
	CustomerID string `db:"customer_id"`
	Points     int64  `db:"points"`
	At         Time   `db:"expires_at"`
}

// Expiring lists what will expire of a customer's points, soonest first.
func Expiring(ctx context.Context, r Reader, tenant, customer string, now Time, limit int) ([]Expiry, error) {
	var out []Expiry
	err := r.Select(ctx, &out, `SELECT customer_id, CAST(SUM(remaining) AS BIGINT) AS points, expires_at FROM lots
		WHERE tenant = ? AND customer_id = ? AND remaining > 0 AND expires_at > ?
		GROUP BY customer_id, expires_at ORDER BY customer_id, expires_at LIMIT ?`, tenant, customer, now, limit)
	return out, err
}

// DueLots lists which customers' points of a tenant have expired at which
// instants, the longest due first, from at most limit lots; Points is what is
// seen of them.
func DueLots(ctx context.Context, r Reader, tenant string, now Time, limit int) ([]Expiry, error) {
	var out []Expiry
	err := r.Select(ctx, &out, `SELECT customer_id, CAST(SUM(remaining) AS BIGINT) AS points, expires_at FROM
		(SELECT customer_id, remaining, expires_at FROM lots
			WHERE tenant = ? AND remaining > 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?) AS due
		GROUP BY expires_at, customer_id ORDER BY expires_at, customer_id`, tenant, now, limit)
	return out, err
}

// ExpireLots posts the expiry of a customer's lots that end at l.EffectiveAt,
// which has passed, or of so many of them as one act touches; the next sweep
// finds the others. l.Points is filled in; it stays 0, and no line is written,
// where another has been here before.
func (tx *Tx) ExpireLots(ctx context.Context, l *Line) error {
	if _, err := tx.Exec(ctx, `INSERT INTO lot_uses (used_by, lot, points)
		SELECT ?, seq, remaining FROM lots
		WHERE tenant = ? AND customer_id = ? AND remaining > 0 AND expires_at = ? LIMIT ?`,
		l.ID, l.Tenant, l.CustomerID, l.EffectiveAt, maxTouched); err != nil {
		return err
	}
	n, err := tx.used(ctx, l.ID)
	if err != nil || n == 0 {
		return err
	}
	l.Points = -n
	if err := tx.drain(ctx, l.ID); err != nil {
		return err
	}
	return tx.post(ctx, l, delta{available: l.Points})
}
