package web

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseObject(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want string // a part of the detail; "" is taken
	}{
		"empty object":                {`{}`, ""},
		"white space around it":       {" \t\r\n{\"a\": 1}\n", ""},
		"one name in two objects":     {`{"a":{"x":1},"b":{"x":1}}`, ""},
		"names that differ in case":   {`{"a":1,"A":2}`, ""},
		"as deep as may be":           {strings.Repeat(`{"a":`, maxDepth-1) + `{}` + strings.Repeat(`}`, maxDepth-1), ""},
		"an object too deep":          {strings.Repeat(`{"a":`, maxDepth) + `{}` + strings.Repeat(`}`, maxDepth), "nested"},
		"lists as deep as may be":     {`{"a":` + strings.Repeat(`[`, maxDepth-1) + strings.Repeat(`]`, maxDepth-1) + `}`, ""},
		"a list too deep":             {`{"a":` + strings.Repeat(`[`, maxDepth) + strings.Repeat(`]`, maxDepth) + `}`, "nested"},
		"depth of a bomb":             {`{"a":` + strings.Repeat(`[`, 60_000), "nested"},
		"nothing":                     {"", "begin with {"},
		"white space":                 {" \n", "begin with {"},
		"null":                        {"null", "begin with {"},
		"a list":                      {`[{}]`, "begin with {"},
		"a string":                    {`"a"`, "begin with {"},
		"a byte order mark":           {"\ufeff{}", "begin with {"},
		"half an object":              {`{"a":1`, "syntax"},
		"half a name":                 {`{"a`, "syntax"},
		"a name without a value":      {`{"a"}`, "syntax"},
		"a comma too many":            {`{"a":1,}`, "syntax"},
		"a comma too few":             {`{"a":1 "b":2}`, "syntax"},
		"the wrong bracket":           {`{"a":[1}`, "syntax"},
		"a name without quotes":       {`{a:1}`, "syntax"},
		"single quotes":               {`{'a':1}`, "syntax"},
		"a number as a name":          {`{1:1}`, "syntax"},
		"a comment":                   {`{"a":1/**/}`, "syntax"},
		"a leading zero":              {`{"a":01}`, "syntax"},
		"a plus":                      {`{"a":+1}`, "syntax"},
		"not a number":                {`{"a":NaN}`, "syntax"},
		"a bare NUL":                  {"{\"a\":\"\x00\"}", "syntax"},
		"a bare line break":           {"{\"a\":\"\n\"}", "syntax"},
		"a bad escape":                {`{"a":"\x"}`, "syntax"},
		"another object behind it":    {`{}{}`, "follows"},
		"a brace behind it":           {`{}}`, "follows"},
		"a NUL behind it":             {"{}\x00", "follows"},
		"a member twice":              {`{"a":1,"a":1}`, "twice"},
		"a member twice, once hidden": {`{"a":1,"\u0061":2}`, "twice"},
		"twice, far inside":           {`{"a":[{"b":1,"b":2}]}`, "twice"},
		"a byte that is no UTF-8":     {"{\"a\":\"\xff\"}", "UTF-8"},
		"a surrogate in UTF-8":        {"{\"a\":\"\xed\xa0\x80\"}", "UTF-8"},
		"an overlong slash":           {"{\"a\":\"\xc0\xaf\"}", "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := ParseObject([]byte(tc.body))
			refused(t, p, tc.want)
			if f == nil {
				t.Error("no fields: who reads on after a refusal would panic")
			}
		})
	}
}

func TestParseQuery(t *testing.T) {
	for name, tc := range map[string]struct{ query, want string }{
		"nothing":                      {"", ""},
		"two parameters":               {"a=1&b=2", ""},
		"an empty value":               {"a=", ""},
		"an escape":                    {"a=%C3%A9+x", ""},
		"a parameter twice":            {"a=1&a=1", "twice"},
		"a parameter twice, disguised": {"a=1&%61=2", "twice"},
		"half an escape":               {"a=%2", "parsed"},
		"no escape":                    {"a=%zz", "parsed"},
		"a semicolon":                  {"a=1;b=2", "parsed"},
		"a value that is no UTF-8":     {"a=%ff", "UTF-8"},
		"a name that is no UTF-8":      {"%ff=a", "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := ParseQuery(tc.query)
			refused(t, p, tc.want)
			if f == nil {
				t.Error("no fields: who reads on after a refusal would panic")
			}
		})
	}
}

