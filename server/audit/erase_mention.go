package audit

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// mention finds a person in records: in who asked, on what, and in all else that
// a body says. Ids of customers come from other systems, so one may be a word
// that stands everywhere ("demo", "1000"): it counts where ids stand, and in
// texts only if it can't be anything else.
type mention struct{ names []string }

func mentionOf(names ...string) (m mention) {
	for _, name := range names {
		if name != "" {
			m.names = append(m.names, name)
		}
	}
	return m
}

// may reports whether one of the names can be in b, as it is or percent-encoded
// as paths may be: quick, and true too often.
func (m mention) may(b []byte) bool {
	for _, name := range m.names {
		if bytes.Contains(b, []byte(name)) {
			return true
		}
	}
	for rest := b; ; {
		i := bytes.IndexByte(rest, '%')
		if i < 0 || i+2 >= len(rest) {
			return false
		}
		if hexadecimal(rest[i+1]) && hexadecimal(rest[i+2]) {
			return true
		}
		rest = rest[i+1:]
	}
}

// in reports whether the record names the person. A body that can't be read is
// taken for one that does, if a name stands in it.
func (m mention) in(r *store.Record) bool {
	if m.is(r.Subject) || m.is(r.Related) || (m.is(r.Resource) && !object(nounOf(r.Action))) {
		return true
	}
	if !m.may(r.Body) {
		return false
	}
	var body any
	if json.Unmarshal(r.Body, &body) != nil {
		return true
	}
	return m.value("", body)
}

// object says that the resource of an action is one whose id people choose, and
// that is no person.
func object(noun string) bool { return noun == "tenant" || noun == "client" }

// ours are the places (RFC 6901) whose values are the program's own words, or
// names of what is no person. All else is looked at, so that what is new is.
var ours = map[string]bool{
	"/labels": true, "/decision_id": true, "/bundles": true, "/path": true, "/timestamp": true, "/metrics": true,
	"/trace_id": true, "/span_id": true, "/erased": true, "/masked": true,
	"/input/action": true, "/input/subject/type": true, "/input/subject/properties": true,
	"/input/resource/type": true, "/input/resource/properties/tenant": true,
	"/input/context/authentication": true, "/input/context/client": true, "/input/context/scopes": true,
	"/input/context/tenant": true, "/input/context/time": true, "/input/context/request/method": true,
	"/input/context/facts/recipient_tenant": true,
	"/result/code":                          true, "/result/needed": true, "/error/code": true,
	"/custom/tenant": true, "/custom/code": true, "/custom/data_digest": true,
}

func (m mention) value(pointer string, v any) bool {
	if ours[pointer] {
		return false
	}
	switch v := v.(type) {
	case string:
		return m.text(v)
	case []any:
		for _, item := range v {
			if m.value(pointer, item) { // the items of a list are of one kind
				return true
			}
		}
	case map[string]any:
		kind, _ := v["type"].(string)
		for name, item := range v {
			if name == "id" && object(kind) {
				continue
			}
			if m.value(pointer+"/"+name, item) {
				return true
			}
		}
	}
	return false
}

// text looks for a name in a string: the whole of it, a part of a path, or a
// word of a sentence.
func (m mention) text(s string) bool {
	if m.is(s) {
		return true
	}
	if strings.ContainsAny(s, "/%") {
		for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return strings.ContainsRune("/?&=;, ", c) }) {
			if decoded, err := url.PathUnescape(part); err == nil && m.is(decoded) {
				return true
			}
		}
	}
	for _, name := range m.names {
		if unmistakable(name) && word(s, name) {
			return true
		}
	}
	return false
}

func (m mention) is(s string) bool {
	for _, name := range m.names {
		if s == name {
			return true
		}
	}
	return false
}

// unmistakable says that a name in a sentence is this name: no word, no number.
func unmistakable(name string) bool {
	return strings.ContainsAny(name, "_0123456789") && strings.Trim(name, "0123456789-.") != "" && len(name) > 3
}

// word reports whether name stands in s as a word of its own: cus_al is not in
// cus_alice, but is in "no cus_al."
func word(s, name string) bool {
	for rest := s; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		at := len(s) - len(rest) + i
		before, after := strings.TrimRight(s[:at], joiners), strings.TrimLeft(s[at+len(name):], joiners)
		if (before == "" || !wordByte(before[len(before)-1])) && (after == "" || !wordByte(after[0])) {
			return true
		}
		rest = rest[i+1:]
	}
}

// joiners stand within ids; at the end of a word they are the sentence's.
const joiners = ".-~"

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func hexadecimal(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func nounOf(action string) string {
	noun, _, _ := strings.Cut(action, ".")
	return noun
}
