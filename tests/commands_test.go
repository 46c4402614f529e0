package tests

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pointgate/pointgate/tests/harness"
)

func grant(ts *testscript.TestScript, w *world, args []string) error {
	given, args := options(args, "untick")
	p, app, err := personAndApp(args)
	if err != nil {
		return err
	}
	f := &harness.Flow{App: app, Scopes: args[2], Untick: given["untick"]}
	c, err := w.server.Code(p, f)
	if err != nil {
		return err
	}
	a, err := w.server.Exchange(f, c)
	if err != nil {
		return err
	}
	return w.keep(ts, args[0], a)
}

func service(ts *testscript.TestScript, w *world, args []string) error {
	_, app, err := personAndApp(args)
	if err != nil {
		return err
	}
	a, err := w.server.Token(app, url.Values{"grant_type": {"client_credentials"}, "scope": {args[2]}})
	if err != nil {
		return err
	}
	return w.keep(ts, args[0], a)
}

// expired makes a token through the admin API that is good for two seconds, and
// asks with it until its time is over.
func expired(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) != 2 {
		return errors.New("want NAME STAFF")
	}
	made, err := w.server.Post("/admin/api/tokens", w.server.Demo.AdminToken, map[string]any{
		"staff_id": args[1], "name": "short", "scopes": []string{"points:read"}, "expires_at": time.Now().Add(2 * time.Second).UTC(),
	})
	if err != nil {
		return err
	}
	if w.credentials[args[0]], err = made.At("token"); err != nil {
		return err
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-again.C {
		a, err := w.server.Get("/admin/api/sessions", w.credentials[args[0]]) // no flow counts these
		if err != nil || a.Status == http.StatusUnauthorized {
			return err
		}
	}
	return errors.New("the token does not expire")
}

// keep makes a credential of an answer of the token endpoint.
func (w *world) keep(ts *testscript.TestScript, name string, a *harness.Answer) error {
	w.last, w.elsewhere = a, false
	var t harness.Tokens
	if err := a.Decode(&t); err != nil || a.Status != 200 {
		return fmt.Errorf("no tokens: %s", a)
	}
	w.credentials[name] = t.Access
	ts.Setenv(name+"_access", t.Access)
	ts.Setenv(name+"_refresh", t.Refresh)
	return nil
}

func code(ts *testscript.TestScript, w *world, args []string) error {
	p, app, err := personAndApp(args)
	if err != nil {
		return err
	}
	f := &harness.Flow{App: app, Scopes: args[2], Change: url.Values{}}
	for _, a := range args[3:] {
		switch k, v, _ := strings.Cut(a, "="); k {
		case "deny":
			f.Deny = true
		case "untick":
			f.Untick = v
		default:
			f.Change.Set(k, v)
		}
	}
	b := w.browser(args[0], p)
	q, a, err := b.Authorize(p, f)
	w.last, w.elsewhere = a, p.Other
	if a == nil {
		return err
	}
	for _, name := range []string{"code", "error", "state", "iss"} {
		ts.Setenv(args[0]+"_"+name, q.Get(name))
	}
	ts.Setenv(args[0]+"_verifier", f.Verifier)
	return nil // a flow that ends on a page is for `answer` to judge
}

// browser is the one that the person has open, or a new one.
func (w *world) browser(name string, p harness.Person) *harness.Browser {
	if w.browsers[name] == nil {
		w.browsers[name] = w.server.NewBrowser(p.Other)
	}
	return w.browsers[name]
}

func login(_ *testscript.TestScript, w *world, args []string) error {
	given, args := options(args, "password")
	if len(args) != 1 {
		return errors.New("want NAME [password=WRONG]")
	}
	p, known := harness.People[args[0]]
	if !known {
		p = harness.Person{Email: args[0] + "@demo.example", Password: "a password of nobody"}
	}
	a, err := w.browser(args[0], p).Login(p, given["password"])
	return w.show(args[0], a, err)
}

func open(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) != 2 {
		return errors.New("want NAME PATH")
	}
	a, err := w.browser(args[0], harness.People[args[0]]).Open(args[1])
	return w.show(args[0], a, err)
}

func (w *world) show(name string, a *harness.Answer, err error) error {
	w.last, w.elsewhere, w.pages[name] = a, harness.People[name].Other, a
	return err
}

func submit(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) < 2 || w.pages[args[0]] == nil {
		return errors.New("want NAME FIELD [K=V …] after open or login")
	}
	forms, err := harness.Forms(w.pages[args[0]].Body)
	if err != nil {
		return err
	}
	for _, f := range forms {
		if !f.Fields.Has(args[1]) && !strings.Contains(f.Action, args[1]) {
			continue
		}
		for _, kv := range args[2:] {
			k, v, _ := strings.Cut(kv, "=")
			f.Fields.Set(k, v)
		}
		a, err := w.browsers[args[0]].Submit(f)
		return w.show(args[0], a, err)
	}
	return fmt.Errorf("no form with %q", args[1])
}

