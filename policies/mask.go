package policies

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// treatment is what a record does with a field.
type treatment byte

const (
	plain treatment = iota // keeps it
	erased
	pseudonymous
)

// Mask says which fields a record keeps as they are, which as a pseudonym and
// which not at all. It is immutable and safe for concurrent use; the zero Mask
// keeps all.
type Mask struct {
	key      []byte               // of the pseudonyms; nil where there is none
	pointers map[string]treatment // of each masked field and all below it
	root     *masked              // nil where nothing is masked
}

// masked is a member of the record that is masked, or in which one is.
type masked struct {
	pointer string
	as      treatment
	twin    string // another field of the record with the same value
	members map[string]*masked
}

// Value is what a record has in the place of the value of a field, which a JSON
// pointer (RFC 6901) names, as in /input/subject/id, /requested_by or
// /custom/related. With masked false the value stays as it is; an empty
// replacement leaves the field out. An empty value is nobody's and stays. What
// is not masked costs no allocation.
func (m *Mask) Value(pointer, value string) (replacement string, masked bool) {
	as := m.pointers[pointer]
	switch {
	case value == "" || as == plain:
		return value, false
	case as == pseudonymous:
		return m.Pseudonym(value), true
	}
	return "", true
}

const (
	pseudonymKeySize = 32
	pseudonymBytes   = 16 // no two people ever share a pseudonym
)

// Pseudonym is the name that a masked field has for a value, whether anything
// is masked now or not, so that what older revisions masked is found by it:
// "pn_" and 22 characters of base64url (RFC 4648 §5). Who does not have the key
// can't tell whose it is, nor make one to compare it with. It is empty for an
// empty value, which is nobody's, and without a key.
func (m *Mask) Pseudonym(value string) string {
	if value == "" || m.key == nil {
		return ""
	}
	h := hmac.New(sha256.New, m.key)
	h.Write([]byte(valid(value)))
	return "pn_" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:pseudonymBytes])
}

// appendInput writes the input as a record keeps it, and lists what it left
// out and what it gave a pseudonym, sorted.
func (m *Mask) appendInput(b []byte, input ast.Value) (out []byte, left, renamed []string) {
	o, ok := input.(ast.Object)
	if m.root == nil || !ok {
		return appendJSON(b, input), nil, nil
	}
	w := maskWriter{mask: m, b: b}
	w.object(o, m.root)
	slices.Sort(w.left)
	slices.Sort(w.renamed)
	return w.b, w.left, w.renamed
}

// maskWriter writes one input.
type maskWriter struct {
	mask          *Mask
	b             []byte
	left, renamed []string
}

func (w *maskWriter) object(o ast.Object, at *masked) {
	w.b = append(w.b, '{')
	open := len(w.b)
	o.Foreach(func(k, v *ast.Term) {
		var member *masked
		if name, ok := k.Value.(ast.String); ok {
			member = at.members[string(name)]
		}
		before := len(w.b)
		if before > open {
			w.b = append(w.b, ',')
		}
		w.b = append(appendKey(w.b, k.Value), ':')
		if !w.value(v.Value, member) {
			w.b = w.b[:before]
		}
	})
	w.b = append(w.b, '}')
}

// value writes the value of a member, or says that it is left out.
func (w *maskWriter) value(v ast.Value, member *masked) bool {
	if member == nil {
		w.b = appendJSON(w.b, v)
		return true
	}
	s, isText := v.(ast.String)
	o, isObject := v.(ast.Object)
	switch {
	case member.as == plain && isObject:
		w.object(o, member)
	case member.as != plain && s == "" && isText:
		w.b = append(w.b, `""`...)
	case member.as == pseudonymous && isText:
		w.b = appendString(w.b, w.mask.Pseudonym(string(s)))
		w.renamed = member.list(w.renamed)
	default: // a pseudonym of what is no text could not be decided again
		w.left = member.list(w.left)
		return false
	}
	return true
}

func (m *masked) list(to []string) []string {
	if to = append(to, m.pointer); m.twin != "" {
		to = append(to, m.twin)
	}
	return to
}

// put masks one field; what is put below a masked one adds nothing.
func (m *Mask) put(pointer string, as treatment) {
	if m.root == nil {
		m.root, m.pointers = &masked{}, map[string]treatment{}
	}
	at, name := m.root, strings.Split(strings.TrimPrefix(pointer, inputRoot+"/"), "/")
	for _, n := range name {
		if at.members == nil {
			at.members = map[string]*masked{}
		}
		if at.members[n] == nil {
			at.members[n] = &masked{}
		}
		at = at.members[n]
	}
	at.pointer, at.as = pointer, as
	for _, p := range declaredBelow(pointer) {
		m.pointers[p] = as
	}
	if within(ipField, pointer) {
		at.twin = requestedBy
		m.pointers[requestedBy] = as
	}
	for field, others := range twins {
		for _, p := range others {
			if within(field, pointer) {
				m.pointers[p] = as
			}
		}
	}
}
