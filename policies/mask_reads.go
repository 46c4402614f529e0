package policies

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/dependencies"
)

// inputRead is one place where a rule reads the input. What can't be told for sure
// is a read of more than there is: a mask too many refused does no harm.
type inputRead struct {
	pointer string // as far as the path is constant
	partner string // what it is compared with, where nothing else is done with it
	by      string // the rule, with file and line
}

// treat finds what can be done to a field so that rules decide the same without
// it: leave it out where nobody reads it; a pseudonym where it is only asked
// whether it equals another field that gets one by the same key. Else an error.
func treat(pointer string, chosen map[string]bool, reads []inputRead) (treatment, error) {
	as := erased
	for _, r := range reads {
		switch {
		case !within(r.pointer, pointer) && !within(pointer, r.pointer):
			continue
		case r.pointer != pointer || r.partner == "":
			return 0, fmt.Errorf("%s reads %s, and not only to compare it with another masked path", r.by, r.pointer)
		case !chosen[r.partner] && checkPointer(r.partner) != nil:
			return 0, fmt.Errorf("%s compares it with %s, which can't be masked", r.by, r.partner)
		case !chosen[r.partner]:
			return 0, fmt.Errorf("%s compares it with %s: mask that as well", r.by, r.partner)
		case declared(pointer).Type != "string":
			return 0, fmt.Errorf("%s compares it, and only text has a pseudonym", r.by)
		}
		as = pseudonymous
	}
	return as, nil
}

// inputReads finds what the rules that can have a part in a decision read. It
// looks at the modules as they were written, where an equality still stands as
// one; what the library then finds in the compiled ones must be among it.
func (s *snapshot) inputReads(parsed map[string]*ast.Module) (reads []inputRead, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the search for what rules read panicked: %v", p)
		}
	}()
	modules := map[string]*ast.Module{}
	for _, r := range s.reachable(question) {
		modules[r.Location.File] = parsed[r.Location.File]
	}
	w := walker{redefined: redefined(modules)}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		w.walkModule(modules[name])
	}
	base, err := dependencies.Base(s.compiler, ast.MustParseRef(question))
	if err != nil {
		return nil, err
	}
	return w.reads, unseen(base, w.reads)
}

// unseen is an error for what the compiled rules read and reads has not.
func unseen(base []ast.Ref, reads []inputRead) error {
	for _, ref := range base {
		if !ref.HasPrefix(ast.InputRootRef) {
			continue
		}
		pointer, _ := pointerOf(ref)
		if !slices.ContainsFunc(reads, func(r inputRead) bool { return within(pointer, r.pointer) }) {
			return fmt.Errorf("a rule reads %s in a way that can't be followed, so nothing can be masked", ref)
		}
	}
	return nil
}

// reachable are the compiled rules on which the value at a path can depend.
func (s *snapshot) reachable(path string) []*ast.Rule {
	todo, seen := s.compiler.GetRules(ast.MustParseRef(path)), map[*ast.Rule]bool{}
	var out []*ast.Rule
	for len(todo) > 0 {
		r := todo[0]
		if todo = todo[1:]; seen[r] {
			continue
		}
		seen[r], out = true, append(out, r)
		for next := range s.compiler.Graph.Dependencies(r) {
			todo = append(todo, next.(*ast.Rule))
		}
	}
	return out
}

// walker collects what a module reads.
type walker struct {
	redefined map[ast.Var]bool
	module    *ast.Module
	name      string
	at        *ast.Location
	reads     []inputRead
}

func (w *walker) walkModule(m *ast.Module) {
	w.module = m
	for _, i := range m.Imports {
		w.name, w.at = "an import", i.Location
		w.walk(i.Path) // an alias of the input may be read in any way
	}
	for _, r := range m.Rules {
		w.name, w.at = fullName(m, r), r.Location
		w.walk(r)
	}
}

