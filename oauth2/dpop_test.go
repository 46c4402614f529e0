package oauth2

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/store"
)

const tokenURL = "https://demo.example/oauth2/token"

var proofTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// proven is what one proof comes to at the token endpoint, a second after it
// was made.
func proven(headers ...string) error {
	p, err := readProof(headers)
	if err != nil {
		return err
	}
	return p.check("POST", tokenURL, proofTime.Add(time.Second))
}

func TestGoodProofs(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256", "PS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			k := jwttest.New(t, alg)
			if err := proven(k.Proof(t, "POST", tokenURL, proofTime, nil)); err != nil {
				t.Fatal(err)
			}
			p, err := readProof([]string{k.Proof(t, "POST", tokenURL, proofTime, map[string]any{"ath": jwttest.HashOf("pga_x"), "nonce": "n"})})
			if err != nil || p.cnf != "dpop:"+k.Thumbprint() || p.ath != hashOf("pga_x") || p.nonce != "n" {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
	t.Run("the largest key", func(t *testing.T) {
		k := jwttest.Sized(t, "RS256", 4096)
		if err := proven(k.Proof(t, "POST", tokenURL, proofTime, map[string]any{"jti": strings.Repeat("j", 256), "ath": jwttest.HashOf("x")})); err != nil {
			t.Error(err)
		}
	})
}

// TestThumbprint is the example of RFC 7638 §3.1.
func TestThumbprint(t *testing.T) {
	k, err := readKey([]byte(`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`))
	if err != nil || k.thumbprint() != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("got %v, %v", k, err)
	}
}

