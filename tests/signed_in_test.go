package tests

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestSignedInPeopleHaveTheirLimit: where a session is looked at, it is counted.
// Its address does not pay for it, so nothing else would end a flood.
func TestSignedInPeopleHaveTheirLimit(t *testing.T) {
	ctx, at := context.Background(), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return at }
	db := storetest.Open(t, store.Options{Dir: t.TempDir(), Now: clock})
	key, cookie := bytes.Repeat([]byte{1}, 32), strings.Repeat("a", 43)
	sum := sha256.Sum256([]byte(cookie))
	storetest.Write(t, db, func(tx *store.Tx) error {
		return tx.InsertTenant(ctx, &store.Tenant{ID: "demo", Name: "Demo", Issuer: "http://localhost", Hostnames: store.Words{"localhost"}, Home: true, CreatedAt: tx.Now()})
	})
	storetest.User(t, db, "demo", "cus_alice")
	storetest.Write(t, db, func(tx *store.Tx) error {
		return tx.InsertSession(ctx, &store.Session{
			Hash: sum[:], ID: "ses_alice", Tenant: "demo", UserID: "cus_alice", CreatedAt: store.At(at), LastSeenAt: store.At(at), ExpiresAt: store.At(at.Add(time.Hour)), AMR: store.Words{"pwd"},
		})
	})
	if err := db.LoadTenants(ctx); err != nil {
		t.Fatal(err)
	}
	s := must(server.New(server.Config{
		Store: db, Policy: must(policies.Open(policies.Embedded()))(t), Now: clock, Limits: true,
		OAuth: must(oauth2.New(oauth2.Config{Store: db, Now: clock, Secret: key, SealKey: key}))(t),
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)), Labels: map[string]string{"id": "test"}, Home: "demo", CursorKey: key, CSRFKey: key,
	}))(t)
	ask := func(path string) int {
		r := must(http.NewRequest(http.MethodGet, "http://localhost"+path, nil))(t)
		r.Header.Set("Cookie", "pg_session="+cookie)
		a := must(s.App().Test(r, 10_000))(t)
		defer a.Body.Close()
		return a.StatusCode
	}
	for range 200 {
		if status := ask("/consent?flow=x"); status == http.StatusTooManyRequests {
			t.Fatal("too soon")
		}
	}
	for _, path := range []string{"/consent", "/device", "/oauth2/authorize", "/oauth2/authorize/continue", "/oauth2/logout", "/account/apps", "/developer"} {
		if status := ask(path); status != http.StatusTooManyRequests {
			t.Errorf("%s answers %d to who asks for ever", path, status)
		}
	}
}
