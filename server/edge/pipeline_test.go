package edge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// edgeApp is the whole pipeline in front of one handler that answers with where
// the request came from.
type edgeApp struct {
	*fiber.App
	refusals *Refusals
	now      time.Time
}

func newEdgeApp(t *testing.T, limits *Limits, trusted ...netip.Prefix) *edgeApp {
	t.Helper()
	a := &edgeApp{App: fiber.New(fiber.Config{ErrorHandler: func(_ *fiber.Ctx, err error) error { return err }}), now: time.Unix(1_800_000_000, 0)}
	clock := func() time.Time { return a.now }
	tenant := &store.Tenant{ID: "demo", Issuer: "http://demo.localhost", Origins: store.Words{"https://spa.example"}}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	a.refusals = &Refusals{Log: log, Now: clock, Events: &gate.Events{Now: clock, NewID: uuid.NewString}, Home: "demo"}
	if limits == nil {
		limits = &Limits{Off: true}
	}
	limits.Limiter, limits.Refuse = NewLimiter(clock), a.refusals.Refuse
	find := func(h string) (*store.Tenant, bool) { return tenant, h == "demo.localhost" }
	a.Use((&Events{Log: log, Now: clock, Refuse: a.refusals.Refuse, Timeout: time.Minute}).Step())
	a.Use((&Origins{Trusted: trusted, Tenant: find, Refuse: a.refusals.Refuse}).Step())
	a.Use(Headers(), limits.ByAddress(), (&CORS{Refuse: a.refusals.Refuse}).Step(), (&Checks{Refuse: a.refusals.Refuse}).Step())
	here := func(c *fiber.Ctx) error { return c.JSON(web.OriginOf(c)) }
	a.Get("/api/points", here)
	a.Post("/api/points/redeem", here)
	a.Get("/oauth2/authorize", here)
	a.Post("/oauth2/token", func(c *fiber.Ctx) error {
		web.EventOf(c).Client = "some" // as for a client that has proven who it is, or needs not
		web.EventOf(c).Proven = string(c.Body()) == "an assertion"
		return here(c)
	})
	a.Get("/panic", func(*fiber.Ctx) error { panic("a secret text") })
	a.Get("/known", func(c *fiber.Ctx) error {
		k := web.Anonymous("oauth2", web.Invalid)
		if c.Get("Authorization") == "Bearer good" {
			k.Status = web.Valid
		}
		web.SetCaller(c, &k)
		if k.Status != web.Valid {
			return web.NewProblem("invalid_credentials", "").Answer(web.EventOf(c)).Send(c)
		}
		return nil
	})
	return a
}

