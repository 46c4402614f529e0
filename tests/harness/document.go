package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// document is the server's own OpenAPI document, which each of its answers is
// held against, so that the two can't drift apart. It is read as closed: where it
// lists an object's members, another one in an answer is an error.
type document struct {
	router routers.Router
}

// readDocument gets the document from the running server.
func (s *Server) readDocument() error {
	s.document = nil
	if s.options.Unchecked || s.options.scheme == "https" {
		return nil
	}
	a, err := s.Get("/openapi.json", "")
	if err != nil {
		return err
	}
	s.document, err = newDocument(a.Body)
	return err
}

func newDocument(raw []byte) (*document, error) {
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	closeObjects(tree)
	closed, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(closed)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // all tenants' hosts
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	return &document{router: router}, err
}

// closeObjects forbids members that are not listed.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		_, lists := v["properties"].(map[string]any)
		if _, said := v["additionalProperties"]; lists && !said && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			closeObjects(child)
		}
	case []any:
		for _, child := range v {
			closeObjects(child)
		}
	}
}

// check holds an answer against the document. A path that is not in it must be
// answered with 404, and a method that is not with 405.
func (d *document) check(req *http.Request, a *Answer) error {
	if d == nil || req.Method == http.MethodHead || req.Method == http.MethodOptions {
		return nil
	}
	route, params, err := d.router.FindRoute(oneSegment(req))
	if err != nil {
		if a.Status >= 400 && a.Status < 500 {
			return nil
		}
		return fmt.Errorf("%s %s is not in the OpenAPI document, but answered: %s", req.Method, req.URL.Path, a)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 a.Status, Header: a.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !isJSON(a)},
	}
	input.SetBodyBytes(a.Body)
	if err = openapi3filter.ValidateResponse(context.Background(), input); err == nil {
		err = kindIsDocumented(route, a)
	}
	if err != nil {
		return fmt.Errorf("%s %s is not answered as the OpenAPI document says: %w\n%s", req.Method, req.URL.Path, err, a)
	}
	return nil
}

func isJSON(a *Answer) bool {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// oneSegment is the request with a tile's path as one segment: OpenAPI has no
// parameter with slashes in it.
func oneSegment(req *http.Request) *http.Request {
	const tiles = "/audit/tile/"
	rest, is := strings.CutPrefix(req.URL.Path, tiles)
	if !is {
		return req
	}
	out := req.Clone(req.Context())
	out.URL.Path = tiles + strings.ReplaceAll(rest, "/", "-")
	return out
}

// kindIsDocumented looks at what is not JSON: at the content type alone, and
// that a body comes only where one is promised.
func kindIsDocumented(route *routers.Route, a *Answer) error {
	promised := route.Operation.Responses.Status(a.Status)
	if promised == nil || isJSON(a) && len(promised.Value.Content) > 0 { // seen by the library
		return nil
	}
	if len(a.Body) > 0 && promised.Value.Content.Get(a.Header.Get("Content-Type")) == nil {
		return fmt.Errorf("a body of type %q", a.Header.Get("Content-Type"))
	}
	return nil
}
