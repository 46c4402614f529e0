package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"
)

// settingsDigest is the SHA-256 of the configuration as it is in force, flags and
// environment and file together, by which the record of a start tells one
// configuration from another. No secret is in it, so nobody can try passwords
// against it: secrets stand in files, of which it has the names, and in URLs,
// which lose them here.
func settingsDigest(c *Config) (string, error) {
	raw, err := yaml.Marshal(c)
	if err != nil {
		return "", err
	}
	var all map[string]any
	if err := yaml.Unmarshal(raw, &all); err != nil {
		return "", err
	}
	if raw, err = json.Marshal(withoutSecrets(all)); err != nil { // its members are sorted
		return "", err
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

func withoutSecrets(v any) any {
	switch v := v.(type) {
	case string:
		return publicPart(v)
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = withoutSecrets(v[name])
		}
	}
	return v
}

// publicPart is a URL without user, password and query; any other text as it is.
func publicPart(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "://"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
