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
	// AlertTimeout is the same for [Engine.Alerts], which nobody waits for.
	AlertTimeout time.Duration

	pseudonymKey []byte
	current      atomic.Pointer[snapshot]
}

// Option is something that an Engine has from its beginning.
type Option func(*Engine)

// PseudonymKey is the secret of 32 bytes by which masked fields get their
// pseudonyms. With another one, what was masked before is not found by its
// value. Without one, a policy whose masks need pseudonyms is refused.
func PseudonymKey(key []byte) Option {
	return func(e *Engine) { e.pseudonymKey = slices.Clone(key) }
}

// Open makes an engine of a bundle: *.rego files and a data.json at the root.
// It fails where the strict compiler finds anything to say: a builtin that is
// not on the list, a path that the input's schema does not have, an unused name;
// and where the policy masks what a record can't do without.
func Open(bundle fs.FS, options ...Option) (*Engine, error) {
	e := &Engine{Timeout: defaultTimeout, AlertTimeout: defaultAlertTimeout}
	for _, option := range options {
		option(e)
	}
	if n := len(e.pseudonymKey); n != 0 && n != pseudonymKeySize {
		return nil, fmt.Errorf("policies: the key of the pseudonyms has %d bytes, want %d", n, pseudonymKeySize)
	}
	return e, e.Load(bundle)
}

// Load makes bundle the revision that decides from now on; decisions that have
// begun end by the one before. After an error everything is as it was.
func (e *Engine) Load(bundle fs.FS) error {
	s, err := newSnapshot(bundle, e.pseudonymKey)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	e.current.Store(s)
	return nil
}

// Revision is the digest of the modules and data that decide now.
func (e *Engine) Revision() string { return e.current.Load().revision }

// Masked says what records keep now of what was asked. Masks change with the
// revision: take it anew for each record.
func (e *Engine) Masked() *Mask { return e.current.Load().mask }

// Value is that of the [Mask] that holds now, for those who write records and
// outlive revisions.
func (e *Engine) Value(pointer, value string) (replacement string, masked bool) {
	return e.Masked().Value(pointer, value)
}

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
// what a record needs. Rules see all of r; the Decision holds what is left of it
// under the masks.
func (e *Engine) Decide(ctx context.Context, r *Request) (*Decision, error) {
	s := e.current.Load()
	d := &Decision{Status: 503, Code: "policy_unavailable", Revision: s.revision, DataDigest: s.dataDigest}
	input := r.value()
	d.Input, d.Erased, d.Masked = s.mask.appendInput(make([]byte, 0, inputSize), input)
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

var errUndefined = errors.New("the answer is undefined")

// evaluate asks the question about one input.
func (s *snapshot) evaluate(ctx context.Context, input ast.Value, until *deadline, more ...rego.EvalOption) (ast.Value, error) {
	return evaluateOnce(ctx, s.query, append([]rego.EvalOption{
		rego.EvalParsedInput(input),
		rego.EvalMetrics(metrics.NoOp()),
		rego.EvalExternalCancel(until),
	}, more...)...)
}

// evaluateOnce asks a query. A panic of the library is an error like others: it
// must deny, not end a sweep or a connection without a record.
func evaluateOnce(ctx context.Context, query rego.PreparedEvalQuery, options ...rego.EvalOption) (v ast.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fmt.Errorf("the evaluation panicked: %v", p)
		}
	}()
	rs, err := query.Eval(ctx, options...)
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
