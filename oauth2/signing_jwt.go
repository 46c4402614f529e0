package oauth2

import (
	"crypto"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// The types of JWT that this server signs. One is never taken for another: the
// type is in the header, and a header is compared as a whole.
const (
	typAccess = "at+jwt" // RFC 9068 §2.1
	typID     = "JWT"
)

// maxJWT bounds what is looked at, in bytes.
const maxJWT = 8 << 10

// signingKey is a key that is published, with its private half while it signs.
type signingKey struct {
	row     store.SigningKey
	alg     algorithm
	public  crypto.PublicKey
	private crypto.Signer // nil where it does not sign, or can't be opened
}

// head is the first part of all JWTs of a type that the key signs. Nothing in it
// depends on anything else, so who verifies has no header to interpret.
func (k *signingKey) head(typ string) string {
	raw, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{k.row.Alg, k.row.ID, typ})
	if err != nil {
		panic(err) // strings
	}
	return encode(raw)
}

// sign makes a JWT (RFC 7519) in the compact form of RFC 7515.
func (k *signingKey) sign(typ string, claims any) (string, error) {
	raw, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	if k.private == nil {
		return "", errors.New("oauth2: this key does not sign")
	}
	text := k.head(typ) + "." + encode(raw)
	signature, err := k.alg.sign(k.private, []byte(text))
	if err != nil {
		return "", err
	}
	return text + "." + encode(signature), nil
}

// claimsOf verifies the signature of a JWT whose head was found to be the key's,
// and gives its claims; false for all that this key did not sign.
func (k *signingKey) claimsOf(token string, claims any) bool {
	end := strings.LastIndexByte(token, '.')
	begin := strings.IndexByte(token, '.')
	if begin < 0 || begin == end {
		return false
	}
	signature, err := decode(token[end+1:])
	if err != nil || !k.alg.verify(k.public, []byte(token[:end]), signature) {
		return false
	}
	raw, err := decode(token[begin+1 : end])
	return err == nil && json.Unmarshal(raw, claims) == nil
}

// headOf is the first part of what has the form of a JWT; "" of anything else.
func headOf(token string) string {
	if len(token) > maxJWT || strings.Count(token, ".") != 2 || strings.ContainsAny(token, "\r\n") { // which decoders of base64 skip
		return ""
	}
	head, _, _ := strings.Cut(token, ".")
	return head
}

var keyID = regexp.MustCompile(`^sgk_[a-z2-7]{26}$`)

// kidOf is the id of a key of ours that a head names, whether or not there is
// such a key; "" if it names none.
func kidOf(head string) string {
	raw, err := decode(head)
	var h struct {
		Kid string `json:"kid"`
	}
	if err != nil || json.Unmarshal(raw, &h) != nil || !keyID.MatchString(h.Kid) {
		return ""
	}
	return h.Kid
}
