package main

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pointgate/pointgate/server/web"
)

// turns measure how long a revocation takes until nothing can act on what it
// took away: the time from its answer (so, from a durable revocation) to the end
// of the last request that had begun before. All later ones read the credential
// from the database afterwards, and there the revocation stands; nothing is
// cached. Whoever adds a cache of credentials adds the greatest age of an entry
// here.
//
// It is an upper bound: it waits for all requests, not only for those with the
// credential in question. It knows the requests of this process.
//
// Requests are counted by the turn that they begin in; a revocation ends a turn,
// and is in force once no request of that turn or one before it is running.
type turns struct {
	now  func() time.Time
	took prometheus.Histogram

	oldest, waiting prometheus.GaugeFunc

	mu      sync.Mutex
	turn    int64         // the present one, from 1
	first   int64         // no request of a turn before it is running
	running map[int64]int // requests, by turn
	pending []revocation  // oldest first
}

type revocation struct {
	turn int64 // the last one that must be over
	at   time.Time
}

func newTurns(now func() time.Time) *turns {
	t := &turns{now: now, turn: 1, first: 1, running: map[int64]int{}}
	t.took = histogram("pointgate_revocation_denial_seconds",
		"Time from the answer to a revocation until the last request that had begun before it has ended: from then on what was revoked is denied.", denialBuckets)
	t.oldest = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "pointgate_revocation_pending_seconds", Help: "Age of the oldest revocation that a request from before it is still running beside; 0 without one.",
	}, func() float64 { age, _ := t.state(); return age.Seconds() })
	t.waiting = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "pointgate_revocations_pending", Help: "Revocations that a request from before them is still running beside.",
	}, func() float64 { _, n := t.state(); return float64(n) })
	return t
}

// begin is called before the credential of a request is read.
func (t *turns) begin() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running[t.turn]++
	return t.turn
}

// end is called when a request that began in turn has its answer.
func (t *turns) end(turn int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running[turn]--
	t.settle()
}

// revoked is called when a revocation is durable.
func (t *turns) revoked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending = append(t.pending, revocation{turn: t.turn, at: t.now()})
	t.turn++
	t.settle()
}

// settle lets the turns go that are over, and the revocations that waited for them.
func (t *turns) settle() {
	for t.first < t.turn && t.running[t.first] == 0 {
		delete(t.running, t.first)
		t.first++
	}
	for len(t.pending) > 0 && t.pending[0].turn < t.first {
		t.took.Observe(t.now().Sub(t.pending[0].at).Seconds())
		t.pending = t.pending[1:]
	}
}

func (t *turns) state() (oldest time.Duration, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending) > 0 {
		oldest = t.now().Sub(t.pending[0].at)
	}
	return oldest, len(t.pending)
}

// revocations are the actions that take away what somebody could do before, or
// may: an update can disable a client or a person, and take roles and scopes.
var revocations = words(`client.delete client.rotate client.update customer.delete customer.update grant.revoke
	key.delete key.revoke key.update revocation.create session.revoke staff.delete staff.update tenant.delete tenant.update
	token.revoke token.update`)

// revokes reports whether a request has revoked something. The endpoint of
// RFC 7009 says yes to tokens that it does not know, too.
func revokes(e *web.Event) bool {
	return e.Status < 400 && (revocations[e.Action] || e.Route == "/oauth2/revoke")
}
