package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

var background = context.Background()

func inspect(t *testing.T, o store.Options) *store.Inspector {
	t.Helper()
	i, err := store.Inspect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// books makes a tenant with one customer who has a ledger line, and n records.
func books(t *testing.T, db *store.DB, n int) {
	t.Helper()
	storetest.Tenant(t, db, "demo")
	storetest.User(t, db, "demo", "cus_a")
	storetest.Write(t, db, func(tx *store.Tx) error {
		if _, err := tx.Exec(background, `UPDATE accounts SET available = 30, held = 12 WHERE customer_id = 'cus_a'`); err != nil {
			return err
		}
		if _, err := tx.Exec(background, `INSERT INTO holds (id, tenant, customer_id, points, captured, status, reason, created_at, expires_at)
			VALUES ('h', 'demo', 'cus_a', 12, 0, 'held', 'r', 1, 2)`); err != nil {
			return err
		}
		_, err := tx.Exec(background, `INSERT INTO ledger (id, tenant, customer_id, type, points, balance_after, reason, internal_note, actor_type, actor,
			client_id, request_id, decision_id, related_id, created_at, effective_at) VALUES ('l', 'demo', 'cus_a', 'earn', 42, 42, 'r', '', '', '', '', '', '', '', 1, 1)`)
		return err
	})
	for range n {
		if err := db.Append(background, record(db, uuid.NewString())); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInspection(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil       string
		log, ledger bool // hold
	}{
		"all is well":             {"", true, true},
		"a record is gone":        {`DELETE FROM batches WHERE first = 1`, false, true},
		"the last record is gone": {`DELETE FROM batches WHERE first = 2`, false, true},
		"a record too many":       {`UPDATE log_head SET size = 2`, false, true},
		"another balance":         {`UPDATE accounts SET available = 31`, true, false},
		"another hold":            {`UPDATE accounts SET available = 29, held = 13`, true, false},
		"a line too many":         {`UPDATE ledger SET points = 43`, true, false},
		"a hold that was closed":  {`UPDATE holds SET status = 'released'`, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachOptions(t, func(t *testing.T, o store.Options) {
				db := storetest.Open(t, o)
				books(t, db, 3)
				if tc.spoil != "" {
					storetest.Write(t, db, func(tx *store.Tx) error { _, err := tx.Exec(background, tc.spoil); return err })
				}
				i := inspect(t, o)
				if n, err := i.Log(background); (err == nil) != tc.log || (err == nil && n != 3) {
					t.Errorf("log: %d, %v", n, err)
				}
				if n, err := i.Ledger(background); (err == nil) != tc.ledger || (err == nil && n != 1) {
					t.Errorf("ledger: %d, %v", n, err)
				}
				if err := i.Integrity(background); err != nil {
					t.Errorf("integrity: %v", err)
				}
				if have, known, err := i.Schema(background); have != known || known == 0 || err != nil {
					t.Errorf("schema %d of %d, %v", have, known, err)
				}
			})
		})
	}
}

func TestInspectionMakesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := store.Inspect(store.Options{Dir: dir}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("it left %v", entries)
	}
}

// TestBackupWhileWritesGoOn: what was durable before the backup began is in it,
// and whatever of the rest is in it is whole.
func TestBackupWhileWritesGoOn(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	db := storetest.Open(t, store.Options{Dir: dir})
	books(t, db, 50)
	var stop atomic.Bool
	var writers sync.WaitGroup
	var written atomic.Int64
	for range 4 {
		writers.Go(func() {
			for !stop.Load() {
				if err := db.Append(background, record(db, uuid.NewString())); err != nil {
					t.Errorf("a write beside the backup: %v", err)
					return
				}
				written.Add(1)
			}
		})
	}
	durable, err := db.LogSize(background)
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	if err := store.Backup(background, dir, file, func(done, total int64) { last = total - done }); err != nil {
		t.Fatal(err)
	}
	for written.Load() < 20 { // the writers are not held up for good
		if err := db.Append(background, record(db, uuid.NewString())); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	writers.Wait()
	if last != 0 {
		t.Errorf("progress ends %d bytes before the end", last)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := store.Backup(background, dir, file, nil); !errors.Is(err, store.ErrExists) {
		t.Errorf("the second backup to one file: %v", err)
	}

	restored := t.TempDir()
	if err := store.Restore(background, restored, file, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := inspect(t, store.Options{Dir: restored}).Log(background); err != nil || n < durable {
		t.Errorf("%d records of %d, %v", n, durable, err)
	}
	copied := storetest.Open(t, store.Options{Dir: restored})
	if err := copied.Append(background, record(copied, uuid.NewString())); err != nil {
		t.Errorf("the restored database takes no write: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".backup-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRestoreTakesNothingBroken(t *testing.T) {
	good := func(t *testing.T, spoil string) string {
		dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
		db := storetest.Open(t, store.Options{Dir: dir})
		books(t, db, 3)
		if spoil != "" {
			storetest.Write(t, db, func(tx *store.Tx) error { _, err := tx.Exec(background, spoil); return err })
		}
		if err := store.Backup(background, dir, file, nil); err != nil {
			t.Fatal(err)
		}
		return file
	}
	spoiled := func(statement string) func(*testing.T) string {
		return func(t *testing.T) string { return good(t, statement) }
	}
	for name, make := range map[string]func(t *testing.T) string{
		"a text":               func(t *testing.T) string { return write(t, []byte("no database")) },
		"nothing":              func(t *testing.T) string { return write(t, nil) },
		"half a file":          func(t *testing.T) string { return half(t, good(t, "")) },
		"a newer schema":       spoiled(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`),
		"a gap in the log":     spoiled(`DELETE FROM batches WHERE first = 1`),
		"a ledger that is off": spoiled(`UPDATE accounts SET available = 31`),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := storetest.Open(t, store.Options{Dir: dir})
			storetest.Tenant(t, db, "kept")
			if err := store.Restore(background, dir, make(t), nil); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("got %v", err)
			}
			if _, err := store.GetTenant(background, db, "kept"); err != nil {
				t.Errorf("the old database: %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".restore-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestRestoreReplacesTheOldDatabase(t *testing.T) {
	from, file, dir := t.TempDir(), filepath.Join(t.TempDir(), "copy.db"), t.TempDir()
	db := storetest.Open(t, store.Options{Dir: from})
	books(t, db, 1)
	if err := store.Backup(background, from, file, nil); err != nil {
		t.Fatal(err)
	}
	old, err := store.Open(background, store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Tenant(t, old, "old")
	// A log that its process did not get to move into the database.
	wal, err := os.ReadFile(filepath.Join(dir, store.File+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, store.File+"-wal"), wal, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(background, dir, file, nil); err != nil {
		t.Fatal(err)
	}
	restored := storetest.Open(t, store.Options{Dir: dir})
	all, err := store.Tenants(background, restored)
	if err != nil || len(all) != 1 || all[0].ID != "demo" {
		t.Errorf("%v, %v", all, err)
	}
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func half(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, raw[:len(raw)/2])
}
