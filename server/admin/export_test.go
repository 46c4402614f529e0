package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// listening opens a real listener: a stream that breaks is a matter of the connection.
func (w *world) listening() (address string) {
	w.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = w.app.Listener(ln) }()
	w.t.Cleanup(func() { _ = w.app.Shutdown() })
	return ln.Addr().String()
}

func get(t *testing.T, address, tenant, caller, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+address+"/admin/api"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = tenant + ".localhost"
	r.Header.Set("Test-Caller", caller)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// exported is one line of an export.
type exported struct {
	Path   string
	Input  struct{ Action struct{ Name string } }
	Custom struct {
		Tenant   string
		Index    int64
		Withheld bool
	}
}

func lines(t *testing.T, r io.Reader) (all []exported) {
	t.Helper()
	s := bufio.NewScanner(r)
	for s.Scan() {
		var e exported
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return all
}

func TestExport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		address := w.listening()
		for range 3 {
			w.ok(200, "admin", "GET", "/clients", "")
			w.ok(200, "other", "GET", "/staff", "")
		}
		w.ok(403, "manager", "GET", "/clients", "") // index 6
		mine := []int64{0, 2, 4, 6}
		stamp := url.QueryEscape(time.Now().UTC().Format(time.RFC3339Nano))
		for query, want := range map[string][]int64{
			"from_index=0&to_index=7":               mine,
			"from_index=3&to_index=7":               {4, 6},
			"from_index=1&to_index=6":               {2, 4},
			"to_index=0":                            {},
			"from_index=5&to_index=2":               {},
			"from_index=900":                        {},
			"action=client.list&to_index=7":         mine,
			"allow=false&to_index=7":                {6},
			"subject=stf_manager&from_index=2":      {6},
			"subject=stf_nobody":                    {},
			"whole=true&to_index=7":                 {0, 1, 2, 3, 4, 5, 6},
			"whole=true&from_index=3&to_index=5":    {3, 4},
			"action=client.list&to=" + stamp:        mine,
			"whole=false&to_index=5&client=":        nil,
			"action=client.list&from=" + stamp:      {},
			"code=missing_role&code=missing_role":   nil,
			"after=1":                               nil,
			"whole=true&action=client.list":         nil,
			"whole=true&from=2026-01-01T00:00:00Z":  nil,
			"from_index=-1":                         nil,
			"limit=5":                               nil,
			"q=&to_index=7":                         nil,
			"whole=yes":                             nil,
			"from_index=0&to_index=7&allow=perhaps": nil,
		} {
			t.Run(query, func(t *testing.T) {
				res := get(t, address, "demo", "auditor", "/decisions/export?"+query)
				if want == nil {
					if res.StatusCode != 422 && res.StatusCode != 400 {
						t.Errorf("status %d", res.StatusCode)
					}
					return
				}
				indexes := []int64{}
				for _, e := range lines(t, res.Body) {
					indexes = append(indexes, e.Custom.Index)
					if foreign := e.Custom.Index < 6 && e.Custom.Index%2 == 1; foreign != e.Custom.Withheld || (foreign && (e.Path != "" || e.Custom.Tenant != "")) {
						t.Errorf("%+v", e)
					}
				}
				equal(t, "indexes", indexes, want)
				last := ""
				if len(want) > 0 {
					last = strconv.FormatInt(want[len(want)-1], 10)
				}
				if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/x-ndjson" || res.Header.Get("X-Log-Size") == "" || res.Header.Get("X-Export-Last") != last {
					t.Errorf("%d %v, want the last to be %s", res.StatusCode, res.Header, last)
				}
				r, err := db.Decision(context.Background(), "demo", res.Header.Get("X-Decision-Id"))
				if err != nil || r.Action != "decision.export" || !r.Allow {
					t.Errorf("the record: %+v, %v", r, err)
				}
			})
		}
	})
}

