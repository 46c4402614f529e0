package admin_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestSigningKeysAreReplacedAndRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		made := func(body string) map[string]any {
			t.Helper()
			data := w.ok(201, "admin", "POST", "/signing-keys", body).object(t)["data"].([]any)
			equal(t, "how many are made", len(data), 1)
			return data[0].(map[string]any)
		}
		first := made("")
		equal(t, "the first key", []any{first["alg"], first["status"], first["retired_at"]}, []any{"ES256", "signing", nil})
		second := made(`{"alg":"ES256"}`)
		equal(t, "the second key", []any{second["alg"], second["status"]}, []any{"ES256", "waiting"})
		path := "/signing-keys/" + first["id"].(string)
		w.ok(404, "other", "GET", path, "")
		w.ok(404, "other", "DELETE", path, "")
		equal(t, "the first key now", w.ok(200, "admin", "GET", path, "").object(t)["retired_at"], second["signs_from"])
		for name, body := range map[string]string{
			"no algorithm": `{"alg":"HS256"}`, "none": `{"alg":"none"}`, "a long lead": `{"lead_s":604801}`, "a member": `{"kid":"a"}`, "no number": `{"lead_s":"1"}`,
		} {
			if a := w.as("admin", "POST", "/signing-keys", body); a.status != 422 {
				t.Errorf("%s: %d", name, a.status)
			}
		}
		gone := w.ok(204, "admin", "DELETE", path, "")
		equal(t, "its record", []any{w.record(gone, "demo").Action, w.record(gone, "demo").Resource}, []any{"signing_key.revoke", first["id"]})
		w.ok(204, "admin", "DELETE", path, "")
		equal(t, "the first key at last", w.ok(200, "admin", "GET", path, "").object(t)["status"], "revoked")
		equal(t, "the list", len(w.ok(200, "admin", "GET", "/signing-keys", "").object(t)["data"].([]any)), 2)
		w.ok(404, "admin", "GET", "/signing-keys/nothing", "")
		for _, who := range []string{"manager", "auditor"} {
			w.ok(403, who, "GET", "/signing-keys", "")
			w.ok(403, who, "POST", "/signing-keys", "")
			w.ok(403, who, "DELETE", path, "")
		}
	})
}

// signingKeys are those of a Provider without anything else to do.
func signingKeys(t *testing.T, db *store.DB) *oauth2.Provider {
	t.Helper()
	p, err := oauth2.New(oauth2.Config{Store: db, Secret: bytes.Repeat([]byte{1}, 32), SealKey: bytes.Repeat([]byte{2}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.LoadKeys(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p
}
