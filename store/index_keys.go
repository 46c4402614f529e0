package store

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// field is a member of a record that lists are narrowed or counted by. Their
// numbers stand in the index.
//
// To add one: its number behind the others, its value in eachValue, a member of
// [DecisionFilter] with its lines in keys, narrows and holds, and another
// indexVersion, so that every index is made anew; then the parameter in
// server/admin and openapi.yaml, and the flag of pointgate audit list.
type field byte

const (
	fieldTenant field = iota
	fieldSubject
	fieldClient
	fieldAction
	fieldResource
	fieldRelated
	fieldAllow
	fieldCode
	fieldRequest
	fieldGrant
	fieldRule
)

// isCommon says that a tenant's records have few values of the field, so that
// their sets are large. They are kept apart from the small ones of ids: who
// reads some of them reads nothing else.
func (f field) isCommon() bool {
	switch f {
	case fieldTenant, fieldClient, fieldAction, fieldAllow, fieldCode, fieldRule:
		return true
	}
	return false
}

// isCounted says that counts can be made by the field.
func (f field) isCounted() bool {
	return f == fieldSubject || (f.isCommon() && f != fieldTenant && f != fieldAllow)
}

// indexKey stands for one value of one field in one tenant: 1 bit that says
// whether the field is common, and 50 of a hash. Two values may share a key:
// what is found is compared with the record.
type indexKey uint64

const (
	restBits = 40 // of a key, behind the number of its slot
	slotBits = 11
)

// slot is which row of a chunk has the key.
func (k indexKey) slot() int64 { return int64(k >> restBits) }

func (k indexKey) rest() uint64 { return uint64(k) & (1<<restBits - 1) }

// keyMaker makes keys. The salt is the index's own: else somebody could choose
// request ids that fall together with a customer's.
type keyMaker struct {
	salt []byte
	buf  []byte
}

func (m *keyMaker) key(f field, tenant, value string) indexKey {
	b := append(m.buf[:0], m.salt...)
	b = append(b, byte(f))
	b = binary.AppendUvarint(b, uint64(len(tenant)))
	b = append(b, tenant...)
	b = append(b, value...)
	m.buf = b
	sum := sha256.Sum256(b)
	k := indexKey(binary.BigEndian.Uint64(sum[:]) >> (64 - restBits - slotBits + 1))
	if f.isCommon() {
		k |= 1 << (restBits + slotBits - 1)
	}
	return k
}

// eachValue calls fn with what the index has of a record.
func (r *Record) eachValue(fn func(f field, value string)) {
	fn(fieldTenant, "")
	fn(fieldAllow, strconv.FormatBool(r.Allow))
	for _, v := range [...]struct {
		f     field
		value string
	}{
		{fieldSubject, r.Subject}, {fieldClient, r.Client}, {fieldAction, r.Action}, {fieldResource, r.Resource},
		{fieldRelated, r.Related}, {fieldCode, r.Code}, {fieldRequest, r.Request}, {fieldGrant, r.Grant},
	} {
		if v.value != "" {
			fn(v.f, v.value)
		}
	}
	for i, rule := range r.Rules {
		if !r.Rules[:i].Has(rule) {
			fn(fieldRule, rule)
		}
	}
}

// valueOf is the record's value with that key; empty if it has none.
func (m *keyMaker) valueOf(r *Record, f field, k indexKey) (value string) {
	r.eachValue(func(g field, v string) {
		if g == f && value == "" && (f != fieldRule || m.key(f, r.Tenant, v) == k) {
			value = v
		}
	})
	return value
}

// keys are those that a record has which the filter holds for; never none.
func (f *DecisionFilter) keys(m *keyMaker) (out []indexKey) {
	if f.Allow != nil {
		out = append(out, m.key(fieldAllow, f.Tenant, strconv.FormatBool(*f.Allow)))
	}
	for _, v := range [...]struct {
		f     field
		value string
	}{
		{fieldSubject, f.Subject}, {fieldClient, f.Client}, {fieldAction, f.Action}, {fieldResource, f.Resource}, {fieldRelated, f.Related},
		{fieldCode, f.Code}, {fieldRequest, f.Request}, {fieldGrant, f.Grant}, {fieldRule, f.Rule},
	} {
		if v.value != "" {
			out = append(out, m.key(v.f, f.Tenant, v.value))
		}
	}
	if len(out) == 0 {
		out = append(out, m.key(fieldTenant, f.Tenant, ""))
	}
	return out
}
