package audit_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

var (
	background = context.Background()
	quiet      = slog.New(slog.NewTextHandler(io.Discard, nil))
)

// receiver is a log service that keeps what it took.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	took   []json.RawMessage
	asked  []http.Header
	answer func(w http.ResponseWriter, events []json.RawMessage) (took bool) // nil: 204
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(r.logs))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) logs(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, req.Header.Clone())
	if req.Method != "POST" || req.URL.Path != "/base/logs" || req.Header.Get("Content-Encoding") != "gzip" {
		http.Error(w, "no", http.StatusNotFound)
		return
	}
	var events []json.RawMessage
	z, err := gzip.NewReader(req.Body)
	if err == nil {
		err = json.NewDecoder(z).Decode(&events)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.answer != nil && !r.answer(w, events) {
		return
	}
	r.took = append(r.took, events...)
}

func (r *receiver) events() []json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.took)
}

func (r *receiver) set(answer func(w http.ResponseWriter, events []json.RawMessage) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) sink(t *testing.T) *audit.DecisionLogs {
	t.Helper()
	s, err := audit.NewDecisionLogs(r.URL+"/base/", "", "test")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func push(db *store.DB, holder string, s audit.Sink) *audit.Push {
	return &audit.Push{Store: db, Log: quiet, Sink: s, Holder: holder}
}

// put adds n records, in groups.
func put(t *testing.T, db *store.DB, n int) {
	t.Helper()
	first, err := db.LogSize(background)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < n; from += 100 {
		storetest.Write(t, db, func(tx *store.Tx) error {
			for i := from; i < min(n, from+100); i++ {
				tx.Record(record(tx.Now(), fmt.Sprintf("dec-%06d", first+int64(i)), "cus_a", ""))
			}
			return nil
		})
	}
}

// record is one of the tenant demo, in which a person asked for something.
func record(at store.Time, id, person, more string) *store.Record {
	return &store.Record{
		ID: id, At: at, Tenant: "demo", Subject: person, Action: "points.read", Resource: person, Allow: true, Code: "ok", Status: 200, Request: "req-" + id,
		Body: fmt.Appendf(nil, `{"decision_id":%q,"timestamp":%q,"trace_id":"0af7651916cd43dd8448eb211c80319c","input":{"subject":{"type":"customer","id":%q},"action":{"name":"points.read"},`+
			`"resource":{"type":"points_account","id":%q},"context":{"request":{"id":%q%s}}},"result":{"allow":true},"requested_by":"","custom":{"tenant":"demo","status":200,"code":"ok"}}`,
			id, at.Format(time.RFC3339Nano), person, person, "req-"+id, more),
	}
}

func events(t *testing.T, db *store.DB) (all []string) {
	t.Helper()
	size, err := db.LogSize(background)
	if err == nil {
		err = db.Records(background, 0, size, func(r *store.Record) error { all = append(all, string(r.Event())); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func texts(all []json.RawMessage) []string {
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = string(e)
	}
	return out
}

func lag(t *testing.T, p *audit.Push) int64 {
	t.Helper()
	n, age, err := p.Lag(background)
	if err != nil || (n == 0) != (age == 0) {
		t.Fatalf("lag %d, %v, %v", n, age, err)
	}
	return n
}

// TestNothingIsLostWhileTheReceiverIsDown: 10,000 records are written meanwhile,
// and all arrive once, in order, byte for byte.
func TestNothingIsLostWhileTheReceiverIsDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t)
		p := push(db, "one", r.sink(t))
		put(t, db, 150)
		if err := p.Pass(background); err != nil || len(r.events()) != 150 || lag(t, p) != 0 {
			t.Fatalf("%v, %d arrived, lag %d", err, len(r.events()), lag(t, p))
		}
		address := r.Listener.Addr().String()
		r.Close()
		for n := range 10 {
			put(t, db, 1000)
			if err := p.Pass(background); err == nil || lag(t, p) != int64(n+1)*1000 {
				t.Fatalf("down: %v, lag %d", err, lag(t, p))
			}
		}
		again := newReceiver(t) // it starts again, elsewhere for the test
		again.took = r.took
		s := again.sink(t)
		p = push(db, "one", s)
		if err := p.Pass(background); err != nil || lag(t, p) != 0 {
			t.Fatalf("up again (was %s): %v, lag %d", address, err, lag(t, p))
		}
		if diff := cmp.Diff(events(t, db), texts(again.events())); diff != "" {
			t.Errorf("the log (-) and what arrived (+):\n%.2000s", diff)
		}
		if n := len(again.asked); n < 10 || n > 20 {
			t.Errorf("%d requests for 10,000 records", n)
		}
	})
}