// refused wants a 400 whose detail has the part, or no problem for "".
func refused(t *testing.T, p *Problem, part string) {
	t.Helper()
	switch {
	case part == "" && p != nil:
		t.Errorf("refused: %v", p)
	case part != "" && (p == nil || p.Status != 400 || p.Code != "invalid_request" || !strings.Contains(p.Detail, part)):
		t.Errorf("got %v, want a 400 that says %q", p, part)
	}
}

// reading is one member, called a, read in one way. A query has it as text.
type reading struct {
	raw  string
	want any
	code string // of the error; "" is good
}

// check reads every raw as the member a.
func check(t *testing.T, query bool, cases map[string]reading, read func(*Fields) (any, bool)) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, p := ParseObject([]byte(`{"a":` + tc.raw + `}`))
			if query {
				f, p = ParseQuery("a=" + tc.raw)
			}
			if p != nil {
				t.Fatal(p)
			}
			got, ok := read(f)
			if want := tc.code == "" && tc.want != nil; ok != want {
				t.Errorf("ok is %t, want %t", ok, want)
			}
			if diff := cmp.Diff(tc.want, got); ok && diff != "" {
				t.Error(diff)
			}
			var codes []string
			if p := f.Problem(); p != nil {
				for _, e := range p.Errors {
					codes = append(codes, e.Field+" "+e.Code)
				}
			}
			var want []string
			if tc.code != "" {
				want = []string{"a " + tc.code}
			}
			if diff := cmp.Diff(want, codes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestString(t *testing.T) {
	read := func(f *Fields) (any, bool) { return f.String("a", 5) }
	check(t, false, map[string]reading{
		"text":                         {`"abc"`, "abc", ""},
		"as long as may be":            {`"ääääé"`, "ääääé", ""},
		"characters, not bytes":        {`"🙂🙂🙂🙂🙂"`, "🙂🙂🙂🙂🙂", ""},
		"a line break and a tab":       {`"a\n\tb"`, "a\n\tb", ""},
		"half a surrogate is replaced": {`"\ud800"`, "\ufffd", ""},
		"null is not given":            {`null`, nil, ""},
		"too long":                     {`"abcdef"`, nil, "out_of_range"},
		"empty":                        {`""`, nil, "out_of_range"},
		"NUL":                          {`"a\u0000b"`, nil, "invalid"},
		"an escape character":          {`"\u001b[2J"`, nil, "invalid"},
		"a carriage return":            {`"a\rb"`, nil, "invalid"},
		"delete":                       {`"\u007f"`, nil, "invalid"},
		"a number":                     {`1`, nil, "wrong_type"},
		"a list":                       {`["a"]`, nil, "wrong_type"},
		"an object":                    {`{"a":"a"}`, nil, "wrong_type"},
		"true":                         {`true`, nil, "wrong_type"},
	}, read)
	check(t, true, map[string]reading{
		"the word null in a query": {"null", "null", ""},
		"digits in a query":        {"12", "12", ""},
		"empty in a query":         {"", nil, "out_of_range"},
		"NUL in a query":           {"%00", nil, "invalid"},
	}, read)
}

func TestOneOf(t *testing.T) {
	read := func(f *Fields) (any, bool) { return f.OneOf("a", "earn", "redeem") }
	check(t, false, map[string]reading{
		"a word":         {`"redeem"`, "redeem", ""},
		"in upper case":  {`"Redeem"`, nil, "out_of_range"},
		"with a space":   {`"redeem "`, nil, "out_of_range"},
		"another word":   {`"steal"`, nil, "out_of_range"},
		"an empty word":  {`""`, nil, "out_of_range"},
		"a list of them": {`["earn"]`, nil, "wrong_type"},
		"null":           {`null`, nil, ""},
	}, read)
}

func TestInt(t *testing.T) {
	read := func(f *Fields) (any, bool) { return f.Int("a", -10, 1_000_000_000) }
	check(t, false, map[string]reading{
		"a number":                    {`7`, int64(7), ""},
		"the lowest":                  {`-10`, int64(-10), ""},
		"the highest":                 {`1000000000`, int64(1_000_000_000), ""},
		"zero below zero":             {`-0`, int64(0), ""},
		"one below":                   {`-11`, nil, "out_of_range"},
		"one above":                   {`1000000001`, nil, "out_of_range"},
		"one that 64 bits don't hold": {`9223372036854775808`, nil, "out_of_range"},
		"one below what 64 bits hold": {`-9223372036854775809`, nil, "out_of_range"},
		"a thousand digits":           {strings.Repeat("9", 1000), nil, "out_of_range"},
		"1.0":                         {`1.0`, nil, "wrong_type"},
		"1e3":                         {`1e3`, nil, "wrong_type"},
		"1E400":                       {`1E400`, nil, "wrong_type"},
		"a half":                      {`0.5`, nil, "wrong_type"},
		"2^53+1 is not rounded":       {`9007199254740993`, nil, "out_of_range"},
		"digits in quotes":            {`"7"`, nil, "wrong_type"},
		"an empty string":             {`""`, nil, "wrong_type"},
		"true":                        {`true`, nil, "wrong_type"},
		"a list":                      {`[7]`, nil, "wrong_type"},
		"an object":                   {`{}`, nil, "wrong_type"},
		"null is not given":           {`null`, nil, ""},
	}, read)
	check(t, true, map[string]reading{
		"a number in a query":      {"7", int64(7), ""},
		"a float in a query":       {"1.0", nil, "wrong_type"},
		"an exponent in a query":   {"1e3", nil, "wrong_type"},
		"hexadecimal in a query":   {"0x7", nil, "wrong_type"},
		"an underscore in a query": {"1_0", nil, "wrong_type"},
		"white space in a query":   {"+7", nil, "wrong_type"},
		"nothing in a query":       {"", nil, "wrong_type"},
		"null in a query":          {"null", nil, "wrong_type"},
		"a huge one in a query":    {strings.Repeat("9", 40), nil, "out_of_range"},
	}, read)
}

func TestIntKeepsAllDigits(t *testing.T) {
	for _, n := range []int64{math.MinInt64, -1<<53 - 1, 1<<53 + 1, math.MaxInt64} {
		f, _ := ParseObject([]byte(`{"a":` + strconv.FormatInt(n, 10) + `}`))
		if got, ok := f.Int("a", math.MinInt64, math.MaxInt64); !ok || got != n {
			t.Errorf("got %d %t, want %d", got, ok, n)
		}
	}
}

func TestBool(t *testing.T) {
	read := func(f *Fields) (any, bool) { return f.Bool("a") }
	check(t, false, map[string]reading{
		"true":             {`true`, true, ""},
		"false":            {`false`, false, ""},
		"null":             {`null`, nil, ""},
		"true in quotes":   {`"true"`, nil, "wrong_type"},
		"one":              {`1`, nil, "wrong_type"},
		"an empty string":  {`""`, nil, "wrong_type"},
		"a list with true": {`[true]`, nil, "wrong_type"},
	}, read)
	check(t, true, map[string]reading{
		"true in a query":    {"true", true, ""},
		"false in a query":   {"false", false, ""},
		"one in a query":     {"1", nil, "wrong_type"},
		"upper case":         {"TRUE", nil, "wrong_type"},
		"nothing in a query": {"", nil, "wrong_type"},
	}, read)
}

func TestTime(t *testing.T) {
	read := func(f *Fields) (any, bool) { return f.Time("a") }
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	check(t, false, map[string]reading{
		"UTC":                    {`"2026-11-22T12:00:00Z"`, noon, ""},
		"another zone":           {`"2026-11-22T13:30:00+01:30"`, noon, ""},
		"nanoseconds":            {`"2026-11-22T12:00:00.000000001Z"`, noon.Add(1), ""},
		"the beginning":          {`"1970-01-01T00:00:00Z"`, time.Unix(0, 0).UTC(), ""},
		"before it":              {`"1969-12-31T23:59:59Z"`, nil, "invalid"},
		"the year zero":          {`"0000-01-01T00:00:00Z"`, nil, "invalid"},
		"a year of five digits":  {`"10000-01-01T00:00:00Z"`, nil, "invalid"},
		"five digits in UTC":     {`"9999-12-31T23:59:59-00:01"`, nil, "invalid"},
		"before 1970 in UTC":     {`"1970-01-01T00:00:00+23:59"`, nil, "invalid"},
		"a date":                 {`"2026-11-22"`, nil, "invalid"},
		"no zone":                {`"2026-11-22T12:00:00"`, nil, "invalid"},
		"a space":                {`"2026-11-22 12:00:00Z"`, nil, "invalid"},
		"the thirtieth February": {`"2026-02-30T00:00:00Z"`, nil, "invalid"},
		"a number":               {`1795348800`, nil, "invalid"},
		"an empty string":        {`""`, nil, "invalid"},
		"null":                   {`null`, nil, ""},
	}, read)
	check(t, true, map[string]reading{
		"in a query":                 {"2026-11-22T12:00:00Z", noon, ""},
		"a plus that became a space": {"2026-11-22T12:00:00+00:00", nil, "invalid"},
	}, read)
}

func TestStrings(t *testing.T) {
	read := func(f *Fields) (any, bool) { return f.Strings("a", 2, 3) }
	check(t, false, map[string]reading{
		"two":               {`["a","bcd"]`, []string{"a", "bcd"}, ""},
		"none":              {`[]`, []string{}, ""},
		"null":              {`null`, nil, ""},
		"three":             {`["a","b","c"]`, nil, "out_of_range"},
		"one twice":         {`["a","a"]`, nil, "invalid"},
		"an empty one":      {`["a",""]`, nil, "invalid"},
		"one too long":      {`["abcd"]`, nil, "invalid"},
		"white space":       {`["a b"]`, nil, "invalid"},
		"NUL":               {`["\u0000"]`, nil, "invalid"},
		"null in it":        {`[null]`, nil, "invalid"},
		"a number in it":    {`[1]`, nil, "wrong_type"},
		"a list in it":      {`[["a"]]`, nil, "wrong_type"},
		"a string":          {`"a"`, nil, "wrong_type"},
		"an object":         {`{}`, nil, "wrong_type"},
		"a list of objects": {`[{}]`, nil, "wrong_type"},
	}, read)
}

func TestObject(t *testing.T) {
	read := func(f *Fields) (any, bool) { v, ok := f.Object("a", 12); return string(v), ok }
	check(t, false, map[string]reading{
		"an object":             {"{ \"b\" :\t[1]\n}", `{"b":[1]}`, ""},
		"an empty one":          {`{}`, `{}`, ""},
		"as large as may be":    {`{ "b":"cdef" }`, `{"b":"cdef"}`, ""},
		"null is not given":     {`null`, nil, ""},
		"too large":             {`{"b":"cdefghi"}`, nil, "out_of_range"},
		"a list":                {`[{}]`, nil, "wrong_type"},
		"an object in a string": {`"{}"`, nil, "wrong_type"},
		"a number":              {`1`, nil, "wrong_type"},
	}, read)
	check(t, true, map[string]reading{"an object in a query": {"{}", nil, "wrong_type"}}, read)
}

func TestPresence(t *testing.T) {
	f, p := ParseObject([]byte(`{"given":0,"null":null}`))
	if p != nil {
		t.Fatal(p)
	}
	type presence struct{ Has, Null bool }
	for name, want := range map[string]presence{"given": {Has: true}, "null": {Null: true}, "absent": {}} {
		if got := (presence{f.Has(name), f.Null(name)}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	f.Require("given", "null", "absent")
	want := []FieldError{{"null", "required", "It is needed."}, {"absent", "required", "It is needed."}}
	if diff := cmp.Diff(want, f.Problem().Errors); diff != "" {
		t.Error(diff)
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	f, _ := ParseObject([]byte(`{"points":"7","zebra":1,"apple":2}`))
	f.Int("points", 1, 10)
	f.Require("reason")
	p := f.Problem()
	if p == nil || p.Status != 422 || p.Code != "validation_failed" {
		t.Fatalf("got %v", p)
	}
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Field+" "+e.Code)
	}
	want := []string{"points wrong_type", "reason required", "apple unknown_field", "zebra unknown_field"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownMembersCantFillTheAnswer(t *testing.T) {
	var many strings.Builder
	for i := range 500 {
		many.WriteString(`"` + strings.Repeat("ä", 300) + strconv.Itoa(i) + `":1,`)
	}
	f, p := ParseObject([]byte(`{` + strings.TrimSuffix(many.String(), ",") + `}`))
	if p != nil {
		t.Fatal(p)
	}
	p = f.Problem()
	if p == nil || len(p.Errors) != 10 || len(p.Errors[0].Field) != 64 {
		t.Fatalf("got %v, want ten errors with 64 bytes of their names", p)
	}
}
