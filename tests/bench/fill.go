package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

// perWrite is how many rows one statement inserts: SQLite takes 32,766
// parameters.
const perWrite = 1000

// fill writes expired tokens, each with the grant that a client took for itself,
// into the store of a demo that is stopped. Half of them may be removed, the
// others are kept for a day so that their holders are told that they expired.
func fill(dir, database string, n int) error {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{Dir: dir, URL: database})
	if err != nil {
		return err
	}
	defer db.Close()
	grants := insert("grants", "id, tenant, client_id, subject_type, subject, scopes, amr, created_at, expires_at")
	tokens := insert("access_tokens", "hash, grant_id, tenant, client_id, scopes, audience, created_at, expires_at")
	now := db.Now()
	for from := 0; from < n; from += perWrite {
		err := db.Write(ctx, func(tx *store.Tx) error {
			var g, t []any
			for i := from; i < from+perWrite; i++ {
				ends := now.Add(-48 * time.Hour / time.Duration(n) * time.Duration(i))
				id, hash := fmt.Sprintf("grt_bench%d", i), sha256.Sum256([]byte(fmt.Sprint(i)))
				g = append(g, id, "demo", "demo-service", "client", "demo-service", "points:read", "", store.At(ends.Add(-time.Hour)), store.At(ends))
				t = append(t, hash[:], id, "demo", "demo-service", "points:read", "http://demo.localhost/api", store.At(ends.Add(-time.Hour)), store.At(ends))
			}
			if _, err := tx.Exec(ctx, grants, g...); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, tokens, t...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func insert(table, columns string) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", strings.Count(columns, ",")+1), ",") + ")"
	return "INSERT INTO " + table + " (" + columns + ") VALUES " + strings.TrimSuffix(strings.Repeat(row+",", perWrite), ",")
}
