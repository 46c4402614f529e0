package store

import "context"

// The writer is one for all tenants, so what an act touches is bounded, however
// an account came to its points.
const (
	// crowd is how many open lots an account has before arrivals join any lot of
	// their expiry. Beyond it only the number of different expiries counts, and
	// those nobody but who posts earnings can make.
	crowd = 500
	// maxTouched is how many lots one act takes points from.
	maxTouched = 1000
)

// taking says what is to be taken from a customer's lots, and for what.
type taking struct {
	tenant, customer string

	now    Time   // lots that have expired by then are left alone
	usedBy string // a line or a hold
	points int64
	first  string // the line whose share of its lots goes first; empty: none
}

// takingFor is what a line that debits takes.
func takingFor(l *Line) taking {
	return taking{tenant: l.Tenant, customer: l.CustomerID, now: l.CreatedAt, usedBy: l.ID, points: -l.Points}
}

// take takes points out of lots that have not expired, oldest first, and notes
// from which. Conflict: insufficient_points, or conflict where they are in too
// many lots; with part of it done: the caller's savepoint undoes that.
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
		return tx.short(ctx, t)
	}
	return tx.drain(ctx, t.usedBy)
}

// takeOwn notes what the first line put in its lots, as far as it is still
// there. Points of one lot came in one after the other and expire together, so
// which line's were spent first makes no difference.
func (tx *Tx) takeOwn(ctx context.Context, t taking) error {
	_, err := tx.Exec(ctx, `INSERT INTO lot_uses (used_by, lot, points)
		SELECT ?, l.seq, CASE WHEN g.points < l.remaining THEN g.points ELSE l.remaining END
		FROM lot_gains g JOIN lots l ON l.seq = g.lot
		WHERE g.line_id = ? AND l.remaining > 0 AND (l.expires_at IS NULL OR l.expires_at > ?)`, t.usedBy, t.first, t.now)
	return err
}

// takeOldest notes points from the oldest lots, above what is noted of them
// already. Each has at least one point that is free, so that many lots are
// enough to look at.
func (tx *Tx) takeOldest(ctx context.Context, t taking, points int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO lot_uses (used_by, lot, points)
		SELECT ?, seq, CASE WHEN passed + free <= ? THEN free ELSE ? - passed END
		FROM (SELECT seq, free, CAST(SUM(free) OVER (ORDER BY seq) - free AS BIGINT) AS passed
			FROM (SELECT l.seq, l.remaining - COALESCE(u.points, 0) AS free
				FROM lots l LEFT JOIN lot_uses u ON u.used_by = ? AND u.lot = l.seq
				WHERE l.tenant = ? AND l.customer_id = ? AND l.remaining > 0 AND l.remaining > COALESCE(u.points, 0)
					AND (l.expires_at IS NULL OR l.expires_at > ?)
				ORDER BY l.seq LIMIT ?) AS oldest) AS running
		WHERE passed < ?
		ON CONFLICT (used_by, lot) DO UPDATE SET points = lot_uses.points + excluded.points`,
		t.usedBy, points, points, t.usedBy, t.tenant, t.customer, t.now, min(points, maxTouched), points)
	return err
}

// short says why fewer points were found than were asked for.
func (tx *Tx) short(ctx context.Context, t taking) error {
	var left int64
	if err := tx.Get(ctx, &left, `SELECT CAST(COALESCE(SUM(remaining), 0) AS BIGINT) FROM lots
		WHERE tenant = ? AND customer_id = ? AND remaining > 0 AND (expires_at IS NULL OR expires_at > ?)`,
		t.tenant, t.customer, t.now); err != nil {
		return err
	}
	if left < t.points {
		return errInsufficient
	}
	return errParts
}

var errParts = &Conflict{Code: "conflict", Detail: "These points came in too many parts to be taken at once. Spend them in smaller parts."}

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
