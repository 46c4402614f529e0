package oauth

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// UserInfo is GET and POST /oauth2/userinfo (OpenID Connect Core §5.3): what the
// client of an access token may know of the person. The token is in the header
// alone; a body is not looked at.
func (o *OAuth) UserInfo() fiber.Handler {
	return gate.Handler(o.Gate, gate.Operation[struct{}]{
		Action: "userinfo.read",
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *struct{}) (policies.Resource, policies.Facts, error) {
			res := policies.Resource{Type: "user", ID: c.Caller.ID, Owner: c.Caller.ID}
			if c.Caller.ID != "" {
				res.Tenant = c.Caller.Tenant
			}
			return res, nil, nil
		},
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *struct{}) (*web.Answer, error) {
			u, err := store.GetUser(ctx, r, c.Tenant.ID, c.Caller.ID)
			if err != nil {
				return nil, err
			}
			a := web.JSON(fiber.StatusOK, oauth2.UserInfoOf(u, c.Caller.Scopes))
			a.Header = map[string]string{fiber.HeaderCacheControl: "no-store"}
			return a, nil
		},
	})
}
