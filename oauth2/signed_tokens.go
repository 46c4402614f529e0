package oauth2

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

// IDLifetime is that of an ID token: a client looks at it once, when it gets it.
const IDLifetime = 15 * time.Minute

const maxNonce = 512 // bytes

// accessClaims are those of a JWT access token (RFC 9068 §2.2): what the holder's
// client knows anyway, and nothing else about a person. jti leads to the row.
type accessClaims struct {
	Issuer    string          `json:"iss"`
	Subject   string          `json:"sub"`
	Audience  string          `json:"aud"`
	ClientID  string          `json:"client_id"`
	Scope     string          `json:"scope"`
	IssuedAt  int64           `json:"iat"`
	ExpiresAt int64           `json:"exp"`
	ID        string          `json:"jti"`
	AuthTime  int64           `json:"auth_time,omitempty"`
	ACR       string          `json:"acr,omitempty"`
	AMR       []string        `json:"amr,omitempty"`
	Cnf       *Confirmation   `json:"cnf,omitempty"` // RFC 7800
	Act       json.RawMessage `json:"act,omitempty"` // RFC 8693 §4.1
}

// idClaims are those of an ID token (OpenID Connect Core §2). What the scopes
// email and profile open is at the userinfo endpoint (§5.4).
type idClaims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Audience   string   `json:"aud"`
	ExpiresAt  int64    `json:"exp"`
	IssuedAt   int64    `json:"iat"`
	AuthTime   int64    `json:"auth_time,omitempty"`
	Nonce      string   `json:"nonce,omitempty"`
	ACR        string   `json:"acr,omitempty"`
	AMR        []string `json:"amr,omitempty"`
	AccessHash string   `json:"at_hash"`
	SessionID  string   `json:"sid,omitempty"` // OpenID Connect Back-Channel Logout §2.1
}

// readySigner finds the key for what the exchange may have to sign, before there
// is a write. Whether it was found is asked only where something is signed.
func (p *Provider) readySigner(ctx context.Context, x *exchange) {
	if x.client.TokenFormat != "jwt" && !x.client.Scopes.Has(openid) {
		return
	}
	x.key, x.keyFault = p.signing.signer(ctx, x.tenant.ID, algOf(x.client.Client))
}

// algOf is the algorithm of the JWTs for a client.
func algOf(c *store.Client) string {
	if c.SigningAlg == "" {
		return defaultAlg
	}
	return c.SigningAlg
}

// answer is what the client gets for the tokens that were minted: the access
// token as it is or, by the client's registration, as a JWT, and an ID token
// where the client may know who the person is.
func (x *exchange) answer(access, refresh string, row *store.AccessToken) (*Answer, error) {
	a := &Answer{
		AccessToken: access, TokenType: tokenType(row.Cnf), ExpiresIn: int64(row.ExpiresAt.Sub(x.now).Seconds()),
		RefreshToken: refresh, Scope: strings.Join(row.Scopes, " "),
	}
	var err error
	if x.client.TokenFormat == "jwt" {
		if a.AccessToken, err = x.sign(typAccess, x.accessClaims(access, row)); err != nil {
			return nil, err
		}
	}
	person := x.standing.SubjectType != "client" && x.standing.Actor == ""
	if person && row.Scopes.Has(openid) && x.client.Scopes.Has(openid) { // it may have lost it since the consent
		a.IDToken, err = x.sign(typID, x.idClaims(a.AccessToken))
	}
	return a, err
}

func (x *exchange) sign(typ string, claims any) (string, error) {
	if x.key == nil {
		return "", refuse("server_error").because(x.keyFault)
	}
	return x.key.sign(typ, claims)
}

// accessClaims are of the minted token, whose MAC names its row: who has the JWT
// can't make the token of it that it stands for.
func (x *exchange) accessClaims(access string, row *store.AccessToken) *accessClaims {
	s := x.standing
	return &accessClaims{
		Issuer: x.tenant.Issuer, Subject: s.Subject, Audience: row.Audience, ClientID: row.ClientID, Scope: strings.Join(row.Scopes, " "),
		IssuedAt: row.CreatedAt.Unix(), ExpiresAt: row.ExpiresAt.Unix(), ID: access[strings.LastIndexByte(access, '.')+1:],
		AuthTime: unix(s.AuthTime), ACR: ACR(s.AMR), AMR: s.AMR, Cnf: confirmation(row.Cnf), Act: json.RawMessage(s.Actor),
	}
}

func (x *exchange) idClaims(access string) *idClaims {
	s := x.standing
	claims := &idClaims{
		Issuer: x.tenant.Issuer, Subject: s.Subject, Audience: x.client.ID, IssuedAt: x.now.Unix(), ExpiresAt: x.now.Add(IDLifetime).Unix(),
		AuthTime: unix(s.AuthTime), ACR: ACR(s.AMR), AMR: s.AMR, SessionID: s.SessionID,
	}
	if x.code != nil {
		claims.Nonce = x.code.Nonce
	}
	if x.key != nil {
		claims.AccessHash = encode(x.key.alg.half(access))
	}
	return claims
}

func unix(t store.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// isAccess reports whether a text has the form of an access token.
func isAccess(token string) bool {
	return strings.HasPrefix(token, accessPrefix) || headOf(token) != ""
}

// findAccess finds the row of an access token of either form. Junk, other kinds
// of token and what was never issued are store.ErrNotFound; junk costs no query.
func (p *Provider) findAccess(ctx context.Context, r store.Reader, token string) (*store.AccessToken, error) {
	if head := headOf(token); head != "" {
		return p.findJWT(ctx, r, head, token)
	}
	signature := p.access.signature(ctx, token)
	if signature == "" {
		return nil, store.ErrNotFound
	}
	return store.GetAccessToken(ctx, r, rowKey(signature))
}

const (
	// clockSlack is how far the clock of the node that signed may be ahead.
	clockSlack = time.Minute
	// jwtKept is how long an expired token may still be known as such.
	jwtKept = 24 * time.Hour
)

// findJWT verifies before it asks the database. The row says what the token is
// good for today; of the claims only those that lead to it are looked at.
func (p *Provider) findJWT(ctx context.Context, r store.Reader, head, token string) (*store.AccessToken, error) {
	k, err := p.signing.byHead(ctx, head)
	if err != nil {
		return nil, err
	}
	var claims accessClaims
	if k == nil || !k.claimsOf(token, &claims) {
		return nil, store.ErrNotFound
	}
	now := p.now()
	issued, expires := time.Unix(claims.IssuedAt, 0), time.Unix(claims.ExpiresAt, 0)
	if claims.Issuer != k.row.Issuer || issued.After(now.Add(clockSlack)) || !now.Before(expires.Add(jwtKept)) || !is256(claims.ID) {
		return nil, store.ErrNotFound
	}
	t, err := store.GetAccessToken(ctx, r, rowKey(claims.ID))
	if err == nil && t.Tenant != k.row.Tenant {
		return nil, store.ErrNotFound // one tenant's key says nothing about another's tokens
	}
	return t, err
}
