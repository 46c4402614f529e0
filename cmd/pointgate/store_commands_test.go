package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestBackupAndRestore(t *testing.T) {
	i := newInstallation(t)
	want(t, exitDone, "user", "create", "--id", "cus_a", "--email", "a@demo.example", "--name", "A")
	file, dir := filepath.Join(t.TempDir(), "copy.db"), filepath.Join(t.TempDir(), "new")
	want(t, exitDone, "backup", file, "--data", i.dir)
	if o := want(t, exitUsage, "backup", file, "--data", i.dir); !strings.Contains(o.err, "already exists") {
		t.Errorf("it says %q", o.err)
	}
	want(t, exitDone, "restore", file, "--data", dir)
	if o := want(t, exitCheck, "doctor", "--data", dir); !strings.Contains(o.out, "secret.key is missing") {
		t.Errorf("without its secret doctor says\n%s", o.out)
	}
	writeFile(t, filepath.Join(dir, "secret.key"), strings.Repeat("0", 64)) // that of newInstallation
	want(t, exitDone, "doctor", "--data", dir)
	if o := want(t, exitUsage, "restore", file, "--data", dir); !strings.Contains(o.err, "not empty (pointgate.db)") {
		t.Errorf("it says %q", o.err)
	}
	want(t, exitDone, "restore", file, "--data", dir, "--force")
	db := storetest.Open(t, store.Options{Dir: dir})
	if _, err := store.GetUser(context.Background(), db, "main", "cus_a"); err != nil {
		t.Error(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.db")
	if err := os.WriteFile(broken, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, exitCheck, "restore", broken, "--data", t.TempDir())
	want(t, exitUsage, "restore", filepath.Join(t.TempDir(), "none.db"), "--data", t.TempDir())
	want(t, exitUsage, "backup", filepath.Join(t.TempDir(), "x"), "--data", t.TempDir())
	if o := want(t, exitUsage, "backup", "x", "--database", "postgres://x"); !strings.Contains(o.err, "pg_dump") {
		t.Errorf("it says %q", o.err)
	}
}

func TestMigrate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	want(t, exitUsage, "migrate", "--status", "--data", dir)
	t.Setenv("POINTGATE_DATA", dir)
	if o := want(t, exitDone, "migrate"); !regexp.MustCompile(`schema [1-9]`).MatchString(o.out) {
		t.Errorf("it says %q", o.out)
	}
	want(t, exitDone, "migrate", "--status")
	want(t, exitUsage, "migrate", "--data", dir, "--database", "mysql://x")
}

// TestTheFolderHasOneUser: migrate and restore stay out of a folder that is in
// use; backup and doctor do not mind.
func TestTheFolderHasOneUser(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy.db")
	want(t, exitDone, "migrate", "--data", dir)
	unlock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range [][]string{{"migrate"}, {"restore", file, "--force"}} {
		if o := want(t, exitUsage, append(line, "--data", dir)...); !strings.Contains(o.err, "is in use by process ") {
			t.Errorf("%q says %q", line, o.err)
		}
	}
	want(t, exitDone, "backup", file, "--data", dir)
	if o := want(t, exitDone, "doctor", "--data", dir); !strings.Contains(o.out, "is in use by process ") {
		t.Errorf("doctor says %q", o.out)
	}
	unlock()
	want(t, exitDone, "migrate", "--data", dir)
}

func TestDoctor(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, dir string, db *store.DB)
		args  []string
		fails string // the names of the checks
	}{
		"all is well":         {func(*testing.T, string, *store.DB) {}, nil, ""},
		"an open folder":      {func(t *testing.T, dir string, _ *store.DB) { chmod(t, dir, 0o750) }, nil, "folder"},
		"an open file":        {func(t *testing.T, dir string, _ *store.DB) { chmod(t, filepath.Join(dir, "lock"), 0o644) }, nil, "files"},
		"a full disk":         {func(*testing.T, string, *store.DB) {}, []string{"--disk-reserve", "8796093022207"}, "disk"},
		"wrong configuration": {func(*testing.T, string, *store.DB) {}, []string{"--limits", "maybe"}, "config"},
		"a clock set back": {func(t *testing.T, _ string, db *store.DB) {
			at := store.At(time.Now().Add(time.Hour))
			if err := db.Append(context.Background(), &store.Record{ID: "d", At: at, Body: []byte(`{"custom":{"tenant":""}}`)}); err != nil {
				t.Fatal(err)
			}
		}, nil, "clock"},
		"a broken search index": {func(t *testing.T, dir string, _ *store.DB) {
			if err := os.WriteFile(filepath.Join(dir, store.IndexFile), bytes.Repeat([]byte("garbage "), 4096), 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "index"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			want(t, exitDone, "migrate", "--data", dir)
			tc.spoil(t, dir, storetest.Open(t, store.Options{Dir: dir}))
			code := exitDone
			if tc.fails != "" {
				code = exitCheck
			}
			o := want(t, code, append([]string{"doctor", "--data", dir}, tc.args...)...)
			var bad []string
			for line := range strings.Lines(o.out) {
				if words := strings.Fields(line); words[0] == "FAIL" {
					bad = append(bad, words[1])
				}
			}
			if got := strings.Join(bad, " "); got != tc.fails {
				t.Errorf("these fail: %q, want %q\n%s", got, tc.fails, o.out)
			}
			if n := strings.Count(o.out, "\n"); n != len(checks) {
				t.Errorf("%d lines for %d checks", n, len(checks))
			}
		})
	}
}

func TestDoctorWithoutADatabase(t *testing.T) {
	dir := t.TempDir()
	chmod(t, dir, 0o700)
	o := want(t, exitCheck, "doctor", "--data", dir)
	if strings.Count(o.out, "FAIL") != 1 || strings.Count(o.out, "skip") != 7 {
		t.Errorf("it says\n%s", o.out)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("it left %v", entries)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