func TestBadProofs(t *testing.T) {
	es, rsa, other := jwttest.New(t, "ES256"), jwttest.New(t, "RS256"), jwttest.New(t, "ES256")
	small := jwttest.Sized(t, "RS256", 1024)
	claims := func(name string, v any) string {
		return es.Proof(t, "POST", tokenURL, proofTime, map[string]any{name: v})
	}
	signed := func(k *jwttest.Key, changes map[string]any) string {
		header := map[string]any{"typ": "dpop+jwt", "alg": k.Alg, "jwk": k.JWK()}
		maps.Copy(header, changes)
		maps.DeleteFunc(header, func(_ string, v any) bool { return v == nil })
		return k.Sign(t, header, map[string]any{"jti": "1", "htm": "POST", "htu": tokenURL, "iat": proofTime.Unix()})
	}
	with := func(k *jwttest.Key, member string, v any) map[string]any {
		jwk := k.JWK()
		jwk[member] = v
		return map[string]any{"jwk": jwk}
	}
	good := claims("x", nil)
	parts := strings.Split(good, ".")
	for name, headers := range map[string][]string{
		"D1 no typ":                       {signed(es, map[string]any{"typ": nil})},
		"D1 typ JWT":                      {signed(es, map[string]any{"typ": "JWT"})},
		"D1 typ in another case":          {signed(es, map[string]any{"typ": "DPoP+JWT"})},
		"D1 typ of another name":          {signed(es, map[string]any{"typ": nil, "TYP": "dpop+jwt"})},
		"D2 none":                         {signed(es, map[string]any{"alg": "none"})},
		"D2 none, unsigned":               {jwttest.Encode([]byte(`{"typ":"dpop+jwt","alg":"none"}`)) + "." + parts[1] + "."},
		"D2 no alg":                       {signed(es, map[string]any{"alg": nil})},
		"D2 HS256":                        {signed(es, map[string]any{"alg": "HS256"})},
		"D2 HS256, oct":                   {signed(es, map[string]any{"alg": "HS256", "jwk": map[string]any{"kty": "oct", "k": "AAAA"}})},
		"D2 ES384":                        {signed(es, map[string]any{"alg": "ES384"})},
		"D2 RS256 by an EC key":           {signed(es, map[string]any{"alg": "RS256"})},
		"D2 ES256 by an RSA key":          {signed(rsa, map[string]any{"alg": "ES256"})},
		"D2 PS256 by PKCS 1":              {signed(rsa, map[string]any{"alg": "PS256"})},
		"D2 a key for another algorithm":  {signed(rsa, with(rsa, "alg", "PS256"))},
		"D2 RSA of 1024 bits":             {signed(small, nil)},
		"D3 a private EC key":             {signed(es, with(es, "d", "AAAA"))},
		"D3 a private RSA key":            {signed(rsa, with(rsa, "d", "AAAA"))},
		"D3 a prime":                      {signed(rsa, with(rsa, "p", "AAAA"))},
		"D3 a symmetric part":             {signed(es, with(es, "k", "AAAA"))},
		"D3 an empty private part":        {signed(es, with(es, "d", ""))},
		"no jwk":                          {signed(es, map[string]any{"jwk": nil})},
		"jwk null":                        {signed(es, map[string]any{"jwk": json.RawMessage("null")})},
		"a jwk that is a text":            {signed(es, map[string]any{"jwk": "x"})},
		"a point off the curve":           {signed(es, with(es, "x", jwttest.Encode(make([]byte, 32))))},
		"another curve":                   {signed(es, with(es, "crv", "P-384"))},
		"a key for encryption":            {signed(es, with(es, "use", "enc"))},
		"crit":                            {signed(es, map[string]any{"crit": []string{"b64"}, "b64": false})},
		"D4 another's signature":          {parts[0] + "." + parts[1] + "." + strings.Split(claims("jti", "2"), ".")[2]},
		"D4 another's key":                {signed(es, map[string]any{"jwk": other.JWK()})},
		"D4 no signature":                 {parts[0] + "." + parts[1] + "."},
		"D4 a short signature":            {good[:len(good)-2]},
		"D4 changed claims":               {parts[0] + "." + jwttest.Encode([]byte(`{"jti":"1","htm":"POST","htu":"`+tokenURL+`","iat":1795348800}`)) + "." + parts[2]},
		"D4 zeros":                        {parts[0] + "." + parts[1] + "." + jwttest.Encode(make([]byte, 64))},
		"D4 DER":                          {parts[0] + "." + parts[1] + "." + jwttest.Encode([]byte{48, 6, 2, 1, 1, 2, 1, 1})},
		"D5 another method":               {claims("htm", "GET")},
		"D5 a method in lower case":       {claims("htm", "post")},
		"D5 no method":                    {claims("htm", nil)},
		"D5 another path":                 {claims("htu", "https://demo.example/oauth2/revoke")},
		"D5 a slash more":                 {claims("htu", tokenURL+"/")},
		"D5 another case of the path":     {claims("htu", "https://demo.example/OAuth2/token")},
		"D5 another host":                 {claims("htu", "https://evil.example/oauth2/token")},
		"D5 another port":                 {claims("htu", "https://demo.example:8443/oauth2/token")},
		"D5 another scheme":               {claims("htu", "http://demo.example/oauth2/token")},
		"D5 a user":                       {claims("htu", "https://x@demo.example/oauth2/token")},
		"D5 a path alone":                 {claims("htu", "/oauth2/token")},
		"D5 an escaped slash":             {claims("htu", "https://demo.example/oauth2%2Ftoken")},
		"D5 no URL":                       {claims("htu", "%")},
		"D5 no htu":                       {claims("htu", nil)},
		"D5 a list":                       {claims("htu", []string{tokenURL})},
		"D6 too old":                      {claims("iat", proofTime.Add(-proofAge).Unix())},
		"D6 from the future":              {claims("iat", proofTime.Add(proofAhead+2*time.Second).Unix())},
		"D6 far in the future":            {claims("iat", json.RawMessage("1e300"))},
		"D6 before all time":              {claims("iat", -1)},
		"D6 a text":                       {claims("iat", "1795348800")},
		"D6 null":                         {claims("iat", json.RawMessage("null"))},
		"D6 no iat":                       {claims("iat", nil)},
		"D7 no jti":                       {claims("jti", nil)},
		"D7 an empty jti":                 {claims("jti", "")},
		"D7 a long jti":                   {claims("jti", strings.Repeat("j", 257))},
		"D7 a jti that is a number":       {claims("jti", 1)},
		"D8 two proofs":                   {claims("jti", "1"), claims("jti", "2")},
		"D8 two in one":                   {good + ", " + good},
		"D8 none":                         {},
		"D8 an empty one":                 {""},
		"D13 an empty nonce":              {claims("nonce", "")},
		"D13 a nonce that is a number":    {claims("nonce", 1)},
		"D17 too large":                   {claims("x", strings.Repeat("x", maxProof))},
		"D17 much too large":              {strings.Repeat("x.", 1<<20)},
		"two parts":                       {parts[0] + "." + parts[1]},
		"four parts":                      {good + ".x"},
		"padded":                          {parts[0] + "." + parts[1] + "." + parts[2] + "="},
		"a line break":                    {parts[0] + "." + parts[1] + "\n." + parts[2]},
		"claims that are a list":          {parts[0] + "." + jwttest.Encode([]byte(`[]`)) + "." + parts[2]},
		"claims that are null":            {parts[0] + "." + jwttest.Encode([]byte(`null`)) + "." + parts[2]},
		"the JSON serialization":          {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`},
		"base64 of another kind":          {base64.StdEncoding.EncodeToString([]byte(`{"a":"???"}`)) + "." + parts[1] + "." + parts[2]},
		"a signature in another spelling": {respelled(good)},
	} {
		t.Run(name, func(t *testing.T) {
			var refused *Error
			if err := proven(headers...); !errors.As(err, &refused) || refused.Code != "invalid_dpop_proof" || refused.Status != 400 {
				t.Errorf("got %v", err)
			} else if strings.ContainsAny(refused.Description, `"\`) || refused.Redirect != "" {
				t.Errorf("got %q", refused.Description)
			}
		})
	}
}

