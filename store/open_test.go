package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestANewerSchemaIsRefused: an old program must not write into rows that it
// does not understand.
func TestANewerSchemaIsRefused(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		ctx := context.Background()
		db, err := store.Open(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Write(t, db, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
			return err
		})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(ctx, o); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("open: %v, want ErrInvalid", err)
		}
	})
}

// TestNodesStartTogether: on one PostgreSQL several nodes may start at once;
// one migrates, all are good.
func TestNodesStartTogether(t *testing.T) {
	o := store.Options{URL: storetest.Postgres(t), Dir: t.TempDir()}
	type opened struct {
		db  *store.DB
		err error
	}
	nodes := make(chan opened, 4)
	for range cap(nodes) {
		go func() {
			db, err := store.Open(context.Background(), o)
			nodes <- opened{db, err}
		}()
	}
	for range cap(nodes) {
		n := <-nodes
		if n.err != nil {
			t.Error(n.err)
			continue
		}
		if err := n.db.Append(context.Background(), record(n.db, rand.Text())); err != nil {
			t.Error(err)
		}
		if err := n.db.Close(); err != nil {
			t.Error(err)
		}
	}
}
