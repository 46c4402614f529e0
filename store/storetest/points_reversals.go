package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
)

var reversing = []PointsCase{
	{"a transfer is two linked lines, and the expiry goes along", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, time.Hour)
		b.Earn(t, "alice", 10, 0)
		b.Earn(t, "alice", 10, time.Hour)
		out := b.Transfer(t, "alice", "bob", 25)
		in := b.history(t, "bob", store.LineTransferIn)
		if len(in) != 1 || in[0].ID != out.RelatedID || in[0].RelatedID != out.ID || in[0].Points != 25 {
			t.Errorf("out %+v in %+v", out, in)
		}
		wantLeft(t, b, "alice", 0, 0, 5)
		wantLeft(t, b, "bob", 15, 10)
		b.Now = b.Now.Add(time.Hour)
		if diff := cmp.Diff(&store.Account{Available: 10}, b.Account(t, "bob"), ignoreBank); diff != "" {
			t.Error(diff)
		}
	}},
	{"a transfer of more than there is moves nothing", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		wantCode(t, b.transfer("alice", "bob", 11), "insufficient_points")
		wantLeft(t, b, "alice", 10)
		if got := b.Account(t, "bob").Balance(); got != 0 {
			t.Errorf("bob has %d", got)
		}
	}},
	{"a reversed redemption goes back into its lots", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		b.Earn(t, "alice", 10, time.Hour)
		was := b.Redeem(t, "alice", 15)
		rev, _, err := b.Undo(was)
		if err != nil || rev.Points != 15 || rev.RelatedID != was.ID || rev.BalanceAfter != 20 {
			t.Errorf("%v %+v", err, rev)
		}
		wantLeft(t, b, "alice", 10, 10)
		if got := b.Account(t, "alice").LifetimeEarned; got != 20 {
			t.Errorf("lifetime %d", got)
		}
	}},
	{"a reversed capture and a reversed deduction go back too", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		captured := b.Capture(t, b.Hold(t, "alice", 8, time.Hour), 5)
		adjusted := b.adjust(t, "alice", -2)
		for _, was := range []*store.Line{captured, adjusted} {
			_, _, err := b.Undo(was)
			wantCode(t, err, "")
		}
		wantLeft(t, b, "alice", 10)
	}},
	{"a reversed earning takes its own lot first, then the oldest", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		was := b.Earn(t, "alice", 20, time.Hour)
		b.Redeem(t, "alice", 13) // 10 and 3
		_, _, err := b.Undo(was)
		wantCode(t, err, "insufficient_points") // 17 are left
		b.Earn(t, "alice", 5, 0)
		rev, _, err := b.Undo(was)
		if err != nil || rev.Points != -20 {
			t.Errorf("%v %+v", err, rev)
		}
		wantLeft(t, b, "alice", 0, 0, 2)
		if got := b.Account(t, "alice").LifetimeEarned; got != 15 {
			t.Errorf("lifetime %d", got)
		}
	}},
	{"a line is reversed once, also at the same time", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		was := b.Redeem(t, "alice", 5)
		var wg sync.WaitGroup
		codes := make([]string, 20)
		for i := range codes {
			rev, mirror := b.Line("", store.LineReverse, 0), b.Line("", store.LineReverse, 0)
			wg.Go(func() {
				codes[i] = Code(b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.Undo(ctx, was, rev, mirror) }))
			})
		}
		wg.Wait()
		wantCounts(t, codes, map[string]int{"": 1, "conflict": 19})
		wantLeft(t, b, "alice", 10)
	}},
	{"what can't be reversed is refused", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, time.Hour)
		b.Earn(t, "alice", 10, 0)
		b.Transfer(t, "alice", "bob", 5)
		rev, _, err := b.Undo(b.Redeem(t, "alice", 1))
		wantCode(t, err, "")
		b.Now = b.Now.Add(time.Hour)
		b.must(t, b.Sweep)
		for _, was := range []store.Line{*rev, b.history(t, "bob", store.LineTransferIn)[0], b.history(t, "alice", store.LineExpire)[0]} {
			_, _, err := b.Undo(&was)
			wantCode(t, err, "conflict")
		}
	}},
	{"a reversed transfer makes two lines", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		b.Earn(t, "bob", 3, time.Hour)
		out := b.Transfer(t, "alice", "bob", 6)
		rev, mirror, err := b.Undo(out)
		if err != nil || rev.Points != 6 || rev.RelatedID != out.ID || mirror.CustomerID != "bob" || mirror.Points != -6 || mirror.RelatedID != out.RelatedID {
			t.Errorf("%v %+v %+v", err, rev, mirror)
		}
		wantLeft(t, b, "alice", 10)
		wantLeft(t, b, "bob", 3, 0)
		_, _, err = b.Undo(out)
		wantCode(t, err, "conflict")
	}},
	{"a transfer whose points are spent can't be reversed", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		out := b.Transfer(t, "alice", "bob", 6)
		b.Redeem(t, "bob", 1)
		_, _, err := b.Undo(out)
		wantCode(t, err, "insufficient_points")
		wantLeft(t, b, "bob", 5)
	}},
	{"points that expired while they were spent expire when they come back", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, time.Hour)
		was := b.Redeem(t, "alice", 10)
		b.Now = b.Now.Add(time.Hour)
		_, _, err := b.Undo(was)
		wantCode(t, err, "")
		if got := b.Account(t, "alice").Balance(); got != 0 {
			t.Errorf("balance %d", got)
		}
		b.must(t, b.Sweep)
	}},
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if got := Code(err); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func wantCounts(t *testing.T, codes []string, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, c := range codes {
		got[c]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func wantLeft(t *testing.T, b *Bank, customer string, want ...int64) {
	t.Helper()
	if diff := cmp.Diff(want, b.Left(t, customer)); diff != "" {
		t.Errorf("lots of %s: %s", customer, diff)
	}
}

func (b *Bank) credit(customer string, points int64) error {
	l := b.Line(customer, store.LineEarn, points)
	return b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.Credit(ctx, l) })
}

