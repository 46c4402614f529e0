package store_test

import (
	"testing"

	"github.com/pointgate/pointgate/store/storetest"
)

// BenchmarkAppend is the log alone, with 64 writers waiting. With -tags nohash
// it is the same without the tree; `make bench-trail` compares them.
func BenchmarkAppend(b *testing.B) {
	db := storetest.SQLite(b)
	body := full(db, "0198a7c2-0000-7000-8000-000000000000")
	for len(body.Body) < 1300 { // as long as that of a decision
		body.Body = append([]byte(`{"labels":{"id":"0198a7c2","version":"bench"},`), body.Body[1:]...)
	}
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := *body
			if err := db.Append(background, &r); err != nil {
				b.Error(err)
			}
		}
	})
}
