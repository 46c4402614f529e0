package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// world is a follower of a real log with the real rules, whose clock is ours.
type world struct {
	*Follower
	t      *testing.T
	now    time.Time
	engine *policies.Engine
	raised []string
	failed []string
	n      int
}

func newWorld(t *testing.T, o store.Options) *world {
	t.Helper()
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	engine.AlertTimeout = time.Minute // the race detector is slow
	w := &world{t: t, now: noon, engine: engine}
	o.Now = func() time.Time { return w.now }
	db := storetest.Open(t, o)
	storetest.Tenant(t, db, "demo")
	storetest.Tenant(t, db, "other")
	w.Follower = w.node(db, "one")
	return w
}

// node is another follower of the same log.
func (w *world) node(db *store.DB, holder string) *Follower {
	now := func() time.Time { return w.now }
	id := func() string { w.n++; return fmt.Sprint(holder, w.n) }
	return &Follower{
		Store: db, Rules: w.engine, Log: slog.New(slog.DiscardHandler), Now: now, NewID: id, Holder: holder, Home: "demo",
		Events: &gate.Events{Store: db, Now: now, NewID: func() string { return "event-" + id() }, Labels: map[string]string{"id": holder}},
		MailTo: []string{"security@demo.example"},
		Observer: Observer{
			Raised: func(rule, severity string) { w.raised = append(w.raised, rule+" "+severity) },
			Failed: func(what string) { w.failed = append(w.failed, what) },
		},
	}
}

