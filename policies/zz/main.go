package main

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

func try(src string) {
	m, err := ast.ParseModuleWithOpts("x.rego", src, ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
	if err != nil {
		fmt.Println("PARSE", err)
		return
	}
	c := ast.NewCompiler().WithStrict(true).WithDefaultRegoVersion(ast.RegoV1)
	c.Compile(map[string]*ast.Module{"x.rego": m})
	if c.Failed() {
		fmt.Println("COMPILE", c.Errors)
	} else {
		fmt.Println(c.Modules["x.rego"])
	}
	for _, r := range m.Rules {
		fmt.Printf("  head ref %v; ", r.Head.Ref())
		ast.NewGenericVisitor(func(x any) bool { fmt.Printf("%T ", x); return false }).Walk(r)
		fmt.Println()
	}
}

func main() {
	try("package a\nequal(x, y) if { startswith(x, y) }\nallow if input.a == input.b\nallow2 if equal(input.a,input.b)")
	try("package a\nallow := input")
	try("package a\nallow if { equal := 1; input.a == input.b; equal == 1 }")
	try("package a\nf(equal) if { input.a == input.b }")
	try("package a\nimport data.q as equal\nf if { input.a == input.b }")
	try("package a\nimport data.q as input\nf if { input.a == input.b }")
	try("package a\nf if { input.a == input.b with equal as g }\ng(x,y) := true if {x; y}")
	try("package a\nf if { input.a == input.b with eq as g }\ng(x,y) := true if {x; y}")
	try("package a\nm[input.x] := 1\nq contains input.z\n r.s[input.t].u := 2")
	try("package a\nx := $\"a{input.b}\"")
	try("package a\nimport input.subject as s\nx if s.id == input.z")
	try("package a\nx if input.a == input.b == input.c")
	try("package a\nx := y if { y := input.a == input.b }")
	try("package a\ninput.x if true")
}
