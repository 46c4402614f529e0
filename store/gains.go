package store

import (
	"context"
	"slices"
)

// arrivals says what comes in, for each expiry: a query of points, expires_at
// and age, which orders them, and its arguments.
type arrivals struct {
	query string
	args  []any
}

// credited is what a line brings that is new.
func credited(l *Line) arrivals {
	return arrivals{`SELECT CAST(? AS BIGINT) AS points, CAST(? AS BIGINT) AS expires_at, 0 AS age`, []any{l.Points, l.ExpiresAt}}
}

// inherited is what another line or a hold took, in the order of its lots.
func inherited(usedBy string) arrivals {
	return arrivals{`SELECT CAST(SUM(u.points) AS BIGINT) AS points, l.expires_at AS expires_at, MIN(l.seq) AS age
		FROM lot_uses u JOIN lots l ON l.seq = u.lot WHERE u.used_by = ? GROUP BY l.expires_at`, []any{usedBy}}
}

// alike is the newest lot that points of the expiry of i may join; its
// arguments are the tenant, the customer and the oldest that is considered.
const alike = `(SELECT MAX(seq) FROM lots AS a WHERE a.tenant = ? AND a.customer_id = ? AND a.remaining > 0
	AND COALESCE(a.expires_at, 0) = COALESCE(i.expires_at, 0) AND a.seq >= ?)`

// gain puts into lots what a line brings, and notes into which.
//
// Points join the customer's newest open lot if it has their expiry, else they
// begin a lot. That is first in, first out: nothing is between the two, and
// points of one expiry are alike. So a thousand transfers of one point are one
// lot. (Should a newer lot that was empty get points back from a hold or a
// reversal, those that joined meanwhile go before them.)
//
// Two senders whose points expire at different times could still make a lot
// with each transfer, and the receiver could not help it. Therefore the arrivals
// of an account with [crowd] open lots join the newest open lot of their expiry,
// wherever it is, and are spent with that lot.
func (tx *Tx) gain(ctx context.Context, l *Line, in arrivals) error {
	from, err := tx.joinable(ctx, l)
	if err != nil {
		return err
	}
	lot := []any{l.Tenant, l.CustomerID, from}
	if _, err := tx.Exec(ctx, `UPDATE lots SET points = lots.points + j.points, remaining = lots.remaining + j.points
		FROM (SELECT i.points, `+alike+` AS lot FROM (`+in.query+`) AS i) AS j WHERE lots.seq = j.lot`,
		slices.Concat(lot, in.args)...); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO lots (tenant, customer_id, points, remaining, expires_at)
		SELECT ?, ?, i.points, i.points, i.expires_at FROM (`+in.query+`) AS i WHERE `+alike+` IS NULL ORDER BY i.age`,
		slices.Concat(lot[:2], in.args, lot)...); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO lot_gains (line_id, lot, points)
		SELECT ?, `+alike+`, i.points FROM (`+in.query+`) AS i`, slices.Concat([]any{l.ID}, lot, in.args)...)
	return err
}

// joinable is the oldest lot that arrivals may join: the newest that is open,
// or any where there are many.
func (tx *Tx) joinable(ctx context.Context, l *Line) (from int64, err error) {
	err = tx.Get(ctx, &from, `SELECT CASE WHEN COUNT(*) < ? THEN COALESCE(MAX(seq), 0) ELSE 0 END
		FROM (SELECT seq FROM lots WHERE tenant = ? AND customer_id = ? AND remaining > 0 ORDER BY seq DESC LIMIT ?) AS newest`,
		crowd, l.Tenant, l.CustomerID, crowd)
	return from, err
}