func (a *edgeApp) do(t *testing.T, method, path string, header map[string]string, body string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "demo.localhost:8080"
	for k, v := range header {
		if k == "Host" {
			r.Host = v
			continue
		}
		if strings.HasPrefix(k, "+") {
			continue
		}
		r.Header.Set(k, v)
	}
	for k, v := range header {
		if second, ok := strings.CutPrefix(k, "+"); ok {
			r.Header.Add(second, v)
		}
	}
	res, err := a.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func codeOf(t *testing.T, body string) string {
	t.Helper()
	var p struct {
		Code      string `json:"code"`
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("not a problem: %q", body)
	}
	if p.RequestID == "" {
		t.Error("the problem has no request id")
	}
	return p.Code
}

func TestRefusals(t *testing.T) {
	a := newEdgeApp(t, nil)
	json := map[string]string{"Content-Type": "application/json"}
	for name, tc := range map[string]struct {
		method, path string
		header       map[string]string
		body         string
		status       int
		code         string
	}{
		"unknown route":                 {"GET", "/nowhere", nil, "", 404, "not_found"},
		"unknown host":                  {"GET", "/api/points", map[string]string{"Host": "elsewhere.example"}, "", 404, "not_found"},
		"wrong method":                  {"DELETE", "/api/points", nil, "", 405, "method_not_allowed"},
		"too large":                     {"POST", "/api/points/redeem", json, strings.Repeat("x", MaxBody+1), 413, "too_large"},
		"form at a JSON endpoint":       {"POST", "/api/points/redeem", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "a=b", 415, "unsupported_media_type"},
		"no type at a JSON endpoint":    {"POST", "/api/points/redeem", nil, "{}", 415, "unsupported_media_type"},
		"foreign charset":               {"POST", "/api/points/redeem", map[string]string{"Content-Type": "application/json; charset=utf-16"}, "{}", 415, "unsupported_media_type"},
		"preflight of a foreign origin": {"OPTIONS", "/api/points", map[string]string{"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}, "", 403, "denied"},
		"preflight at authorize":        {"OPTIONS", "/oauth2/authorize", map[string]string{"Origin": "https://spa.example", "Access-Control-Request-Method": "GET"}, "", 403, "denied"},
		"panic":                         {"GET", "/panic", nil, "", 500, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			res, body := a.do(t, tc.method, tc.path, tc.header, tc.body)
			if res.StatusCode != tc.status || codeOf(t, body) != tc.code {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, tc.status, tc.code)
			}
			if res.Header.Get("X-Request-Id") == "" {
				t.Error("the answer has no X-Request-Id")
			}
			if strings.Contains(body, "secret") {
				t.Error("the panic's text got out")
			}
		})
	}
}

func TestRequestIDIsKeptIfItIsOfTheForm(t *testing.T) {
	a := newEdgeApp(t, nil)
	for given, kept := range map[string]bool{"abcdefgh": true, "req_1.2-3": true, "short": false, "with space": false, strings.Repeat("a", 65): false, "": false} {
		res, _ := a.do(t, "GET", "/api/points", map[string]string{"X-Request-Id": given}, "")
		if got := res.Header.Get("X-Request-Id"); (got == given) != kept || got == "" {
			t.Errorf("given %q, got %q, want kept: %v", given, got, kept)
		}
	}
}

func TestOrigins(t *testing.T) {
	// app.Test connects from 0.0.0.0.
	forwarded := map[string]string{"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.1.1.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "demo.localhost", "Host": "inside"}
	for name, tc := range map[string]struct {
		trusted []netip.Prefix
		header  map[string]string
		want    web.Origin
	}{
		"a stranger's headers do not count": {nil, map[string]string{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "elsewhere"}, web.Origin{IP: "0.0.0.0", Host: "demo.localhost"}},
		"a proxy's headers do": {
			[]netip.Prefix{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("10.0.0.0/8")}, forwarded,
			web.Origin{IP: "198.51.100.7", Host: "demo.localhost", TLS: true},
		},
		"what the caller wrote itself does not": {
			[]netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")}, forwarded, web.Origin{IP: "10.1.1.1", Host: "demo.localhost", TLS: true},
		},
		"a proxy that adds a line of its own": {
			[]netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")}, map[string]string{"X-Forwarded-For": "6.6.6.6", "+X-Forwarded-For": "203.0.113.9"},
			web.Origin{IP: "203.0.113.9", Host: "demo.localhost"},
		},
		"garbage stops the walk": {
			[]netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")}, map[string]string{"X-Forwarded-For": "1.2.3.4, nonsense"}, web.Origin{IP: "0.0.0.0", Host: "demo.localhost"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, body := newEdgeApp(t, nil, tc.trusted...).do(t, "GET", "/api/points", tc.header, "")
			var got web.Origin
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCORS(t *testing.T) {
	a := newEdgeApp(t, nil)
	res, _ := a.do(t, "OPTIONS", "/api/points", map[string]string{"Origin": "https://spa.example", "Access-Control-Request-Method": "GET"}, "")
	if res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Origin") != "https://spa.example" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("preflight of a registered origin: %d %v", res.StatusCode, res.Header)
	}
	for origin, want := range map[string]string{
		"https://spa.example": "https://spa.example", "https://spa.example.evil.example": "", "http://spa.example": "", "null": "", "": "",
	} {
		res, _ := a.do(t, "GET", "/api/points", map[string]string{"Origin": origin}, "")
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != want || res.Header.Get("Vary") != "Origin" {
			t.Errorf("origin %q: allowed %q, vary %q; want %q", origin, got, res.Header.Get("Vary"), want)
		}
	}
	if res, _ := a.do(t, "GET", "/oauth2/authorize", map[string]string{"Origin": "https://spa.example"}, ""); res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("authorize must have no CORS (RFC 9700 §2.6)")
	}
}

func TestLimitsByAddress(t *testing.T) {
	a := newEdgeApp(t, &Limits{})
	last := func(n int, path string, header map[string]string) *http.Response {
		var res *http.Response
		for range n {
			res, _ = a.do(t, "GET", path, header, "")
		}
		return res
	}
	if res := last(perAddress.Burst, "/api/points", nil); res.StatusCode != 200 || res.Header.Get("RateLimit") != `"address";r=0;t=2` || res.Header.Get("RateLimit-Policy") != `"address";q=40;w=2` {
		t.Fatalf("the last of the burst: %d %v", res.StatusCode, res.Header)
	}
	if res := last(1, "/api/points", nil); res.StatusCode != 429 || res.Header.Get("Retry-After") != "1" || res.Header.Get("X-Request-Id") == "" {
		t.Fatalf("one more: %d %v", res.StatusCode, res.Header)
	}
	bad := map[string]string{"Authorization": "Bearer junk"}
	good := map[string]string{"Authorization": "Bearer good"}
	if res := last(perAddress.Burst*2, "/known", good); res.StatusCode != 200 {
		t.Errorf("a valid caller at a crowded address: %d", res.StatusCode)
	}
	if res := last(perFailure.Burst, "/known", bad); res.StatusCode != 401 {
		t.Errorf("bad credentials at a crowded address: %d", res.StatusCode)
	}
	if res := last(1, "/known", bad); res.StatusCode != 429 {
		t.Errorf("too many bad credentials: %d", res.StatusCode)
	}
	a.now = a.now.Add(time.Minute)
	if res := last(perAddress.Burst*3, "/known", good); res.StatusCode != 200 {
		t.Fatalf("good credentials are not charged to the address: %d", res.StatusCode)
	}
	if res := last(1, "/api/points", nil); res.Header.Get("RateLimit") != `"address";r=39;t=1` {
		t.Errorf("after good ones the address has its whole limit: %v", res.Header)
	}
	for name, junk := range map[string]func(i int) map[string]string{
		"junk cookies where none is looked at": func(i int) map[string]string { return map[string]string{"Cookie": "pg_session=" + strconv.Itoa(i)} },
		"junk keys where none is looked at":    func(i int) map[string]string { return map[string]string{"X-API-Key": strconv.Itoa(i)} },
	} {
		a.now = a.now.Add(time.Minute)
		passed := 0
		for i := range 200 {
			if res := last(1, "/api/points", junk(i)); res.StatusCode == 200 {
				passed++
			}
		}
		if passed > perAddress.Burst+perFailure.Burst {
			t.Errorf("%s: %d of 200 passed", name, passed)
		}
	}
}

// TestAPublicClientsNameIsNoCredential: it opens no way around the limit of an
// address, as a secret does.
func TestAPublicClientsNameIsNoCredential(t *testing.T) {
	for pair, free := range map[string]bool{"some:secret": true, "some:": false} {
		a := newEdgeApp(t, &Limits{})
		h := map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)), "Content-Type": "application/x-www-form-urlencoded"}
		var res *http.Response
		for range perAddress.Burst + 1 {
			res, _ = a.do(t, "POST", "/oauth2/token", h, "grant_type=x")
		}
		if (res.StatusCode == 200) != free {
			t.Errorf("%q: %d after %d requests", pair, res.StatusCode, perAddress.Burst)
		}
	}
}

