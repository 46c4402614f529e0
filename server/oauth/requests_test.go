package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

const (
	callback = "http://127.0.0.1:9090/callback"
	verifier = "a-verifier-of-forty-three-characters-or-more-0"
	issuer   = "http://demo.localhost"
)

func challenge(v string) string {
	h := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// reply is an answer, wholly read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) field(name string) string {
	var m map[string]any
	_ = json.Unmarshal([]byte(r.body), &m)
	s, _ := m[name].(string)
	return s
}

func (r reply) error() string { return r.field("error") }

// location is a parameter of where the browser was sent.
func (r reply) location(name string) string {
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}

func (w *world) do(method, path, body string, header map[string]string) reply {
	w.Helper()
	req, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := w.browser.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(raw)}
}

// post sends a form, as one client: {"demo-web"} by Basic with its demo secret.
func (w *world) post(path, client string, form url.Values) reply {
	w.Helper()
	h := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	switch client {
	case "":
	case "demo-spa":
		form.Set("client_id", client)
	default:
		h["Authorization"] = basic(client, client+"-secret")
	}
	return w.do("POST", path, form.Encode(), h)
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// asks is a good authorization request, changed by pairs of name and value; an
// empty value removes.
func asks(changes ...string) url.Values {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"demo-web"}, "redirect_uri": {callback}, "state": {"st"},
		"scope": {"points:read points:write offline_access"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	return with(q, changes...)
}

func with(q url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return q
}

func (w *world) authorize(q url.Values) reply {
	w.Helper()
	return w.do("GET", "/oauth2/authorize?"+q.Encode(), "", map[string]string{"X-Person": "cus_alice"})
}

// flow takes a request to consent, also where it is remembered.
func (w *world) flow(q url.Values) *oauth2.Flow {
	w.Helper()
	if !q.Has("prompt") {
		q.Set("prompt", "consent")
	}
	r := w.authorize(q)
	f, err := w.provider.OpenFlow(r.location("flow"), "cus_alice", "ses_1")
	if err != nil {
		w.Fatalf("no consent page, but %d %s %s", r.status, r.header.Get("Location"), r.body)
	}
	return f
}

func (w *world) alice() oauth2.Person {
	return oauth2.Person{ID: "cus_alice", Type: "customer", AuthTime: w.now(), AMR: []string{"pwd"}, Session: "ses_1"}
}

// code is one for alice's consent to the whole request.
func (w *world) code(changes ...string) string {
	w.Helper()
	f := w.flow(asks(changes...))
	to, err := w.approve(f, f.Scopes)
	if err != nil {
		w.Fatal(err)
	}
	return reply{header: http.Header{"Location": {to}}}.location("code")
}

func redeem(code string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}, changes...)
}

func again(token string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, changes...)
}

// tokens are those that the client gets by a whole flow.
func (w *world) tokens(client string) (access, refresh string) {
	w.Helper()
	r := w.post("/oauth2/token", client, redeem(w.code("client_id", client)))
	if r.status != 200 {
		w.Fatalf("no tokens: %d %s", r.status, r.body)
	}
	return r.field("access_token"), r.field("refresh_token")
}

// status is what bearer authentication would find.
func (w *world) status(access string) string {
	w.Helper()
	t, err := w.provider.Lookup(context.Background(), access)
	if errors.Is(err, store.ErrNotFound) {
		return "invalid"
	}
	if err != nil {
		w.Fatal(err)
	}
	return t.Status
}

func (w *world) want(r reply, status int, code string) {
	w.Helper()
	if r.status != status || r.error() != code {
		w.Errorf("got %d %s, want %d %s", r.status, r.body, status, code)
	}
}

// parallel does the same n times at once, and beside it each of the others once.
func parallel(n int, do func() reply, beside ...func() reply) []reply {
	out := make([]reply, n+len(beside))
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(len(out))
	for i := range out {
		done.Go(func() {
			ready.Done()
			<-start
			if i < n {
				out[i] = do()
			} else {
				out[i] = beside[i-n]()
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return out
}
