package main

import (
	"math"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/pointgate/pointgate/server/web"
)

// clocked are turns at a time of the test's own.
type clocked struct {
	*turns
	t  *testing.T
	at time.Time
}

func newClocked(t *testing.T) *clocked {
	c := &clocked{t: t, at: time.Unix(1_800_000_000, 0)}
	c.turns = newTurns(func() time.Time { return c.at })
	return c
}

// want compares how many revocations are in force, after what time in sum, and
// how many are not.
func (c *clocked) want(done int, sum time.Duration, pending int) {
	c.t.Helper()
	var m dto.Metric
	if err := c.took.Write(&m); err != nil {
		c.t.Fatal(err)
	}
	h := m.GetHistogram()
	if h.GetSampleCount() != uint64(done) || math.Abs(h.GetSampleSum()-sum.Seconds()) > 1e-9 {
		c.t.Errorf("%d in force after %v s in sum, want %d after %v", h.GetSampleCount(), h.GetSampleSum(), done, sum)
	}
	if _, n := c.state(); n != pending {
		c.t.Errorf("%d pending, want %d", n, pending)
	}
}

func TestARevocationIsInForceOnceAllFromBeforeItHaveEnded(t *testing.T) {
	t.Run("nobody was there", func(t *testing.T) {
		c := newClocked(t)
		c.revoked()
		c.want(1, 0, 0)
	})
	t.Run("requests from before it", func(t *testing.T) {
		c := newClocked(t)
		a, b := c.begin(), c.begin()
		c.revoked()
		later := c.begin()
		c.at = c.at.Add(time.Second)
		c.end(b)
		c.want(0, 0, 1)
		if age, _ := c.state(); age != time.Second {
			t.Errorf("the oldest is %v old", age)
		}
		c.at = c.at.Add(time.Second)
		c.end(a)
		c.want(1, 2*time.Second, 0)
		c.end(later)
		c.want(1, 2*time.Second, 0)
	})
	t.Run("requests from after it are not waited for", func(t *testing.T) {
		c := newClocked(t)
		c.revoked()
		c.begin()
		c.at = c.at.Add(time.Hour)
		c.want(1, 0, 0)
	})
	t.Run("two, and one that sees both", func(t *testing.T) {
		c := newClocked(t)
		a := c.begin()
		c.revoked()
		b := c.begin()
		c.at = c.at.Add(time.Second)
		c.revoked()
		c.want(0, 0, 2)
		c.end(b) // the second still waits for a
		c.want(0, 0, 2)
		c.at = c.at.Add(time.Second)
		c.end(a)
		c.want(2, 3*time.Second, 0)
	})
	t.Run("what is over is forgotten", func(t *testing.T) {
		c := newClocked(t)
		for range 1000 {
			c.end(c.begin())
			c.revoked()
		}
		if len(c.running) > 1 {
			t.Errorf("%d turns are kept", len(c.running))
		}
		c.want(1000, 0, 0)
	})
}

func TestWhatCountsAsARevocation(t *testing.T) {
	for name, tc := range map[string]struct {
		event web.Event
		want  bool
	}{
		"a grant":                    {web.Event{Action: "grant.revoke", Status: 204}, true},
		"a grant, on a page":         {web.Event{Action: "grant.revoke", Status: 303}, true},
		"many":                       {web.Event{Action: "revocation.create", Status: 200}, true},
		"a client is disabled":       {web.Event{Action: "client.update", Status: 200}, true},
		"by RFC 7009":                {web.Event{Route: "/oauth2/revoke", Status: 200}, true},
		"denied":                     {web.Event{Action: "grant.revoke", Status: 403}, false},
		"not recorded":               {web.Event{Action: "grant.revoke", Status: 503}, false},
		"by RFC 7009, of a stranger": {web.Event{Route: "/oauth2/revoke", Status: 401}, false},
		"reading":                    {web.Event{Action: "grant.list", Status: 200}, false},
	} {
		if got := revokes(&tc.event); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func BenchmarkTurns(b *testing.B) {
	t := newTurns(time.Now)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			t.end(t.begin())
		}
	})
}