// TestAClientThatProvesItselfInTheBody pays for itself, up to a limit of its own.
func TestAClientThatProvesItselfInTheBody(t *testing.T) {
	h := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for body, want := range map[string]int{"an assertion": perCredential.Burst + perAddress.Burst, "a name": perAddress.Burst} {
		a, passed := newEdgeApp(t, &Limits{}), 0
		for range want + 10 {
			if res, _ := a.do(t, "POST", "/oauth2/token", h, body); res.StatusCode == 200 {
				passed++
			}
		}
		if passed != want {
			t.Errorf("%s: %d passed, want %d", body, passed, want)
		}
	}
}

func TestRefusalsAreSummed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a := newEdgeApp(t, nil)
		a.refusals.Store = db
		for range 5 {
			a.do(t, "GET", "/nowhere", nil, "")
		}
		a.do(t, "DELETE", "/api/points", nil, "")
		a.do(t, "GET", "/api/points", map[string]string{"Host": "elsewhere.example"}, "")
		ctx := context.Background()
		a.refusals.flush(ctx, a.now)
		if n, _ := db.LogSize(ctx); n != 0 {
			t.Errorf("%d records within the second, want them summed until it is over", n)
		}
		a.refusals.flush(ctx, a.now.Add(time.Second))
		all, err := db.Decisions(ctx, store.DecisionFilter{Tenant: "demo", Action: "request.refuse", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, r := range all {
			var body struct {
				Custom struct {
					Count int `json:"count"`
				} `json:"custom"`
			}
			if err := json.Unmarshal(r.Body, &body); err != nil || r.Allow {
				t.Fatalf("%s: %v", r.Body, err)
			}
			got[r.Code] += body.Custom.Count
		}
		if diff := cmp.Diff(map[string]int{"not_found": 6, "method_not_allowed": 1}, got); diff != "" {
			t.Error(diff)
		}
		if len(all) != 2 {
			t.Errorf("%d records, want one for each cause and address", len(all))
		}
	})
}