func (b *Bank) debit(customer string, points int64) error {
	l := b.Line(customer, store.LineRedeem, -points)
	return b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.Debit(ctx, l) })
}

func (b *Bank) transfer(from, to string, points int64) error {
	out, in := b.Line(from, store.LineTransferOut, -points), b.Line(to, store.LineTransferIn, points)
	return b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.Transfer(ctx, out, in) })
}

func (b *Bank) adjust(t *testing.T, customer string, points int64) *store.Line {
	t.Helper()
	l := b.Line(customer, store.LineAdjust, points)
	b.must(t, func(ctx context.Context, tx *store.Tx) error {
		if points < 0 {
			return tx.Debit(ctx, l)
		}
		return tx.Credit(ctx, l)
	})
	return l
}

func (b *Bank) capture(h *store.Hold, points int64) error {
	l, mine := b.Line(h.CustomerID, store.LineCapture, -points), *h
	return b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.CaptureHold(ctx, &mine, l) })
}

func (b *Bank) release(h *store.Hold) error {
	return b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.ReleaseHold(ctx, h, store.At(b.Now)) })
}

func (b *Bank) expire(h *store.Hold) error {
	return b.Write(func(ctx context.Context, tx *store.Tx) error { return tx.ExpireHold(ctx, h, store.At(b.Now)) })
}

// setBalance earns what an account lacks, in lines as large as may be.
func (b *Bank) setBalance(t *testing.T, customer string, points int64) {
	t.Helper()
	b.must(t, func(ctx context.Context, tx *store.Tx) error {
		for points > 0 {
			n := min(points, store.MaxPoints)
			if err := tx.Credit(ctx, b.Line(customer, store.LineEarn, n)); err != nil {
				return err
			}
			points -= n
		}
		return nil
	})
}

func (b *Bank) history(t *testing.T, customer, kind string) []store.Line {
	t.Helper()
	lines, err := store.Lines(context.Background(), b.DB, store.LineFilter{Tenant: b.Tenant, CustomerID: customer, Type: kind, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func (b *Bank) ids(t *testing.T, customer string, f store.LineFilter) []string {
	t.Helper()
	f.Tenant, f.CustomerID = b.Tenant, customer
	if f.Limit == 0 {
		f.Limit = 100
	}
	lines, err := store.Lines(context.Background(), b.DB, f)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range lines {
		ids = append(ids, l.ID)
	}
	return ids
}
