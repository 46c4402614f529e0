package policies

import (
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
)

// What an alert may say. It is kept, listed and mailed, so it is bounded.
const (
	maxRaised    = 10_000
	maxKey       = 512
	maxTitle     = 200
	maxDetail    = 2000
	maxDecisions = 10_000 // in the answer of one alert; few of them are kept
)

var severities = []string{"low", "medium", "high", "critical"}

var rulePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// readRaised takes the result apart and trusts none of it.
func readRaised(v ast.Value) ([]Raised, error) {
	set, ok := v.(ast.Set)
	if !ok {
		return nil, fmt.Errorf("it is a %s", ast.ValueName(v))
	}
	if set.Len() > maxRaised {
		return nil, fmt.Errorf("it holds %d alerts", set.Len())
	}
	out := make([]Raised, 0, set.Len())
	seen := map[[2]string]bool{}
	for _, t := range set.Slice() {
		o, ok := t.Value.(ast.Object)
		if !ok {
			return nil, fmt.Errorf("it holds a %s", ast.ValueName(t.Value))
		}
		r := reader{object: o}
		a := Raised{
			Rule: string(read[ast.String](&r, "rule")), Key: string(read[ast.String](&r, "key")),
			Severity: string(read[ast.String](&r, "severity")), Title: string(read[ast.String](&r, "title")),
			Detail: string(read[ast.String](&r, "detail")), Decisions: r.ids("decisions"),
		}
		if r.err != nil {
			return nil, r.err
		}
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("rule %q: %w", a.Rule, err)
		}
		if seen[[2]string{a.Rule, a.Key}] {
			return nil, fmt.Errorf("rule %q: the key %q stands in it twice", a.Rule, a.Key)
		}
		seen[[2]string{a.Rule, a.Key}] = true
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Raised) int {
		return slices.Compare([]string{a.Rule, a.Key}, []string{b.Rule, b.Key})
	})
	return out, nil
}

func (a *Raised) check() error {
	switch {
	case !rulePattern.MatchString(a.Rule):
		return fmt.Errorf("its name is not of the form %s", rulePattern)
	case a.Key == "" || utf8.RuneCountInString(a.Key) > maxKey:
		return fmt.Errorf("the key has not 1 to %d characters", maxKey)
	case !slices.Contains(severities, a.Severity):
		return fmt.Errorf("the severity %q is none of %q", a.Severity, severities)
	case a.Title == "" || utf8.RuneCountInString(a.Title) > maxTitle:
		return fmt.Errorf("the title has not 1 to %d characters", maxTitle)
	case utf8.RuneCountInString(a.Detail) > maxDetail:
		return fmt.Errorf("the detail has more than %d characters", maxDetail)
	case len(a.Decisions) == 0 || len(a.Decisions) > maxDecisions:
		return fmt.Errorf("it names %d decisions", len(a.Decisions))
	}
	return nil
}

// ids is a set or an array of strings; nil and an error in r for anything else.
func (r *reader) ids(name string) (out []string) {
	list, ok := read[ast.Value](r, name).(interface{ Foreach(func(*ast.Term)) })
	if !ok { // of an object, Foreach is another
		r.fail(name)
		return nil
	}
	list.Foreach(func(t *ast.Term) {
		s, ok := t.Value.(ast.String)
		if !ok {
			r.fail(name)
		}
		out = append(out, string(s))
	})
	return out
}
