package tests

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/tests/harness"
)

// TestMCP: an assistant that knows the address of an MCP server and nothing else
// gets a customer's points from it, by the authorization rules of MCP of
// 2026-07-28. The program is the authorization server, the MCP server one of its
// resources, which calls the points API for the customer by token exchange.
func TestMCP(t *testing.T) {
	libraries(t)
	s := harness.Start(t, harness.Options{})
	m := newMCP(t, s)
	runNode(t, "clients/mcp.js", "POINTGATE_URL="+s.URL, "MCP_URL="+m.url)
}

// mcpServer is an MCP server with one tool.
type mcpServer struct {
	*harness.Server // that says who calls
	url             string
	app             harness.App // what it is to that server
}

const mcpScope = "points:read"

func newMCP(t *testing.T, s *harness.Server) *mcpServer {
	t.Helper()
	m := &mcpServer{Server: s}
	paths := http.NewServeMux()
	at := httptest.NewServer(paths)
	t.Cleanup(func() { at.CloseClientConnections(); at.Close() })
	m.url = at.URL + "/mcp"
	metadata := at.URL + "/.well-known/oauth-protected-resource/mcp"
	paths.Handle("/.well-known/oauth-protected-resource/mcp", auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
		Resource: m.url, AuthorizationServers: []string{s.URL}, ScopesSupported: []string{mcpScope}, BearerMethodsSupported: []string{"header"},
	}))
	tools := mcp.NewServer(&mcp.Implementation{Name: "points", Version: "1"}, nil)
	mcp.AddTool(tools, &mcp.Tool{Name: "balance", Description: "How many points the customer has"}, m.balance)
	guarded := auth.RequireBearerToken(m.verify, &auth.RequireBearerTokenOptions{ResourceMetadataURL: metadata, Scopes: []string{mcpScope}})
	paths.Handle("/mcp", guarded(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return tools }, nil)))

	m.created(t, "/admin/api/resources", map[string]any{"uri": m.url, "name": "Points for assistants", "scopes": []string{mcpScope}, "open": true})
	made := m.created(t, "/admin/api/clients", map[string]any{
		"id": "mcp-server", "name": "MCP Server", "grant_types": []string{oauth2.ExchangeGrant}, "scopes": []string{mcpScope}, "introspects": []string{m.url},
	})
	m.app = harness.App{ID: "mcp-server", Secret: must(made.At("client_secret"))(t)}
	open := harness.Request{
		Method: http.MethodPatch, URL: "/admin/api/tenants/demo", Token: s.Demo.AdminToken, Body: `{"registration":"open"}`,
		Header: http.Header{"Content-Type": {"application/json"}},
	}
	if a := must(s.Send(open))(t); a.Status != http.StatusOK {
		t.Fatal(a)
	}
	return m
}

func (m *mcpServer) created(t *testing.T, path string, object map[string]any) *harness.Answer {
	t.Helper()
	a := must(m.Post(path, m.Demo.AdminToken, object))(t)
	if a.Status != http.StatusCreated {
		t.Fatal(a)
	}
	return a
}

// verify asks whose the token is. Introspection answers to this resource for
// tokens that are meant for it alone.
func (m *mcpServer) verify(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
	a, err := m.Form(m.URL+"/oauth2/introspect", m.app.ID, m.app.Secret, url.Values{"token": {token}})
	if err != nil {
		return nil, err
	}
	var about struct {
		Active     bool
		Scope, Sub string
		Aud        string
		Exp        int64
	}
	if err := a.Decode(&about); err != nil || !about.Active || about.Aud != m.url {
		return nil, fmt.Errorf("%w: %v", auth.ErrInvalidToken, err)
	}
	return &auth.TokenInfo{
		Scopes: strings.Fields(about.Scope), Expiration: time.Unix(about.Exp, 0), UserID: about.Sub, Extra: map[string]any{"token": token},
	}, nil
}

type mcpBalance struct {
	Customer string `json:"customer"`
	Points   int64  `json:"points"`
}

// balance calls the points API in the customer's place. The token that came is
// for this server, and goes nowhere else: it is exchanged for one of the API.
func (m *mcpServer) balance(_ context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, mcpBalance, error) {
	shown, _ := r.Extra.TokenInfo.Extra["token"].(string)
	a, err := m.Token(m.app, url.Values{
		"grant_type": {oauth2.ExchangeGrant}, "subject_token": {shown}, "subject_token_type": {accessTokenType}, "resource": {m.URL + "/api"},
	})
	if err != nil {
		return nil, mcpBalance{}, err
	}
	got := new(harness.Tokens)
	if err := a.Decode(got); err != nil || got.Access == "" {
		return nil, mcpBalance{}, fmt.Errorf("exchange: %s", a)
	}
	a, err = m.Get("/api/points", got.Access)
	if err != nil {
		return nil, mcpBalance{}, err
	}
	var now struct {
		Customer string `json:"customer_id"`
		Balance  int64  `json:"balance"`
	}
	if err := a.Decode(&now); err != nil || now.Customer == "" {
		return nil, mcpBalance{}, fmt.Errorf("balance: %s", a)
	}
	return nil, mcpBalance{now.Customer, now.Balance}, nil
}
