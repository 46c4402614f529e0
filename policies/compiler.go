package policies

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// builtins are all that a rule may call. Nothing here reaches the network, the
// machine, a clock or chance, and nothing makes much out of little: a decision
// depends on its input and its revision alone, so it can be made again later.
// Time comes in through input.context.time.
var builtins = []string{
	// operators
	"assign", "eq", "equal", "neq", "lt", "lte", "gt", "gte",
	"plus", "minus", "mul", "div", "rem", "and", "or",
	"internal.member_2", "internal.member_3",
	// numbers and collections
	"abs", "ceil", "floor", "round", "count", "max", "min", "sum",
	"array.concat", "array.slice", "object.get", "object.keys", "object.union", "sort",
	// text
	"concat", "contains", "endswith", "format_int", "lower", "upper", "split",
	"startswith", "substring", "to_number",
	"trim", "trim_left", "trim_prefix", "trim_right", "trim_space", "trim_suffix",
	// types
	"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name",
	// time that was given
	"time.parse_rfc3339_ns", "time.parse_duration_ns", "time.clock", "time.date",
	"time.weekday", "time.add_date", "time.diff",
	// the rule's own METADATA, which the compiler puts in
	"rego.metadata.chain", "rego.metadata.rule",
}

// capabilities is the allow-list as the parser and the compiler want it. The
// empty AllowNet keeps the compiler from fetching schemas; nil would not.
var capabilities = sync.OnceValue(func() *ast.Capabilities {
	c := &ast.Capabilities{Features: []string{ast.FeatureRegoV1}, AllowNet: []string{}}
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		if slices.Contains(builtins, b.Name) {
			c.Builtins = append(c.Builtins, b)
		}
	}
	return c
})

// parseModule reads one Rego v1 file with its annotations.
func parseModule(f file) (*ast.Module, error) {
	return ast.ParseModuleWithOpts(f.path, string(f.content), ast.ParserOptions{
		ProcessAnnotation: true,
		Capabilities:      capabilities(),
		RegoVersion:       ast.RegoV1,
	})
}

// newCompiler is that of the rules that decide.
func newCompiler() (*ast.Compiler, error) { return compilerFor(inputSchema) }

// compilerFor is strict. The schema is that of every module's input, wanted or
// not: annotations, by which a module could loosen it for itself, are not
// looked at.
func compilerFor(inputSchema []byte) (*ast.Compiler, error) {
	var schema any
	if err := json.Unmarshal(inputSchema, &schema); err != nil {
		return nil, fmt.Errorf("the schema of the input: %w", err)
	}
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, schema)
	return ast.NewCompiler().
		WithStrict(true).
		WithEnablePrintStatements(true). // or they would be dropped unseen, not refused
		WithCapabilities(capabilities()).
		WithSchemas(schemas).
		WithDefaultRegoVersion(ast.RegoV1), nil
}
