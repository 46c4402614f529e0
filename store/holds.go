package store

import "context"

// The states of a hold. From HoldHeld it goes to one of the others, once.
const (
	HoldHeld     = "held"
	HoldCaptured = "captured"
	HoldReleased = "released"
	HoldExpired  = "expired"
)

// Hold is points set aside until they are captured, released, or its time is
// over. It is no line of the ledger.
type Hold struct {
	ID         string `db:"id"`
	Tenant     string `db:"tenant"`
	CustomerID string `db:"customer_id"`
	Points     int64  `db:"points"`
	Captured   int64  `db:"captured"` // of Points; the rest went back
	Status     string `db:"status"`
	Reason     string `db:"reason"`
	CreatedAt  Time   `db:"created_at"`
	ExpiresAt  Time   `db:"expires_at"`
}

const holdColumns = `id, tenant, customer_id, points, captured, status, reason, created_at, expires_at`

// GetHold is one by its id. ErrNotFound also for another tenant's and for a
// disabled customer's.
func GetHold(ctx context.Context, r Reader, tenant, id string) (*Hold, error) {
	var h Hold
	err := r.Get(ctx, &h, `SELECT `+holdColumns+` FROM holds WHERE id = ? AND tenant = ? AND EXISTS
		(SELECT 1 FROM users u WHERE u.tenant = holds.tenant AND u.id = holds.customer_id AND u.disabled_at IS NULL)`, id, tenant)
	if err != nil {
		return nil, err
	}
	return &h, nil
}

// DueHolds lists open holds of a tenant whose time is over, the longest due first.
func DueHolds(ctx context.Context, r Reader, tenant string, now Time, limit int) ([]Hold, error) {
	var out []Hold
	err := r.Select(ctx, &out, `SELECT `+holdColumns+` FROM holds
		WHERE tenant = ? AND status = 'held' AND expires_at <= ? ORDER BY expires_at LIMIT ?`, tenant, now, limit)
	return out, err
}

// InsertHold sets points aside, oldest lots first. Conflicts: those of [Tx.Debit].
func (tx *Tx) InsertHold(ctx context.Context, h *Hold) error {
	h.Status = HoldHeld
	if err := tx.take(ctx, taking{tenant: h.Tenant, customer: h.CustomerID, now: h.CreatedAt, usedBy: h.ID, points: h.Points}); err != nil {
		return err
	}
	if _, err := tx.move(ctx, h.Tenant, h.CustomerID, delta{available: -h.Points, held: h.Points}); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO holds (`+holdColumns+`) VALUES (?,?,?,?,?,?,?,?,?)`,
		h.ID, h.Tenant, h.CustomerID, h.Points, h.Captured, h.Status, h.Reason, h.CreatedAt, h.ExpiresAt)
	return err
}

// CaptureHold spends -l.Points of an open hold, which are at most its points,
// and gives the rest back. h is filled in. Conflict: hold_closed.
func (tx *Tx) CaptureHold(ctx context.Context, h *Hold, l *Line) error {
	l.CustomerID, l.RelatedID = h.CustomerID, h.ID
	captured := -l.Points
	if captured < 1 || captured > h.Points {
		return ErrInvalid
	}
	if err := tx.closeHold(ctx, h, HoldCaptured, captured, l.CreatedAt); err != nil {
		return err
	}
	if err := tx.inheritUses(ctx, l.ID, h.ID, captured); err != nil {
		return err
	}
	if err := tx.giveBack(ctx, h.ID); err != nil {
		return err
	}
	if err := tx.drain(ctx, l.ID); err != nil {
		return err
	}
	return tx.post(ctx, l, delta{available: h.Points - captured, held: -h.Points})
}

// ReleaseHold gives the points of an open hold back. h is filled in. Conflict:
// hold_closed.
func (tx *Tx) ReleaseHold(ctx context.Context, h *Hold, now Time) error {
	if err := tx.closeHold(ctx, h, HoldReleased, 0, now); err != nil {
		return err
	}
	return tx.unhold(ctx, h)
}

// ExpireHold gives the points of an open hold back whose time is over. h is
// filled in. Conflict: hold_closed, also where its time is not over.
func (tx *Tx) ExpireHold(ctx context.Context, h *Hold, now Time) error {
	if err := tx.ExecOne(ctx, errHoldClosed, `UPDATE holds SET status = 'expired'
		WHERE id = ? AND tenant = ? AND status = 'held' AND expires_at <= ?`, h.ID, h.Tenant, now); err != nil {
		return err
	}
	h.Status = HoldExpired
	return tx.unhold(ctx, h)
}

// closeHold ends a hold, once, while its time is not over.
func (tx *Tx) closeHold(ctx context.Context, h *Hold, status string, captured int64, now Time) error {
	h.Status, h.Captured = status, captured
	return tx.ExecOne(ctx, errHoldClosed, `UPDATE holds SET status = ?, captured = ?
		WHERE id = ? AND tenant = ? AND status = 'held' AND expires_at > ?`, status, captured, h.ID, h.Tenant, now)
}

func (tx *Tx) unhold(ctx context.Context, h *Hold) error {
	if err := tx.giveBack(ctx, h.ID); err != nil {
		return err
	}
	_, err := tx.move(ctx, h.Tenant, h.CustomerID, delta{available: h.Points, held: -h.Points})
	return err
}

var errHoldClosed = &Conflict{Code: "hold_closed", Detail: "The hold was captured or released, or its time is over."}
