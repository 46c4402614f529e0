package policies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// question is the one that every decision asks.
const question = "data.pointgate.decision"

// snapshot is one revision, ready to decide. Nothing in it ever changes, so a
// decision holds on to the one that it began with.
type snapshot struct {
	revision   string
	dataDigest string
	compiler   *ast.Compiler
	store      storage.Store
	query      rego.PreparedEvalQuery
	mask       *Mask
	alerts     *alertRules // nil: there are none
	roles      map[string]role
}

// role is a row of the role table in data.
type role struct {
	Rank   int      `json:"rank"` // on the ladder from viewer to super_admin; 0: beside it
	Scopes []string `json:"scopes"`
}

// newSnapshot reads a bundle; key is that of the pseudonyms, or nil.
func newSnapshot(root fs.FS, key []byte) (*snapshot, error) {
	b, err := readBundle(root)
	if err != nil {
		return nil, err
	}
	s := &snapshot{revision: b.revision(), dataDigest: digest(b.data)}
	data, err := s.readData(b.data.content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dataFile, err)
	}
	// Values of the syntax tree as they are read, or each evaluation converts them anew.
	s.store = inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))
	deciding, alerting, err := splitAlerts(b.modules)
	if err != nil {
		return nil, err
	}
	parsed, err := s.compile(deciding)
	if err != nil {
		return nil, err
	}
	if s.mask, err = s.readMask(parsed, key); err != nil {
		return nil, err
	}
	if s.query, err = s.prepare(question); err != nil {
		return nil, err
	}
	s.alerts, err = newAlertRules(s.store, alerting)
	return s, err
}

func (s *snapshot) readData(content []byte) (map[string]any, error) {
	var data map[string]any
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if err := d.Decode(&data); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one value")
	}
	var table struct {
		Roles map[string]role `json:"roles"`
	}
	if err := json.Unmarshal(content, &table); err != nil {
		return nil, err
	}
	s.roles = table.Roles
	return data, nil
}

// compile also refuses data that would stand where a package stands. It returns
// the modules as they were written.
func (s *snapshot) compile(modules []file) (parsed map[string]*ast.Module, err error) {
	ctx := context.Background()
	if s.compiler, err = newCompiler(); err != nil {
		return nil, err
	}
	parsed = make(map[string]*ast.Module, len(modules))
	for _, f := range modules {
		if parsed[f.path], err = parseModule(f); err != nil {
			return nil, err
		}
	}
	return parsed, storage.Txn(ctx, s.store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		s.compiler.WithPathConflictsCheck(storage.NonEmpty(ctx, s.store, txn)).Compile(parsed)
		if s.compiler.Failed() {
			return s.compiler.Errors
		}
		return nil
	})
}

func (s *snapshot) prepare(query string) (rego.PreparedEvalQuery, error) {
	return rego.New(
		rego.Query(query),
		rego.Compiler(s.compiler),
		rego.Capabilities(capabilities()),
		rego.Store(s.store),
		rego.StrictBuiltinErrors(true), // an error denies; undefined could pass a "not"
		rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t.Value, nil }),
	).PrepareForEval(context.Background())
}

func (s *snapshot) roleNames() []string { return slices.Sorted(maps.Keys(s.roles)) }
