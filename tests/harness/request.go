package harness

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Request is what a client sends.
type Request struct {
	Method string
	URL    string // absolute, or a path of the tenant demo
	Token  string // Bearer; "" sends none
	Header http.Header
	Body   string
}

// Answer is what came back, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send sends one request and follows no redirect. An answer that is not as the
// server's OpenAPI document says is an error.
func (s *Server) Send(r Request) (*Answer, error) { return s.send(context.Background(), s.HTTP, r) }

func (s *Server) send(ctx context.Context, client *http.Client, r Request) (*Answer, error) {
	if strings.HasPrefix(r.URL, "/") {
		r.URL = s.URL + r.URL
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	a := &Answer{Status: res.StatusCode, Header: res.Header, Body: body}
	if err != nil {
		return a, err
	}
	return a, s.document.check(req, a)
}

// Get asks for a path with a token.
func (s *Server) Get(path, token string) (*Answer, error) {
	return s.Send(Request{Method: http.MethodGet, URL: path, Token: token})
}

// Post sends a value as JSON with a token and an Idempotency-Key of its own.
func (s *Server) Post(path, token string, value any) (*Answer, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return s.Send(Request{Method: http.MethodPost, URL: path, Token: token, Body: string(body), Header: http.Header{
		"Content-Type": {"application/json"}, "Idempotency-Key": {NewKey()},
	}})
}

// Form posts a form, with HTTP Basic if user is not empty (RFC 6749 §2.3.1).
func (s *Server) Form(to, user, password string, form url.Values) (*Answer, error) {
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if user != "" {
		r := http.Request{Header: h}
		r.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(password))
	}
	return s.Send(Request{Method: http.MethodPost, URL: to, Header: h, Body: form.Encode()})
}

// NewKey is a fresh Idempotency-Key.
func NewKey() string { return strings.ToLower(rand.Text()) }

// Code is the code of a problem, the error of an OAuth answer, or "".
func (a *Answer) Code() string {
	var body struct{ Code, Error string }
	_ = json.Unmarshal(a.Body, &body) // not JSON: no code
	if body.Code == "" {
		return body.Error
	}
	return body.Code
}

// Decode reads the body as JSON.
func (a *Answer) Decode(into any) error {
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("%w in %s", err, a)
	}
	return nil
}

// At is the value at a path such as "data.0.points", as a test writes it: a
// string bare, anything else as JSON. "len" at the end counts a list's members.
func (a *Answer) At(path string) (string, error) {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("%w in %s", err, a)
	}
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' }) {
		next, ok := into(v, step)
		if !ok {
			return "", fmt.Errorf("there is no %s in %s", path, a.Body)
		}
		v = next
	}
	if s, ok := v.(string); ok {
		return s, nil
	}
	raw, err := json.Marshal(v)
	return string(raw), err
}

func into(v any, step string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		m, ok := v[step]
		return m, ok
	case []any:
		if step == "len" {
			return len(v), true
		}
		n, err := strconv.Atoi(step)
		if err != nil || n < 0 || n >= len(v) {
			return nil, false
		}
		return v[n], true
	}
	return nil, false
}

// String shows an answer in a failing test.
func (a *Answer) String() string {
	body := a.Body
	if len(body) > 600 {
		body = append(body[:600:600], "…"...)
	}
	return fmt.Sprintf("%d %s%s", a.Status, a.Header.Get("Location"), body)
}
