package oauth2

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

func TestErrorOf(t *testing.T) {
	secret := "pq: password authentication failed"
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"our own":                 {refuse("invalid_scope"), 400, "invalid_scope"},
		"our own inside fosite's": {fosite.ErrServerError.WithWrap(refuse("invalid_grant")), 400, "invalid_grant"},
		"fosite's":                {fosite.ErrInvalidGrant.WithHint(secret).WithDebug(secret), 400, "invalid_grant"},
		"fosite's, wrapped":       {fmt.Errorf("x: %w", fosite.ErrUnauthorizedClient), 400, "unauthorized_client"},
		"a code of no RFC":        {fosite.ErrInvalidState.WithHint(secret), 400, "invalid_request"},
		"an inactive token":       {fosite.ErrInactiveToken, 400, "invalid_grant"},
		"an expired one":          {fosite.ErrTokenExpired, 400, "invalid_grant"},
		"a mismatch":              {fosite.ErrTokenSignatureMismatch, 400, "invalid_grant"},
		"a missing row":           {fosite.ErrNotFound.WithWrap(errors.New(secret)), 400, "invalid_grant"},
		"scope_not_granted":       {fosite.ErrScopeNotGranted, 500, "server_error"},
		"jti_known":               {fosite.ErrJTIKnown, 500, "server_error"},
		"misconfiguration":        {fosite.ErrMisconfiguration.WithDebug(secret), 500, "server_error"},
		"the store":               {fmt.Errorf("%w: %s", store.ErrUnavailable, secret), 503, "temporarily_unavailable"},
		"anything else":           {errors.New(secret), 500, "server_error"},
	} {
		t.Run(name, func(t *testing.T) {
			e := errorOf(c.err)
			if e.Code != c.code || e.Status != c.status || strings.Contains(e.Description, "pq:") || e.Description == "" {
				t.Errorf("got %d %s %q", e.Status, e.Code, e.Description)
			}
		})
	}
	for code, row := range errorTable {
		if strings.ContainsAny(row.description, `"\`) || row.status < 400 {
			t.Errorf("%s: %d %q", code, row.status, row.description)
		}
	}
}
