package policies

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

var errNobody = errors.New("the subject has no id")

// check refuses a question that can't be stated whole.
func (r *Request) check() error {
	if r.Subject.ID == "" && r.Subject.Type != "anonymous" {
		return errNobody // its record would not say who did it
	}
	for name, fact := range r.Context.Facts {
		if factTerm(fact) == nil {
			return fmt.Errorf("the fact %s is a %T", name, fact)
		}
	}
	return nil
}

// value states the question as rules see it. An id or a tenant that is empty
// is left out: undefined equals nothing, but "" would equal another "".
func (r *Request) value() ast.Value {
	return ast.NewObject(
		member("subject", r.Subject.term()),
		member("action", object(member("name", text(r.Action)))),
		member("resource", r.Resource.term()),
		member("context", r.Context.term()),
	)
}

func (s *Subject) term() *ast.Term {
	return object(append(named("id", s.ID),
		member("type", text(s.Type)),
		member("properties", object(append(named("tenant", s.Tenant), member("roles", texts(s.Roles)))...)),
	)...)
}

func (r *Resource) term() *ast.Term {
	if r.ID == "" {
		return object(member("type", text(r.Type)), member("named", ast.InternedTerm(false)))
	}
	return object(
		member("type", text(r.Type)),
		member("named", ast.InternedTerm(true)),
		member("id", text(r.ID)),
		member("properties", object(member("owner", text(r.Owner)), member("tenant", text(r.Tenant)))),
	)
}

func (c *Context) term() *ast.Term {
	members := [][2]*ast.Term{
		member("authentication", object(append(slices.Concat(named("bound", c.Bound), named("fault", c.Fault), named("acr", c.ACR)),
			member("method", text(c.Method)),
			member("status", text(c.Status)),
			member("age_s", ast.InternedTerm(int(c.Age))),
			member("amr", texts(c.AMR)),
		)...)),
		member("client", object(append(named("id", c.ClientID), member("trusted", ast.InternedTerm(c.Trusted)))...)),
		member("scopes", texts(c.Scopes)),
		member("tenant", object(append(named("id", c.Tenant), member("home", ast.InternedTerm(c.Home)))...)),
		member("request", object(
			member("id", text(c.RequestID)),
			member("method", text(c.HTTP)),
			member("path", text(c.Path)),
			member("ip", text(c.IP)),
		)),
		member("time", text(c.Time.UTC().Format(time.RFC3339Nano))),
		member("facts", c.Facts.term()),
	}
	if c.Actor != "" {
		members = append(members, member("actor", object(member("id", text(c.Actor)))))
	}
	return object(members...)
}

func (f Facts) term() *ast.Term {
	o := ast.NewObjectWithCapacity(len(f))
	for name, fact := range f {
		if t := factTerm(fact); t != nil {
			o.Insert(text(name), t)
		}
	}
	return ast.NewTerm(o)
}

// factTerm is nil for what is neither a scalar nor a list of strings.
func factTerm(fact any) *ast.Term {
	switch v := fact.(type) {
	case string:
		return text(v)
	case bool:
		return ast.InternedTerm(v)
	case int:
		return ast.InternedTerm(v)
	case int64:
		return ast.InternedTerm(v)
	case []string:
		return texts(v)
	}
	return nil
}

// names are the members' names, made once and never changed.
var names = func() map[string]*ast.Term {
	m := map[string]*ast.Term{}
	for _, n := range []string{
		"acr", "action", "actor", "age_s", "amr", "authentication", "bound", "client", "context", "facts", "fault", "home", "id", "ip", "method",
		"name", "named", "owner", "path", "properties", "request", "resource", "roles", "scopes", "status", "subject",
		"tenant", "time", "trusted", "type",
	} {
		m[n] = ast.StringTerm(n)
	}
	return m
}()

func member(name string, value *ast.Term) [2]*ast.Term { return ast.Item(names[name], value) }

// named is the member if there is a value, or nothing.
func named(name, value string) [][2]*ast.Term {
	if value == "" {
		return nil
	}
	return [][2]*ast.Term{member(name, text(value))}
}

func object(members ...[2]*ast.Term) *ast.Term { return ast.NewTerm(ast.NewObject(members...)) }

// text makes s valid UTF-8: JSON could not carry anything else, and the record
// must say what the rules saw.
func text(s string) *ast.Term { return ast.StringTerm(valid(s)) }

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func texts(list []string) *ast.Term {
	terms := make([]*ast.Term, len(list))
	for i, s := range list {
		terms[i] = text(s)
	}
	return ast.NewTerm(ast.NewArray(terms...))
}
