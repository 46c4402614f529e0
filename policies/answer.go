package policies

import (
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// answer is the result object as rules give it.
type answer struct {
	allow       bool
	status      int
	code        string
	reasons     []Reason
	needed      []string
	obligations map[string]any
}

func (a *answer) fill(d *Decision) {
	d.Allow, d.Status, d.Code = a.allow, a.status, a.code
	d.Reasons, d.Needed, d.Obligations = a.reasons, a.needed, a.obligations
}

// readAnswer takes the result apart and trusts none of it: a member that is
// missing, of another type, or at odds with the others is an error.
func readAnswer(v ast.Value) (*answer, error) {
	o, ok := v.(ast.Object)
	if !ok {
		return nil, fmt.Errorf("it is a %s", ast.ValueName(v))
	}
	r := reader{object: o}
	a := &answer{
		allow:       bool(read[ast.Boolean](&r, "allow")),
		status:      r.status(),
		code:        string(read[ast.String](&r, "code")),
		reasons:     r.reasons(),
		needed:      r.needed(),
		obligations: r.obligations(),
	}
	if r.err != nil {
		return nil, r.err
	}
	return a, a.check()
}

// check keeps an answer from saying yes in one member and no in another.
func (a *answer) check() error {
	switch {
	case a.allow && (a.status != 200 || a.code != "ok"):
		return fmt.Errorf("it allows with status %d and code %q", a.status, a.code)
	case !a.allow && (a.status < 400 || a.status > 499 || a.code == "ok" || a.code == ""):
		return fmt.Errorf("it denies with status %d and code %q", a.status, a.code)
	case !a.allow && (len(a.obligations) > 1 || len(a.obligations) == 1 && a.obligations[StepUp] == nil):
		return errors.New("it denies with obligations")
	}
	return nil
}

// reader reads members of an object and keeps the first error.
type reader struct {
	object ast.Object
	err    error
}

func (r *reader) fail(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is missing or of a wrong type", name)
	}
}

// read is the member of this name, or the zero T and an error in r.
func read[T ast.Value](r *reader, name string) T {
	var zero T
	if t := r.object.Get(ast.StringTerm(name)); t != nil {
		if v, ok := t.Value.(T); ok {
			return v
		}
	}
	r.fail(name)
	return zero
}

func (r *reader) status() int {
	n, ok := read[ast.Number](r, "status").Int()
	if !ok {
		r.fail("status")
	}
	return n
}

func (r *reader) needed() []string {
	list := read[*ast.Array](r, "needed")
	if list == nil || list.Len() == 0 {
		return nil
	}
	out := make([]string, 0, list.Len())
	list.Foreach(func(t *ast.Term) {
		s, ok := t.Value.(ast.String)
		if !ok {
			r.fail("needed")
		}
		out = append(out, string(s))
	})
	return out
}

func (r *reader) reasons() []Reason {
	list := read[*ast.Array](r, "reasons")
	if list == nil || list.Len() == 0 {
		return nil
	}
	out := make([]Reason, 0, list.Len())
	list.Foreach(func(t *ast.Term) {
		o, ok := t.Value.(ast.Object)
		if !ok {
			r.fail("reasons")
			return
		}
		one := reader{object: o}
		out = append(out, Reason{
			Code:    string(read[ast.String](&one, "code")),
			Message: string(read[ast.String](&one, "message")),
			Rule:    string(read[ast.String](&one, "rule")),
		})
		if one.err != nil {
			r.fail("reasons")
		}
	})
	return out
}

func (r *reader) obligations() map[string]any {
	o, ok := read[ast.Value](r, "obligations").(ast.Object)
	if !ok {
		r.fail("obligations")
		return nil
	}
	if o.Len() == 0 {
		return nil
	}
	out := make(map[string]any, o.Len())
	o.Foreach(func(k, v *ast.Term) {
		name, ok := k.Value.(ast.String)
		value, known := obligationOf(v.Value)
		if !ok || !known {
			r.fail("obligations")
			return
		}
		out[string(name)] = value
	})
	return out
}

// obligationOf is a scalar, or a map of scalars by name.
func obligationOf(v ast.Value) (any, bool) {
	o, ok := v.(ast.Object)
	if !ok {
		return scalarOf(v)
	}
	out, good := make(map[string]any, o.Len()), true
	o.Foreach(func(k, v *ast.Term) {
		name, ok := k.Value.(ast.String)
		scalar, known := scalarOf(v.Value)
		good = good && ok && known
		out[string(name)] = scalar
	})
	return out, good
}

// scalarOf is a bool, a string or an int64; nothing else is a scalar here.
func scalarOf(v ast.Value) (any, bool) {
	switch v := v.(type) {
	case ast.Boolean:
		return bool(v), true
	case ast.String:
		return string(v), true
	case ast.Number:
		return v.Int64()
	}
	return nil, false
}