// TestRefusalsNameTheirClient: guesses at a client's secret can be counted for
// that client, and are told from what the client itself did wrong.
func TestRefusalsNameTheirClient(t *testing.T) {
	a, db := newEdgeApp(t, nil), storetest.SQLite(t)
	a.refusals.Store = db
	at := func(client string) *web.Event {
		return &web.Event{RequestID: "req_1", Method: "POST", Path: "/oauth2/token", IP: "192.0.2.1", Tenant: "demo", Client: client}
	}
	p := &web.Problem{Code: "invalid_client", Status: 401}
	a.refusals.CountFor(at(""), p, "web")
	a.refusals.CountFor(at(""), p, "web")
	a.refusals.CountFor(at("web"), p, "web")
	a.refusals.CountFor(at(""), p, "")
	a.refusals.flush(context.Background(), time.Time{})
	got := map[string]int{}
	err := db.Records(context.Background(), 0, 9, func(r *store.Record) error {
		var body struct {
			Input struct {
				Context struct{ Authentication struct{ Status string } }
			}
			Custom struct{ Count int }
		}
		err := json.Unmarshal(r.Body, &body)
		got[r.Client+" "+body.Input.Context.Authentication.Status] += body.Custom.Count
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"web invalid": 2, "web ": 1, " ": 1}, got); diff != "" {
		t.Error(diff)
	}
}

// TestCORSOfDPoP: a browser app sends proofs, and reads the nonces for the next.
func TestCORSOfDPoP(t *testing.T) {
	a := newEdgeApp(t, nil)
	from := map[string]string{"Origin": "https://spa.example"}
	preflight, _ := a.do(t, "OPTIONS", "/oauth2/token", map[string]string{"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}, "")
	answer, _ := a.do(t, "GET", "/api/points", from, "")
	if !strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "DPoP") || !strings.Contains(answer.Header.Get("Access-Control-Expose-Headers"), "DPoP-Nonce") {
		t.Errorf("%v, %v", preflight.Header, answer.Header)
	}
}
