package oauth2

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/ory/fosite"
	"github.com/ory/fosite/token/hmac"
)

// kind is one kind of opaque token: prefix, 256 random bits, a dot and their
// HMAC. The prefix lets scanners of leaked secrets know it, and each kind has a
// key of its own, so one kind is junk as another.
type kind struct {
	prefix string
	mac    *hmac.HMACStrategy
}

const accessPrefix = "pga_"

// newKind derives the kind's key: fosite uses only the first 32 bytes of a
// secret, so two long ones with a common beginning would be the same.
func newKind(prefix string, secret []byte) *kind {
	key := derive(secret, nil, "pointgate token "+prefix)
	return &kind{prefix: prefix, mac: &hmac.HMACStrategy{Config: &fosite.Config{GlobalSecret: key}}}
}

// mint makes a token and its signature.
func (k *kind) mint(ctx context.Context) (token, signature string, err error) {
	token, signature, err = k.mac.Generate(ctx)
	return k.prefix + token, signature, err
}

// minted are tokens that a request would get.
type minted struct {
	access, accessSignature   string
	refresh, refreshSignature string
}

func (p *Provider) mintTokens(ctx context.Context) (*minted, error) {
	n := new(minted)
	var err1, err2 error
	n.access, n.accessSignature, err1 = p.access.mint(ctx)
	n.refresh, n.refreshSignature, err2 = p.refresh.mint(ctx)
	return n, errors.Join(err1, err2)
}

// signature is the token's, or "" if this server did not make the token: junk
// is told from tokens before any database is asked.
func (k *kind) signature(ctx context.Context, token string) string {
	body, ok := strings.CutPrefix(token, k.prefix)
	if !ok || !canonical(body) || k.mac.Validate(ctx, body) != nil {
		return ""
	}
	return k.mac.Signature(body)
}

// canonical reports whether body is two times 32 bytes in the one spelling that
// is ours: base64 has several for the same bytes, and decoders skip line breaks.
func canonical(body string) bool {
	key, mac, ok := strings.Cut(body, ".")
	return ok && is256(key) && is256(mac)
}

// is256 reports whether s is exactly 32 bytes in unpadded base64url: 43 characters.
func is256(s string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(raw) == 32 && len(s) == 43
}

// rowKey is what the database knows a token by. Whoever reads the database
// can't make a token of it.
func rowKey(signature string) []byte {
	h := sha256.Sum256([]byte(signature))
	return h[:]
}

// newID makes a public name of 130 random bits.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// derive makes a key of 32 bytes for one purpose (HKDF-SHA256, RFC 5869).
func derive(secret, salt []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, purpose, keyLength)
	if err != nil {
		panic(err) // only for lengths that HKDF can't give
	}
	return key
}

// strategy is the three kinds as fosite's handlers want them. It checks no
// time: that is done with the row, by the clock of the Provider.
type strategy struct{ p *Provider }

func (s strategy) AuthorizeCodeSignature(ctx context.Context, token string) string {
	return s.p.code.signature(ctx, token)
}

func (s strategy) GenerateAuthorizeCode(ctx context.Context, _ fosite.Requester) (string, string, error) {
	return s.p.code.mint(ctx)
}

func (s strategy) ValidateAuthorizeCode(ctx context.Context, _ fosite.Requester, token string) error {
	return genuine(s.p.code.signature(ctx, token))
}

func (s strategy) AccessTokenSignature(ctx context.Context, token string) string {
	return s.p.access.signature(ctx, token)
}

func (s strategy) GenerateAccessToken(ctx context.Context, _ fosite.Requester) (string, string, error) {
	return s.p.access.mint(ctx)
}

func (s strategy) ValidateAccessToken(ctx context.Context, _ fosite.Requester, token string) error {
	return genuine(s.p.access.signature(ctx, token))
}

func (s strategy) RefreshTokenSignature(ctx context.Context, token string) string {
	return s.p.refresh.signature(ctx, token)
}

func (s strategy) GenerateRefreshToken(ctx context.Context, _ fosite.Requester) (string, string, error) {
	return s.p.refresh.mint(ctx)
}

func (s strategy) ValidateRefreshToken(ctx context.Context, _ fosite.Requester, token string) error {
	return genuine(s.p.refresh.signature(ctx, token))
}

func genuine(signature string) error {
	if signature == "" {
		return fosite.ErrTokenSignatureMismatch
	}
	return nil
}
