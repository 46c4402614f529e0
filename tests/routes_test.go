package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// ungated are the routes that no decision stands in front of, each with its
// reason. Whoever adds one has to say why here.
var ungated = map[string]string{
	"GET /.well-known/oauth-authorization-server":   "public by RFC 8414",
	"GET /.well-known/oauth-protected-resource":     "public by RFC 9728",
	"GET /.well-known/oauth-protected-resource/api": "public by RFC 9728",
	"GET /.well-known/openid-configuration":         "public by OpenID Connect Discovery",
	"GET /oauth2/jwks":                              "public keys",
	"GET /openapi.json":                             "a document, the same for everyone",
	"GET /audit/checkpoint":                         "public by C2SP tlog-tiles, and holds no data of anybody",
	"GET /audit/cosigned":                           "the same",
	"GET /audit/keys":                               "public keys",
	"GET /audit/tile/*":                             "public by C2SP tlog-tiles, and holds no data of anybody",
	"GET /static/*":                                 "style sheet and logo of the pages",
	"GET /":                                         "says hello, or where one's own account is",
	"GET /login":                                    "the way in",
	"POST /login":                                   "the way in; its events are login.succeed and login.fail",
	"GET /setup":                                    "the way in of the first administrator, by a one-time link",
	"POST /setup":                                   "the same",
	"GET /oauth2/authorize":                         "gated where consent is remembered: consent.grant; else it gives nothing but a redirect to login and consent",
	"POST /oauth2/authorize":                        "the same",
	"GET /oauth2/authorize/continue":                "the same, after the login",
	"POST /oauth2/token":                            "gated once the client is known: token.issue, token.refresh, token.exchange",
	"POST /oauth2/device_authorization":             "gated once the client is known: device.authorize",
	"POST /oauth2/register":                         "gated once the initial access token, where there is one, is known to be good: client.register",
	"GET /oauth2/register/:id":                      "gated once the registration access token is: registration.read",
	"HEAD /oauth2/register/:id":                     "the same",
	"PUT /oauth2/register/:id":                      "the same: registration.update",
	"DELETE /oauth2/register/:id":                   "the same: registration.delete",
	"POST /oauth2/introspect":                       "gated once the client is known: token.introspect",
	"POST /oauth2/par":                              "gated once the client is known: request.push",
	"POST /oauth2/revoke":                           "ends what the caller shows, and nothing else; authenticates the client by RFC 7009",
	"GET /oauth2/logout":                            "nobody is signed in, so there is nothing to end; what ends a session is session.revoke",
	"POST /oauth2/logout":                           "the same",
	"GET /consent":                                  "a step of authorize, for the person who is logged in",
	"POST /consent":                                 "gated once the request is known: consent.grant; a no is an event",
	"GET /device":                                   "asks for the code of a device",
	"POST /device":                                  "gated once the device is known: consent.grant; a no is an event",
}

// TestEveryRouteIsGated sends a request without credentials to each route that
// is not named above, and wants the id of a decision, and its record.
func TestEveryRouteIsGated(t *testing.T) {
	s, db := assembled(t)
	known := map[string]bool{}
	for _, r := range routes(s) {
		name := r.Method + " " + r.Path
		known[name] = true
		if ungated[strings.Replace(name, "HEAD ", "GET ", 1)] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			path := strings.NewReplacer(":id", "some-id", "*", "any").Replace(r.Path)
			req := must(http.NewRequest(r.Method, "http://localhost"+path, nil))(t)
			res := must(s.App().Test(req, 10_000))(t)
			defer res.Body.Close()
			id := res.Header.Get("X-Decision-Id")
			if id == "" {
				t.Fatalf("no decision: %d", res.StatusCode)
			}
			record := must(db.Decision(context.Background(), "demo", id))(t)
			if record.Allow || record.Code != "missing_credentials" || record.Action == "" {
				t.Errorf("want a denial for missing credentials, got %+v", record)
			}
		})
	}
	for name := range ungated {
		if !known[name] {
			t.Errorf("%s is in the list, but there is no such route", name)
		}
	}
}

// TestEveryRouteIsDocumented compares the routes with the OpenAPI document.
func TestEveryRouteIsDocumented(t *testing.T) {
	s, _ := assembled(t)
	var have []string
	for _, r := range routes(s) {
		if r.Method != http.MethodHead {
			path := strings.NewReplacer(":id", "{id}", "/*", "/{file}").Replace(r.Path)
			have = append(have, r.Method+" "+path)
		}
	}
	slices.Sort(have)
	if diff := cmp.Diff(have, documented(t, s)); diff != "" {
		t.Errorf("routes (-) and openapi.yaml (+) differ:\n%s", diff)
	}
}

func documented(t *testing.T, s *server.Server) []string {
	t.Helper()
	res := must(s.App().Test(must(http.NewRequest(http.MethodGet, "http://localhost/openapi.json", nil))(t)))(t)
	defer res.Body.Close()
	var document struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.NewDecoder(res.Body).Decode(&document); err != nil || !strings.HasPrefix(document.OpenAPI, "3.1.") {
		t.Fatalf("OpenAPI %q: %v", document.OpenAPI, err)
	}
	var all []string
	for path, operations := range document.Paths {
		for method := range operations {
			if method = strings.ToUpper(method); method != "PARAMETERS" {
				all = append(all, method+" "+path)
			}
		}
	}
	slices.Sort(all)
	return all
}

// routes are those that answer, without the steps of the pipeline.
func routes(s *server.Server) []fiber.Route {
	return slices.DeleteFunc(s.App().GetRoutes(true), func(r fiber.Route) bool {
		return !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, r.Method)
	})
}

// assembled is the program's server without a listener.
func assembled(t *testing.T) (*server.Server, *store.DB) {
	t.Helper()
	db := storetest.SQLite(t)
	err := db.Write(context.Background(), func(tx *store.Tx) error {
		return tx.InsertTenant(context.Background(), &store.Tenant{
			ID: "demo", Name: "Demo", Issuer: "http://localhost", Hostnames: store.Words{"localhost"}, Home: true, CreatedAt: tx.Now(),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.LoadTenants(context.Background()); err != nil {
		t.Fatal(err)
	}
	key := bytes.Repeat([]byte{1}, 32)
	return must(server.New(server.Config{
		Store: db, Policy: must(policies.Open(policies.Embedded()))(t), Now: time.Now,
		OAuth: must(oauth2.New(oauth2.Config{Store: db, Now: time.Now, Secret: key, SealKey: key}))(t),
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)), Labels: map[string]string{"id": "test"}, Home: "demo",
		CursorKey: key, CSRFKey: key,
	}))(t), db
}
