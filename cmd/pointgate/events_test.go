package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// operations are the nouns whose records are looked at here.
var operations = []string{"database", "installation", "setup", "tenant"}

// acts are the actions and codes of what was done to the installation, oldest
// first, and the custom member of the last.
func acts(t *testing.T, db *store.DB) (all []string, last map[string]any) {
	t.Helper()
	ctx := context.Background()
	size, err := db.LogSize(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Records(ctx, 0, size, func(r *store.Record) error {
		if noun, _, _ := strings.Cut(r.Action, "."); r.Subject != "pointgate" || !slices.Contains(operations, noun) {
			return nil
		}
		all = append(all, r.Action+" "+r.Code)
		var body struct{ Custom map[string]any }
		err := json.Unmarshal(r.Body, &body)
		last = body.Custom
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, last
}

func wantActs(t *testing.T, db *store.DB, want ...string) map[string]any {
	t.Helper()
	got, last := acts(t, db)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	return last
}

// TestBackupsAndRestoresAreRecorded: the copy has the record of the backup, the
// restored database that of the restore, and both files' logs are whole.
func TestBackupsAndRestoresAreRecorded(t *testing.T) {
	i := newInstallation(t) // which is at work all the time
	file, dir := filepath.Join(t.TempDir(), "copy.db"), filepath.Join(t.TempDir(), "new")
	want(t, exitDone, "user", "create", "--id", "cus_a", "--email", "a@demo.example", "--name", "A")
	want(t, exitDone, "backup", file, "--data", i.dir)
	custom := wantActs(t, i.db, "database.migrate ok", "database.backup ok")
	if custom["file"] != "copy.db" || custom["operator"] != operator() || custom["tenant"] != "main" {
		t.Errorf("the backup's record has %v", custom)
	}
	want(t, exitDone, "user", "create", "--id", "cus_b", "--email", "b@demo.example", "--name", "B") // the server goes on in the same log
	want(t, exitUsage, "backup", file, "--data", i.dir)
	wantActs(t, i.db, "database.migrate ok", "database.backup ok") // what could not be made was not announced

	want(t, exitDone, "restore", file, "--data", dir)
	restored := storetest.Open(t, store.Options{Dir: dir})
	custom = wantActs(t, restored, "database.migrate ok", "database.backup ok", "database.restore ok")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	size, err := restored.LogSize(context.Background())
	if err != nil || custom["digest"] != hex.EncodeToString(sum[:]) || custom["size"] != float64(size-1) || custom["file"] != "copy.db" || custom["replaced_size"] != nil {
		t.Errorf("%v: the restore's record has %v; the log has %d records", err, custom, size)
	}
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, exitDone, "restore", file, "--data", dir, "--force")
	again := storetest.Open(t, store.Options{Dir: dir})
	if custom = wantActs(t, again, "database.migrate ok", "database.backup ok", "database.restore ok"); custom["replaced_size"] != float64(size) {
		t.Errorf("the restore's record has %v, want replaced_size %d", custom, size)
	}
	if entries, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(entries) != 0 {
		t.Errorf("these are left: %v, %v", entries, err)
	}
	writeFile(t, filepath.Join(dir, "secret.key"), strings.Repeat("0", 64)) // that of newInstallation
	want(t, exitDone, "doctor", "--data", dir)
}

// TestBackupThatCannotBeRecorded copies nothing, unless it is told to.
func TestBackupThatCannotBeRecorded(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy.db")
	want(t, exitDone, "migrate", "--data", dir)
	full := []string{"backup", file, "--data", dir, "--disk-reserve", "8796093022207"}
	if o := want(t, exitUsage, full...); !strings.Contains(o.err, "--unrecorded") {
		t.Errorf("it says %q", o.err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Fatal("there is a copy without its record")
	}
	want(t, exitDone, append(full, "--unrecorded")...)

	db := storetest.Open(t, store.Options{Dir: dir})
	storetest.Write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), `UPDATE goose_db_version SET version_id = version_id + 1 WHERE version_id > 0`)
		return err
	})
	if o := want(t, exitUsage, "backup", file+"2", "--data", dir); !strings.Contains(o.err, "schema") {
		t.Errorf("of another version: it says %q", o.err)
	}
	if size, err := db.LogSize(context.Background()); err != nil || size != 0 {
		t.Errorf("%d records, %v", size, err)
	}
}

func TestBackupThatFails(t *testing.T) {
	i := newInstallation(t)
	want(t, exitUsage, "backup", filepath.Join(t.TempDir(), "no", "such", "folder.db"), "--data", i.dir)
	wantActs(t, i.db, "database.migrate ok", "database.backup ok", "database.backup backup_failed")
}

// TestRestoreThatFails leaves what was there, and nothing else.
func TestRestoreThatFails(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy.db")
	want(t, exitDone, "migrate", "--data", dir)
	want(t, exitDone, "backup", file, "--data", dir)
	before, err := os.ReadFile(filepath.Join(dir, store.File))
	if err != nil {
		t.Fatal(err)
	}
	want(t, exitUsage, "restore", file, "--data", dir, "--force", "--disk-reserve", "8796093022207")
	after, err := os.ReadFile(filepath.Join(dir, store.File))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the database is another one: %v", err)
	}
	if entries, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(entries) != 0 {
		t.Errorf("these are left: %v, %v", entries, err)
	}
}

// TestMigrationsAreRecorded: once, by the command or by the next start.
func TestMigrationsAreRecorded(t *testing.T) {
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "data")
	want(t, exitDone, "migrate", "--data", dir)
	db := storetest.Open(t, store.Options{Dir: dir})
	wantActs(t, db) // there is nobody yet whose record it would be
	c := defaultConfig()
	c.PublicURL = "http://127.0.0.1:8080"
	var out bytes.Buffer
	start := func() {
		t.Helper()
		if err := errors.Join(settle(ctx, c, db), welcome(ctx, c, db, &out)); err != nil {
			t.Fatal(err)
		}
	}
	start()
	settled := []string{"installation.create ok", "setup.offer ok"}
	wantActs(t, db, settled...)
	want(t, exitDone, "migrate", "--data", dir)
	custom := wantActs(t, db, append(settled, "database.migrate ok")...)
	if v, err := db.Version(ctx); err != nil || custom["from"] != float64(0) || custom["to"] != float64(v) {
		t.Errorf("the record has %v, the schema is %d, %v", custom, v, err)
	}
	want(t, exitDone, "migrate", "--data", dir)
	wantActs(t, db, append(settled, "database.migrate ok")...)

	c.PublicURL = "http://localhost:8080"
	start()
	wantActs(t, db, append(settled, "database.migrate ok", "tenant.move ok", "setup.offer ok")...)
	link := out.String()
	link = link[strings.LastIndex(link, "link=")+5:][:20]
	size, err := db.LogSize(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Records(ctx, 0, size, func(r *store.Record) error {
		if strings.Contains(string(r.Body), link) {
			t.Errorf("the link is in %s", r.Body)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
