package oauth2

import (
	"crypto/sha256"
	"net/url"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

// The bounds of a DPoP proof (RFC 9449).
const (
	maxProof   = 4 << 10 // bytes; one of the largest RSA key that is taken has 3 KiB
	maxJTI     = 256     // bytes
	proofAge   = 60 * time.Second
	proofAhead = 5 * time.Second // that the client's clock may be ahead
	// proofKept is how long a proof is remembered: for longer than any node of a
	// cluster takes it, whose clocks are within a minute of each other.
	proofKept = proofAge + time.Minute
)

// proof is a DPoP proof whose signature is good.
type proof struct {
	cnf            string // the binding to its key
	jti            string
	method, target string // htm, htu
	ath, nonce     string // empty where they are missing
	at             time.Time
}

// unproven refuses a proof; text must be a constant. It may be told to the
// client, which knows its own proof.
func unproven(text string) *Error { return refuse("invalid_dpop_proof").saying(text) }

// readProof takes the one proof of a request apart and checks what can be checked
// without the request (RFC 9449 §4.3, numbers 1 to 7).
func readProof(headers []string) (*proof, error) {
	if len(headers) != 1 {
		return nil, unproven("One DPoP header is needed, and not two.")
	}
	if len(headers[0]) > maxProof {
		return nil, unproven("The DPoP proof is too large.")
	}
	j, err := parseJWS(headers[0], maxProof)
	if err != nil {
		return nil, unproven("The DPoP proof is not a JWT that is signed with ES256, EdDSA, PS256 or RS256.")
	}
	if text(j.header["typ"]) != "dpop+jwt" {
		return nil, unproven("The typ of the DPoP proof must be dpop+jwt.")
	}
	key, err := readKey(j.header["jwk"])
	if err != nil {
		return nil, unproven("The jwk of the DPoP proof must be a public key: P-256, Ed25519, or RSA of 2048 to 4096 bits.")
	}
	if !j.verifiedBy(key) {
		return nil, unproven("The signature of the DPoP proof is not of its jwk.")
	}
	at, ok := seconds(j.claims["iat"])
	p := &proof{
		cnf: dpopPrefix + key.thumbprint(), jti: text(j.claims["jti"]), method: text(j.claims["htm"]), target: text(j.claims["htu"]),
		ath: text(j.claims["ath"]), nonce: text(j.claims["nonce"]), at: time.Unix(at, 0),
	}
	if !ok || p.method == "" || p.target == "" || p.jti == "" || len(p.jti) > maxJTI {
		return nil, unproven("The DPoP proof needs htm, htu, iat, and a jti of at most 256 bytes.")
	}
	if _, given := j.claims["nonce"]; given && p.nonce == "" {
		return nil, unproven("The nonce of the DPoP proof is not a text.")
	}
	return p, nil
}

// check compares the proof with the request that it came with (RFC 9449 §4.3,
// numbers 8, 9 and 11).
func (p *proof) check(method, target string, now time.Time) error {
	switch {
	case p.method != method:
		return unproven("The DPoP proof is for another method (htm).")
	case !sameTarget(p.target, target):
		return unproven("The DPoP proof is for another URL (htu).")
	case now.Sub(p.at) > proofAge:
		return unproven("The DPoP proof is too old (iat).")
	case p.at.Sub(now) > proofAhead:
		return unproven("The DPoP proof is from the future (iat).")
	}
	return nil
}

// sameTarget compares htu with the URL of a request. Scheme and host have no
// case, the scheme's port is none; query and fragment don't count. The path must
// be as it was sent.
func sameTarget(htu, target string) bool {
	a, ok1 := plainURL(htu)
	b, ok2 := plainURL(target)
	return ok1 && ok2 && a == b
}

func plainURL(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", false
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path, true
}

// hashOf is the ath of an access token (RFC 9449 §4.2).
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return encode(sum[:])
}

// replayKey names what may be shown once, by its kind and whose it is: nobody
// can use up what is another's.
func replayKey(kind string, parts ...string) []byte {
	sum := sha256.Sum256(bind(append([]string{kind}, parts...)))
	return sum[:]
}

// key is what the proof is remembered by.
func (p *proof) key(t *store.Tenant) []byte { return replayKey("dpop", t.ID, p.cnf, p.jti) }