func send(_ *testscript.TestScript, w *world, args []string) error {
	given, args := options(args, "as", "basic", "host", "key", "header", "form", "raw")
	if len(args) < 2 {
		return errors.New("want METHOD PATH")
	}
	r := harness.Request{Method: args[0], URL: args[1], Header: http.Header{}}
	if host := given["host"]; host != "" {
		r.URL = strings.Replace(w.server.URL, "127.0.0.1", host, 1) + args[1]
	}
	if err := w.body(&r, given, args[2:]); err != nil {
		return err
	}
	if err := w.identify(&r, given); err != nil {
		return err
	}
	if k := given["key"]; k != "none" && r.Method == http.MethodPost && strings.HasPrefix(args[1], "/api/") {
		if k == "" {
			k = harness.NewKey()
		}
		r.Header.Set("Idempotency-Key", k)
	}
	if name, value, ok := strings.Cut(given["header"], ": "); ok {
		r.Header.Set(name, value)
	}
	a, err := w.server.Send(r)
	w.last, w.elsewhere = a, strings.HasPrefix(given["host"], "other")
	return err
}

func keepAsking(ts *testscript.TestScript, w *world, args []string) error {
	if len(args) < 3 {
		return errors.New("want STATUS METHOD PATH")
	}
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-again.C {
		if err := send(ts, w, args[1:]); err != nil || strconv.Itoa(w.last.Status) == args[0] {
			return err
		}
	}
	return fmt.Errorf("it is never answered with %s, but: %s", args[0], w.last)
}

func (w *world) body(r *harness.Request, given map[string]string, rest []string) (err error) {
	switch {
	case given["form"] != "":
		r.Body = given["form"]
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case given["raw"] != "": // bytes that a script can't hold, as a Go string
		r.Body, err = strconv.Unquote(`"` + given["raw"] + `"`)
		r.Header.Set("Content-Type", "application/json")
	case len(rest) == 1:
		r.Body = rest[0]
		r.Header.Set("Content-Type", "application/json")
	case len(rest) > 1:
		return fmt.Errorf("what is %q?", rest[1])
	}
	return err
}

func (w *world) identify(r *harness.Request, given map[string]string) (err error) {
	if id, ok := given["basic"]; ok {
		app := harness.Apps[id]
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(app.ID+":"+app.Secret)))
	}
	switch name := given["as"]; {
	case name == "":
	case w.credentials[name] != "":
		r.Token = w.credentials[name]
	case strings.HasPrefix(name, "pg"), strings.HasPrefix(name, "eyJ"): // a token itself
		r.Token = name
	default:
		r.Token, err = w.server.Staff(name)
	}
	return err
}

func member(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) != 2 {
		return errors.New("want PATH VALUE")
	}
	got, err := w.last.At(args[0])
	if err != nil {
		return err
	}
	return same(args[0], got, args[1])
}

// same compares text, or matches it where want begins with ~.
func same(what, got, want string) error {
	pattern, match := strings.CutPrefix(want, "~")
	if !match {
		pattern = "^" + regexp.QuoteMeta(want) + "$"
	}
	ok, err := regexp.MatchString(pattern, got)
	if err == nil && !ok {
		err = fmt.Errorf("%s: want %q, got %q", what, want, got)
	}
	return err
}

func headerOrNot(ts *testscript.TestScript, not bool, args []string) {
	w, _ := ts.Value(worldKey{}).(*world)
	switch {
	case not && len(args) == 1:
		if v, there := w.last.Header[http.CanonicalHeaderKey(args[0])]; there {
			ts.Fatalf("%s is %q", args[0], v)
		}
	case !not && len(args) == 2:
		if err := same(args[0], strings.Join(w.last.Header.Values(args[0]), ", "), args[1]); err != nil {
			ts.Fatalf("%v", err)
		}
	default:
		ts.Fatalf("want NAME VALUE, or ! header NAME")
	}
}

func matches(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) != 1 {
		return errors.New("want REGEXP")
	}
	return same("body", string(w.last.Body), "~"+args[0])
}

func lacks(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return errors.New("want TEXT")
	}
	if strings.Contains(string(w.last.Body), args[0]) {
		return fmt.Errorf("there is %q in %s", args[0], w.last)
	}
	return nil
}

func is(_ *testscript.TestScript, _ *world, args []string) error {
	if len(args) != 2 {
		return errors.New("want TEXT VALUE")
	}
	return same("text", args[0], args[1])
}

func save(ts *testscript.TestScript, w *world, args []string) error {
	if len(args) != 2 {
		return errors.New("want VAR PATH")
	}
	got, err := w.last.At(args[1])
	ts.Setenv(args[0], got)
	return err
}
