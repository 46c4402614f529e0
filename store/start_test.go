package store_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// nobody is a PostgreSQL URL at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "postgres://nobody@" + ln.Addr().String() + "/none?sslmode=disable"
}

// TestADatabaseThatIsDown is told from one that is of another version.
func TestADatabaseThatIsDown(t *testing.T) {
	o := store.Options{URL: nobody(t), Dir: t.TempDir()}
	_, err := store.Open(context.Background(), o)
	if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrInvalid) || strings.Contains(err.Error(), "schema") {
		t.Errorf("it says %v", err)
	}
	i, err := store.Inspect(o)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, _, err := i.Schema(context.Background()); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrInvalid) {
		t.Errorf("the schema: %v", err)
	}
	if _, err := i.Founded(context.Background()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("founded: %v", err)
	}
}

// TestADatabaseThatIsNone is no matter of waiting.
func TestADatabaseThatIsNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.File), []byte(strings.Repeat("broken ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	urls := []string{"", "mysql://x"}
	u, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/there_is_no_such_database"
	urls = append(urls, u.String())
	for _, at := range urls {
		if _, err := store.Open(context.Background(), store.Options{URL: at, Dir: dir}); err == nil || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q: %v", at, err)
		}
	}
}

func TestFounded(t *testing.T) {
	ctx := context.Background()
	founded := func(t *testing.T, o store.Options) bool {
		t.Helper()
		i, err := store.Inspect(o)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		is, err := i.Founded(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		if o.URL == "" {
			if err := os.WriteFile(filepath.Join(o.Dir, store.File), nil, 0o600); err != nil { // a start that ended early
				t.Fatal(err)
			}
		}
		if founded(t, o) {
			t.Error("without tables")
		}
		db := storetest.Open(t, o)
		if founded(t, o) {
			t.Error("without a tenant")
		}
		storetest.Tenant(t, db, "main")
		if !founded(t, o) {
			t.Error("not with a tenant")
		}
	})
}

// TestTheReserveIsNamed: who operates the machine reads which folder it is, how
// much is left, and the flag.
func TestTheReserveIsNamed(t *testing.T) {
	dir := t.TempDir()
	db := storetest.Open(t, store.Options{Dir: dir, Reserve: 1 << 60})
	for name, err := range map[string]error{
		"a write": db.Write(context.Background(), func(*store.Tx) error { return nil }), "a question": db.Ping(context.Background()),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("%s: %v", name, err)
		}
		for _, part := range []string{dir, " MiB free", "the reserve of 1099511627776 MiB", "--disk-reserve"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: it says %q, not %q", name, err, part)
			}
		}
	}
}
