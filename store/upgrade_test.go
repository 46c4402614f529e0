package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestTheOldLogMovesIntoTheTree: the log of a database of schema 1 keeps its
// indexes and says the same, also when the move is interrupted.
func TestTheOldLogMovesIntoTheTree(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		const rows = 4500 // more than two steps
		db := storetest.Open(t, o)
		kind := map[bool]string{true: "BLOB", false: "BYTEA"}[o.URL == ""]
		storetest.Write(t, db, func(tx *store.Tx) error {
			if _, err := tx.Exec(background, `CREATE TABLE decisions_old (idx BIGINT PRIMARY KEY, id TEXT, at BIGINT, tenant TEXT, subject TEXT, client TEXT,
				action TEXT, resource TEXT, allow BOOLEAN, code TEXT, status BIGINT, request_id TEXT, body `+kind+`)`); err != nil {
				return err
			}
			for i := range rows {
				at := store.At(db.Now())
				body := fmt.Sprintf(`{"decision_id":"d%d","custom":{"tenant":"t","data_digest":"sha256:1"},"path":"p","timestamp":%q,"requested_by":"192.0.2.1","result":{"allow":true,"reasons":[{"rule":"a"},{"rule":"a"},{"rule":"b"}]}}`, i, at.Format(time.RFC3339Nano))
				if i == 1 {
					body = `{}` // no member at all
				}
				if _, err := tx.Exec(background, `INSERT INTO decisions_old VALUES (?, ?, ?, 't', 'cus_a', 'web', 'points.read', 'cus_a', ?, 'ok', 200, 'r', ?)`,
					i, fmt.Sprintf("d%d", i), at, true, []byte(body)); err != nil {
					return err
				}
			}
			return nil
		})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		var steps []int64
		o.Upgrading = func(done, _ int64) { steps = append(steps, done) }
		db = storetest.Open(t, o)
		if size, err := db.LogSize(background); err != nil || size != rows {
			t.Fatalf("%d records, %v", size, err)
		}
		if len(steps) != 3 || steps[2] != rows {
			t.Errorf("told of %v", steps)
		}
		if v := verify(t, o); len(v.Findings) != 1 || v.Findings[0].From != 1 { // the one without members says nothing
			t.Errorf("%d findings, first %v", len(v.Findings), v.Findings[:min(len(v.Findings), 1)])
		}
		r, err := db.Decision(background, "t", "d4321")
		if err != nil || r.Index != 4321 || r.IP != "192.0.2.1" || len(r.Rules) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		var event struct {
			Path   string
			Custom struct {
				Tenant, Code string
				Status       int
				Index        int64
				Digest       string `json:"data_digest"`
			}
		}
		if err := json.Unmarshal(r.Event(), &event); err != nil {
			t.Fatal(err)
		}
		if c := event.Custom; event.Path != "p" || c.Tenant != "t" || c.Code != "ok" || c.Status != 200 || c.Index != 4321 || c.Digest != "sha256:1" {
			t.Errorf("%s", r.Event())
		}
		if err := db.Append(background, record(db, "new")); err != nil {
			t.Errorf("after the upgrade: %v", err)
		}
	})
}
