package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// startable is a configuration that serves from a folder of the test's own.
func startable(t *testing.T) *Config {
	t.Helper()
	c := defaultConfig()
	c.Data, c.Listen, c.OpsListen, c.PublicURL = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", "127.0.0.1:0", "http://127.0.0.1:8080"
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	return c
}

// offered is an output that ends a server once it has offered its setup link.
type offered struct {
	bytes.Buffer
	end context.CancelFunc
}

func (o *offered) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("/setup?link=")) {
		o.end()
	}
	return o.Buffer.Write(b)
}

// serveOnce starts a server that nobody administers yet, and stops it.
func serveOnce(t *testing.T, c *Config) error {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	return run(ctx, c, &offered{end: end})
}

// wantExit fails the test unless the start ended with this exit code and line.
func wantExit(t *testing.T, err error, code int, parts ...string) {
	t.Helper()
	var e *exit
	if !errors.As(err, &e) || e.code != code {
		t.Fatalf("it ends with %v, want exit code %d", err, code)
	}
	for _, part := range parts {
		if !strings.Contains(oneLine(err.Error()), part) {
			t.Errorf("it says %q, not %q", err, part)
		}
	}
}

func recordsIn(t *testing.T, c *Config) int64 {
	t.Helper()
	i, err := store.Inspect(store.Options{URL: c.Database, Dir: c.Data})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	size, err := i.Log(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// TestARefusedStartRecordsNothing: what is in a database that may be the wrong
// one stays as it is, with the setup link that was given out.
func TestARefusedStartRecordsNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, c *Config)
		says  string
	}{
		"another secret": {func(t *testing.T, c *Config) {
			writeFile(t, c.SecretFile, strings.Repeat("ab", 32)+"\n")
		}, "can't be opened with this master secret"},
		"another secret and another URL": {func(t *testing.T, c *Config) {
			writeFile(t, c.SecretFile, strings.Repeat("ab", 32)+"\n")
			c.PublicURL = "http://localhost:8080"
		}, "can't be opened with this master secret"},
		"a database that was put back": {func(t *testing.T, c *Config) {
			copied := filepath.Join(t.TempDir(), "copy.db")
			if err := store.Backup(context.Background(), c.Data, copied, nil); err != nil {
				t.Fatal(err)
			}
			if err := serveOnce(t, c); err != nil {
				t.Fatal(err)
			}
			if err := store.Restore(context.Background(), c.Data, copied, nil); err != nil {
				t.Fatal(err)
			}
		}, "--accept-rollback"},
		"a checkpoint file that can't be written": {func(t *testing.T, c *Config) {
			c.CheckpointFile = filepath.Join(t.TempDir(), "no", "such", "folder")
		}, "--checkpoint-file none"},
		"a port in use": {func(t *testing.T, c *Config) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ln.Close() })
			c.Listen = ln.Addr().String()
		}, "--listen"},
	} {
		t.Run(name, func(t *testing.T) {
			c := startable(t)
			if err := serveOnce(t, c); err != nil {
				t.Fatal(err)
			}
			tc.spoil(t, c)
			size := recordsIn(t, c)
			for range 2 {
				wantExit(t, serveOnce(t, c), exitUsage, tc.says)
			}
			if got := recordsIn(t, c); got != size {
				t.Errorf("%d records, and %d before it was refused", got, size)
			}
		})
	}
}

// TestAMissingSecretIsNotReplaced: only where nothing was ever made with one.
func TestAMissingSecretIsNotReplaced(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		c := startable(t)
		c.Database = o.URL
		if c.Database == "" {
			want(t, exitDone, "migrate", "--data", c.Data) // tables alone are no reason
		}
		if err := serveOnce(t, c); err != nil {
			t.Fatal(err)
		}
		if err := serveOnce(t, c); err != nil {
			t.Fatalf("with its secret: %v", err)
		}
		size := recordsIn(t, c)
		kept := filepath.Join(t.TempDir(), "kept")
		if err := os.Rename(c.SecretFile, kept); err != nil {
			t.Fatal(err)
		}
		before := filesIn(t, c.Data)
		wantExit(t, serveOnce(t, c), exitUsage, c.SecretFile+" is missing", "put its copy back", "openssl rand -hex 32")
		if after := filesIn(t, c.Data); after != before {
			t.Errorf("there is %s, and was %s", after, before)
		}
		if got := recordsIn(t, c); got != size {
			t.Errorf("%d records, and %d before it was refused", got, size)
		}
		d := pointgate("doctor", "--data", c.Data, "--database", c.Database)
		if !strings.Contains(d.out, "FAIL  log key     "+c.SecretFile+" is missing") {
			t.Errorf("doctor says\n%s", d.out)
		}
		// The way out of a loss is made by hand, and is on record.
		writeFile(t, c.SecretFile, hex.EncodeToString(bytes.Repeat([]byte{9}, 32))+"\n")
		wantExit(t, serveOnce(t, c), exitUsage, "--accept-rollback")
		if err := os.Rename(kept, c.SecretFile); err != nil {
			t.Fatal(err)
		}
		if err := serveOnce(t, c); err != nil {
			t.Errorf("with its secret again: %v", err)
		}
	})
}

