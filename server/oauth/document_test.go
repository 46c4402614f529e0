package oauth_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
)

// library is where documents are, by their addresses.
type library struct {
	mu      sync.Mutex
	body    map[string]string
	control string
	asked   int
}

// GetDocument implements oauth2.Documents.
func (l *library) GetDocument(_ context.Context, url string) ([]byte, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	body, ok := l.body[url]
	if !ok {
		return nil, "", errors.New("nobody is there")
	}
	return []byte(body), l.control, nil
}

const documentID = "https://app.example/client.json"

// documents switches documents on for demo, with one that is good.
func (w *world) documents(on string) {
	w.Helper()
	w.exec(`UPDATE tenants SET client_documents = ` + on + ` WHERE id = 'demo'`)
	if err := w.db.LoadTenants(context.Background()); err != nil {
		w.Fatal(err)
	}
	w.library.body[documentID] = document(documentID, `"client_name":"The Document"`)
}

func document(id, more string) string {
	return `{"client_id":"` + id + `","redirect_uris":["https://app.example/cb"],"grant_types":["authorization_code","refresh_token"],` + more + `}`
}

func asksAs(id string, changes ...string) url.Values {
	return asks(append([]string{"client_id", id, "redirect_uri", "https://app.example/cb"}, changes...)...)
}

func TestDocumentsAreClients(t *testing.T) {
	each(t, func(w *world) {
		w.documents("TRUE")
		w.sub("not before a person has logged in", func(w *world) {
			r := w.do("GET", "/oauth2/authorize?"+asksAs(documentID).Encode(), "", nil)
			if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), "/login?return_to=%2Foauth2%2Fauthorize%3F") || w.library.asked != 0 {
				w.Fatalf("%d %s, asked %d times", r.status, r.header.Get("Location"), w.library.asked)
			}
			back := r.location("return_to")
			r = w.do("GET", back, "", map[string]string{"X-Person": "cus_alice"})
			if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), "/consent?flow=") || w.library.asked != 1 {
				w.Errorf("%d %s, asked %d times", r.status, r.header.Get("Location"), w.library.asked)
			}
			f, err := w.provider.OpenFlow(r.location("flow"), "cus_alice", "ses_1")
			if err != nil || f.ClientName != "The Document" || f.ClientHost != "app.example" || f.ClientID != documentID {
				w.Errorf("%+v %v", f, err)
			}
		})
		w.sub("not where no page may be shown", func(w *world) {
			w.exec(`UPDATE clients SET fresh_until = 0 WHERE id = '` + documentID + `'`)
			w.wantPage(w.do("GET", "/oauth2/authorize?"+asksAs(documentID, "prompt", "none").Encode(), "", nil))
			if w.library.asked != 1 {
				w.Errorf("asked %d times", w.library.asked)
			}
		})
		w.sub("once, until they are stale", func(w *world) {
			w.library.control = "public, max-age=600"
			w.authorize(asksAs(documentID))
			w.pass(10*time.Minute - time.Second)
			w.authorize(asksAs(documentID))
			if w.library.asked != 2 {
				w.Errorf("asked %d times", w.library.asked)
			}
			w.pass(time.Second)
			w.library.body[documentID] = document(documentID, `"client_name":"Renamed"`)
			w.authorize(asksAs(documentID))
			c, err := store.GetClient(context.Background(), w.db, "demo", documentID)
			if err != nil || c.Name != "Renamed" || c.RegisteredBy != "document" || !c.Public || w.library.asked != 3 {
				w.Errorf("%+v %v, asked %d times", c, err, w.library.asked)
			}
		})
		w.sub("with tokens as any other", func(w *world) {
			form := redeem(w.code("client_id", documentID, "redirect_uri", "https://app.example/cb", "scope", "points:read offline_access"))
			form.Set("client_id", documentID)
			form.Set("redirect_uri", "https://app.example/cb")
			r := w.post("/oauth2/token", "", form)
			w.want(r, 200, "")
			w.pass(25 * time.Hour)
			again := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {r.field("refresh_token")}, "client_id": {documentID}}
			w.want(w.post("/oauth2/token", "", again), 200, "")
		})
		w.sub("not once the tenant takes none any more", func(w *world) {
			w.documents("FALSE")
			w.wantPage(w.authorize(asksAs(documentID)))
			w.documents("TRUE")
		})
		w.sub("not if an administrator switched them off", func(w *world) {
			w.exec(`UPDATE clients SET disabled_at = 1, fresh_until = 0 WHERE id = '` + documentID + `'`)
			before := w.library.asked
			w.wantPage(w.authorize(asksAs(documentID)))
			if w.library.asked != before {
				w.Error("the document was read")
			}
		})
		w.sub("not where the tenant takes none", func(w *world) {
			w.documents("FALSE")
			other := "https://other.example/client.json"
			w.library.body[other] = document(other, `"client_name":"x"`)
			before := w.library.asked
			w.wantPage(w.authorize(asksAs(other)))
			if w.library.asked != before {
				w.Error("the document was read")
			}
		})
	})
}

