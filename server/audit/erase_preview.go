package audit

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pointgate/pointgate/store"
)

// previewTime bounds what is counted before somebody waits for the answer.
const previewTime = 15 * time.Second

// Preview looks at what an erasure would empty if it were asked for now: Records
// of those below Position, which is below Size where the time was not enough for
// the whole log. Nothing is changed.
func (e *Eraser) Preview(ctx context.Context, tenant, person, askedBy string) (*store.Erasure, error) {
	size, err := e.Store.LogSize(ctx)
	if err != nil {
		return nil, err
	}
	o := &store.Erasure{Tenant: tenant, Person: person, AskedBy: askedBy, Size: size}
	for until := time.Now().Add(previewTime); o.Position < o.Size && time.Now().Before(until); {
		next, n, err := e.Store.CountEmpty(ctx, e.emptying(o))
		if err != nil {
			return nil, err
		}
		if next == o.Position {
			return nil, errStands
		}
		o.Position, o.Records = next, o.Records+n
	}
	return o, nil
}

// Knows reports whether a person is a user of the tenant, also a disabled one, or
// was one, by what the log says of an account that is gone.
func (e *Eraser) Knows(ctx context.Context, tenant, person string) (bool, error) {
	_, err := store.GetUser(ctx, e.Store, tenant, person)
	if !errors.Is(err, store.ErrNotFound) {
		return err == nil, err
	}
	m := mentionOf(e.names(person)...)
	for _, name := range m.names {
		for _, f := range []store.DecisionFilter{{Subject: name}, {Resource: name}, {Related: name}} {
			f.Tenant, f.Limit = tenant, knownBy
			list, err := e.Store.Decisions(ctx, f)
			if err != nil {
				return false, err
			}
			for i := range list {
				if m.proven(&list[i]) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// knownBy is how many records are asked, the newest, whether an id was a person's.
const knownBy = 100

// proven reports whether the record shows that the id was a person's: who had a
// valid credential, whose the resource was, or who was on the other side of what
// was done. An id that somebody only typed shows nothing.
func (m mention) proven(r *store.Record) bool {
	var b struct {
		Input struct {
			Subject  struct{ Type, ID string }
			Resource struct{ Properties struct{ Owner string } }
			Context  struct {
				Authentication struct{ Status string }
			}
		}
	}
	if r.Erased || json.Unmarshal(r.Body, &b) != nil {
		return false
	}
	in := &b.Input
	return (m.is(in.Subject.ID) && !machine[in.Subject.Type] && in.Context.Authentication.Status == "valid") ||
		m.is(in.Resource.Properties.Owner) || (m.is(r.Related) && r.Allow && r.Status < 300)
}
