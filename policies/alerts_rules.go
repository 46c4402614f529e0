package policies

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
)

//go:embed rego/alerts/input.schema.json
var alertSchema []byte

// alertQuestion is the one that each window is asked.
const alertQuestion = "data.pointgate.alerts.raised"

var (
	alertRoot = ast.MustParseRef("data.pointgate.alerts")
	ruleRoot  = ast.MustParseRef("data.pointgate.alerts.rules")
)

// alertRules are the modules under data.pointgate.alerts, ready to be asked.
// They are compiled apart from those that decide: their input has another
// shape, and each side is held to its own.
type alertRules struct {
	query rego.PreparedEvalQuery
	names []string
}

// splitAlerts tells the modules that raise alerts from those that decide.
func splitAlerts(modules []file) (deciding, alerting []file, err error) {
	for _, f := range modules {
		m, err := parseModule(f)
		if err != nil {
			return nil, nil, err
		}
		if m.Package.Path.HasPrefix(alertRoot) {
			alerting = append(alerting, f)
			continue
		}
		if bad := reference(m, alertRoot, true); bad != nil {
			return nil, nil, fmt.Errorf("%s: %v: what decides does not see alerts", f.path, bad)
		}
		deciding = append(deciding, f)
	}
	return deciding, alerting, nil
}

// newAlertRules is nil without modules. store holds the data of the policy.
func newAlertRules(store storage.Store, modules []file) (*alertRules, error) {
	if len(modules) == 0 {
		return nil, nil
	}
	compiler, err := compilerFor(alertSchema)
	if err != nil {
		return nil, err
	}
	r, parsed := &alertRules{}, make(map[string]*ast.Module, len(modules))
	for _, f := range modules {
		m, err := parseModule(f)
		if err != nil {
			return nil, err
		}
		if bad := reference(m, alertRoot, false); bad != nil {
			return nil, fmt.Errorf("%s: %v: alert rules see no other package of ours", f.path, bad)
		}
		parsed[f.path] = m
	}
	if r.names, err = ruleNames(parsed); err != nil {
		return nil, err
	}
	if err := compileWith(compiler, store, parsed); err != nil {
		return nil, err
	}
	r.query, err = rego.New(
		rego.Query(alertQuestion),
		rego.Compiler(compiler),
		rego.Capabilities(capabilities()),
		rego.Store(store),
		rego.StrictBuiltinErrors(true), // or a rule that fails would find nothing, unseen
		rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t.Value, nil }),
	).PrepareForEval(context.Background())
	return r, err
}

func compileWith(compiler *ast.Compiler, store storage.Store, modules map[string]*ast.Module) error {
	ctx := context.Background()
	return storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		compiler.WithPathConflictsCheck(storage.NonEmpty(ctx, store, txn)).Compile(modules)
		if compiler.Failed() {
			return compiler.Errors
		}
		return nil
	})
}

// ruleNames are the folders of the rules, sorted. Each says raised, a set: what
// is spelled otherwise would never be found.
func ruleNames(modules map[string]*ast.Module) ([]string, error) {
	raises := map[string]bool{}
	for _, m := range modules {
		path := m.Package.Path
		if len(path) <= len(ruleRoot) || !path.HasPrefix(ruleRoot) {
			continue
		}
		name := string(path[len(ruleRoot)].Value.(ast.String)) // of a package, all are strings
		raises[name] = raises[name] || len(path) == len(ruleRoot)+1 && slices.ContainsFunc(m.Rules, func(r *ast.Rule) bool {
			return r.Head.Ref().String() == "raised" && r.Head.RuleKind() == ast.MultiValue
		})
	}
	for name, is := range raises {
		if !is {
			return nil, fmt.Errorf("the alert rule %s does not say raised, a set", name)
		}
	}
	return slices.Sorted(maps.Keys(raises)), nil
}

// reference is the first reference to a document of ours that is within root,
// or that is not. Where it stands it would always be undefined: a typo or a
// misunderstanding, which must not pass for "nothing found".
func reference(m *ast.Module, root ast.Ref, within bool) (found ast.Ref) {
	ours := root[:2] // data.pointgate
	ast.WalkRefs(m, func(ref ast.Ref) bool {
		if found == nil && ref.HasPrefix(ours) && ref.HasPrefix(root) == within {
			found = ref
		}
		return found != nil
	})
	return found
}
