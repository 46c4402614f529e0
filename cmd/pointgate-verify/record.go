package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// domain begins what a commitment is the hash of.
const domain = "pointgate-record-v1\n"

type kind string

const (
	verified kind = "verified" // the entry was recomputed from the body
	erased   kind = "erased"   // the body is gone, by the law or by age
	withheld kind = "withheld" // the body is another tenant's
)

// record is one exported event: where it claims to stand, and its entry.
type record struct {
	kind  kind
	index int64
	entry tlog.Hash
	body  []byte // what was hashed, without the final `}}`; nil unless verified
}

// leaf is the hash in the tree.
func (r record) leaf() tlog.Hash { return tlog.RecordHash(r.entry[:]) }

// parseRecord reads an exported event, without its newline. What it returns is a
// claim still: that leaf() stands at index is for a tree to prove.
func parseRecord(line []byte) (r record, err error) {
	rest, ok := bytes.CutSuffix(line, []byte(`"}}`))
	if !ok {
		if bytes.HasSuffix(line, []byte("\r")) {
			return r, found("the line ends in CR LF: the file was converted, and its bytes are not those of the log")
		}
		return r, found("no exported event: it does not end in its nonce or entry")
	}
	if len(rest) < 44 {
		return r, found("no exported event: it is too short")
	}
	value, err := parseHash(string(rest[len(rest)-44:]))
	if err != nil {
		return r, found("nonce or entry at the end of the event: %v", err)
	}
	rest = rest[:len(rest)-44]
	rest, hasBody := bytes.CutSuffix(rest, []byte(`,"nonce":"`))
	rest, hasEntry := bytes.CutSuffix(rest, []byte(`,"entry":"`))
	if hasBody == hasEntry {
		return r, found("no exported event: neither nonce nor entry stands at its end")
	}
	digits := len(rest)
	for digits > 0 && rest[digits-1] >= '0' && rest[digits-1] <= '9' {
		digits--
	}
	if r.index, err = parseIndex(string(rest[digits:])); err != nil {
		return r, found("no exported event: %q is no index", rest[digits:])
	}
	head, ok := bytes.CutSuffix(rest[:digits], []byte(`,"index":`))
	if !ok {
		return r, found("no exported event: no index stands before its nonce or entry")
	}
	if hasBody {
		r.kind, r.body, r.entry = verified, head, entryOf(r.index, value, head)
		return r, nil
	}
	r.entry = value
	r.kind, err = bodiless(line, head)
	return r, err
}

// entryOf is the entry of the body head+`}}` at an index.
func entryOf(index int64, nonce tlog.Hash, head []byte) tlog.Hash {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(nonce[:])
	h.Write(head)
	h.Write([]byte("}}"))
	placed := binary.BigEndian.AppendUint64(make([]byte, 0, 8+sha256.Size), uint64(index))
	return sha256.Sum256(h.Sum(placed))
}

// bodiless tells erased from withheld. It refuses any other member: with the
// entry given, an invented body beside it would prove itself.
func bodiless(line, head []byte) (kind, error) {
	if string(head) == `{"custom":{"withheld":true` {
		return withheld, nil
	}
	var e struct {
		ID        string `json:"decision_id"`
		Timestamp string
		Erased    []string
		Custom    struct {
			Tenant   string
			ErasedBy string `json:"erased_by"`
			Index    int64
			Entry    string
		}
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return "", found("no erased event: %v", err)
	}
	if err := oneMeaning(line); err != nil {
		return "", found("no erased event: %v", err)
	}
	if d.InputOffset() != int64(len(line)) || len(e.Erased) == 0 {
		return "", found("no erased event: it does not say what was erased")
	}
	return erased, nil
}

// tellRecord says what a record says; its place must have been proven.
func (a *app) tellRecord(r record, extra []byte) {
	a.report.fact("index", r.index)
	a.report.fact("entry", r.entry.String())
	a.report.fact("body", string(r.kind))
	switch r.kind {
	case withheld:
		a.report.fact("proven", "a record stands at this index. Its body is withheld: it is another tenant's")
		return
	case erased:
		a.report.fact("proven", "a record stands at this index. Its body was erased: what it said can't be proven any more, nor the id and time that are still told")
	default:
		a.report.fact("proven", "this record, to the byte, stands at this index")
	}
	if err := oneMeaning(extra); err != nil {
		a.report.find(foundAt(r.index, "the record reads differently in different programs: %v", err))
		return
	}
	var e struct {
		ID        string `json:"decision_id"`
		Timestamp string
		Input     struct {
			Subject, Resource struct{ Type, ID string }
			Action            struct{ Name string }
		}
		Result struct{ Allow *bool }
		Custom struct {
			Tenant, Code string
			ErasedBy     string `json:"erased_by"`
		}
	}
	if err := json.Unmarshal(extra, &e); err != nil {
		a.report.fact("note", "the body is no JSON object of the known shape")
		return
	}
	a.report.fact("decision_id", e.ID)
	a.report.fact("timestamp", e.Timestamp)
	a.report.fact("tenant", e.Custom.Tenant)
	if r.kind == erased {
		a.report.fact("erased_by", e.Custom.ErasedBy)
		return
	}
	a.report.fact("subject", strings.TrimSpace(e.Input.Subject.Type+" "+e.Input.Subject.ID))
	a.report.fact("action", e.Input.Action.Name)
	a.report.fact("resource", strings.TrimSpace(e.Input.Resource.Type+" "+e.Input.Resource.ID))
	if e.Result.Allow != nil {
		a.report.fact("allow", *e.Result.Allow)
	}
	a.report.fact("code", e.Custom.Code)
}