// TestExportIsTheWholeLog goes over many rows, and gives each byte for byte.
func TestExportIsTheWholeLog(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	address := w.listening()
	fill(t, w.db, 5000)
	size, err := w.db.LogSize(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	if err := w.db.Records(context.Background(), 0, size, func(r *store.Record) error {
		if r.Tenant == "demo" {
			want.Write(r.Event())
		} else {
			want.Write(r.Withheld())
		}
		want.WriteByte('\n')
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	res := get(t, address, "demo", "auditor", fmt.Sprint("/decisions/export?whole=true&to_index=", size))
	got, err := io.ReadAll(res.Body)
	if err != nil || string(got) != want.String() {
		t.Errorf("%v, %d bytes, want %d", err, len(got), want.Len())
	}
	narrow := get(t, address, "demo", "auditor", fmt.Sprint("/decisions/export?action=points.read&to_index=", size))
	if n := len(lines(t, narrow.Body)); n != 2500 {
		t.Errorf("%d lines over many pages, want 2500", n)
	}
}

// fill puts n records there, every second one another tenant's.
func fill(t *testing.T, db *store.DB, n int) {
	t.Helper()
	for from := 0; from < n; from += 250 {
		storetest.Write(t, db, func(tx *store.Tx) error {
			for i := range 250 {
				tenant := []string{"demo", "other"}[i%2]
				tx.Record(&store.Record{
					ID: fmt.Sprintf("dec-%06d", from+i), At: tx.Now(), Tenant: tenant, Action: "points.read", Subject: "cus_a", Code: "ok", Allow: true, Status: 200,
					Body: fmt.Appendf(nil, `{"decision_id":"dec-%06d","filler":%q,"custom":{"tenant":%q,"status":200,"code":"ok"}}`, from+i, strings.Repeat("f", 900), tenant),
				})
			}
			return nil
		})
	}
}

// TestABrokenExportIsNoExport: what can't be read to its end breaks the
// connection, and nobody takes the part for the whole.
func TestABrokenExportIsNoExport(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	address := w.listening()
	fill(t, w.db, 5000)
	storetest.Write(t, w.db, func(tx *store.Tx) error {
		return tx.ExecOne(context.Background(), errors.New("no such row"), `DELETE FROM batches WHERE first = (SELECT MAX(first) FROM batches WHERE first < 4000)`)
	})
	for _, query := range []string{"whole=true", "from_index=0&to_index=4900"} {
		res := get(t, address, "demo", "auditor", "/decisions/export?"+query)
		got, err := io.ReadAll(res.Body)
		if res.StatusCode != 200 || len(got) < 1000 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %d with %d bytes, %v; want a part and an unexpected end", query, res.StatusCode, len(got), err)
		}
	}
}

// TestExportIsRecordedFirst: without its record there is not a byte of it.
func TestExportIsRecordedFirst(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	fill(t, w.db, 250)
	storetest.Write(t, w.db, func(tx *store.Tx) error { // the next record's place is taken
		_, err := tx.Exec(context.Background(), `INSERT INTO batches SELECT 250, count, entries, keys, bodies FROM batches WHERE first = 0`)
		return err
	})
	if a := w.as("auditor", "GET", "/decisions/export", ""); a.status != 503 || strings.Contains(a.body, "filler") {
		t.Errorf("%d %.300s", a.status, a.body)
	}
}

func TestErasuresAreAskedFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_gone")
		storetest.User(t, db, "other", "cus_gone")
		a := w.ok(202, "admin", "POST", "/erasures", `{"person":"cus_gone","reason":"a letter of May"}`)
		if id := a.text(t, "id"); id != a.decision || a.text(t, "status") != "running" || !strings.HasPrefix(a.text(t, "person"), "pn_") || strings.Contains(a.body, "cus_gone") {
			t.Errorf("%s", a.body)
		}
		r := w.record(a, "demo")
		if strings.Contains(string(r.Body), "cus_gone") || r.Resource != a.text(t, "person") || r.Action != "erasure.create" {
			t.Errorf("the record keeps the person: %+v %s", r, r.Body)
		}
		again := w.ok(202, "second", "POST", "/erasures", `{"person":"cus_gone","reason":"again"}`)
		equal(t, "the pseudonym", again.text(t, "person"), a.text(t, "person"))
		elsewhere := w.ok(202, "other", "POST", "/erasures", `{"person":"cus_gone","reason":"again"}`)
		if elsewhere.text(t, "person") == a.text(t, "person") {
			t.Error("another tenant's person has the same pseudonym")
		}
		one := w.ok(200, "auditor", "GET", "/erasures/"+a.text(t, "id"), "")
		equal(t, "the same", one.body, a.body)
		equal(t, "list", w.ids("auditor", "/erasures"), []string{again.text(t, "id"), a.text(t, "id")})
		w.ok(404, "other", "GET", "/erasures/"+a.text(t, "id"), "")
		w.ok(409, "admin", "POST", "/erasures", `{"person":"stf_admin","reason":"me"}`)
		w.ok(403, "auditor", "POST", "/erasures", `{"person":"cus_gone","reason":"a letter"}`)
		w.ok(403, "manager", "GET", "/erasures", "")
		for body, fields := range map[string][]string{
			`{}`:                              {"person", "reason"},
			`{"person":"cus_gone"}`:           {"reason"},
			`{"person":"","reason":"a"}`:      {"person"},
			`{"person":"no id","reason":"a"}`: {"person"},
			`{"person":"cus_gone","reason":"cus_gone wrote"}`:           {"reason"},
			`{"person":"cus_gone","reason":"alice@demo.example wrote"}`: {"reason"},
			`{"person":"cus_gone","reason":"a","subject":"cus_gone"}`:   {"subject"},
		} {
			equal(t, body, w.ok(422, "admin", "POST", "/erasures", body).fields(t), fields)
		}
	})
}

