package store

import "context"

// insertLot keeps what a line credited as one lot.
func (tx *Tx) insertLot(ctx context.Context, l *Line) error {
	_, err := tx.Exec(ctx, `INSERT INTO lots (tenant, customer_id, line_id, points, remaining, expires_at) VALUES (?,?,?,?,?,?)`,
		l.Tenant, l.CustomerID, l.ID, l.Points, l.Points, l.ExpiresAt)
	return err
}

// inheritLots gives the line's customer lots like those that usedBy took from,
// in their order; those of one expiry become one.
func (tx *Tx) inheritLots(ctx context.Context, l *Line, usedBy string) error {
	_, err := tx.Exec(ctx, `INSERT INTO lots (tenant, customer_id, line_id, points, remaining, expires_at)
		SELECT ?, ?, ?, CAST(SUM(u.points) AS BIGINT), CAST(SUM(u.points) AS BIGINT), l.expires_at
		FROM lot_uses u JOIN lots l ON l.seq = u.lot WHERE u.used_by = ?
		GROUP BY l.expires_at ORDER BY MIN(l.seq)`, l.Tenant, l.CustomerID, l.ID, usedBy)
	return err
}

// taking says what is to be taken from a customer's lots, and for what.
type taking struct {
	tenant, customer string

	now    Time   // lots that have expired by then are left alone
	usedBy string // a line or a hold
	points int64
	first  string // the line whose lots go first; empty: none
}

// takingFor is what a line that debits takes.
func takingFor(l *Line) taking {
	return taking{tenant: l.Tenant, customer: l.CustomerID, now: l.CreatedAt, usedBy: l.ID, points: -l.Points}
}

// take takes points out of lots that have not expired, oldest first, and notes
// from which. Conflict: insufficient_points, with part of it done: the caller's
// savepoint undoes that.
func (tx *Tx) take(ctx context.Context, t taking) error {
	rest := t.points
	if t.first != "" {
		if err := tx.takeOwn(ctx, t); err != nil {
			return err
		}
		own, err := tx.used(ctx, t.usedBy)
		if err != nil {
			return err
		}
		rest -= own
	}
	if err := tx.takeOldest(ctx, t, rest); err != nil {
		return err
	}
	n, err := tx.used(ctx, t.usedBy)
	if err != nil {
		return err
	}
	if n != t.points {
		return errInsufficient
	}
	return tx.drain(ctx, t.usedBy)
}

// takeOwn notes all that is left of the first line's lots: at most t.points,
// because that line credited no more.
func (tx *Tx) takeOwn(ctx context.Context, t taking) error {
	_, err := tx.Exec(ctx, `INSERT INTO lot_uses (used_by, lot, points)
		SELECT ?, seq, remaining FROM lots
		WHERE line_id = ? AND remaining > 0 AND (expires_at IS NULL OR expires_at > ?)`, t.usedBy, t.first, t.now)
	return err
}

// takeOldest notes points from the oldest lots. Each lot holds at least one
// point, so that many lots are enough to look at.
func (tx *Tx) takeOldest(ctx context.Context, t taking, points int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO lot_uses (used_by, lot, points)
		SELECT ?, seq, CASE WHEN passed + remaining <= ? THEN remaining ELSE ? - passed END
		FROM (SELECT seq, remaining, CAST(SUM(remaining) OVER (ORDER BY seq) - remaining AS BIGINT) AS passed
			FROM (SELECT seq, remaining FROM lots
				WHERE tenant = ? AND customer_id = ? AND remaining > 0 AND (expires_at IS NULL OR expires_at > ?) AND line_id <> ?
				ORDER BY seq LIMIT ?) AS oldest) AS running
		WHERE passed < ?`,
		t.usedBy, points, points, t.tenant, t.customer, t.now, t.first, points, points)
	return err
}

// used is how many points are noted for a line or a hold.
func (tx *Tx) used(ctx context.Context, usedBy string) (n int64, err error) {
	err = tx.Get(ctx, &n, `SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM lot_uses WHERE used_by = ?`, usedBy)
	return n, err
}

// drain takes what is noted for usedBy out of the lots.
func (tx *Tx) drain(ctx context.Context, usedBy string) error {
	_, err := tx.Exec(ctx, `UPDATE lots SET remaining = remaining - u.points FROM lot_uses AS u WHERE u.used_by = ? AND lots.seq = u.lot`, usedBy)
	return err
}

// giveBack puts what is noted for usedBy back into the lots and forgets it.
func (tx *Tx) giveBack(ctx context.Context, usedBy string) error {
	if _, err := tx.Exec(ctx, `UPDATE lots SET remaining = remaining + u.points FROM lot_uses AS u WHERE u.used_by = ? AND lots.seq = u.lot`, usedBy); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM lot_uses WHERE used_by = ?`, usedBy)
	return err
}

// inheritUses notes for a line the oldest points that are noted for a hold.
func (tx *Tx) inheritUses(ctx context.Context, line, hold string, points int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO lot_uses (used_by, lot, points)
		SELECT ?, lot, CASE WHEN passed + points <= ? THEN points ELSE ? - passed END
		FROM (SELECT lot, points, CAST(SUM(points) OVER (ORDER BY lot) - points AS BIGINT) AS passed
			FROM lot_uses WHERE used_by = ?) AS running
		WHERE passed < ?`, line, points, points, hold, points)
	return err
}

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
// which has passed. l.Points is filled in; it stays 0, and no line is written,
// where another has been here before.
func (tx *Tx) ExpireLots(ctx context.Context, l *Line) error {
	if _, err := tx.Exec(ctx, `INSERT INTO lot_uses (used_by, lot, points)
		SELECT ?, seq, remaining FROM lots
		WHERE tenant = ? AND customer_id = ? AND remaining > 0 AND expires_at = ?`,
		l.ID, l.Tenant, l.CustomerID, l.EffectiveAt); err != nil {
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