func TestDocumentsAreRefused(t *testing.T) {
	each(t, func(w *world) {
		w.documents("TRUE")
		id := func(path string) string { return "https://app.example" + path }
		for name, body := range map[string]string{
			"nobody":             "",
			"no JSON":            "<html>",
			"another's":          document("https://app.example/other", `"client_name":"x"`),
			"a secret":           document(id("/c"), `"client_secret":"x"`),
			"a secret's end":     document(id("/c"), `"client_secret_expires_at":0`),
			"a method by secret": document(id("/c"), `"token_endpoint_auth_method":"client_secret_basic"`),
			"a member twice":     document(id("/c"), `"client_name":"x","client_name":"y"`),
			"http":               `{"client_id":"` + id("/c") + `","redirect_uris":["http://app.example/cb"]}`,
			"no address":         `{"client_id":"` + id("/c") + `"}`,
			"another grant":      `{"client_id":"` + id("/c") + `","redirect_uris":["https://app.example/cb"],"grant_types":["client_credentials"]}`,
			"no key":             document(id("/c"), `"token_endpoint_auth_method":"private_key_jwt"`),
		} {
			w.sub(name, func(w *world) {
				delete(w.library.body, id("/c"))
				if body != "" {
					w.library.body[id("/c")] = body
				}
				r := w.authorize(asksAs(id("/c")))
				w.wantPage(r)
				if strings.Contains(r.body, "nobody is there") {
					w.Error("the page tells what the network said")
				}
				if _, err := store.GetClient(context.Background(), w.db, "demo", id("/c")); !errors.Is(err, store.ErrNotFound) {
					w.Errorf("it is a client: %v", err)
				}
			})
		}
		before := w.library.asked
		for _, bad := range []string{
			"https://app.example", "https://app.example/", "http://app.example/c", "https://app.example/c#f", "https://app.example/c?q", "https://a@app.example/c",
			"https://app.example/a/../c", "https://app.example/./c", "https:///c", "ftp://app.example/c", "https://app.example/" + strings.Repeat("a", 256), "HTTPS://app.example/c",
		} {
			w.wantPage(w.authorize(asksAs(bad)))
		}
		if w.library.asked != before {
			w.Error("an address that is none was read")
		}
	})
}

func TestDocumentsThatMoveAskAgain(t *testing.T) {
	each(t, func(w *world) {
		w.documents("TRUE")
		w.authorize(asksAs(documentID))
		_ = w.code("client_id", documentID, "redirect_uri", "https://app.example/cb", "scope", "points:read")
		w.pass(2 * time.Hour)
		w.library.body[documentID] = strings.Replace(w.library.body[documentID], "https://app.example/cb", "https://new.example/cb", 1)
		w.wantPage(w.authorize(asksAs(documentID)))
		r := w.authorize(asks("client_id", documentID, "redirect_uri", "https://new.example/cb", "scope", "points:read"))
		if !strings.HasPrefix(r.header.Get("Location"), "/consent?flow=") {
			w.Errorf("%d %s", r.status, r.header.Get("Location"))
		}
	})
}

func TestMetadataSaysWhetherDocumentsAreClients(t *testing.T) {
	each(t, func(w *world) {
		for on, want := range map[string]bool{"FALSE": false, "TRUE": true} {
			w.documents(on)
			body := w.do("GET", "/.well-known/oauth-authorization-server", "", nil).body
			if strings.Contains(body, `"client_id_metadata_document_supported":true`) != want {
				w.Errorf("%s: %s", on, body)
			}
		}
	})
}

// TestNobodyKeepsAHostsDocumentsFromOthers: who asked too often is not charged to
// the host any more.
func TestNobodyKeepsAHostsDocumentsFromOthers(t *testing.T) {
	each(t, func(w *world) {
		w.documents("TRUE")
		w.charged = map[string]int{}
		for range 70 {
			w.authorize(asksAs("https://app.example/nothing.json"))
		}
		if n := w.charged["document at app.example"]; n != 10 {
			w.Errorf("one address used up %d of the host's", n)
		}
	})
}
