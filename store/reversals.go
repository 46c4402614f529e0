package store

import "context"

// Undo posts rev, the reverse of was: the opposite points, related to it. What
// was spent goes back into the lots that it came from, though they may have
// expired since; what was credited is taken from its own lots first, as much as
// it put in each, then from the oldest. Only a transfer_out needs mirror: it becomes a second line, on the
// receiver's account. The type, customer, points and relation of the lines are
// filled in here. Conflicts: conflict (reversed before, of a type that can't be,
// or its points are in too many lots: staff can adjust in parts), insufficient_points, balance_limit.
func (tx *Tx) Undo(ctx context.Context, was, rev, mirror *Line) error {
	if err := tx.notReversed(ctx, was.ID); err != nil {
		return err
	}
	switch was.Type {
	case LineRedeem, LineCapture:
		return tx.undoDebit(ctx, was, rev)
	case LineEarn:
		return tx.undoCredit(ctx, was, rev)
	case LineAdjust:
		if was.Points > 0 {
			return tx.undoCredit(ctx, was, rev)
		}
		return tx.undoDebit(ctx, was, rev)
	case LineTransferOut:
		if err := tx.undoReceived(ctx, was, mirror); err != nil {
			return err
		}
		return tx.undoDebit(ctx, was, rev)
	}
	return &Conflict{Code: "conflict", Detail: "A transaction of this type can't be reversed."}
}

// notReversed gives the true reason before a second reversal fails for want of
// points; that it can't happen is ledger.reverses, which is UNIQUE.
func (tx *Tx) notReversed(ctx context.Context, id string) error {
	var n int
	if err := tx.Get(ctx, &n, `SELECT COUNT(*) FROM ledger WHERE reverses = ?`, id); err != nil {
		return err
	}
	if n > 0 {
		return errReversed
	}
	return nil
}

// undoReceived takes a transfer back from its receiver, also from a disabled one.
func (tx *Tx) undoReceived(ctx context.Context, out, mirror *Line) error {
	var in Line
	if err := tx.Get(ctx, &in, `SELECT seq, `+lineColumns+` FROM ledger WHERE id = ? AND tenant = ?`, out.RelatedID, out.Tenant); err != nil {
		return err
	}
	return tx.undoCredit(ctx, &in, mirror)
}

func (l *Line) reverse(was *Line) {
	l.Type, l.Tenant, l.CustomerID = LineReverse, was.Tenant, was.CustomerID
	l.Points, l.RelatedID = -was.Points, was.ID
}

func (tx *Tx) undoDebit(ctx context.Context, was, rev *Line) error {
	rev.reverse(was)
	if err := tx.post(ctx, rev, delta{available: rev.Points}); err != nil {
		return err
	}
	return tx.giveBack(ctx, was.ID)
}

func (tx *Tx) undoCredit(ctx context.Context, was, rev *Line) error {
	rev.reverse(was)
	d := delta{available: rev.Points}
	if was.Type == LineEarn {
		d.earned = rev.Points
	}
	if err := tx.post(ctx, rev, d); err != nil {
		return err
	}
	t := takingFor(rev)
	t.first = was.ID
	return tx.take(ctx, t)
}
