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
	roles      map[string]role
}

// role is a row of the role table in data.
type role struct {
	Rank   int      `json:"rank"` // on the ladder from viewer to super_admin; 0: beside it
	Scopes []string `json:"scopes"`
}

func newSnapshot(root fs.FS) (*snapshot, error) {
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
	if err := s.compile(b.modules); err != nil {
		return nil, err
	}
	s.query, err = s.prepare()
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

// compile also refuses data that would stand where a package stands.
func (s *snapshot) compile(modules []file) (err error) {
	ctx := context.Background()
	if s.compiler, err = newCompiler(); err != nil {
		return err
	}
	parsed := make(map[string]*ast.Module, len(modules))
	for _, f := range modules {
		if parsed[f.path], err = parseModule(f); err != nil {
			return err
		}
	}
	return storage.Txn(ctx, s.store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		s.compiler.WithPathConflictsCheck(storage.NonEmpty(ctx, s.store, txn)).Compile(parsed)
		if s.compiler.Failed() {
			return s.compiler.Errors
		}
		return nil
	})
}

func (s *snapshot) prepare() (rego.PreparedEvalQuery, error) {
	return rego.New(
		rego.Query(question),
		rego.Compiler(s.compiler),
		rego.Capabilities(capabilities()),
		rego.Store(s.store),
		rego.StrictBuiltinErrors(true), // an error denies; undefined could pass a "not"
		rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t.Value, nil }),
	).PrepareForEval(context.Background())
}

func (s *snapshot) roleNames() []string { return slices.Sorted(maps.Keys(s.roles)) }