// record puts a record into the log, as of now.
func (w *world) record(edit func(r *store.Record)) string {
	w.t.Helper()
	w.n++
	r := denied(0, fmt.Sprint("cus_", w.n))
	r.ID, r.At = fmt.Sprint("dec-", w.n), store.At(w.now)
	if edit != nil {
		edit(r)
	}
	r.Body = fmt.Appendf(nil, `{"decision_id":%q,"custom":{"tenant":%q}}`, r.ID, r.Tenant)
	if err := w.Store.Append(context.Background(), r); err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

// reuse is one record that raises an alert by itself.
func reuse(subject string) func(r *store.Record) {
	return func(r *store.Record) { r.Action, r.Code, r.Subject = "token.reuse", "code_reuse", subject }
}

func (w *world) step() {
	w.t.Helper()
	w.stepOf(w.Follower)
}

func (w *world) stepOf(f *Follower) {
	w.t.Helper()
	for more := true; more; {
		var err error
		if f.state != nil {
			f.state.restUntil = time.Time{}
		}
		if more, err = f.Step(context.Background()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) alerts(tenant string) (out []string) {
	w.t.Helper()
	all, err := store.Alerts(context.Background(), w.Store, store.AlertFilter{Tenant: tenant, Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range all {
		out = append(out, fmt.Sprintf("%s of %s, %s, %d", a.Rule, a.Key, a.State, a.Count))
	}
	return out
}

func (w *world) want(tenant string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.alerts(tenant)); diff != "" {
		w.t.Errorf("alerts of %s (-want +got):\n%s", tenant, diff)
	}
}

func (w *world) mails() []store.Mail {
	w.t.Helper()
	mails, err := w.Store.DueMails(context.Background(), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return mails
}

func (w *world) change(id, state string) {
	w.t.Helper()
	storetest.Write(w.t, w.Store, func(tx *store.Tx) error {
		return tx.ChangeAlert(context.Background(), "demo", id, state, "stf_kim")
	})
}

// TestAnAlertFromItsRaisingToItsClosing is the life of one, with all that it leaves.
func TestAnAlertFromItsRaisingToItsClosing(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		ctx, w := context.Background(), newWorld(t, o)
		var tried []string
		for range 5 {
			tried = append(tried, w.record(nil))
		}
		for range 9 {
			w.record(func(r *store.Record) { r.Tenant = "other"; r.Subject = fmt.Sprint("cus_x", w.n) })
		}
		w.step()
		w.want("demo", "enumeration of cus_a, open, 1")
		w.want("other")
		all, err := store.Alerts(ctx, w.Store, store.AlertFilter{Tenant: "demo", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		a := all[0]
		if diff := cmp.Diff(store.Words(tried), a.Decisions); diff != "" || a.Severity != "high" || !a.RaisedAt.Equal(noon) {
			t.Errorf("%+v\n%s", a, diff)
		}
		if diff := cmp.Diff([]string{"enumeration high"}, w.raised); diff != "" {
			t.Error(diff)
		}

		// Its record, and its mail.
		records, err := w.Store.Decisions(ctx, store.DecisionFilter{Tenant: "demo", Action: "alert.raise", Limit: 10})
		if err != nil || len(records) != 1 || records[0].Resource != a.ID || !records[0].Allow || !strings.Contains(string(records[0].Body), `"rule":"enumeration"`) {
			t.Fatalf("%+v, %v", records, err)
		}
		mails := w.mails()
		if len(mails) != 1 || mails[0].Recipient != "security@demo.example" || mails[0].Subject != "[Pointgate] demo: high: One caller tries what belongs to others" ||
			!strings.Contains(mails[0].Body, "cus_a was refused on 5 things") || !strings.Contains(mails[0].Body, a.ID) || !strings.Contains(mails[0].Body, "--url http://demo.localhost\n") {
			t.Errorf("%+v", mails)
		}

		// Nothing new, then more, while it is open and acknowledged.
		w.step()
		w.want("demo", "enumeration of cus_a, open, 1")
		w.record(nil)
		w.step()
		w.want("demo", "enumeration of cus_a, open, 2")
		w.change(a.ID, "acknowledged")
		w.record(nil)
		w.step()
		w.want("demo", "enumeration of cus_a, acknowledged, 3")

		// Closed: what was there by then is settled; what comes then is another.
		w.change(a.ID, "closed")
		w.step()
		w.record(func(r *store.Record) { r.Action, r.Allow, r.Code = "points.read", true, "ok" })
		w.step()
		w.want("demo", "enumeration of cus_a, closed, 3")
		if len(w.mails()) != 1 || len(w.raised) != 1 {
			t.Errorf("%d mails, raised %v", len(w.mails()), w.raised)
		}
		w.now = w.now.Add(time.Second)
		w.record(nil)
		w.step()
		w.want("demo", "enumeration of cus_a, open, 1", "enumeration of cus_a, closed, 3")
		if len(w.mails()) != 2 || len(w.failed) != 0 {
			t.Errorf("%d mails, failed %v", len(w.mails()), w.failed)
		}
	})
}

// A start reads the last minutes anew: what came before it counts, and what was
// raised before it is not raised again.
func TestAStartGoesOnWhereItWas(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		w := newWorld(t, o)
		w.record(reuse("cus_z"))
		for range 4 {
			w.record(nil)
		}
		w.step()
		w.want("demo", "reuse of cus_z web, open, 1")
		w.release()
		w.now = w.now.Add(5 * time.Minute)
		w.Follower = w.node(w.Store, "again")
		w.record(nil) // the fifth
		w.step()
		w.want("demo", "enumeration of cus_a, open, 1", "reuse of cus_z web, open, 1")
	})
}

// What was recorded while nobody followed is judged as of then.
func TestWhatWasMissedIsJudged(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	w.record(nil)
	w.step()
	w.now = w.now.Add(time.Minute)
	w.step() // the cursor is kept
	w.release()
	for range 5 {
		w.record(nil)
	}
	w.now = w.now.Add(5 * time.Hour)
	w.record(func(r *store.Record) { r.Allow, r.Code = true, "ok" })
	w.Follower = w.node(w.Store, "again")
	w.step()
	w.want("demo", "enumeration of cus_a, open, 1")
}

func TestSlowTriesAreSeenWithinTheWindowAlone(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	for range 20 {
		w.record(nil)
		w.step()
		w.now = w.now.Add(3 * time.Minute)
	}
	w.want("demo")
	for range 4 {
		w.record(nil)
	}
	w.step()
	w.want("demo", "enumeration of cus_a, open, 1")
}

// The rise is seen against an hour that was quiet, not against one that nobody knows.
func TestARiseNeedsATimeBefore(t *testing.T) {
	burst := func(w *world) {
		for i := range 60 {
			w.record(func(r *store.Record) { r.Subject, r.Code = fmt.Sprint("cus_", i), "missing_scope" })
		}
		w.step()
	}
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	w.record(nil)
	burst(w)
	w.want("demo")
	w.now = w.now.Add(30 * time.Minute)
	burst(w)
	w.want("demo")
	w.now = w.now.Add(80 * time.Minute) // now all of that is forgotten
	burst(w)
	w.want("demo", "denials of denials, open, 1")
}

func TestOneOfTwoNodesRaises(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		w := newWorld(t, o)
		two := w.node(w.Store, "two")
		for range 3 {
			w.record(reuse("cus_z"))
			w.step()
			w.stepOf(two)
		}
		w.want("demo", "reuse of cus_z web, open, 3")
		if two.state != nil {
			t.Error("both follow")
		}
		w.release()
		w.record(reuse("cus_y"))
		w.stepOf(two)
		w.want("demo", "reuse of cus_y web, open, 1", "reuse of cus_z web, open, 3")

		// One that stood still while its lease was taken raises nothing any more.
		storetest.Write(t, w.Store, func(tx *store.Tx) error {
			_, err := tx.Exec(context.Background(), `UPDATE leases SET holder = 'three'`)
			return err
		})
		w.record(reuse("cus_x"))
		s := two.state
		s.restUntil = time.Time{}
		if err := two.Store.Records(context.Background(), s.next, s.next+10, func(r *store.Record) error { return two.take(context.Background(), r) }); err != nil {
			t.Fatal(err)
		}
		if err := two.settle(context.Background()); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%v, want ErrConflict", err)
		}
		w.want("demo", "reuse of cus_y web, open, 1", "reuse of cus_z web, open, 3")
	})
}