// TestAnErasureIsOfAPerson: what no user of the tenant is or was is refused, and
// so nobody empties the log by words that stand in it.
func TestAnErasureIsOfAPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_here")
		storetest.User(t, db, "other", "cus_there")
		w.ok(200, "admin", "GET", "/customers?email=x@y.example", "")
		begun := w.ok(202, "admin", "POST", "/erasures", `{"person":"cus_here","reason":"a letter"}`)
		session := w.record(begun, "demo").ID
		for _, person := range []string{"audit", "api", "wrong_password", "refresh_token", "192.0.2.7", "demo", "cus_there", session, begun.text(t, "person")} {
			for _, body := range []string{`{"person":%q,"reason":"a letter"}`, `{"person":%q,"dry_run":true}`} {
				a := w.ok(422, "admin", "POST", "/erasures", fmt.Sprintf(body, person))
				if !strings.Contains(a.body, `"unknown_person"`) {
					t.Errorf("%s: %s", person, a.body)
				}
			}
		}
		w.ok(403, "manager", "POST", "/erasures", `{"person":"audit","dry_run":true}`)
	})
}

// TestADryRunOfAnErasure counts, is recorded, and asks for nothing.
func TestADryRunOfAnErasure(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.ok(201, "admin", "POST", "/customers", `{"id":"cus_here","email":"a@b.example","name":"A"}`) // an act of who asks
		for range 3 {
			w.ok(200, "second", "GET", "/customers/cus_here", "")
		}
		a := w.ok(200, "admin", "POST", "/erasures", `{"person":"cus_here","dry_run":true}`)
		o := a.object(t)
		if o["dry_run"] != true || o["records"] != 3.0 || o["size"] != 4.0 || o["position"] != 4.0 || strings.Contains(a.body, "cus_here") {
			t.Errorf("%s", a.body)
		}
		if r := w.record(a, "demo"); r.Action != "erasure.create" || r.Status != 200 || strings.Contains(string(r.Body), "cus_here") {
			t.Errorf("%+v %s", r, r.Body)
		}
		equal(t, "list", w.ids("auditor", "/erasures"), []string{})
		equal(t, "without the own acts", w.ok(200, "second", "POST", "/erasures", `{"person":"cus_here","dry_run":true}`).object(t)["records"], any(1.0))
		w.ok(409, "admin", "POST", "/erasures", `{"person":"stf_admin","dry_run":true}`)
		for body, fields := range map[string][]string{
			`{"person":"cus_here","dry_run":false}`: {"reason"},
			`{"person":"cus_here","dry_run":null}`:  {"dry_run", "reason"},
			`{"dry_run":true}`:                      {"person"},
			`{"person":"cus_here","dry_run":1}`:     {"dry_run", "reason"},
		} {
			equal(t, body, w.ok(422, "admin", "POST", "/erasures", body).fields(t), fields)
		}
	})
}
