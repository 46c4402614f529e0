package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
)

var holding = []PointsCase{
	{"a hold sets points aside and writes no line", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		b.Hold(t, "alice", 7, time.Hour)
		want := &store.Account{Available: 3, Held: 7, LifetimeEarned: 10}
		if diff := cmp.Diff(want, b.Account(t, "alice"), ignoreBank); diff != "" {
			t.Error(diff)
		}
		wantCode(t, b.debit("alice", 4), "insufficient_points")
		if n := len(b.history(t, "alice", "")); n != 1 {
			t.Errorf("%d lines", n)
		}
	}},
	{"a capture spends the oldest of the held points and gives the rest back", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, time.Hour)
		b.Earn(t, "alice", 10, 0)
		h := b.Hold(t, "alice", 15, time.Hour)
		l := b.Capture(t, h, 12)
		wantLeft(t, b, "alice", 0, 8)
		if l.Points != -12 || l.BalanceAfter != 8 || l.RelatedID != h.ID || h.Captured != 12 {
			t.Errorf("line %+v hold %+v", l, h)
		}
		if diff := cmp.Diff(&store.Account{Available: 8, LifetimeEarned: 20}, b.Account(t, "alice"), ignoreBank); diff != "" {
			t.Error(diff)
		}
	}},
	{"a capture takes at most what is held, and at least a point", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		h := b.Hold(t, "alice", 5, time.Hour)
		for _, n := range []int64{0, -1, 6} {
			wantCode(t, b.capture(h, n), store.ErrInvalid.Error())
		}
	}},
	{"a release gives everything back", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 4, 0)
		b.Earn(t, "alice", 6, time.Hour)
		h := b.Hold(t, "alice", 9, time.Hour)
		wantCode(t, b.release(h), "")
		wantLeft(t, b, "alice", 4, 6)
		if h.Status != store.HoldReleased || b.Account(t, "alice").Held != 0 {
			t.Errorf("hold %+v", h)
		}
	}},
	{"a closed hold stays closed", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		captured, released := b.Hold(t, "alice", 2, time.Hour), b.Hold(t, "alice", 3, time.Hour)
		b.Capture(t, captured, 2)
		wantCode(t, b.release(released), "")
		for _, h := range []*store.Hold{captured, released} {
			wantCode(t, b.capture(h, 1), "hold_closed")
			wantCode(t, b.release(h), "hold_closed")
		}
	}},
	{"a hold whose time is over can only expire", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		h := b.Hold(t, "alice", 5, time.Hour)
		wantCode(t, b.expire(h), "hold_closed") // not yet
		b.Now = b.Now.Add(time.Hour)
		wantCode(t, b.capture(h, 1), "hold_closed")
		wantCode(t, b.release(h), "hold_closed")
		wantCode(t, b.expire(h), "")
		wantCode(t, b.expire(h), "hold_closed")
		if got := b.Account(t, "alice"); got.Available != 10 || got.Held != 0 {
			t.Errorf("account %+v", got)
		}
	}},
	{"held points outlive their lot, and expire when they come back", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, time.Hour)
		h := b.Hold(t, "alice", 6, 2*time.Hour)
		kept := b.Hold(t, "alice", 1, 2*time.Hour)
		b.Now = b.Now.Add(90 * time.Minute)
		b.must(t, b.Sweep)
		if got := b.Account(t, "alice"); got.Available != 0 || got.Held != 7 {
			t.Errorf("swept while held: %+v", got)
		}
		wantCode(t, b.release(h), "")
		if got := b.Account(t, "alice").Available; got != 0 {
			t.Errorf("available %d", got)
		}
		b.must(t, b.Sweep)
		b.Capture(t, kept, 1)
		if n := len(b.history(t, "alice", store.LineExpire)); n != 2 {
			t.Errorf("%d lines of expiry", n)
		}
	}},
	{"of captures and releases at once one wins", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		h := b.Hold(t, "alice", 10, time.Hour)
		var wg sync.WaitGroup
		codes := make([]string, 40)
		for i := range codes {
			l, mine := b.Line("alice", store.LineCapture, -4), *h
			wg.Go(func() {
				codes[i] = Code(b.Write(func(ctx context.Context, tx *store.Tx) error {
					if i%2 == 0 {
						return tx.CaptureHold(ctx, &mine, l)
					}
					return tx.ReleaseHold(ctx, &mine, store.At(b.Now))
				}))
			})
		}
		wg.Wait()
		wantCounts(t, codes, map[string]int{"": 1, "hold_closed": 39})
	}},
}
