package store

import (
	"context"
	"time"
)

// The types of ledger lines.
const (
	LineEarn        = "earn"
	LineRedeem      = "redeem"
	LineCapture     = "capture"
	LineAdjust      = "adjust"
	LineTransferIn  = "transfer_in"
	LineTransferOut = "transfer_out"
	LineExpire      = "expire"
	LineReverse     = "reverse"
)

// Line is one line of the ledger. Nothing changes or deletes a line; what was
// wrong is reversed by another.
type Line struct {
	Seq          int64  `db:"seq"` // the order of the lines; made by the database
	ID           string `db:"id"`
	Tenant       string `db:"tenant"`
	CustomerID   string `db:"customer_id"`
	Type         string `db:"type"`
	Points       int64  `db:"points"`        // signed, never 0
	BalanceAfter int64  `db:"balance_after"` // the sum of the customer's lines up to this one; filled in when it is posted
	Reason       string `db:"reason"`        // the customer reads it
	InternalNote string `db:"internal_note"` // for staff alone
	ActorType    string `db:"actor_type"`
	Actor        string `db:"actor"`
	ClientID     string `db:"client_id"`
	RequestID    string `db:"request_id"`
	DecisionID   string `db:"decision_id"`
	RelatedID    string `db:"related_id"` // the other line of a transfer, the hold of a capture, the line that a reverse reverses
	CreatedAt    Time   `db:"created_at"` // the instant as of which lots count as expired
	EffectiveAt  Time   `db:"effective_at"`
	ExpiresAt    Time   `db:"expires_at"` // of earned points; zero: never
}

const lineColumns = `id, tenant, customer_id, type, points, balance_after, reason, internal_note, actor_type, actor,
	client_id, request_id, decision_id, related_id, created_at, effective_at, expires_at`

// Credit posts points that are new: the line, and the points in a lot. An earn counts
// as earned in the account's life. Conflict: balance_limit.
func (tx *Tx) Credit(ctx context.Context, l *Line) error {
	d := delta{available: l.Points}
	if l.Type == LineEarn {
		d.earned = l.Points
	}
	if err := tx.post(ctx, l, d); err != nil {
		return err
	}
	return tx.gain(ctx, l, credited(l))
}

// Debit posts points that are spent, oldest lots first; l.Points is below zero.
// Conflict: insufficient_points, or conflict where they are in too many lots.
func (tx *Tx) Debit(ctx context.Context, l *Line) error {
	if err := tx.take(ctx, takingFor(l)); err != nil {
		return err
	}
	return tx.post(ctx, l, delta{available: l.Points})
}

// Transfer posts both lines of a transfer within a tenant. The receiver's lots
// keep the expiry of the sender's. Conflicts: those of [Tx.Debit], balance_limit.
func (tx *Tx) Transfer(ctx context.Context, out, in *Line) error {
	out.RelatedID, in.RelatedID = in.ID, out.ID
	if err := tx.Debit(ctx, out); err != nil {
		return err
	}
	if err := tx.post(ctx, in, delta{available: in.Points}); err != nil {
		return err
	}
	return tx.gain(ctx, in, inherited(out.ID))
}

// post moves the account and writes the line.
func (tx *Tx) post(ctx context.Context, l *Line, d delta) (err error) {
	if l.BalanceAfter, err = tx.move(ctx, l.Tenant, l.CustomerID, d); err != nil {
		return err
	}
	reverses := ""
	if l.Type == LineReverse {
		reverses = l.RelatedID
	}
	return tx.ExecOne(ctx, errReversed, `INSERT INTO ledger (`+lineColumns+`, reverses)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULLIF(?, '')) ON CONFLICT (reverses) DO NOTHING`,
		l.ID, l.Tenant, l.CustomerID, l.Type, l.Points, l.BalanceAfter, l.Reason, l.InternalNote, l.ActorType, l.Actor,
		l.ClientID, l.RequestID, l.DecisionID, l.RelatedID, l.CreatedAt, l.EffectiveAt, l.ExpiresAt, reverses)
}

var errReversed = &Conflict{Code: "conflict", Detail: "This transaction has been reversed before."}

// GetLine is one by its id. ErrNotFound also for another tenant's and for a
// disabled customer's.
func GetLine(ctx context.Context, r Reader, tenant, id string) (*Line, error) {
	var l Line
	err := r.Get(ctx, &l, `SELECT seq, `+lineColumns+` FROM ledger WHERE id = ? AND tenant = ? AND EXISTS
		(SELECT 1 FROM users u WHERE u.tenant = ledger.tenant AND u.id = ledger.customer_id AND u.disabled_at IS NULL)`, id, tenant)
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// LineFilter narrows a history; zero fields do not, but Tenant, CustomerID and
// Limit are always set.
type LineFilter struct {
	Tenant     string
	CustomerID string
	Type       string
	From, To   Time   // of created_at; From inclusive, To exclusive
	Before     string // only lines older than the one with this id
	Limit      int
}

// Lines lists a customer's lines, newest first.
func Lines(ctx context.Context, r Reader, f LineFilter) ([]Line, error) {
	w := where{}
	w.and(`tenant = ?`, f.Tenant)
	w.and(`customer_id = ?`, f.CustomerID)
	w.andIf(f.Type != "", `type = ?`, f.Type)
	w.andIf(!f.From.IsZero(), `created_at >= ?`, f.From)
	w.andIf(!f.To.IsZero(), `created_at < ?`, f.To)
	w.andIf(f.Before != "", `seq < (SELECT seq FROM ledger WHERE id = ?)`, f.Before)
	var out []Line
	err := r.Select(ctx, &out, `SELECT seq, `+lineColumns+` FROM ledger`+w.String()+` ORDER BY seq DESC LIMIT ?`, append(w.args, f.Limit)...)
	return out, err
}

// MovedByHand is how many points a member of staff adjusted or reversed on the
// UTC day of now, over all accounts of the tenant. What one decision moved
// counts once, though a reversed transfer has two lines.
func MovedByHand(ctx context.Context, r Reader, tenant, staff string, now Time) (n int64, err error) {
	day := Time{now.UTC().Truncate(24 * time.Hour)}
	err = r.Get(ctx, &n, `SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM
		(SELECT MAX(ABS(points)) AS points FROM ledger
			WHERE tenant = ? AND actor = ? AND actor_type = 'staff' AND type IN ('adjust', 'reverse')
				AND created_at >= ? AND created_at < ?
			GROUP BY decision_id) AS acts`,
		tenant, staff, day, Time{day.AddDate(0, 0, 1)})
	return n, err
}
