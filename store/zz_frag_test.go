package store_test

import (
	"context"
	"testing"
	"time"
	"fmt"
	"os"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestZZFrag(t *testing.T) {
	if os.Getenv("FRAG") == "" { t.Skip() }
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, mode := range []string{"same", "alternate"} {
			b := storetest.NewBank(t, db, "z"+mode, "alice", "carl", "bob")
			b.Earn(t, "alice", 20000, 0)
			b.Earn(t, "carl", 20000, 1000*time.Hour)
			start := time.Now()
			for i := 0; i < 40; i++ {
				if err := b.Write(func(ctx context.Context, tx *store.Tx) error {
					for j := 0; j < 500; j++ {
						from := "alice"
						if mode == "alternate" && j%2 == 1 { from = "carl" }
						out, in := b.Line(from, store.LineTransferOut, -1), b.Line("bob", store.LineTransferIn, 1)
						if err := tx.Transfer(ctx, out, in); err != nil { return err }
					}
					return nil
				}); err != nil { t.Fatal(err) }
			}
			per := time.Since(start) / 20000
			var n int
			_ = db.Get(context.Background(), &n, `SELECT COUNT(*) FROM lots WHERE tenant = ? AND customer_id = 'bob' AND remaining > 0`, b.Tenant)
			timed := func(name string, fn func(ctx context.Context, tx *store.Tx) error) {
				var d time.Duration
				err := b.Write(func(ctx context.Context, tx *store.Tx) error { s := time.Now(); e := fn(ctx, tx); d = time.Since(s); return e })
				fmt.Println(t.Name(), mode, name, d, err)
			}
			fmt.Println(t.Name(), mode, "transfer each", per, "open lots", n)
			h := &store.Hold{ID: "hld_1"+mode, Tenant: b.Tenant, CustomerID: "bob", Points: 18000, CreatedAt: store.At(b.Now), ExpiresAt: store.At(b.Now.Add(time.Hour))}
			timed("hold", func(ctx context.Context, tx *store.Tx) error { return tx.InsertHold(ctx, h) })
			timed("transfer1", func(ctx context.Context, tx *store.Tx) error { return tx.Transfer(ctx, b.Line("alice", store.LineTransferOut, -1), b.Line("bob", store.LineTransferIn, 1)) })
			timed("release", func(ctx context.Context, tx *store.Tx) error { return tx.ReleaseHold(ctx, h, store.At(b.Now)) })
			timed("redeem", func(ctx context.Context, tx *store.Tx) error { return tx.Debit(ctx, b.Line("bob", store.LineRedeem, -18000)) })
			if err := storetest.Balanced(context.Background(), db, b.Tenant); mode == "x" && err != nil { t.Error(err) }
		}
	})
}