// rules are rules that are a function.
type rules func(w *policies.Window) ([]policies.Raised, error)

func (r rules) Alerts(_ context.Context, w *policies.Window) ([]policies.Raised, error) { return r(w) }
func (rules) Revision() string                                                          { return "sha256:0" }

func TestRulesThatFailAreAskedAgain(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	good := w.Rules
	w.Rules = rules(func(*policies.Window) ([]policies.Raised, error) { return nil, errors.New("no") })
	w.record(reuse("cus_z"))
	w.step()
	w.want("demo")
	if diff := cmp.Diff([]string{"rules"}, w.failed); diff != "" {
		t.Error(diff)
	}
	w.Rules = good
	w.step() // without anything new
	w.want("demo", "reuse of cus_z web, open, 1")
}

func TestEvidenceThatNobodyGaveIsNone(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	w.Rules = rules(func(*policies.Window) ([]policies.Raised, error) {
		return []policies.Raised{{Rule: "r", Key: "k", Severity: "low", Title: "T", Decisions: []string{"invented"}}}, nil
	})
	w.record(nil)
	w.step()
	w.want("demo")
	if diff := cmp.Diff([]string{"evidence"}, w.failed); diff != "" {
		t.Error(diff)
	}
}

// Many alerts at once come in several writes, and all of them come.
func TestManyAlertsAtOnce(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	for i := range maxWrite + 50 {
		w.record(reuse(fmt.Sprint("cus_", i)))
	}
	w.step()
	if n := len(w.alerts("demo")); n != maxWrite {
		t.Errorf("%d alerts in the first look", n)
	}
	w.step()
	if n := len(w.alerts("demo")); n != maxWrite+50 {
		t.Errorf("%d alerts in the second", n)
	}
	mails := w.mails()
	if len(mails) != 2 || !strings.HasSuffix(mails[0].Subject, " and 99 more") || !strings.Contains(mails[0].Body, "And 80 more, which are in the list.") {
		t.Errorf("%d mails: %+v", len(mails), mails[0])
	}
}

func TestMailsHaveALimit(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	w.MailTo = []string{"a@demo.example", "b@demo.example"}
	raise := func(n int) {
		for range n {
			w.record(reuse(fmt.Sprint("cus_", w.n)))
			w.step()
			w.now = w.now.Add(time.Second)
		}
	}
	raise(maxMails + 5)
	mails := w.mails()
	if len(mails) != 2*maxMails || len(w.alerts("demo")) != maxMails+5 || len(w.failed) != 5 || w.failed[0] != "mail" {
		t.Errorf("%d mails, %d alerts, failed %v", len(mails), len(w.alerts("demo")), w.failed)
	}
	for i, m := range mails {
		if is := strings.Contains(m.Body, "number 20 in an hour"); is != (i/2 == maxMails-1) {
			t.Errorf("mail %d: %q", i, m.Body)
		}
	}
	w.now = w.now.Add(time.Hour)
	raise(1)
	if n := len(w.mails()); n != 2*maxMails+2 {
		t.Errorf("%d mails an hour later", n)
	}
	w.MailTo = nil
	raise(1)
	if n := len(w.mails()); n != 2*maxMails+2 {
		t.Errorf("%d mails to nobody", n)
	}
}

func TestAFullOutboxKeepsNoAlertBack(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	storetest.Write(t, w.Store, func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO mails (id, tenant, kind, recipient, subject, body, created_at, attempts, next_at, sent, error)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT 'm' || i, 'x', 'x', '', '', '', 0, 0, 0, FALSE, '' FROM n`)
		return err
	})
	w.record(reuse("cus_z"))
	w.step()
	w.want("demo", "reuse of cus_z web, open, 1")
	if diff := cmp.Diff([]string{"mail"}, w.failed); diff != "" {
		t.Error(diff)
	}
}

// What belongs to no tenant is the installation's, and so the first tenant's.
func TestWhatIsNobodysIsTheHomes(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	w.record(func(r *store.Record) { r.Tenant, r.Action, r.Code = "", "trail.verify", "verification_failed" })
	w.step()
	w.want("demo", "verification of trail, open, 1")
}

func TestRunFollowsAndLetsGo(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	raised := make(chan string, 1)
	w.Observer.Raised = func(rule, _ string) { raised <- rule }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	w.record(reuse("cus_z"))
	if rule := <-raised; rule != "reuse" {
		t.Errorf("raised %s", rule)
	}
	stop()
	<-ended
	if held, err := w.Store.Lease(context.Background(), name, "next", time.Minute); err != nil || !held {
		t.Errorf("the next does not get the lease: %v", err)
	}
	if n, err := w.Store.Cursor(context.Background(), name); err != nil || n == 0 {
		t.Errorf("the cursor is at %d, %v", n, err)
	}
}
