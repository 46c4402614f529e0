package server

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// custom is the action of each record from the first on, with the members of its
// kind.
func custom(t *testing.T, db *store.DB, from int64) (all []string) {
	t.Helper()
	size, err := db.LogSize(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	err = db.Records(context.Background(), from, size, func(r *store.Record) error {
		var body struct{ Custom map[string]any }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			return err
		}
		for _, name := range []string{"tenant", "code", "status"} {
			delete(body.Custom, name)
		}
		raw, err := json.Marshal(body.Custom)
		all = append(all, r.Action+" "+string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestStartsRecordWhatChanged: schema, secret and policy once, and again only
// when they are others; the start itself each time.
func TestStartsRecordWhatChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.SetMark(ctx, schemaMark, "1") })
		version, err := db.Version(ctx)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := json.Marshal(version)
		if err != nil {
			t.Fatal(err)
		}
		i := &Installation{Store: db, Labels: map[string]string{"version": "v9"}}
		var seen int64
		for _, c := range []struct {
			name string
			s    start
			want []string
		}{
			{"the first", start{revision: "sha256:a", settings: "s1", fingerprint: "f1"}, []string{
				`database.migrate {"from":1,"to":` + string(schema) + `}`, `secret.create {"fingerprint":"f1"}`, `policy.load {"revision":"sha256:a"}`,
				`server.start {"revision":"sha256:a","schema":` + string(schema) + `,"settings":"s1","version":"v9"}`,
			}},
			{"nothing has changed", start{revision: "sha256:a", settings: "s1", fingerprint: "f1"}, []string{
				`server.start {"revision":"sha256:a","schema":` + string(schema) + `,"settings":"s1","version":"v9"}`,
			}},
			{"another configuration", start{revision: "sha256:a", settings: "s2", fingerprint: "f1"}, []string{
				`server.start {"revision":"sha256:a","schema":` + string(schema) + `,"settings":"s2","version":"v9"}`,
			}},
			{"another policy and secret", start{revision: "sha256:b", settings: "s2", fingerprint: "f2"}, []string{
				`secret.change {"fingerprint":"f2","previous":"f1"}`, `policy.load {"previous":"sha256:a","revision":"sha256:b"}`,
				`server.start {"revision":"sha256:b","schema":` + string(schema) + `,"settings":"s2","version":"v9"}`,
			}},
		} {
			c.s.tenant = "demo"
			if err := i.started(ctx, c.s); err != nil {
				t.Fatal(err)
			}
			got := custom(t, db, seen)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s:\n%s", c.name, diff)
			}
			seen += int64(len(got))
		}
		if err := i.stopped(ctx, "demo", 90*time.Second); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{`server.stop {"seconds":90}`}, custom(t, db, seen)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAStartThatCannotBeRecorded(t *testing.T) {
	db := storetest.SQLite(t)
	i := &Installation{Store: db}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := i.started(context.Background(), start{tenant: "demo"}); err == nil {
		t.Error("it has started")
	}
}

func TestFingerprintTellsOnlyWhichSecret(t *testing.T) {
	a, b := []byte("key one"), []byte("key two")
	again := []byte("key one")
	if fingerprint(a) != fingerprint(again) || fingerprint(a) == fingerprint(b) || len(fingerprint(a)) != 16 {
		t.Errorf("%s and %s", fingerprint(a), fingerprint(b))
	}
}

// TestOAuthEvents: each kind that package oauth2 has becomes a record.
func TestOAuthEvents(t *testing.T) {
	db := storetest.SQLite(t)
	ctx := web.WithEvent(context.Background(), &web.Event{RequestID: "req_1", IP: "192.0.2.1", Path: "/oauth2/token", Method: "POST"})
	record := RecordOAuth(map[string]string{"id": "node"}, nil)
	for kind, want := range map[oauth2.EventKind]string{
		oauth2.Denied:        `consent.deny false customer cus_a session valid client web`,
		oauth2.RevokedByApp:  `token.revoke true customer cus_a client_secret valid grant grt_1`,
		oauth2.ReuseDetected: `token.reuse false customer cus_a client_secret valid grant grt_1`,
		oauth2.KeyCreated:    `signing_key.create true system pointgate internal valid signing_key sgk_1`,
		oauth2.KeyDestroyed:  `signing_key.destroy true system pointgate internal valid signing_key sgk_1`,
	} {
		size, err := db.LogSize(ctx)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Write(t, db, func(tx *store.Tx) error {
			record(ctx, tx, oauth2.Event{
				Kind: kind, At: time.Now(), Tenant: "demo", GrantID: "grt_1", ClientID: "web", SubjectType: "customer", Subject: "cus_a",
				Client: true, Type: "refresh_token", KeyID: "sgk_1",
			})
			return nil
		})
		err = db.Records(ctx, size, size+1, func(r *store.Record) error {
			var body struct {
				Result struct{ Allow json.RawMessage }
				Input  struct {
					Subject, Resource struct{ Type, ID string }
					Context           struct {
						Authentication struct{ Method, Status string }
						Client         struct{ ID string }
						Request        struct{ ID, IP string }
					}
				}
			}
			if err := json.Unmarshal(r.Body, &body); err != nil {
				return err
			}
			in := body.Input
			got := strings.Join([]string{
				r.Action, string(body.Result.Allow), in.Subject.Type, in.Subject.ID, in.Context.Authentication.Method, in.Context.Authentication.Status,
				in.Resource.Type, in.Resource.ID,
			}, " ")
			client := map[bool]string{true: "", false: "web"}[in.Subject.Type == "system"]
			if got != want || in.Context.Client.ID != client || in.Context.Request.ID != "req_1" || in.Context.Request.IP != "192.0.2.1" {
				t.Errorf("want %s, got %s", want, r.Body)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
