package audit

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// mention finds a person in records. An id may be a word that stands everywhere
// ("audit", "1000", "wrong_password"), and who may ask for an erasure may make
// accounts, too: so it counts only where ids of persons stand, and in texts that
// nobody chose from a list, there only if it can't be anything else.
type mention struct {
	names []string
	asker []string // what the records call who asked: nobody takes the own acts out
}

func mentionOf(names ...string) (m mention) {
	for _, name := range names {
		if name != "" {
			m.names = append(m.names, name)
		}
	}
	return m
}

// accounts are the beginnings of actions whose records tell what was done to the
// installation and its log. They answer for all others, so they are never emptied
// for a person.
var accounts = []string{"trail.", "log_key.", "erasure.", "server.", "database.", "installation.", "policy.", "secret."}

func stays(action string) bool {
	return slices.ContainsFunc(accounts, func(begin string) bool { return strings.HasPrefix(action, begin) })
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

// in reports whether the record names the person, and may be emptied for that. A
// body that can't be read is taken for one that does, if a name stands in it.
func (m mention) in(r *store.Record) bool {
	if stays(r.Action) || (r.Subject != "" && slices.Contains(m.asker, r.Subject)) {
		return false
	}
	if m.is(r.Related) {
		return true
	}
	if !m.is(r.Subject) && !m.is(r.Resource) && !m.may(r.Body) {
		return false
	}
	var body any
	if json.Unmarshal(r.Body, &body) != nil {
		return true
	}
	return (m.is(r.Subject) && !machine[typeAt(body, "subject")]) || (m.is(r.Resource) && personal[typeAt(body, "resource")]) || m.value("", body)
}

// machine are the types of subjects that are no person; personal are the types of
// resources that are one, or are called by one's id.
var (
	machine  = map[string]bool{"client": true, "system": true}
	personal = map[string]bool{"customer": true, "staff": true, "person": true, "points_account": true}
)

func typeAt(body any, party string) string {
	for _, name := range []string{"input", party} {
		o, _ := body.(map[string]any)
		body = o[name]
	}
	o, _ := body.(map[string]any)
	kind, _ := o["type"].(string)
	return kind
}

// meaning is what stands somewhere in a record.
type meaning int

const (
	anyText     meaning = iota // anything: what is new is looked at, and counts if it can't be mistaken
	ownWord                    // the program's own words, or names of what is no person
	personID                   // a person's id, and nothing else
	requestPath                // of a request
)

// meanings are where in a record (RFC 6901, without the numbers of lists) what is
// known to stand. The ids of subject and resource go by their types.
var meanings = map[string]meaning{
	"/labels": ownWord, "/decision_id": ownWord, "/bundles": ownWord, "/path": ownWord, "/timestamp": ownWord, "/metrics": ownWord,
	"/requested_by": ownWord, "/trace_id": ownWord, "/span_id": ownWord, "/erased": ownWord, "/masked": ownWord,

	"/input/action": ownWord, "/input/subject/type": ownWord, "/input/subject/properties": ownWord,
	"/input/resource/type": ownWord, "/input/resource/properties/owner": personID, "/input/resource/properties/tenant": ownWord,
	"/input/context/authentication": ownWord, "/input/context/client": ownWord, "/input/context/actor": ownWord, "/input/context/scopes": ownWord,
	"/input/context/tenant": ownWord, "/input/context/time": ownWord, "/input/context/facts": ownWord,
	"/input/context/request/method": ownWord, "/input/context/request/path": requestPath, "/input/context/request/ip": ownWord,

	"/result/code": ownWord, "/result/needed": ownWord, "/result/reasons/code": ownWord, "/result/reasons/rule": ownWord, "/error/code": ownWord,

	"/custom/tenant": ownWord, "/custom/code": ownWord, "/custom/data_digest": ownWord, "/custom/grant": ownWord, "/custom/ledger": ownWord,
	"/custom/related": personID, "/custom/first_path": requestPath,
	"/custom/amr": ownWord, "/custom/replaced": ownWord, "/custom/reason": ownWord, "/custom/unknown": ownWord, "/custom/expires_at": ownWord,
	"/custom/from": ownWord, "/custom/to": ownWord, "/custom/scopes": ownWord, "/custom/asked": ownWord, "/custom/grant_type": ownWord,
	"/custom/token_type": ownWord, "/custom/shown_by": ownWord, "/custom/rule": ownWord, "/custom/severity": ownWord, "/custom/revision": ownWord,
	"/custom/decisions": ownWord, "/custom/alg": ownWord, "/custom/signs_from": ownWord,
}

func (m mention) value(pointer string, v any) bool {
	what := meanings[pointer]
	if what == ownWord {
		return false
	}
	switch v := v.(type) {
	case string:
		switch what {
		case personID:
			return m.is(v)
		case requestPath:
			return m.path(v)
		}
		return m.text(v)
	case []any:
		for _, item := range v {
			if m.value(pointer, item) { // the items of a list are of one kind
				return true
			}
		}
	case map[string]any:
		return m.object(pointer, v)
	}
	return false
}

func (m mention) object(pointer string, o map[string]any) bool {
	kind, _ := o["type"].(string)
	for name, item := range o {
		at := pointer + "/" + name
		id, _ := item.(string)
		var is bool
		switch at {
		case "/input/subject/id":
			is = !machine[kind] && m.is(id)
		case "/input/resource/id":
			is = personal[kind] && m.is(id)
		default:
			is = m.value(at, item)
		}
		if is {
			return true
		}
	}
	return false
}

// text looks for a name in a string, as the whole or as a word of a sentence.
func (m mention) text(s string) bool {
	return slices.ContainsFunc(m.names, func(name string) bool { return unmistakable(name) && word(s, name) })
}

// Where a request names a person: behind these in its path, and in these
// parameters.
var (
	personPaths  = []string{"/admin/api/customers/", "/admin/api/staff/"}
	personParams = []string{"customer_id", "to_customer_id", "customer", "subject", "related", "person"}
)

func (m mention) path(s string) bool {
	s, query, _ := strings.Cut(s, "?")
	for _, begin := range personPaths {
		if rest, ok := strings.CutPrefix(s, begin); ok {
			id, _, _ := strings.Cut(rest, "/")
			if decoded, err := url.PathUnescape(id); err == nil && m.is(decoded) {
				return true
			}
		}
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		if decoded, err := url.QueryUnescape(value); err == nil && slices.Contains(personParams, name) && m.is(decoded) {
			return true
		}
	}
	return false
}

func (m mention) is(s string) bool { return s != "" && slices.Contains(m.names, s) }

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
