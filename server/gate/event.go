package gate

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Event is an act that the log keeps though no policy was asked about it. What
// says which kind it is; the other members say who, on what and whence, as far
// as that is known. None may hold a secret, or what somebody typed and nobody
// has checked: that may be a secret in the wrong field.
type Event struct {
	What     What
	At       time.Time // zero: now
	Tenant   string
	Subject  Party  // who did it or, where Proof says that it is not proven, is said to have; zero: nobody who is known
	Proof    Proof  // zero: nobody looked
	Client   string // the OAuth2 client
	Resource Party  // what it was done to
	Grant    string // id of the grant or session that it was done by or that it made
	Related  string // id of another person that it touches
	Request  *web.Event
}

// Party is a subject or a resource by its type and id.
type Party struct{ Type, ID string }

// Pointgate is the subject of what the program does by itself.
var pointgate = Party{"system", "pointgate"}

// Proof is how the subject was recognised, as in a decision's
// input.context.authentication.
type Proof struct {
	Method string // password, session, client_secret, internal; none
	Status web.Status
}

// internal is the proof of what the program, or an operator at its machine, does.
var internal = Proof{"internal", web.Valid}

// System is the event of something that the program or its operator did.
func System(tenant string, what What, resource Party) Event {
	return Event{What: what, Tenant: tenant, Subject: pointgate, Proof: internal, Resource: resource}
}

// Mask keeps values out of the log, before anything is hashed. It is safe for
// concurrent use.
type Mask interface {
	// Value is what the record has in the place of value, whose place in it is a
	// JSON pointer (RFC 6901); masked is false where it stays as it is. An empty
	// replacement leaves the member out.
	Value(pointer, value string) (replacement string, masked bool)
}

// Events makes the records of events. All fields but Mask are set before use.
type Events struct {
	Store  *store.DB
	Now    func() time.Time
	NewID  func() string
	Labels map[string]string // of this node, in every record
	Mask   Mask              // nil: nothing is masked
}

// Append records an event that changes nothing in the database. It is durable
// when Append returns; [store.ErrUnavailable] means that there is no record, so
// what it would be the record of must not be told as done.
func (e *Events) Append(ctx context.Context, ev Event) error {
	return e.Store.Append(ctx, e.Record(ev))
}

// Record makes the record of an event, to be given to tx.Record in the write
// that has the event's effect, so that there is never the one without the other.
func (e *Events) Record(ev Event) *store.Record {
	if ev.At.IsZero() {
		ev.At = e.Now()
	}
	if ev.Request == nil {
		ev.Request = new(web.Event)
	}
	k := ev.What.kind()
	v := veil{mask: e.Mask}
	in := v.input(&ev, k.action)
	related, grant := v.value("/custom/related", ev.Related), v.value("/custom/grant", ev.Grant)
	result := eventResult{Allow: k.code == ok, Status: k.status, Code: k.code}
	b := body{
		Labels: e.Labels, DecisionID: e.NewID(), Path: "pointgate/" + k.action, Input: in, Result: result,
		RequestedBy: v.value("/requested_by", ev.Request.IP), Timestamp: ev.At.UTC().Format(time.RFC3339Nano),
		Custom: v.custom(ev.What, customBase{ev.Tenant, k.status, k.code, grant, related}),
	}
	b.Erased, b.Masked = v.lists()
	b.TraceID, b.SpanID = ev.Request.TraceID, ev.Request.SpanID
	raw, _ := json.Marshal(&b) // strings and numbers, and JSON that we made: can't fail
	return &store.Record{
		ID: b.DecisionID, At: store.At(ev.At), Tenant: ev.Tenant, Subject: in.Subject.ID, Client: in.Context.Client.ID,
		Action: k.action, Resource: in.Resource.ID, Related: related, Allow: result.Allow, Code: k.code, Status: k.status,
		Request: in.Context.Request.ID, Grant: grant, IP: b.RequestedBy, Body: raw,
	}
}
