package policies

import (
	"encoding/json"

	"github.com/open-policy-agent/opa/v1/ast"
)

// appendJSON writes v as JSON; sets become arrays. The record's text and the
// value that rules saw come from one tree, so they can't differ.
func appendJSON(b []byte, v ast.Value) []byte {
	switch v := v.(type) {
	case ast.Null:
		return append(b, "null"...)
	case ast.Boolean:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case ast.Number:
		return append(b, v...)
	case ast.String:
		return appendString(b, string(v))
	case *ast.Array:
		return appendList(b, v)
	case ast.Set:
		return appendList(b, v)
	case ast.Object:
		return appendObject(b, v)
	}
	return append(b, "null"...) // nothing else is ground
}

func appendObject(b []byte, o ast.Object) []byte {
	open := len(b)
	b = append(b, '{')
	o.Foreach(func(k, v *ast.Term) {
		if len(b) > open+1 {
			b = append(b, ',')
		}
		b = append(appendKey(b, k.Value), ':')
		b = appendJSON(b, v.Value)
	})
	return append(b, '}')
}

// appendKey writes a member's name, which in JSON is text whatever it was.
func appendKey(b []byte, k ast.Value) []byte {
	if s, ok := k.(ast.String); ok {
		return appendString(b, string(s))
	}
	return appendString(b, string(appendJSON(nil, k)))
}

func appendList(b []byte, list interface{ Foreach(func(*ast.Term)) }) []byte {
	open := len(b)
	b = append(b, '[')
	list.Foreach(func(t *ast.Term) {
		if len(b) > open+1 {
			b = append(b, ',')
		}
		b = appendJSON(b, t.Value)
	})
	return append(b, ']')
}

// appendString needs no escapes for nearly all that comes; the rest is left to
// the library.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string can't fail
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
