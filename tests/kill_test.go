package tests

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
	"github.com/pointgate/pointgate/tests/harness"
)

// campaign names the variable that asks for the long form of these tests.
const campaign = "POINTGATE_TEST_KILLS"

// kills is how many times the program is killed on each database; `make
// campaign` asks for more than every run of the tests.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv(campaign)
	if text == "" {
		return 4
	}
	return must(strconv.Atoi(text))(t)
}

// TestKillUnderLoad kills the program again and again in the middle of its work,
// on one database. Whatever was answered must be a leaf of the log's tree, once;
// whatever was done must have its decision there; and whatever was left
// unanswered must happen exactly once when it is sent again.
func TestKillUnderLoad(t *testing.T) {
	for _, o := range []harness.Options{{Dir: t.TempDir()}, {Dir: t.TempDir(), Database: "postgres"}} {
		name := cmp.Or(o.Database, "sqlite")
		t.Run(name, func(t *testing.T) {
			if o.Database != "" {
				o.Database = storetest.Postgres(t)
			}
			killAgainAndAgain(t, o)
		})
	}
}

func killAgainAndAgain(t *testing.T, o harness.Options) {
	s := harness.Start(t, o)
	effects, decisions := map[string]bool{}, map[string]bool{}
	for round := range kills(t) {
		l := &load{server: s, enough: 60 + 20*(round%10), effects: effects}
		l.run(t)
		for _, a := range l.answered {
			decisions[a.decision] = true
		}
		leavesHold(t, store.Options{Dir: o.Dir, URL: o.Database}, decisions)
		if err := s.Restart(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		l.again(t)
		l.check(t)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

// leavesHold looks at the database that the killed program left: its log verifies,
// and every decision that was answered is in it once.
func leavesHold(t *testing.T, o store.Options, decisions map[string]bool) {
	t.Helper()
	db := must(store.Open(t.Context(), o))(t)
	defer db.Close()
	size := must(db.LogSize(t.Context()))(t)
	leaves := map[string]int{}
	if err := db.Records(t.Context(), 0, size, func(r *store.Record) error { leaves[r.ID]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if int64(len(leaves)) != size {
		t.Errorf("%d records have %d ids", size, len(leaves))
	}
	for id := range decisions {
		if leaves[id] != 1 {
			t.Errorf("answered decision %q is in the log %d times", id, leaves[id])
		}
	}
	i := must(store.Inspect(o))(t)
	defer i.Close()
	if v := must(i.Verify(t.Context(), nil, nil))(t); len(v.Findings) > 0 || v.Size != size {
		t.Errorf("verified %d of %d records: %v", v.Size, size, v.Findings)
	}
}

// load is a bounded number of requests by a few clients, and what came of them.
type load struct {
	server *harness.Server
	enough int // answers, after which the program is killed
	// effects are the transactions that were ever told of, of all rounds.
	effects map[string]bool

	mu       sync.Mutex
	answered []reply
	open     []request // sent, and never answered
}

type request struct {
	path, key string
	body      order
	anonymous bool
}

type reply struct {
	request
	status        int
	decision, txn string
}

const loaders = 8

// run sends until enough is answered, then kills, and waits for all to notice.
func (l *load) run(t *testing.T) {
	token := must(l.server.Service(harness.Apps["demo-service"], "points:read points:write"))(t).Access
	killed := make(chan struct{})
	var wg sync.WaitGroup
	for range loaders {
		wg.Go(func() { l.loop(token, killed) })
	}
	<-killed
	l.server.Kill()
	wg.Wait()
}

// loop is one client: it ends with the first request that has no answer.
func (l *load) loop(token string, killed chan struct{}) {
	for {
		r := newRequest()
		a, err := l.send(r, token)
		l.mu.Lock()
		if err != nil {
			l.open = append(l.open, r)
			l.mu.Unlock()
			return
		}
		l.answered = append(l.answered, replyOf(r, a))
		if len(l.answered) == l.enough {
			close(killed)
		}
		l.mu.Unlock()
	}
}

// newRequest is one of: a redemption, an earning, and a refusal.
func newRequest() request {
	r := request{path: "/api/points/redeem", key: harness.NewKey(), body: order{Customer: "cus_alice", Points: 1, Reason: "load"}}
	switch rand.IntN(4) {
	case 0, 1:
		r.path, r.body.Points = "/api/points/earn", 2
	case 2:
		r.anonymous = true
	}
	return r
}

func (l *load) send(r request, token string) (*harness.Answer, error) {
	if r.anonymous {
		token = ""
	}
	return l.server.Send(harness.Request{
		Method: http.MethodPost, URL: r.path, Token: token,
		Body:   fmt.Sprintf(`{"customer_id":%q,"points":%d,"reason":%q}`, r.body.Customer, r.body.Points, r.body.Reason),
		Header: http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {r.key}},
	})
}

func replyOf(r request, a *harness.Answer) reply {
	txn, _ := a.At("transaction.id") // a refusal has none
	return reply{request: r, status: a.Status, decision: a.Header.Get("X-Decision-Id"), txn: txn}
}

// again sends what was never answered once more, with the same key.
func (l *load) again(t *testing.T) {
	token := must(l.server.Service(harness.Apps["demo-service"], "points:read points:write"))(t).Access
	for _, r := range l.open {
		l.answered = append(l.answered, replyOf(r, must(l.send(r, token))(t)))
	}
}

func (l *load) check(t *testing.T) {
	ledgerAgrees(t, l.server, "cus_alice")
	records := map[string]harness.Record{}
	for _, action := range []string{"points.earn", "points.redeem"} {
		for _, r := range must(l.server.Decisions(url.Values{"action": {action}}))(t) {
			records[r.ID] = r
		}
	}
	lines := map[string]line{}
	for _, x := range must(ledger(l.server, "cus_alice"))(t) {
		lines[x.ID] = x
		if r, there := records[x.DecisionID]; !there || !r.Result.Allow || r.Custom.Status != http.StatusCreated {
			t.Errorf("line %s has no record of a decision that allowed it (%q: %+v)", x.ID, x.DecisionID, r.Result)
		}
	}
	for _, a := range l.answered {
		if r, there := records[a.decision]; !there || r.Custom.Status != a.status {
			t.Errorf("answered %d, but its record %q says %d", a.status, a.decision, r.Custom.Status)
		}
		if a.status != http.StatusCreated {
			continue
		}
		if _, there := lines[a.txn]; !there || l.effects[a.txn] {
			t.Errorf("transaction %q is not in the ledger, or the answer to two keys", a.txn)
		}
		l.effects[a.txn] = true
	}
	const welcome = 1 // the line that the demo begins with
	if len(lines) != len(l.effects)+welcome {
		t.Errorf("%d lines, but %d requests that were answered with one", len(lines), len(l.effects)+welcome)
	}
}
