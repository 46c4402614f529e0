package harness

import "fmt"

// Person is one of the demo's people.
type Person struct {
	ID       string // of a customer
	Email    string
	Password string
	Other    bool // belongs to the tenant other
}

// People are the demo's people by the name that tests call them.
var People = map[string]Person{
	"alice":       {ID: "cus_alice", Email: "alice@demo.example", Password: "demo-alice-password"},
	"bob":         {ID: "cus_bob", Email: "bob@demo.example", Password: "demo-bob-password"},
	"olga":        {ID: "cus_olga", Email: "olga@other.example", Password: "demo-olga-password", Other: true},
	"admin":       {Email: "admin@demo.example", Password: "demo-admin-password"},
	"manager":     {Email: "manager@demo.example", Password: "demo-manager-password"},
	"support":     {Email: "support@demo.example", Password: "demo-support-password"},
	"viewer":      {Email: "viewer@demo.example", Password: "demo-viewer-password"},
	"auditor":     {Email: "auditor@demo.example", Password: "demo-auditor-password"},
	"other-admin": {Email: "admin@other.example", Password: "demo-other-admin-password", Other: true},
}

// App is one of the demo's OAuth2 clients.
type App struct {
	ID, Secret, Redirect string
	Other                bool
}

// Apps are the demo's clients by their ids.
var Apps = map[string]App{
	"demo-web":     {ID: "demo-web", Secret: "demo-web-secret", Redirect: "http://127.0.0.1:9090/callback"},
	"demo-spa":     {ID: "demo-spa", Redirect: "http://127.0.0.1:9091/callback"},
	"demo-service": {ID: "demo-service", Secret: "demo-service-secret"},
	"demo-gateway": {ID: "demo-gateway", Secret: "demo-gateway-secret"},
	"other-web":    {ID: "other-web", Secret: "other-web-secret", Redirect: "http://127.0.0.1:9090/callback", Other: true},
}

// Base is the URL of a person's or an app's tenant.
func (s *Server) Base(other bool) string {
	if other {
		return s.Other
	}
	return s.URL
}

// Staff are the tokens of demo.json by the name of the role.
func (s *Server) Staff(role string) (string, error) {
	token := map[string]string{
		"admin": s.Demo.AdminToken, "manager": s.Demo.ManagerToken, "support": s.Demo.SupportToken,
		"viewer": s.Demo.ViewerToken, "policy": s.Demo.PolicyToken, "approver": s.Demo.ApproverToken,
		"auditor": s.Demo.AuditorToken, "key": s.Demo.APIKey,
	}[role]
	if token == "" {
		return "", fmt.Errorf("demo.json has no token of %q", role)
	}
	return token, nil
}
