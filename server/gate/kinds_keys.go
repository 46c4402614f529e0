package gate

import "time"

// SigningKeyCreated is a new key that signs the tokens of a tenant. Its resource
// is the key.
type SigningKeyCreated struct {
	// ES256, RS256 or EdDSA.
	Alg string `json:"alg"`
	// From when it signs; it is published before.
	SignsFrom time.Time `json:"signs_from"`
}

func (SigningKeyCreated) kind() kind { return kind{"signing_key.create", ok, 0} }

// SigningKeyDestroyed is a key that signs no more: its private half is gone. What
// it has signed is good until it ends. Its resource is the key.
type SigningKeyDestroyed struct {
	// ES256, RS256 or EdDSA.
	Alg string `json:"alg"`
}

func (SigningKeyDestroyed) kind() kind { return kind{"signing_key.destroy", ok, 0} }
