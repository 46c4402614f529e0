package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pointgate/pointgate/store"
)

var ignoreBank = cmpopts.IgnoreFields(store.Account{}, "Tenant", "CustomerID")

// PointsCase is one statement of the contract of accounts, ledger, lots and holds.
type PointsCase struct {
	Name string
	Test func(t *testing.T, b *Bank)
}

// Points runs the contract. Each case has a bank of its own with alice and bob,
// whose books must agree at its end.
func Points(t *testing.T) {
	Each(t, func(t *testing.T, db *store.DB) {
		for i, c := range slices.Concat(spending, holding, reversing, joining) {
			t.Run(c.Name, func(t *testing.T) {
				b := NewBank(t, db, fmt.Sprintf("t%d", i), "alice", "bob")
				c.Test(t, b)
				if err := Balanced(context.Background(), db, b.Tenant); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

var spending = []PointsCase{
	{"points are spent from the oldest lot on", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		b.Earn(t, "alice", 20, time.Hour)
		b.Earn(t, "alice", 30, 0)
		b.Redeem(t, "alice", 25)
		wantLeft(t, b, "alice", 0, 5, 30)
		b.Redeem(t, "alice", 1) // fewer points than lots
		wantLeft(t, b, "alice", 0, 4, 30)
	}},
	{"expired points are not spent before they are swept", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, time.Hour)
		b.Earn(t, "alice", 5, 0)
		b.Now = b.Now.Add(time.Hour) // the instant itself is over
		if got := b.Account(t, "alice"); got.Available != 5 || !got.NextExpiry.IsZero() {
			t.Errorf("account: %+v", got)
		}
		wantCode(t, b.debit("alice", 6), "insufficient_points")
		b.Redeem(t, "alice", 5)
		wantLeft(t, b, "alice", 10, 0)
	}},
	{"a sweep posts one line for each instant and sweeps nothing twice", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, time.Hour)
		b.Earn(t, "alice", 1, time.Hour)
		b.Earn(t, "alice", 7, 2*time.Hour)
		b.Now = b.Now.Add(90 * time.Minute)
		b.must(t, b.Sweep)
		b.must(t, b.Sweep)
		lines := b.history(t, "alice", store.LineExpire)
		if len(lines) != 1 || lines[0].Points != -11 || lines[0].BalanceAfter != 7 {
			t.Errorf("lines: %+v", lines)
		}
		if got := b.Account(t, "alice"); got.Balance() != 7 || got.LifetimeEarned != 18 {
			t.Errorf("account: %+v", got)
		}
	}},
	{"the balance tells what expires when", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 2*time.Hour)
		b.Earn(t, "alice", 5, time.Hour)
		b.Earn(t, "alice", 1, time.Hour)
		b.Earn(t, "alice", 100, 0)
		got, err := store.Expiring(context.Background(), b.DB, b.Tenant, "alice", store.At(b.Now), 10)
		want := []store.Expiry{
			{CustomerID: "alice", Points: 6, At: store.At(b.Now.Add(time.Hour))},
			{CustomerID: "alice", Points: 10, At: store.At(b.Now.Add(2 * time.Hour))},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if next := b.Account(t, "alice").NextExpiry; !next.Equal(b.Now.Add(time.Hour)) {
			t.Errorf("next expiry: %v", next)
		}
	}},
	{"200 at once spend the last 50 points 50 times", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 20, time.Hour)
		b.Earn(t, "alice", 30, 0)
		var wg sync.WaitGroup
		codes := make([]string, 200)
		for i := range codes {
			l := b.Line("alice", store.LineRedeem, -1)
			wg.Go(func() {
				codes[i] = Code(b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.Debit(ctx, l) }))
			})
		}
		wg.Wait()
		wantCounts(t, codes, map[string]int{"": 50, "insufficient_points": 150})
		if got := b.Account(t, "alice").Balance(); got != 0 {
			t.Errorf("balance %d", got)
		}
	}},
	{"an account has a limit, and so has what was ever earned", func(t *testing.T, b *Bank) {
		b.setBalance(t, "alice", store.MaxBalance-5)
		wantCode(t, b.credit("alice", 6), "balance_limit")
		wantCode(t, b.credit("alice", 5), "")
		b.Redeem(t, "alice", 100)
		wantCode(t, b.credit("alice", 1), "balance_limit") // room in the balance, but not in the lifetime
		b.setBalance(t, "bob", 50)
		b.Transfer(t, "bob", "alice", 50)
		wantCode(t, b.transfer("alice", "bob", 1), "")
	}},
	{"a customer who does not exist has no account", func(t *testing.T, b *Bank) {
		wantCode(t, b.credit("nobody", 1), store.ErrNotFound.Error())
		wantCode(t, b.debit("nobody", 1), "insufficient_points")
		_, err := store.GetAccount(context.Background(), b.DB, "other", "alice", store.At(b.Now))
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}
	}},
	{"a disabled customer is unknown", func(t *testing.T, b *Bank) {
		l := b.Earn(t, "alice", 10, 0)
		h := b.Hold(t, "alice", 5, time.Hour)
		b.must(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE users SET disabled_at = ? WHERE tenant = ? AND id = 'alice'`, store.At(b.Now), b.Tenant)
			return err
		})
		ctx := context.Background()
		_, account := store.GetAccount(ctx, b.DB, b.Tenant, "alice", store.At(b.Now))
		_, line := store.GetLine(ctx, b.DB, b.Tenant, l.ID)
		_, hold := store.GetHold(ctx, b.DB, b.Tenant, h.ID)
		for _, err := range []error{account, line, hold} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("found: %v", err)
			}
		}
	}},
	{"a history is newest first and narrows", func(t *testing.T, b *Bank) {
		first := b.Earn(t, "alice", 10, 0)
		b.Earn(t, "bob", 10, 0)
		b.Now = b.Now.Add(time.Hour)
		second := b.Redeem(t, "alice", 1)
		third := b.Redeem(t, "alice", 2)
		at := store.At(b.Now)
		for _, c := range []struct {
			name string
			f    store.LineFilter
			want []string
		}{
			{"all", store.LineFilter{}, []string{third.ID, second.ID, first.ID}},
			{"type", store.LineFilter{Type: "redeem"}, []string{third.ID, second.ID}},
			{"from", store.LineFilter{From: at}, []string{third.ID, second.ID}},
			{"to", store.LineFilter{To: at}, []string{first.ID}},
			{"before", store.LineFilter{Before: third.ID}, []string{second.ID, first.ID}},
			{"before nobody's", store.LineFilter{Before: "txn_none"}, nil},
			{"limit", store.LineFilter{Limit: 1}, []string{third.ID}},
		} {
			if diff := cmp.Diff(c.want, b.ids(t, "alice", c.f)); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
	}},
	{"what was moved by hand today counts each decision once", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 1000, 0)
		out := b.Transfer(t, "alice", "bob", 40)
		b.Now = b.Now.Add(-12*time.Hour - time.Microsecond) // yesterday
		b.adjust(t, "alice", 500)
		b.Now = b.Now.Add(time.Microsecond) // midnight
		b.adjust(t, "alice", -3)
		b.adjust(t, "bob", 10)
		rev, mirror := b.Line("", store.LineReverse, 0), b.Line("", store.LineReverse, 0)
		mirror.DecisionID = rev.DecisionID
		b.must(t, func(ctx context.Context, tx *store.Tx) error { return tx.Undo(ctx, out, rev, mirror) })
		for _, c := range []struct {
			tenant, staff string
			at            time.Time
			want          int64
		}{
			{b.Tenant, "stf_manager", b.Now.Add(23 * time.Hour), 53},
			{b.Tenant, "stf_manager", b.Now.Add(-time.Hour), 500},
			{b.Tenant, "stf_manager", b.Now.Add(24 * time.Hour), 0},
			{b.Tenant, "stf_other", b.Now, 0},
			{"other", "stf_manager", b.Now, 0},
		} {
			got, err := store.MovedByHand(context.Background(), b.DB, c.tenant, c.staff, store.At(c.at))
			if err != nil || got != c.want {
				t.Errorf("%s %s %s: %d, want %d (%v)", c.tenant, c.staff, c.at, got, c.want, err)
			}
		}
	}},
}
