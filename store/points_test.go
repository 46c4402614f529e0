package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestPoints(t *testing.T) { storetest.Points(t) }

// TestAnySequenceKeepsTheBooks: whatever is done in whatever order, the books
// agree after each step, and a debit goes through exactly when the account says
// that so much is available.
func TestAnySequenceKeepsTheBooks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			runs++
			steps := rapid.SliceOfN(drawStep(), 5, 40).Draw(rt, "steps")
			b := storetest.NewBank(t, db, fmt.Sprintf("run%d", runs), "alice", "bob")
			w := world{bank: b}
			err := b.Write(func(ctx context.Context, tx *store.Tx) error { return w.run(ctx, tx, steps) })
			if err != nil {
				rt.Fatal(err)
			}
		})
	})
}

// step is one thing that happens. What a number means depends on what it is.
type step struct {
	What   string
	Who    string
	Points int64
	Hours  int // until it expires, or how far the clock goes; 0: never
	Which  int // of the lines or holds so far
}

func drawStep() *rapid.Generator[step] {
	return rapid.Custom(func(rt *rapid.T) step {
		return step{
			What: rapid.SampledFrom([]string{"earn", "earn", "adjust", "redeem", "redeem", "transfer", "hold", "hold",
				"capture", "release", "reverse", "reverse", "sweep", "wait"}).Draw(rt, "what"),
			Who:    rapid.SampledFrom([]string{"alice", "bob"}).Draw(rt, "who"),
			Points: rapid.Int64Range(1, 30).Draw(rt, "points"),
			Hours:  rapid.IntRange(0, 4).Draw(rt, "hours"),
			Which:  rapid.IntRange(0, 50).Draw(rt, "which"),
		}
	})
}

type world struct {
	bank  *storetest.Bank
	lines []store.Line
	holds []store.Hold
}

func (w *world) run(ctx context.Context, tx *store.Tx, steps []step) error {
	for i, s := range steps {
		before, err := store.GetAccount(ctx, tx, w.bank.Tenant, s.Who, store.At(w.bank.Now))
		if err != nil {
			return err
		}
		got := tx.Savepoint(func() error { return w.do(ctx, tx, s) })
		if got != nil && !errors.Is(got, store.ErrConflict) {
			return fmt.Errorf("step %d %+v: %w", i, s, got)
		}
		spends := s.What == "redeem" || s.What == "hold" || s.What == "transfer"
		if spends && (got == nil) != (before.Available >= s.Points) {
			return fmt.Errorf("step %d %+v with %d available: %w", i, s, before.Available, got)
		}
		if err := storetest.Balanced(ctx, tx, w.bank.Tenant); err != nil {
			return fmt.Errorf("after step %d %+v: %w", i, s, err)
		}
	}
	return nil
}

func (w *world) do(ctx context.Context, tx *store.Tx, s step) error {
	b, now := w.bank, store.At(w.bank.Now)
	switch s.What {
	case "earn":
		l := b.Line(s.Who, store.LineEarn, s.Points)
		if s.Hours > 0 {
			l.ExpiresAt = store.At(b.Now.Add(time.Duration(s.Hours) * time.Hour))
		}
		return w.keep(tx.Credit(ctx, l), l)
	case "adjust":
		l := b.Line(s.Who, store.LineAdjust, s.Points-15)
		if l.Points > 0 {
			return w.keep(tx.Credit(ctx, l), l)
		}
		l.Points--
		return w.keep(tx.Debit(ctx, l), l)
	case "redeem":
		l := b.Line(s.Who, store.LineRedeem, -s.Points)
		return w.keep(tx.Debit(ctx, l), l)
	case "transfer":
		out, in := b.Line(s.Who, store.LineTransferOut, -s.Points), b.Line(other(s.Who), store.LineTransferIn, s.Points)
		return w.keep(tx.Transfer(ctx, out, in), out)
	case "sweep":
		return b.Sweep(ctx, tx)
	case "wait":
		w.bank.Now = w.bank.Now.Add(time.Duration(s.Hours) * time.Hour)
		return nil
	case "hold":
		h := store.Hold{
			ID: "hld_" + b.Line("", "", 0).ID, Tenant: b.Tenant, CustomerID: s.Who, Points: s.Points,
			CreatedAt: now, ExpiresAt: store.At(b.Now.Add(time.Duration(s.Hours+1) * time.Hour)),
		}
		err := tx.InsertHold(ctx, &h)
		if err == nil {
			w.holds = append(w.holds, h)
		}
		return err
	}
	return w.undo(ctx, tx, s)
}

// undo does the steps that are about an earlier one.
func (w *world) undo(ctx context.Context, tx *store.Tx, s step) error {
	b := w.bank
	switch {
	case s.What == "reverse" && len(w.lines) > 0:
		was := w.lines[s.Which%len(w.lines)]
		return tx.Undo(ctx, &was, b.Line("", store.LineReverse, 0), b.Line("", store.LineReverse, 0))
	case s.What == "capture" && len(w.holds) > 0:
		h := w.holds[s.Which%len(w.holds)]
		l := b.Line(h.CustomerID, store.LineCapture, -min(h.Points, s.Points))
		return w.keep(tx.CaptureHold(ctx, &h, l), l)
	case s.What == "release" && len(w.holds) > 0:
		h := w.holds[s.Which%len(w.holds)]
		return tx.ReleaseHold(ctx, &h, store.At(b.Now))
	}
	return nil
}

func (w *world) keep(err error, l *store.Line) error {
	if err == nil {
		w.lines = append(w.lines, *l)
	}
	return err
}

func other(who string) string {
	if who == "alice" {
		return "bob"
	}
	return "alice"
}