// respelled changes the bits of the last character that mean nothing.
func respelled(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])^1])
}

func TestProofsAreForgivingWhereTheRFCIs(t *testing.T) {
	k := jwttest.New(t, "EdDSA")
	for name, claims := range map[string]map[string]any{
		"D5 a query":               {"htu": tokenURL + "?a=b"},
		"D5 a fragment":            {"htu": tokenURL + "#f"},
		"D5 another case":          {"htu": "HTTPS://Demo.Example/oauth2/token"},
		"D5 the scheme's port":     {"htu": "https://demo.example:443/oauth2/token"},
		"D6 at the edge":           {"iat": proofTime.Add(time.Second - proofAge).Unix()},
		"D6 a little ahead":        {"iat": proofTime.Add(proofAhead).Unix()},
		"D6 with a fraction":       {"iat": float64(proofTime.Unix()) + 0.5},
		"claims that nobody knows": {"https://example.com/x": map[string]any{"a": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := proven(k.Proof(t, "POST", tokenURL, proofTime, claims)); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("D5 no path is the root", func(t *testing.T) {
		if !sameTarget("http://demo.example", "http://demo.example:80/") || sameTarget("http://demo.example:443/", "http://demo.example/") {
			t.Error("not so")
		}
	})
}

func TestNonces(t *testing.T) {
	now := proofTime
	p := &Provider{now: func() time.Time { return now }, nonceKey: []byte("key")}
	other := &Provider{now: p.now, nonceKey: []byte("another")}
	demo, second := &store.Tenant{ID: "demo"}, &store.Tenant{ID: "other"}
	n := p.Nonce(demo)
	if len(n) != 22 || p.fresh(demo, "") || p.fresh(demo, n[:21]) || p.fresh(second, n) || other.fresh(demo, n) || p.Nonce(second) == n {
		t.Error("a nonce is good where it is not")
	}
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {nonceWindow, true}, {2*nonceWindow - time.Second, true}, {2 * nonceWindow, false}, {-nonceWindow, true}, {-2 * nonceWindow, false}} {
		now = proofTime.Add(c.after)
		if got := p.fresh(demo, n); got != c.want {
			t.Errorf("after %s: %v", c.after, got)
		}
	}
}

func FuzzProof(f *testing.F) {
	for _, alg := range []string{"ES256", "RS256", "PS256", "EdDSA"} {
		f.Add(jwttest.New(f, alg).Proof(f, "POST", tokenURL, proofTime, map[string]any{"nonce": "n", "ath": "a"}))
	}
	f.Add("..")
	f.Add("e30.e30.")
	f.Add(jwttest.Encode([]byte(`{"typ":"dpop+jwt","alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":""}}`)) + ".e30.AA")
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := readProof([]string{raw})
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) || refused.Code != "invalid_dpop_proof" || p != nil {
				t.Errorf("got %v, %v", p, err)
			}
			return
		}
		if len(raw) > maxProof || len(p.cnf) != len(dpopPrefix)+43 || p.jti == "" || len(p.jti) > maxJTI {
			t.Errorf("got %+v of %d bytes", p, len(raw))
		}
		_ = p.check("POST", p.target, proofTime)
	})
}
