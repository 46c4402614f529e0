package oauth2

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// tlsSubject is whose certificate a client has, for tls_client_auth: a
// distinguished name, or one entry of the subject alternative names (RFC 8705
// §2.1.2).
type tlsSubject struct {
	kind  string // dn, dns, uri, ip or email
	value string
	name  [][]attribute // of a dn
}

// attribute is one type and value of a name, the type as a dotted number.
type attribute struct{ oid, value string }

const maxTLSSubject = 512 // characters

var errTLSSubject = errors.New("not a subject of a certificate")

// parseTLSSubject reads dn:, dns:, uri:, ip: or email: and the value.
func parseTLSSubject(s string) (*tlsSubject, error) {
	kind, value, _ := strings.Cut(s, ":")
	out := &tlsSubject{kind: kind, value: value}
	good := value != "" && len(s) <= maxTLSSubject
	switch kind {
	case "dn":
		var err error
		out.name, err = parseName(value)
		good = good && err == nil
	case "dns":
		good = good && dnsName.MatchString(value)
	case "uri":
		u, err := url.Parse(value)
		good = good && err == nil && u.Scheme != "" && u.String() == value
	case "ip":
		a, err := netip.ParseAddr(value)
		good = good && err == nil && a.Zone() == "" && a.String() == value
	case "email":
		good = good && email.MatchString(value)
	default:
		good = false
	}
	if !good {
		return nil, errTLSSubject
	}
	return out, nil
}

var (
	dnsName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$`) // no wildcard: it would be many
	email   = regexp.MustCompile(`^[^\s@]+@[^\s@]+$`)
)

// matches reports whether the certificate is this subject's. Values are
// compared as they are spelled; of DNS names alone, case does not count.
func (s *tlsSubject) matches(c *x509.Certificate) bool {
	switch s.kind {
	case "dn":
		var raw pkix.RDNSequence
		rest, err := asn1.Unmarshal(c.RawSubject, &raw)
		return err == nil && len(rest) == 0 && sameName(s.name, nameOf(raw))
	case "dns":
		return slices.ContainsFunc(c.DNSNames, func(n string) bool { return strings.EqualFold(n, s.value) })
	case "uri":
		return slices.ContainsFunc(c.URIs, func(u *url.URL) bool { return u.String() == s.value })
	case "ip":
		want := net.ParseIP(s.value)
		return slices.ContainsFunc(c.IPAddresses, want.Equal)
	case "email":
		return slices.Contains(c.EmailAddresses, s.value)
	}
	return false
}

// nameOf is a name in the order of RFC 4514 §2.1, the last part first. A value
// that is no text is left out, so that its name is nobody's.
func nameOf(raw pkix.RDNSequence) [][]attribute {
	var out [][]attribute
	for _, set := range slices.Backward(raw) {
		var part []attribute
		for _, a := range set {
			if v, ok := a.Value.(string); ok {
				part = append(part, attribute{a.Type.String(), v})
			}
		}
		out = append(out, part)
	}
	return out
}

// sameName compares the parts in order; inside of a part there is none.
func sameName(want, got [][]attribute) bool {
	return slices.EqualFunc(want, got, func(a, b []attribute) bool {
		sort := func(all []attribute) []attribute {
			return slices.SortedFunc(slices.Values(all), func(x, y attribute) int { return strings.Compare(x.oid+"="+x.value, y.oid+"="+y.value) })
		}
		return len(a) > 0 && slices.Equal(sort(a), sort(b))
	})
}

// nameTypes are the short names of RFC 4514 §3, and three that are common.
var nameTypes = map[string]string{
	"CN": "2.5.4.3", "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "STREET": "2.5.4.9", "O": "2.5.4.10",
	"OU": "2.5.4.11", "DC": "0.9.2342.19200300.100.1.25", "UID": "0.9.2342.19200300.100.1.1", "EMAILADDRESS": "1.2.840.113549.1.9.1",
}

var dotted = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]*))+$`)

// parseName reads a distinguished name in the string form of RFC 4514, without
// the values in hexadecimal that it allows for unknown types.
func parseName(s string) ([][]attribute, error) {
	out := [][]attribute{nil}
	for {
		kind, rest, found := strings.Cut(s, "=")
		oid := nameTypes[strings.ToUpper(kind)]
		if dotted.MatchString(kind) {
			oid = kind
		}
		value, end, rest, err := parseValue(rest)
		if !found || oid == "" || err != nil {
			return nil, errTLSSubject
		}
		last := &out[len(out)-1]
		*last = append(*last, attribute{oid, value})
		switch end {
		case 0:
			return out, nil
		case ',':
			out = append(out, nil)
		}
		s = rest
	}
}

// parseValue reads one value, until an unescaped , or + or the end (0).
func parseValue(s string) (value string, end byte, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == ',' || c == '+':
			return b.String(), c, s[i+1:], nameValue(b.String(), s[:i])
		case c != '\\':
			if strings.IndexByte("\";<>\x00", c) >= 0 {
				return "", 0, "", errTLSSubject
			}
			b.WriteByte(c)
		case i+1 < len(s) && strings.IndexByte(" \"#+,;<=>\\", s[i+1]) >= 0:
			b.WriteByte(s[i+1])
			i++
		default:
			pair, err := hex.DecodeString(s[i+1 : min(i+3, len(s))])
			if err != nil || len(pair) != 1 {
				return "", 0, "", errTLSSubject
			}
			b.Write(pair)
			i += 2
		}
	}
	return b.String(), 0, "", nameValue(b.String(), s)
}

// nameValue refuses an empty value, one in hexadecimal, and white space at its
// ends that is not escaped (RFC 4514 §2.4).
func nameValue(value, spelled string) error {
	escapedEnd := strings.HasSuffix(spelled, `\ `)
	if value == "" || spelled[0] == '#' || spelled[0] == ' ' || strings.HasSuffix(spelled, " ") && !escapedEnd {
		return errTLSSubject
	}
	return nil
}