func fullName(m *ast.Module, r *ast.Rule) string {
	return strings.TrimPrefix(m.Package.Path.String(), "data.") + "." + r.Head.Ref().String()
}

func (w *walker) walk(x any) { ast.NewGenericVisitor(w.visit).Walk(x) }

// visit is true for what has been walked.
func (w *walker) visit(x any) bool {
	switch x := x.(type) {
	case *ast.Head:
		w.walk(x.Reference) // the library's own walk leaves it out
	case *ast.Term:
		w.here(x.Location)
	case *ast.Expr:
		w.here(x.Location)
		if terms, ok := x.Terms.([]*ast.Term); ok && w.comparison(terms) {
			for _, with := range x.With {
				w.walk(with)
			}
			return true
		}
	case ast.Call:
		return w.comparison(x)
	case ast.Ref:
		w.ref(x)
		return true
	case ast.Var:
		if x == ast.InputRootDocument.Value {
			w.add(inputRoot, "")
		}
	}
	return false
}

func (w *walker) here(l *ast.Location) {
	if l != nil {
		w.at = l
	}
}

func (w *walker) add(pointer, partner string) {
	w.reads = append(w.reads, inputRead{pointer, partner, fmt.Sprintf("%s (%s)", w.name, place(w.at))})
}

// ref is a read where it begins at the input; in its brackets may be more.
func (w *walker) ref(r ast.Ref) {
	if pointer, _ := pointerOf(r); pointer != "" {
		w.add(pointer, "")
		r = r[1:]
	}
	for _, t := range r {
		w.walk(t)
	}
}

// equalities are the operators ==, !=, and =, by their names. Between two
// defined values each says whether they are equal, and nothing more.
var equalities = []ast.Var{"equal", "neq", "eq"}

// comparison takes an equality of two constant paths of the input, if it is one.
func (w *walker) comparison(terms []*ast.Term) bool {
	if len(terms) != 3 {
		return false
	}
	operator, ok := terms[0].Value.(ast.Ref)
	if !ok || len(operator) != 1 {
		return false
	}
	name, _ := operator[0].Value.(ast.Var)
	left, leftWhole := pointerOf(terms[1].Value)
	right, rightWhole := pointerOf(terms[2].Value)
	if !slices.Contains(equalities, name) || w.redefined[name] || !leftWhole || !rightWhole {
		return false
	}
	w.here(terms[1].Location)
	w.add(left, right)
	w.add(right, left)
	return true
}

// pointerOf is the pointer to what a reference reads of the input, as far as it
// is constant, and whether all of it is; empty for what begins elsewhere.
func pointerOf(v ast.Value) (pointer string, whole bool) {
	ref, ok := v.(ast.Ref)
	if !ok || !ref.HasPrefix(ast.InputRootRef) {
		return "", false
	}
	pointer = inputRoot
	for _, t := range ref[1:] {
		name, ok := t.Value.(ast.String)
		if !ok {
			return pointer, false
		}
		pointer += "/" + string(name)
	}
	return pointer, true
}

// redefined are the equalities that a module gives another meaning: a rule or
// an import of the name of an operator takes its place, and so does "with".
func redefined(modules map[string]*ast.Module) map[ast.Var]bool {
	found := map[ast.Var]bool{}
	for _, m := range modules {
		for _, i := range m.Imports {
			found[i.Name()] = true
		}
		ast.NewGenericVisitor(func(x any) bool {
			switch x := x.(type) {
			case *ast.Rule:
				mark(found, x.Head.Ref())
			case *ast.With:
				mark(found, x.Target.Value)
			}
			return false
		}).Walk(m)
	}
	return found
}

// mark takes the first name of a reference.
func mark(found map[ast.Var]bool, v ast.Value) {
	if ref, ok := v.(ast.Ref); ok && len(ref) > 0 {
		v = ref[0].Value
	}
	if name, ok := v.(ast.Var); ok {
		found[name] = true
	}
}
