package edge

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Refusals answers requests that are refused before the gate and leaves one
// summed record for each cause, address and second. The sums live in memory
// for that second; the number of addresses in it is bounded, and those over the
// bound are summed together.
type Refusals struct {
	Store  *store.DB
	Events *gate.Events
	Log    *slog.Logger
	Now    func() time.Time
	Home   string // the tenant whose log takes what is for no tenant
	// Page shows the refusal to a person's browser; nil: always problem+json.
	Page func(c *fiber.Ctx, p *web.Problem) error

	mu   sync.Mutex
	sums map[refusal]*sum
}

type refusal struct {
	tenant, code, ip string
	client           string // that it named
	claimed          bool   // without proof
	second           int64
}

type sum struct {
	count        int64
	status       int
	method, path string // of the first, as its id is
	requestID    string
}

const (
	maxSums = 4096
	many    = "many" // in the place of an address: of those over the bound
)

// Refuse counts the refusal and answers it.
func (r *Refusals) Refuse(c *fiber.Ctx, p *web.Problem) error {
	e := web.EventOf(c)
	e.Refused = p.Code
	r.Count(e, p)
	if r.Page != nil && c.Accepts(fiber.MIMEApplicationJSON, fiber.MIMETextHTML) == fiber.MIMETextHTML {
		e.Code = p.Code
		if p.Unwrap() != nil {
			e.Fail(p.Unwrap())
		}
		return r.Page(c, p)
	}
	return p.Answer(e).Send(c)
}

// Count adds a refusal to its sum.
func (r *Refusals) Count(e *web.Event, p *web.Problem) { r.CountFor(e, p, "") }

// CountFor is Count of a request that named a client. It must be one that there
// is: what strangers make up would grow the sums.
func (r *Refusals) CountFor(e *web.Event, p *web.Problem, client string) {
	k := refusal{tenant: e.Tenant, code: p.Code, ip: e.IP, client: client, claimed: client != "" && e.Client == "", second: r.Now().Unix()}
	if k.tenant == "" {
		k.tenant = r.Home
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sums == nil {
		r.sums = map[refusal]*sum{}
	}
	if _, known := r.sums[k]; !known && len(r.sums) >= maxSums {
		k.ip, k.client, k.claimed = many, "", false
	}
	s := r.sums[k]
	if s == nil {
		s = &sum{status: p.Status, requestID: e.RequestID, method: e.Method, path: e.Path}
		r.sums[k] = s
	}
	s.count++
}

// Run writes the records, every second until ctx ends, then what is left.
func (r *Refusals) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			r.flush(last, time.Time{})
			return
		case now := <-tick.C:
			r.flush(ctx, now)
		}
	}
}

// flush writes the sums of all seconds before now (all, if now is zero). What
// could not be written stays to be counted on, at last by the hour: a log that
// takes nothing for days must not fill the memory.
func (r *Refusals) flush(ctx context.Context, now time.Time) {
	r.mu.Lock()
	due := map[refusal]*sum{}
	for k, s := range r.sums {
		if now.IsZero() || k.second < now.Unix() {
			due[k] = s
			delete(r.sums, k)
		}
	}
	r.mu.Unlock()
	if len(due) == 0 {
		return
	}
	err := r.Store.Write(ctx, func(tx *store.Tx) error {
		for k, s := range due {
			tx.Record(r.record(k, s))
		}
		return nil
	})
	if err == nil {
		return
	}
	r.Log.Error("refusals are kept for later", "records", len(due), "error", err)
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, s := range due {
		if len(r.sums) >= maxSums {
			k = refusal{tenant: k.tenant, code: k.code, ip: many, second: k.second - k.second%3600}
		}
		if was := r.sums[k]; was != nil {
			s.count += was.count
		}
		r.sums[k] = s
	}
}

// record is the sum as the log keeps it.
func (r *Refusals) record(k refusal, s *sum) *store.Record {
	ev := gate.Event{
		What: gate.RequestRefused{Code: k.code, Status: s.status, Count: s.count, FirstPath: s.path},
		At:   time.Unix(k.second, 0), Tenant: k.tenant, Client: k.client,
		Request: &web.Event{RequestID: s.requestID, Method: s.method, Path: s.path, IP: k.ip},
	}
	if k.claimed {
		ev.Proof = gate.Proof{Method: "client_secret", Status: web.Invalid}
	}
	return r.Events.Record(ev)
}
