package policies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// maskQuestion is asked once for a revision, never for a request: what a record
// leaves out must not hang on what is in it.
const (
	maskQuestion = "data.pointgate.mask"
	maskTimeout  = time.Second
)

const (
	inputRoot = "/input"
	// The address stands in a record twice; a mask on either is on both, or it
	// would hide nothing.
	ipField     = "/input/context/request/ip"
	requestedBy = "/requested_by"
	// Another person whom an act touches has what the subject has.
	subjectField = "/input/subject/id"
	related      = "/custom/related"
)

// twins are the members of custom that hold what a field of the input holds, or
// another thing of that kind: a mask on the field is on them too. A new member of
// an event belongs here, unless it tells of no person, client, address or path.
var twins = map[string][]string{
	subjectField:                  {related, "/custom/asked_by", "/custom/operator"},
	"/input/resource/id":          {"/custom/replaced"},
	"/input/context/client/id":    {"/custom/shown_by"},
	"/input/context/request/path": {"/custom/first_path"},
}

// neverMasked is what the log itself needs: by what it is divided, sorted and
// searched, and what tells one kind of act from another. It names no person.
var neverMasked = []string{
	"/input/action", "/input/subject/type", "/input/resource/type", "/input/resource/named",
	"/input/context/tenant", "/input/context/time",
}

// readMask asks the policy what it masks, and holds each mask against the rules
// that decide: a masked record must still be decidable.
func (s *snapshot) readMask(parsed map[string]*ast.Module, key []byte) (*Mask, error) {
	m := &Mask{key: key}
	pointers, err := s.maskedPointers()
	if err != nil || len(pointers) == 0 {
		return m, s.inMask(err)
	}
	reads, err := s.inputReads(parsed)
	if err != nil {
		return nil, s.inMask(err)
	}
	var refused []string
	for _, pointer := range slices.Sorted(maps.Keys(pointers)) {
		as, err := treat(pointer, pointers, reads)
		switch {
		case err != nil:
			refused = append(refused, fmt.Sprintf("%s: %v", pointer, err))
		case as == pseudonymous && key == nil:
			refused = append(refused, pointer+": rules compare it, so it would need a pseudonym, and there is no key for one")
		default:
			m.put(pointer, as)
		}
	}
	if refused != nil {
		return nil, s.inMask(errors.New(strings.Join(refused, "; ")))
	}
	return m, nil
}

// inMask says where the masks are that an error is about.
func (s *snapshot) inMask(err error) error {
	if err == nil {
		return nil
	}
	var places []string
	for _, r := range s.compiler.GetRules(ast.MustParseRef(maskQuestion)) {
		places = append(places, place(r.Location))
	}
	slices.Sort(places)
	if places = slices.Compact(places); places == nil {
		places = []string{dataFile}
	}
	return fmt.Errorf("%s: %s: %w", strings.Join(places, ", "), maskQuestion, err)
}

func place(l *ast.Location) string { return fmt.Sprintf("%s:%d", l.File, l.Row) }

// maskedPointers evaluates the masks and takes them apart; what is malformed is
// an error, not a mask that is not there.
func (s *snapshot) maskedPointers() (map[string]bool, error) {
	rules := s.reachable(maskQuestion)
	for _, r := range rules {
		if ref := firstInput(r); ref != nil {
			return nil, fmt.Errorf("%s (%s) reads %s: masks are the same for all requests",
				fullName(r.Module, r), place(r.Location), ref)
		}
	}
	ctx := context.Background()
	query, err := s.prepare(maskQuestion)
	if err != nil {
		return nil, err
	}
	v, err := evaluateOnce(ctx, query, rego.EvalExternalCancel(newDeadline(ctx, time.Now(), maskTimeout)))
	switch {
	case errors.Is(err, errUndefined) && len(rules) == 0:
		return nil, nil
	case err != nil:
		return nil, err
	}
	set, ok := v.(ast.Set)
	if !ok {
		return nil, fmt.Errorf("want a set of objects with a path each, not a value of type %s", ast.ValueName(v))
	}
	return readPointers(set)
}

func firstInput(r *ast.Rule) (found ast.Ref) {
	ast.WalkRefs(r, func(ref ast.Ref) bool {
		if found == nil && ref.HasPrefix(ast.InputRootRef) {
			found = ref
		}
		return found != nil
	})
	return found
}

func readPointers(set ast.Set) (map[string]bool, error) {
	out := map[string]bool{}
	for _, t := range set.Slice() {
		pointer, err := readPointer(t.Value)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", t, err)
		}
		out[pointer] = true
	}
	if out[requestedBy] {
		delete(out, requestedBy)
		if !slices.ContainsFunc(slices.Collect(maps.Keys(out)), func(p string) bool { return within(ipField, p) }) {
			out[ipField] = true
		}
	}
	for inner := range out {
		for outer := range out {
			if inner != outer && within(inner, outer) {
				return nil, fmt.Errorf("%s is masked with all of %s; leave one out", inner, outer)
			}
		}
	}
	return out, nil
}

// readPointer takes one mask: an object with a path, and a reason if wanted.
func readPointer(v ast.Value) (string, error) {
	o, ok := v.(ast.Object)
	if !ok {
		return "", errors.New("want an object with a path")
	}
	var pointer string
	for _, k := range o.Keys() {
		name, _ := k.Value.(ast.String)
		value, isText := o.Get(k).Value.(ast.String)
		switch {
		case name != "path" && name != "reason":
			return "", fmt.Errorf("there is no member %v; want a path, and a reason if wanted", k)
		case !isText:
			return "", fmt.Errorf("%s is no text", string(name))
		case name == "path":
			pointer = string(value)
		}
	}
	return pointer, checkPointer(pointer)
}

func checkPointer(pointer string) error {
	if pointer == requestedBy {
		return nil
	}
	if declared(pointer) == nil {
		return fmt.Errorf("want a JSON pointer to what input.schema.json declares, such as %s, or %s", ipField, requestedBy)
	}
	for _, p := range neverMasked {
		if within(p, pointer) || within(pointer, p) {
			return fmt.Errorf("the log needs %s", p)
		}
	}
	return nil
}

// within says whether inner is outer or lies in it.
func within(inner, outer string) bool {
	return inner == outer || strings.HasPrefix(inner, outer+"/")
}

// property is what the schema of the input says of one path. Its names need no
// escapes in a JSON pointer; a test holds that.
type property struct {
	Type       string               `json:"type"`
	Properties map[string]*property `json:"properties"`
}

// properties are all that the schema declares, by pointer.
var properties = sync.OnceValue(func() map[string]*property {
	var root property
	if err := json.Unmarshal(inputSchema, &root); err != nil {
		panic(err) // it is built in, and newCompiler has read it
	}
	all := map[string]*property{}
	var add func(pointer string, p *property)
	add = func(pointer string, p *property) {
		all[pointer] = p
		for name, member := range p.Properties {
			add(pointer+"/"+name, member)
		}
	}
	add(inputRoot, &root)
	return all
})

func declared(pointer string) *property { return properties()[pointer] }

// declaredBelow are the pointers at and below this one.
func declaredBelow(pointer string) (out []string) {
	for p := range properties() {
		if within(p, pointer) {
			out = append(out, p)
		}
	}
	return out
}