// TestWhatPassesIsNoConfiguration: a supervisor starts the program again after
// exit code 3, and not after 2.
func TestWhatPassesIsNoConfiguration(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "postgres://nobody@" + ln.Addr().String() + "/none?sslmode=disable"
	_ = ln.Close()
	t.Run("a database that is down", func(t *testing.T) {
		c := startable(t)
		c.Database = nobody
		wantExit(t, serveOnce(t, c), exitRefused, "database: ", "connect")
		if _, err := os.Stat(c.SecretFile); err == nil {
			t.Error("there is a secret already, which other nodes don't have")
		}
		writeFile(t, c.SecretFile, strings.Repeat("ab", 32)+"\n")
		err := serveOnce(t, c)
		wantExit(t, err, exitRefused)
		if strings.Contains(err.Error(), "schema") {
			t.Errorf("it says %q", err)
		}
		want(t, exitRefused, "migrate", "--data", c.Data, "--database", nobody)
	})
	t.Run("a full disk", func(t *testing.T) {
		c := startable(t)
		if err := serveOnce(t, c); err != nil {
			t.Fatal(err)
		}
		c.DiskReserve = 1 << 40
		wantExit(t, serveOnce(t, c), exitRefused, c.Data+" has ", "--disk-reserve")
	})
	t.Run("a URL that is none", func(t *testing.T) {
		c := startable(t)
		c.Database = "mysql://x"
		wantExit(t, serveOnce(t, c), exitUsage)
	})
	t.Run("a database that is none", func(t *testing.T) {
		c := startable(t)
		if err := os.Mkdir(c.Data, 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(c.Data, store.File), strings.Repeat("broken ", 1000))
		wantExit(t, serveOnce(t, c), exitUsage)
	})
}

// TestDoctorSeesWhatAStartRefuses, and writes nothing.
func TestDoctorSeesWhatAStartRefuses(t *testing.T) {
	c := startable(t)
	if err := serveOnce(t, c); err != nil {
		t.Fatal(err)
	}
	doctor := func(code int, parts ...string) {
		t.Helper()
		size := recordsIn(t, c)
		o := want(t, code, "doctor", "--data", c.Data)
		for _, part := range parts {
			if !strings.Contains(o.out, part) {
				t.Errorf("it says\n%snot %q", o.out, part)
			}
		}
		if got := recordsIn(t, c); got != size {
			t.Errorf("%d records, and %d before", got, size)
		}
	}
	doctor(exitDone, "ok    checkpoint  ", "ok    log key     127.0.0.1:8080/audit+")
	silent := httptest.NewServer(http.NotFoundHandler())
	silent.Close()
	if o := want(t, exitDone, "doctor", "--data", c.Data, "--checkpoint-urls", silent.URL); !strings.Contains(o.out, "not asked, because they do not answer: endpoint http://127.0.0.1") {
		t.Errorf("of a place that does not answer it says\n%s", o.out)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := store.Backup(context.Background(), c.Data, copied, nil); err != nil {
		t.Fatal(err)
	}
	if err := serveOnce(t, c); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(context.Background(), c.Data, copied, nil); err != nil {
		t.Fatal(err)
	}
	doctor(exitCheck, "FAIL  checkpoint  ", "older than what was published", "ok    log key     ")
	want(t, exitUsage, "restore", copied, "--data", c.Data)
	if err := os.Remove(c.checkpointFile()); err != nil {
		t.Fatal(err)
	}
	writeFile(t, c.SecretFile, strings.Repeat("ab", 32)+"\n")
	doctor(exitCheck, "ok    checkpoint  ", "FAIL  log key     ", "can't be opened with this master secret")
	if _, err := os.Stat(c.checkpointFile()); err == nil {
		t.Error("doctor has written a checkpoint")
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// filesIn is the names of the files in a folder.
func filesIn(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
