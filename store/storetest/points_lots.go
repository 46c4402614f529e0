package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
)

// many lots are one more than an act touches, and more than an account has before
// arrivals join any lot of their expiry.
const many = 1001

// joining is about how many lots an account has.
var joining = []PointsCase{
	{"points of one expiry are one lot while nothing comes between", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 1, time.Hour)
		b.Earn(t, "alice", 2, time.Hour)
		b.Earn(t, "alice", 4, 0)
		b.adjust(t, "alice", 8)
		b.Earn(t, "alice", 16, time.Hour)
		wantLeft(t, b, "alice", 3, 12, 16)
	}},
	{"many transfers of a point are one lot", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 50, time.Hour)
		for range 50 {
			b.Transfer(t, "alice", "bob", 1)
		}
		wantLeft(t, b, "bob", 50)
	}},
	{"a spent lot is not joined", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 5, 0)
		b.Redeem(t, "alice", 5)
		b.Earn(t, "alice", 6, 0)
		wantLeft(t, b, "alice", 0, 6)
	}},
	{"a reversed earning takes from a common lot what it put in, then the oldest", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		was := b.Earn(t, "alice", 20, time.Hour)
		b.Earn(t, "alice", 5, time.Hour)
		later := b.Earn(t, "alice", 7, time.Hour)
		_, _, err := b.Undo(was)
		wantCode(t, err, "")
		wantLeft(t, b, "alice", 10, 12)
		b.Redeem(t, "alice", 16)
		wantLeft(t, b, "alice", 0, 6)
		b.Earn(t, "alice", 3, 0)
		_, _, err = b.Undo(later)
		wantCode(t, err, "")
		wantLeft(t, b, "alice", 0, 0, 2)
	}},
	{"a reversed line may take from its own lot more than it put in", func(t *testing.T, b *Bank) {
		b.Earn(t, "alice", 10, 0)
		b.Earn(t, "alice", 4, time.Hour)
		out := b.Transfer(t, "alice", "bob", 12) // 10 and 2
		in := b.history(t, "bob", store.LineTransferIn)[0]
		b.Redeem(t, "bob", 9)
		b.Transfer(t, "alice", "bob", 2) // joins the 2
		b.Earn(t, "bob", 20, time.Hour)
		wantLeft(t, b, "bob", 1, 24)
		_, mirror, err := b.Undo(out) // 1 and 2 of its own, and 9
		if err != nil || mirror.RelatedID != in.ID {
			t.Errorf("%v %+v", err, mirror)
		}
		wantLeft(t, b, "bob", 0, 13)
	}},
	{"who is sent points of two expiries in turn gets no lot for each", func(t *testing.T, b *Bank) {
		b.earnEach(t, "alice", many)
		b.must(t, func(ctx context.Context, tx *store.Tx) error {
			for range 20 {
				for _, ttl := range []time.Duration{time.Hour, 2 * time.Hour} {
					l := b.Line("alice", store.LineAdjust, 1)
					l.ExpiresAt = store.At(b.Now.Add(ttl))
					if err := tx.Credit(ctx, l); err != nil {
						return err
					}
				}
			}
			return nil
		})
		left := b.Left(t, "alice")
		if diff := cmp.Diff([]int64{20, 20}, left[many:]); diff != "" {
			t.Error(diff)
		}
	}},
	{"an act takes from so many lots and no more", func(t *testing.T, b *Bank) {
		b.earnEach(t, "alice", many)
		wantCode(t, b.debit("alice", many+1), "insufficient_points")
		wantCode(t, b.debit("alice", many), "conflict")
		wantCode(t, b.transfer("alice", "bob", many), "conflict")
		wantLeftSum(t, b, "alice", many)
		wantCode(t, b.transfer("alice", "bob", many-1), "")
		wantCode(t, b.debit("alice", 1), "")
	}},
}

// earnEach earns n points, each with an expiry of its own, a day from now and later.
func (b *Bank) earnEach(t *testing.T, customer string, n int) {
	t.Helper()
	b.must(t, func(ctx context.Context, tx *store.Tx) error {
		for i := range n {
			l := b.Line(customer, store.LineEarn, 1)
			l.ExpiresAt = store.At(b.Now.Add(24*time.Hour + time.Duration(i)*time.Second))
			if err := tx.Credit(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

func wantLeftSum(t *testing.T, b *Bank, customer string, want int64) {
	t.Helper()
	var sum int64
	for _, n := range b.Left(t, customer) {
		sum += n
	}
	if sum != want {
		t.Errorf("lots of %s hold %d, want %d", customer, sum, want)
	}
}
