package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/oauth"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// receiver is a client that is told of logouts.
type receiver struct {
	mu     sync.Mutex
	status int
	err    error
	got    []string // address and token
}

func (r *receiver) call(_ context.Context, uri string, form []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q, err := url.ParseQuery(string(form))
	if err != nil || len(q) != 1 {
		return 400, errors.New("not a form with one field")
	}
	r.got = append(r.got, uri+" "+q.Get("logout_token"))
	return r.status, r.err
}

// logouts tells clients, of whom one called rp hears.
func (w *world) logouts() (*oauth.Logouts, *receiver, map[string]int) {
	w.Helper()
	r, counted, mu := &receiver{status: 200}, map[string]int{}, &sync.Mutex{}
	w.client("app-rp", "app-rp-secret", func(c *store.Client) {
		c.BackchannelURI, c.Scopes = "https://rp.example/logout", store.Words{"openid", "points:read"}
	})
	return &oauth.Logouts{
		Store: w.db, Provider: w.provider, Events: &gate.Events{Store: w.db, Now: w.now, NewID: uuid.NewString},
		Log: slog.New(slog.DiscardHandler), Holder: "node", Call: r.call, Count: func(result string) { mu.Lock(); counted[result]++; mu.Unlock() },
	}, r, counted
}

// ends is a session of alice's, known to rp, that has ended.
func (w *world) ends(id string) {
	w.Helper()
	ctx := context.Background()
	storetest.Grant(w, w.db, store.Grant{ID: "grt_" + id, ClientID: "app-rp", Subject: "cus_alice", SessionID: id, Scopes: store.Words{"openid"}})
	storetest.Write(w, w.db, func(tx *store.Tx) error {
		now := tx.Now()
		return tx.InsertSession(ctx, &store.Session{
			Hash: []byte(id), ID: id, Tenant: "demo", UserID: "cus_alice", CreatedAt: now, LastSeenAt: now, ExpiresAt: store.At(now.Add(time.Hour)),
		})
	})
	storetest.Write(w, w.db, func(tx *store.Tx) error { return tx.EndSession(ctx, "demo", id) })
}

// verified are the header and claims of a token that the tenant's published keys
// vouch for.
func (w *world) verified(token string) (header, claims map[string]any) {
	w.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		w.Fatalf("not a JWT: %q", token)
	}
	part := func(s string) []byte {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil {
			w.Fatal(err)
		}
		return raw
	}
	if err := errors.Join(json.Unmarshal(part(parts[0]), &header), json.Unmarshal(part(parts[1]), &claims)); err != nil {
		w.Fatal(err)
	}
	tenant, _ := w.db.TenantFor("demo.localhost")
	raw, _ := json.Marshal(w.provider.JWKS(tenant))
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(raw, &set); err != nil {
		w.Fatal(err)
	}
	digest, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), part(parts[2])
	for _, k := range set.Keys {
		if k["kid"] == header["kid"] && k["alg"] == "ES256" {
			public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, part(k["x"]), part(k["y"])))
			if err == nil && ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
				return header, claims
			}
		}
	}
	w.Fatalf("no published key has signed %q", token)
	return nil, nil
}