// TestOneChunkIsSentAgainAfterACrash: between the receiver's yes and the cursor.
// Another node goes on.
func TestOneChunkIsSentAgainAfterACrash(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t)
		put(t, db, 2500)
		crash := errors.New("killed")
		taken := 0
		s := &hooked{DecisionLogs: r.sink(t), after: func() error {
			if taken++; taken == 2 {
				return crash
			}
			return nil
		}}
		if err := push(db, "one", s).Pass(background); !errors.Is(err, crash) {
			t.Fatal(err)
		}
		if err := db.ReleaseLease(background, "push/opa", "one"); err != nil { // as time would
			t.Fatal(err)
		}
		if err := push(db, "two", r.sink(t)).Pass(background); err != nil {
			t.Fatal(err)
		}
		all := events(t, db)
		want := slices.Concat(all[:2000], all[1000:])
		if diff := cmp.Diff(want, texts(r.events())); diff != "" {
			t.Errorf("%.2000s", diff)
		}
	})
}

// hooked is a sink with something behind its yes.
type hooked struct {
	*audit.DecisionLogs
	after func() error
}

func (h *hooked) Send(ctx context.Context, records []store.Record) error {
	if err := h.DecisionLogs.Send(ctx, records); err != nil {
		return err
	}
	return h.after()
}

func TestOneNodePushes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t)
		put(t, db, 10)
		if held, err := db.Lease(background, "push/opa", "two", time.Minute); err != nil || !held {
			t.Fatal(held, err)
		}
		p := push(db, "one", r.sink(t))
		if err := p.Pass(background); err != nil || len(r.events()) != 0 {
			t.Errorf("%v, %d arrived from a node without the lease", err, len(r.events()))
		}
		var stolen bool
		s := &hooked{DecisionLogs: r.sink(t), after: func() error {
			stolen = true
			if err := db.ReleaseLease(background, "push/opa", "two"); err != nil {
				return err
			}
			_, err := db.Lease(background, "push/opa", "three", time.Minute)
			return err
		}}
		if err := push(db, "two", s).Pass(background); err == nil || !stolen {
			t.Errorf("%v: who lost the lease moved the cursor", err)
		}
		if next, err := db.Cursor(background, "push/opa"); next != 0 || err != nil {
			t.Errorf("%d, %v", next, err)
		}
	})
}

func TestTooLargeChunksAreHalved(t *testing.T) {
	db := storetest.SQLite(t)
	r := newReceiver(t)
	put(t, db, 500)
	poisoned := true
	r.set(func(w http.ResponseWriter, events []json.RawMessage) bool {
		switch {
		case len(events) > 60:
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		case poisoned && strings.Contains(string(events[len(events)-1]), `"index":333,`), poisoned && len(events) > 1 && slices.ContainsFunc(events, func(e json.RawMessage) bool { return strings.Contains(string(e), `"index":333,`) }):
			w.WriteHeader(http.StatusBadRequest)
		default:
			return true
		}
		return false
	})
	p := push(db, "one", r.sink(t))
	err := p.Pass(background)
	if at, stuck := p.Stuck(); err == nil || !stuck || at != 333 || len(r.events()) != 333 {
		t.Fatalf("%v; stuck %v at %d with %d before it; want 333: nothing is skipped", err, stuck, at, len(r.events()))
	}
	poisoned = false
	if err := p.Pass(background); err != nil {
		t.Fatal(err)
	}
	if _, stuck := p.Stuck(); stuck {
		t.Error("it got on, and says that it is stuck")
	}
	if diff := cmp.Diff(events(t, db), texts(r.events())); diff != "" {
		t.Errorf("%.2000s", diff)
	}
}

