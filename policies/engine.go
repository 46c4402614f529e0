package policies

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/rego"
)

// defaultTimeout is how long rules may work on a decision; they need well under a millisecond.
const defaultTimeout = 100 * time.Millisecond

// What nearly every input and result fits in.
const inputSize, resultSize = 1024, 256

// Engine decides by one revision of modules and data. It is safe for
// concurrent use.
type Engine struct {
	// Timeout ends the evaluation of rules that work too long, and so denies;
	// set it before the first use.
	Timeout time.Duration

	current atomic.Pointer[snapshot]
}

// Open makes an engine of a bundle: *.rego files and a data.json at the root.
// It fails where the strict compiler finds anything to say: a builtin that is
// not on the list, a path that the input's schema does not have, an unused name.
func Open(bundle fs.FS) (*Engine, error) {
	e := &Engine{Timeout: defaultTimeout}
	return e, e.Load(bundle)
}

// Load makes bundle the revision that decides from now on; decisions that have
// begun end by the one before. After an error everything is as it was.
func (e *Engine) Load(bundle fs.FS) error {
	s, err := newSnapshot(bundle)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	e.current.Store(s)
	return nil
}

// Revision is the digest of the modules and data that decide now.
func (e *Engine) Revision() string { return e.current.Load().revision }

// Roles lists the names in the role table, sorted.
func (e *Engine) Roles() []string { return e.current.Load().roleNames() }

// ScopesOf are the scopes that a member of staff with these roles may be given,
// sorted, each once; a role that is not in the table gives none.
func (e *Engine) ScopesOf(roles []string) []string {
	table := e.current.Load().roles
	var all []string
	for _, role := range roles {
		all = append(all, table[role].Scopes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Decide answers one question. On an error there is no answer: the Decision
// beside it, never nil, denies with the code "policy_unavailable" and holds
// what a record needs.
func (e *Engine) Decide(ctx context.Context, r *Request) (*Decision, error) {
	s := e.current.Load()
	d := &Decision{Status: 503, Code: "policy_unavailable", Revision: s.revision, DataDigest: s.dataDigest}
	input := r.value()
	d.Input = appendJSON(make([]byte, 0, inputSize), input)
	if err := r.check(); err != nil {
		return d, fmt.Errorf("policies: %w", err)
	}
	begin := time.Now()
	result, err := s.evaluate(ctx, input, newDeadline(ctx, begin, e.Timeout))
	d.EvalNS = time.Since(begin).Nanoseconds()
	if err != nil {
		return d, fmt.Errorf("policies: %w", err)
	}
	d.Result = appendJSON(make([]byte, 0, resultSize), result)
	answer, err := readAnswer(result)
	if err != nil {
		return d, fmt.Errorf("policies: the result is malformed: %w", err)
	}
	answer.fill(d)
	return d, nil
}

var errUndefined = errors.New(question + " is undefined")

// evaluate asks the question once. A panic of the library is an error like
// others: it must deny, not end a sweep or a connection without a record.
func (s *snapshot) evaluate(ctx context.Context, input ast.Value, until *deadline, more ...rego.EvalOption) (v ast.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fmt.Errorf("the evaluation panicked: %v", p)
		}
	}()
	options := append([]rego.EvalOption{
		rego.EvalParsedInput(input),
		rego.EvalMetrics(metrics.NoOp()),
		rego.EvalExternalCancel(until),
	}, more...)
	rs, err := s.query.Eval(ctx, options...)
	switch {
	case err != nil:
		return nil, err
	case len(rs) != 1 || len(rs[0].Expressions) != 1:
		return nil, errUndefined
	}
	result, ok := rs[0].Expressions[0].Value.(ast.Value)
	if !ok {
		return nil, errUndefined
	}
	return result, nil
}
