package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver

	"github.com/pointgate/pointgate/store"
)

// Each runs a test once on SQLite and once on PostgreSQL, each with an empty,
// migrated database.
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	EachOptions(t, func(t *testing.T, o store.Options) { test(t, Open(t, o)) })
}

// EachOptions is Each for tests that open the database themselves.
func EachOptions(t *testing.T, test func(t *testing.T, o store.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, store.Options{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { test(t, store.Options{URL: Postgres(t), Dir: t.TempDir()}) })
}

// Open opens a database for a test and closes it with the test.
func Open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// SQLite is an empty, migrated SQLite database.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, store.Options{Dir: t.TempDir()})
}

var server = sync.OnceValues(func() (string, error) {
	raw := os.Getenv("POINTGATE_TEST_POSTGRES")
	if raw == "" {
		raw = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
	}
	db, err := sql.Open("pgx", raw)
	if err != nil {
		return "", err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return raw, db.PingContext(ctx)
})

// Postgres makes an empty database and returns its URL; the test is skipped
// where there is no server, and fails with CI=true.
func Postgres(t testing.TB) string {
	t.Helper()
	admin, err := server()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no PostgreSQL, and CI=true: %v", err)
		}
		t.Skipf("skipped: no PostgreSQL (POINTGATE_TEST_POSTGRES, or 127.0.0.1:5432 without a password): %v", err)
	}
	name := "pointgate_test_" + strings.ToLower(rand.Text())
	run := func(statement string) error {
		db, err := sql.Open("pgx", admin)
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.Exec(statement)
		return err
	}
	if err := run(`CREATE DATABASE ` + name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if err := run(`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}
