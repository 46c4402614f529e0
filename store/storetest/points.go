package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Bank is a tenant with customers whose points a test moves, on a clock of its
// own that stands still until the test moves it.
type Bank struct {
	DB     *store.DB
	Tenant string
	Now    time.Time
	lines  int
}

// NewBank adds a tenant and its customers.
func NewBank(t testing.TB, db *store.DB, tenant string, customers ...string) *Bank {
	t.Helper()
	Tenant(t, db, tenant)
	for _, c := range customers {
		User(t, db, tenant, c)
	}
	return &Bank{DB: db, Tenant: tenant, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// Line makes a line with an id of its own.
func (b *Bank) Line(customer, kind string, points int64) *store.Line {
	b.lines++
	now := store.At(b.Now)
	return &store.Line{
		ID: fmt.Sprintf("txn_%s%04d", b.Tenant, b.lines), Tenant: b.Tenant, CustomerID: customer, Type: kind, Points: points,
		Reason: "test", ActorType: "staff", Actor: "stf_manager", RequestID: "req", DecisionID: fmt.Sprintf("dec%04d", b.lines),
		CreatedAt: now, EffectiveAt: now,
	}
}

// Write runs fn in a write of its own and returns its error.
func (b *Bank) Write(fn func(ctx context.Context, tx *store.Tx) error) error {
	ctx := context.Background()
	return b.DB.Write(ctx, func(tx *store.Tx) error { return fn(ctx, tx) })
}

// Earn credits points that expire after ttl; 0 means never.
func (b *Bank) Earn(t testing.TB, customer string, points int64, ttl time.Duration) *store.Line {
	t.Helper()
	l := b.Line(customer, store.LineEarn, points)
	if ttl != 0 {
		l.ExpiresAt = store.At(b.Now.Add(ttl))
	}
	b.must(t, func(ctx context.Context, tx *store.Tx) error { return tx.Credit(ctx, l) })
	return l
}

// Redeem debits points.
func (b *Bank) Redeem(t testing.TB, customer string, points int64) *store.Line {
	t.Helper()
	l := b.Line(customer, store.LineRedeem, -points)
	b.must(t, func(ctx context.Context, tx *store.Tx) error { return tx.Debit(ctx, l) })
	return l
}

// Hold sets points aside for ttl.
func (b *Bank) Hold(t testing.TB, customer string, points int64, ttl time.Duration) *store.Hold {
	t.Helper()
	b.lines++
	h := &store.Hold{
		ID: fmt.Sprintf("hld_%s%04d", b.Tenant, b.lines), Tenant: b.Tenant, CustomerID: customer, Points: points,
		Reason: "test", CreatedAt: store.At(b.Now), ExpiresAt: store.At(b.Now.Add(ttl)),
	}
	b.must(t, func(ctx context.Context, tx *store.Tx) error { return tx.InsertHold(ctx, h) })
	return h
}

// Capture spends points of a hold.
func (b *Bank) Capture(t testing.TB, h *store.Hold, points int64) *store.Line {
	t.Helper()
	l := b.Line(h.CustomerID, store.LineCapture, -points)
	b.must(t, func(ctx context.Context, tx *store.Tx) error { return tx.CaptureHold(ctx, h, l) })
	return l
}

// Transfer moves points and returns the sender's line.
func (b *Bank) Transfer(t testing.TB, from, to string, points int64) *store.Line {
	t.Helper()
	out, in := b.Line(from, store.LineTransferOut, -points), b.Line(to, store.LineTransferIn, points)
	b.must(t, func(ctx context.Context, tx *store.Tx) error { return tx.Transfer(ctx, out, in) })
	return out
}

// Undo reverses a line and returns the reverse and, of a transfer, the receiver's.
func (b *Bank) Undo(was *store.Line) (rev, mirror *store.Line, err error) {
	rev, mirror = b.Line("", store.LineReverse, 0), b.Line("", store.LineReverse, 0)
	return rev, mirror, b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.Undo(ctx, was, rev, mirror) })
}

// Sweep expires all lots and holds that are due.
func (b *Bank) Sweep(ctx context.Context, tx *store.Tx) error {
	now := store.At(b.Now)
	holds, err := store.DueHolds(ctx, tx, b.Tenant, now, 1000)
	if err != nil {
		return err
	}
	for i := range holds {
		if err := tx.ExpireHold(ctx, &holds[i], now); err != nil {
			return err
		}
	}
	lots, err := store.DueLots(ctx, tx, b.Tenant, now, 1000)
	if err != nil {
		return err
	}
	for _, due := range lots {
		l := b.Line(due.CustomerID, store.LineExpire, 0)
		l.EffectiveAt = due.At
		if err := tx.ExpireLots(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// Account reads one as of the bank's clock.
func (b *Bank) Account(t testing.TB, customer string) *store.Account {
	t.Helper()
	a, err := store.GetAccount(context.Background(), b.DB, b.Tenant, customer, store.At(b.Now))
	if err != nil {
		t.Fatalf("account of %s: %v", customer, err)
	}
	return a
}

// Left is what is left in a customer's lots, the oldest first.
func (b *Bank) Left(t testing.TB, customer string) []int64 {
	t.Helper()
	var left []int64
	if err := b.DB.Select(context.Background(), &left,
		`SELECT remaining FROM lots WHERE tenant = ? AND customer_id = ? ORDER BY seq`, b.Tenant, customer); err != nil {
		t.Fatal(err)
	}
	return left
}

func (b *Bank) must(t testing.TB, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := b.Write(fn); err != nil {
		t.Fatal(err)
	}
}

// Code is a conflict's code, "" for no error, and the text of any other.
func Code(err error) string {
	var c *store.Conflict
	switch {
	case err == nil:
		return ""
	case errors.As(err, &c):
		return c.Code
	}
	return err.Error()
}
