package gate_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestStepUp: RFC 9470 §3, in the header and in the body.
func TestStepUp(t *testing.T) {
	const realm = `Bearer realm="http://demo.localhost", resource_metadata="http://demo.localhost/.well-known/oauth-protected-resource/api"`
	const says = realm + `, error="insufficient_user_authentication", error_description="A fresher or stronger login is needed"`
	for name, tc := range map[string]struct {
		need   map[string]any
		header string
		body   map[string]any
	}{
		"age":      {map[string]any{"max_age": int64(300)}, `, max_age="300"`, map[string]any{"max_age": 300.0}},
		"no age":   {map[string]any{"max_age": int64(0)}, `, max_age="0"`, map[string]any{"max_age": 0.0}},
		"class":    {map[string]any{"acr_values": "urn:a urn:b"}, `, acr_values="urn:a urn:b"`, map[string]any{"acr_values": "urn:a urn:b"}},
		"both":     {map[string]any{"acr_values": "a", "max_age": int64(5)}, `, acr_values="a", max_age="5"`, map[string]any{"acr_values": "a", "max_age": 5.0}},
		"nonsense": {map[string]any{"acr_values": "a\", x=\"\r\nSet-Cookie: y\\é", "max_age": int64(-1)}, `, acr_values="a, x=Set-Cookie: y"`, map[string]any{"acr_values": "a, x=Set-Cookie: y"}},
		"nothing":  {nil, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, storetest.SQLite(t))
			e.policy.allow, e.policy.code, e.policy.duty = false, "insufficient_user_authentication", map[string]any{policies.StepUp: tc.need}
			r := e.request()
			a := gate.Do(context.Background(), e.Gate, marks(done), r)
			if got := a.Header["WWW-Authenticate"]; a.Status != 401 || got != says+tc.header {
				t.Errorf("%d %s", a.Status, got)
			}
			var body map[string]any
			if err := json.Unmarshal(a.Body, &body); err != nil || body["code"] != "insufficient_user_authentication" {
				t.Errorf("%s: %v", a.Body, err)
			}
			for _, member := range []string{"max_age", "acr_values"} {
				if body[member] != tc.body[member] {
					t.Errorf("%s: %s is not %v", a.Body, member, tc.body[member])
				}
			}
			if rec := e.record(t, r); rec.Allow || rec.Status != 401 || rec.Code != "insufficient_user_authentication" || e.effectDone(t) {
				t.Errorf("recorded: %+v", rec)
			}
		})
	}
}

// TestAgeIsOfTheLogin: that of a grant, however new the token; of a credential
// without a login it is the credential's, and says so by having no class.
func TestAgeIsOfTheLogin(t *testing.T) {
	e := newEnv(t, storetest.SQLite(t))
	now := time.Now()
	e.Now = func() time.Time { return now }
	for name, tc := range map[string]struct {
		login time.Time
		age   int64
		class string
	}{
		"a token of an old login": {now.Add(-time.Hour), 3600, "1fa"},
		"a machine's":             {time.Time{}, 10, ""},
	} {
		r := e.request()
		r.Caller.IssuedAt, r.Caller.AuthTime, r.Caller.ACR = now.Add(-10*time.Second), tc.login, "1fa"
		gate.Do(context.Background(), e.Gate, marks(done), r)
		if q := e.policy.asked[len(e.policy.asked)-1].Context; q.Age != tc.age || q.ACR != tc.class {
			t.Errorf("%s: %d s, class %q", name, q.Age, q.ACR)
		}
	}
}
