package harness

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Browser is what a person sits in front of: cookies, pages and forms, no
// JavaScript. It is not safe for concurrent use.
type Browser struct {
	server *Server
	http   *http.Client
	base   string
	at     *url.URL // of the last page
}

// NewBrowser opens a browser at a tenant.
func (s *Server) NewBrowser(other bool) *Browser {
	jar, _ := cookiejar.New(nil) // fails for no options
	client := *s.HTTP
	client.Jar = jar
	return &Browser{server: s, http: &client, base: s.Base(other)}
}

// Open gets a page, and follows redirects up to the first that leaves the server.
func (b *Browser) Open(to string) (*Answer, error) {
	return b.visit(Request{Method: http.MethodGet, URL: to})
}

// Submit sends a form of the last page as a browser does.
func (b *Browser) Submit(f Form) (*Answer, error) {
	return b.visit(Request{Method: http.MethodPost, URL: f.Action, Body: f.Fields.Encode(), Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {b.base}, "Sec-Fetch-Site": {"same-origin"},
	}})
}

func (b *Browser) visit(r Request) (*Answer, error) {
	const mostRedirects = 10
	for range mostRedirects {
		u, err := b.resolve(r.URL)
		if err != nil {
			return nil, err
		}
		b.at, r.URL = u, u.String()
		a, err := b.server.send(context.Background(), b.http, r)
		if err != nil || a.Status < 301 || a.Status > 308 || !strings.HasPrefix(b.absolute(a), b.base+"/") {
			return a, err
		}
		r = Request{Method: http.MethodGet, URL: b.absolute(a)}
	}
	return nil, fmt.Errorf("more than %d redirects to %s", mostRedirects, r.URL)
}

func (b *Browser) resolve(to string) (*url.URL, error) {
	from := b.at
	if from == nil {
		u, err := url.Parse(b.base)
		if err != nil {
			return nil, err
		}
		from = u
	}
	return from.Parse(to)
}

// absolute is where an answer redirects to.
func (b *Browser) absolute(a *Answer) string {
	u, err := b.at.Parse(a.Header.Get("Location"))
	if err != nil {
		return ""
	}
	return u.String()
}

// Login fills in the login form of the page; wrong is a password that is not
// the person's, or "" for the right one.
func (b *Browser) Login(p Person, wrong string) (*Answer, error) {
	page, err := b.Open("/login")
	if err != nil {
		return nil, err
	}
	return b.fillLogin(page, p, wrong)
}

func (b *Browser) fillLogin(page *Answer, p Person, wrong string) (*Answer, error) {
	form, err := formWith(page, "password")
	if err != nil {
		return nil, err
	}
	form.Fields.Set("email", p.Email)
	form.Fields.Set("password", p.Password)
	if wrong != "" {
		form.Fields.Set("password", wrong)
	}
	return b.Submit(form)
}

// formWith is the page's form that has the field.
func formWith(page *Answer, field string) (Form, error) {
	forms, err := Forms(page.Body)
	if err != nil {
		return Form{}, err
	}
	for _, f := range forms {
		if f.Fields.Has(field) {
			return f, nil
		}
	}
	return Form{}, fmt.Errorf("no form with %q in %s", field, page)
}

var apiToken = regexp.MustCompile(`pgt_[0-9A-Za-z]+`)

// NewToken has a member of staff sign in and make an API token on the page for it.
func (s *Server) NewToken(p Person, scopes ...string) (string, error) {
	b := s.NewBrowser(p.Other)
	if _, err := b.Login(p, ""); err != nil {
		return "", err
	}
	page, err := b.Open("/account/tokens")
	if err != nil {
		return "", err
	}
	form, err := formWith(page, "name")
	if err != nil {
		return "", err
	}
	form.Fields["name"], form.Fields["scope"], form.Fields["days"] = []string{"tests"}, scopes, []string{"7"}
	made, err := b.Submit(form)
	if err != nil {
		return "", err
	}
	if token := apiToken.Find(made.Body); made.Status == http.StatusCreated && token != nil {
		return string(token), nil
	}
	return "", fmt.Errorf("no token on %s", made)
}
