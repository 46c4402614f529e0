package store

import (
	"context"
	"errors"
)

const (
	// MaxPoints is the most that one act may move.
	MaxPoints = 1_000_000_000
	// MaxBalance bounds a balance and what was ever earned, far below where a
	// sum would overflow or a JSON number would lose digits.
	MaxBalance = 1_000_000_000_000
)

// Account is a customer's points at one instant. Points of lots that have
// expired are not among Available, also where their expiry has not been posted
// yet; until then [Account.Balance] is that much below the ledger's sum.
type Account struct {
	Tenant         string `db:"tenant"`
	CustomerID     string `db:"customer_id"`
	Available      int64  `db:"available"` // may be spent
	Held           int64  `db:"held"`      // set aside by holds
	LifetimeEarned int64  `db:"lifetime_earned"`
	NextExpiry     Time   `db:"next_expiry"` // of the lot that expires soonest; zero: none will
}

// Balance is all that the customer has.
func (a *Account) Balance() int64 { return a.Available + a.Held }

// GetAccount reads an account as of now, in one query. ErrNotFound also for a
// disabled customer.
func GetAccount(ctx context.Context, r Reader, tenant, customer string, now Time) (*Account, error) {
	var a Account
	err := r.Get(ctx, &a, `SELECT a.tenant, a.customer_id, a.held, a.lifetime_earned,
			a.available - CAST(COALESCE((SELECT SUM(remaining) FROM lots
				WHERE lots.tenant = a.tenant AND lots.customer_id = a.customer_id AND remaining > 0 AND expires_at <= ?), 0) AS BIGINT) AS available,
			(SELECT MIN(expires_at) FROM lots
				WHERE lots.tenant = a.tenant AND lots.customer_id = a.customer_id AND remaining > 0 AND expires_at > ?) AS next_expiry
		FROM accounts a JOIN users u ON u.tenant = a.tenant AND u.id = a.customer_id
		WHERE a.tenant = ? AND a.customer_id = ? AND u.disabled_at IS NULL`, now, now, tenant, customer)
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// delta is a change of an account's columns.
type delta struct{ available, held, earned int64 }

// move changes an account and returns its balance as the ledger sums it. It is
// the one place where an account changes, and its condition is the physics:
// nothing below zero, nothing above the limit.
func (tx *Tx) move(ctx context.Context, tenant, customer string, d delta) (balance int64, err error) {
	err = tx.Get(ctx, &balance, `UPDATE accounts
		SET available = available + ?, held = held + ?, lifetime_earned = lifetime_earned + ?
		WHERE tenant = ? AND customer_id = ? AND available + ? >= 0 AND held + ? >= 0
			AND available + held + ? <= ? AND lifetime_earned + ? BETWEEN 0 AND ?
		RETURNING available + held`,
		d.available, d.held, d.earned, tenant, customer, d.available, d.held,
		d.available+d.held, int64(MaxBalance), d.earned, int64(MaxBalance))
	if errors.Is(err, ErrNotFound) {
		return 0, tx.refused(ctx, tenant, customer, d)
	}
	return balance, err
}

// refused finds out why move changed no row.
func (tx *Tx) refused(ctx context.Context, tenant, customer string, d delta) error {
	var one int
	if err := tx.Get(ctx, &one, `SELECT 1 FROM accounts WHERE tenant = ? AND customer_id = ?`, tenant, customer); err != nil {
		return err
	}
	if d.available < 0 {
		return errInsufficient
	}
	return &Conflict{Code: "balance_limit", Detail: "An account can't hold so many points."}
}

var errInsufficient = &Conflict{Code: "insufficient_points", Detail: "There are not enough points for this."}