func (w *world) pass1(l *oauth.Logouts) {
	w.Helper()
	if err := l.Pass(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// TestBackChannelLogout: OpenID Connect Back-Channel Logout §2.4 and §2.5.
func TestBackChannelLogout(t *testing.T) {
	each(t, func(w *world) {
		l, rp, counted := w.logouts()
		w.ends("ses_a")
		w.pass1(l)
		w.pass1(l)
		if len(rp.got) != 1 {
			w.Fatalf("told %d times", len(rp.got))
		}
		uri, token, _ := strings.Cut(rp.got[0], " ")
		header, claims := w.verified(token)
		id, _ := claims["jti"].(string)
		delete(claims, "jti")
		now := float64(w.now().Unix())
		want := map[string]any{
			"iss": issuer, "aud": "app-rp", "sub": "cus_alice", "sid": "ses_a", "iat": now, "exp": now + 120,
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		}
		if diff := cmp.Diff(want, claims); diff != "" || header["typ"] != "logout+jwt" || header["alg"] != "ES256" || len(id) < 20 || uri != "https://rp.example/logout" {
			w.Error(uri, header, id, diff)
		}
		if diff := cmp.Diff(map[string]int{"delivered": 1}, counted); diff != "" {
			w.Error(diff)
		}
		w.sub("the token is no other token", func(w *world) {
			if got := w.status(token); got != "invalid" {
				w.Errorf("as an access token it is %s", got)
			}
			tenant, _ := w.db.TenantFor("demo.localhost")
			got, err := w.provider.Logout(context.Background(), tenant, url.Values{"id_token_hint": {token}})
			if err != nil || got.ClientID != "" || got.Subject != "" {
				w.Errorf("as an id_token_hint it says %+v, %v", got, err)
			}
		})
	})
}

func TestBackChannelLogoutIsTriedForADay(t *testing.T) {
	each(t, func(w *world) {
		l, rp, counted := w.logouts()
		rp.status, rp.err = 400, nil
		w.ends("ses_a")
		for range 100 {
			w.pass1(l)
			w.pass(30 * time.Minute)
			if rp.status = 503; len(rp.got)%2 == 0 {
				rp.err = errors.New("no route")
			}
		}
		tries := len(rp.got)
		if tries < 20 || tries > 60 || counted["given_up"] != 1 || counted["failed"] != tries-1 {
			w.Errorf("%d attempts, %v", tries, counted)
		}
		_, first, _ := strings.Cut(rp.got[0], " ")
		_, last, _ := strings.Cut(rp.got[tries-1], " ")
		_, a := w.verified(first)
		_, b := w.verified(last)
		if a["jti"] == b["jti"] || a["exp"] == b["exp"] {
			w.Error("an attempt has the token of another one")
		}
		all, err := w.db.Decisions(context.Background(), store.DecisionFilter{Tenant: "demo", Action: "logout.deliver", Tail: true, After: -1, Limit: 10})
		if err != nil || len(all) != 1 || all[0].Code != "undelivered" || all[0].Client != "app-rp" || all[0].Resource != "ses_a" || all[0].Related != "cus_alice" {
			w.Errorf("%+v, %v", all, err)
		}
	})
}

// TestBackChannelLogoutForNobody: an address that the client has given up hears
// nothing, nor does a client that is gone.
func TestBackChannelLogoutForNobody(t *testing.T) {
	each(t, func(w *world) {
		l, rp, counted := w.logouts()
		for name, change := range map[string]string{
			"another address": `UPDATE clients SET backchannel_uri = 'https://new.example/' WHERE id = 'app-rp'`,
			"disabled":        `UPDATE clients SET backchannel_uri = 'https://rp.example/logout', disabled_at = 1 WHERE id = 'app-rp'`,
		} {
			w.exec(`UPDATE clients SET backchannel_uri = 'https://rp.example/logout', disabled_at = NULL WHERE id = 'app-rp'`)
			w.ends("ses_" + name[:3])
			w.exec(change)
			w.pass1(l)
			if len(rp.got) != 0 || len(counted) != 0 {
				w.Errorf("%s: told %v, %v", name, rp.got, counted)
			}
			if due, err := w.db.DueLogouts(context.Background(), 10); err != nil || len(due) != 0 {
				w.Errorf("%s: %v waits, %v", name, due, err)
			}
		}
	})
}

// TestBackChannelLogoutOfTwoNodes: of two at once, one tells.
func TestBackChannelLogoutOfTwoNodes(t *testing.T) {
	each(t, func(w *world) {
		l, rp, _ := w.logouts()
		other := *l
		other.Holder = "another"
		for _, id := range []string{"ses_1", "ses_2", "ses_3", "ses_4", "ses_5", "ses_6", "ses_7", "ses_8", "ses_9", "ses_10"} {
			w.ends(id)
		}
		var both sync.WaitGroup
		for _, node := range []*oauth.Logouts{l, &other} {
			both.Go(func() {
				if err := node.Pass(context.Background()); err != nil {
					w.Error(err)
				}
			})
		}
		both.Wait()
		if len(rp.got) != 10 {
			w.Errorf("10 logouts are told %d times", len(rp.got))
		}
	})
}