// TestWhatIsErasedMeanwhileIsNotPushed: a failed chunk is read anew.
func TestWhatIsErasedMeanwhileIsNotPushed(t *testing.T) {
	db := storetest.SQLite(t)
	r := newReceiver(t)
	put(t, db, 3)
	r.set(func(w http.ResponseWriter, _ []json.RawMessage) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return false
	})
	p := push(db, "one", r.sink(t))
	if err := p.Pass(background); err == nil {
		t.Fatal("a 503 is no yes")
	}
	_, _, err := db.Empty(background, store.Emptying{To: 3, By: "dec", Gone: func(*store.Record) bool { return true }}, func(*store.Tx, int64, int64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	r.set(nil)
	if err := p.Pass(background); err != nil || len(r.events()) != 3 || strings.Contains(fmt.Sprint(texts(r.events())), "cus_a") {
		t.Errorf("%v: %s", err, r.events())
	}
}

// TestRunBacksOff wants growing pauses, that of Retry-After where it is given,
// and the ordinary one after a success.
func TestRunBacksOff(t *testing.T) {
	db := storetest.SQLite(t)
	r := newReceiver(t)
	put(t, db, 1)
	tries := 0
	r.set(func(w http.ResponseWriter, _ []json.RawMessage) bool {
		if tries++; tries > 12 {
			return true
		}
		if tries == 12 {
			w.Header().Set("Retry-After", "77")
		}
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	})
	ctx, stop := context.WithCancel(background)
	p := push(db, "one", r.sink(t))
	var pauses []time.Duration
	p.Wait = func(ctx context.Context, d time.Duration) error {
		if pauses = append(pauses, d); len(pauses) == 13 {
			stop()
		}
		return ctx.Err()
	}
	p.Run(ctx)
	longest := time.Second
	for i, d := range pauses[:11] {
		if d < longest/2 || d > longest {
			t.Errorf("pause %d is %v, want from %v to %v", i, d, longest/2, longest)
		}
		longest = min(2*longest, 5*time.Minute)
	}
	if pauses[11] != 77*time.Second || pauses[12] != time.Second || p.Failures() != 12 {
		t.Errorf("%v, %d failures", pauses[11:], p.Failures())
	}
}

func TestTheTokenStaysWithTheReceiver(t *testing.T) {
	db := storetest.SQLite(t)
	put(t, db, 1)
	elsewhere := newReceiver(t)
	r := newReceiver(t)
	r.set(func(w http.ResponseWriter, _ []json.RawMessage) bool {
		w.Header().Set("Location", elsewhere.URL+"/base/logs")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return false
	})
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	s, err := audit.NewDecisionLogs(r.URL+"/base", file, "test")
	if err != nil {
		t.Fatal(err)
	}
	p := push(db, "one", s)
	if err := p.Pass(background); err == nil || len(elsewhere.asked) != 0 {
		t.Errorf("%v; the redirect was followed: %v", err, elsewhere.asked)
	}
	write("second\n")
	r.set(nil)
	if err := p.Pass(background); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Bearer first", "Bearer second"} {
		if h := r.asked[i]; h.Get("Authorization") != want || h.Get("Content-Type") != "application/json" {
			t.Errorf("request %d: %v", i, h)
		}
	}
	write("two words\n")
	if _, err := audit.NewDecisionLogs(r.URL, file, "test"); err == nil || strings.Contains(err.Error(), "two words") {
		t.Errorf("%v", err)
	}
}

// TestAHangingReceiverIsGivenUp, and one whose certificate nobody knows is refused.
func TestAHangingReceiverIsGivenUp(t *testing.T) {
	db := storetest.SQLite(t)
	put(t, db, 1)
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hanging.Close()
	defer close(release)
	s, err := audit.NewDecisionLogs(hanging.URL, "", "test")
	if err != nil {
		t.Fatal(err)
	}
	s.HTTP.Timeout = 50 * time.Millisecond
	if err := push(db, "one", s).Pass(background); err == nil {
		t.Error("no answer is no yes")
	}
	strange := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	strange.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), 0)
	defer strange.Close()
	if s, err = audit.NewDecisionLogs(strange.URL, "", "test"); err != nil {
		t.Fatal(err)
	}
	if err := push(db, "one", s).Pass(background); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a strange certificate: %v", err)
	}
}

// TestErrorsDoNotRepeatTheAddress: whoever runs a collector puts keys in its
// path and query, and the errors are in the log and the metrics' page.
func TestErrorsDoNotRepeatTheAddress(t *testing.T) {
	db := storetest.SQLite(t)
	put(t, db, 1)
	gone := newReceiver(t)
	gone.Close()
	opa, err := audit.NewDecisionLogs(gone.URL+"/key-of-ours", "", "test")
	if err != nil {
		t.Fatal(err)
	}
	otlp, err := audit.NewOTLP(gone.URL+"/v1/logs?key-of-ours=1", "", "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []audit.Sink{opa, otlp} {
		if err := push(db, "one", s).Pass(background); err == nil || strings.Contains(err.Error(), "key-of-ours") || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: %v", s.Name(), err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://logs.example": true, "https://logs.example:8443/opa": true, "http://127.0.0.1:8181": true, "http://[::1]:8181": true, "http://localhost": true,
		"": false, "logs.example": false, "http://logs.example": false, "ftp://logs.example": false, "https://user:secret@logs.example": false,
		"http://opa.localhost": true, "http://127.0.0.2": true, "https://logs.example/opa/logs": false, "https://logs.example/logs/": false, "https://logs.example/catalogs": true,
		"http://localhost.example": false, "https://logs.example#a": false, "https://logs.example?a=b": false, "unix:///run/x": false,
	} {
		if _, err := audit.NewDecisionLogs(address, "", "test"); (err == nil) != ok || (err != nil && strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := audit.NewOTLP("https://logs.example/v1/logs?tenant=a", "", "test"); err != nil {
		t.Errorf("a query of OTLP: %v", err)
	}
}
