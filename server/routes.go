package server

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/admin"
)

// routes is the whole URL map. What is not in the first two groups passes the
// gate; tests/routes_test.go proves it.
func (r *rooms) routes(app *fiber.App) {
	person, api := r.authn.Pages(), r.authn.API()
	byCredential := r.limits.ByCredential()

	// Documents, and the way in: not gated.
	app.Get("/.well-known/oauth-authorization-server", r.oauth.ServerMetadata())
	app.Get("/.well-known/oauth-protected-resource", r.oauth.ResourceMetadata())
	app.Get("/.well-known/oauth-protected-resource/api", r.oauth.ResourceMetadata())
	app.Get("/.well-known/openid-configuration", r.oauth.ServerMetadata())
	app.Get("/oauth2/jwks", r.oauth.JWKS())
	app.Get("/openapi.json", openAPI())
	app.Get("/audit/checkpoint", r.trail.Checkpoint())
	app.Get("/audit/cosigned", r.trail.Cosigned())
	app.Get("/audit/keys", r.trail.VerifierKeys())
	app.Get("/audit/tile/*", r.trail.Tile())
	app.Get("/static/*", r.pages.Static())
	app.Get("/", person, r.pages.Home())
	app.Get("/login", person, r.pages.Login())
	app.Post("/login", person, r.pages.PostLogin())
	app.Post("/logout", person, r.pages.Logout())
	app.Get("/setup", r.pages.Setup())
	app.Post("/setup", r.pages.PostSetup())

	r.oauthRoutes(app, person, api)

	// A person's own pages.
	account := app.Group("/account", person, byCredential)
	account.Get("", r.pages.Account())
	account.Get("/apps", r.pages.Apps())
	account.Post("/apps/revoke", r.pages.RevokeApp())
	account.Get("/sessions", r.pages.Sessions())
	account.Post("/sessions/end", r.pages.EndSession())
	account.Post("/sessions/end-others", r.pages.EndOtherSessions())
	account.Get("/tokens", r.pages.Tokens())
	account.Post("/tokens", r.pages.MakeToken())
	account.Post("/tokens/revoke", r.pages.RevokeToken())

	// A person's own apps.
	developer := app.Group("/developer", person, byCredential)
	developer.Get("", r.pages.Developer())
	developer.Get("/new", r.pages.NewApp())
	developer.Post("/new", r.pages.MakeApp())
	developer.Get("/apps/:id", r.pages.App())
	developer.Post("/apps/:id", r.pages.EditApp())
	developer.Post("/apps/:id/secret", r.pages.RotateSecret())
	developer.Post("/apps/:id/delete", r.pages.DeleteApp())

	// Points.
	p := app.Group("/api/points", api, byCredential)
	p.Get("", r.points.Balance())
	p.Get("/transactions", r.points.History())
	p.Post("/earn", r.points.Earn())
	p.Post("/redeem", r.points.Redeem())
	p.Post("/adjust", r.points.Adjust())
	p.Post("/transfer", r.points.Transfer())
	p.Post("/holds", r.points.Hold())
	p.Post("/holds/:id/capture", r.points.Capture())
	p.Post("/holds/:id/release", r.points.Release())
	p.Post("/transactions/:id/reverse", r.points.Reverse())
	r.administration(app.Group("/admin/api", api, byCredential))
}

// administration is the routes of administrators.
func (r *rooms) administration(a fiber.Router) {
	a.Get("/decisions/export", r.admin.Export()) // before /decisions/:id
	a.Get("/decisions/counts", r.admin.Counts())
	for path, h := range map[string]admin.Handlers{
		"/tenants": r.admin.Tenants(), "/clients": r.admin.Clients(), "/customers": r.admin.Customers(), "/staff": r.admin.Staff(),
		"/keys": r.admin.Keys(), "/tokens": r.admin.Tokens(), "/grants": r.admin.Grants(), "/sessions": r.admin.Sessions(),
		"/signing-keys": r.admin.SigningKeys(), "/registration-tokens": r.admin.RegistrationTokens(),
		"/decisions": r.admin.Decisions(), "/erasures": r.admin.Erasures(), "/alerts": r.admin.Alerts(),
		"/resources": r.admin.Resources(),
	} {
		object(a, path, h)
	}
	a.Post("/clients/:id/secrets", r.admin.ClientSecrets())
	a.Post("/revocations", r.admin.Revocations())
	a.Get("/decisions/:id/proof", r.admin.DecisionProof())
	a.Get("/audit/keys", r.admin.LogKeys())
	a.Post("/audit/keys", r.admin.RotateLogKey())
	a.Get("/audit/checkpoint", r.admin.KeptCheckpoint())
}

// registration routes what clients do about their own registration.
func (r *rooms) registration(g fiber.Router) {
	g.Post("", r.oauth.Register())
	g.Get("/:id", r.oauth.ReadRegistration())
	g.Put("/:id", r.oauth.ReplaceRegistration())
	g.Delete("/:id", r.oauth.DeleteRegistration())
}

// oauthRoutes are OAuth2's: the endpoints authenticate clients themselves.
func (r *rooms) oauthRoutes(app *fiber.App, person, api fiber.Handler) {
	byCredential, byHeader := r.limits.ByCredential(), r.limits.ByHeader()
	app.Get("/oauth2/authorize", person, byCredential, r.oauth.Authorize())
	app.Post("/oauth2/authorize", person, byCredential, r.oauth.Authorize())
	app.Get("/oauth2/authorize/continue", person, byCredential, r.oauth.Continue())
	app.Post("/oauth2/token", byHeader, r.oauth.Token())
	app.Post("/oauth2/device_authorization", byHeader, r.oauth.DeviceAuthorization())
	app.Post("/oauth2/introspect", byHeader, r.oauth.Introspect())
	app.Post("/oauth2/revoke", byHeader, r.oauth.Revoke())
	app.Get("/oauth2/userinfo", api, byCredential, r.oauth.UserInfo())
	app.Post("/oauth2/userinfo", api, byCredential, r.oauth.UserInfo())
	r.registration(app.Group("/oauth2/register", byHeader))
	app.Post("/oauth2/par", byHeader, r.oauth.Push())
	app.Get("/oauth2/logout", person, byCredential, r.pages.LogoutRequest())
	app.Post("/oauth2/logout", person, byCredential, r.pages.PostLogoutRequest())
	app.Get("/consent", person, byCredential, r.pages.Consent())
	app.Post("/consent", person, byCredential, r.pages.PostConsent())
	app.Get("/device", person, byCredential, r.pages.Device())
	app.Post("/device", person, byCredential, r.pages.PostDevice())
}

// object routes the operations that there are on one kind of object.
func object(a fiber.Router, path string, h admin.Handlers) {
	for _, route := range []struct {
		method, path string
		handler      fiber.Handler
	}{
		{fiber.MethodGet, path, h.List}, {fiber.MethodPost, path, h.Create}, {fiber.MethodGet, path + "/:id", h.Read},
		{fiber.MethodPatch, path + "/:id", h.Update}, {fiber.MethodDelete, path + "/:id", h.Delete},
	} {
		if route.handler != nil {
			a.Add(route.method, route.path, route.handler)
		}
	}
}
