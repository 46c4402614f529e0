package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pointgate/pointgate/tests/harness"
)

// TestFlows runs the scripts of flows/, each on a demo of its own. The words
// that they may use, beside those of testscript:
//
//	serve [limits=on] [fresh=SECONDS]      starts the demo; fresh: how old the login behind a large transfer may be
//	token NAME APP SCOPES [untick=SCOPES]  login, consent and tokens: credential NAME, $NAME_access, $NAME_refresh
//	service NAME APP SCOPES                client_credentials: credential NAME, $NAME_access
//	expired NAME STAFF                     an API token of the person whose time is over: credential NAME
//	code NAME APP SCOPES [deny] [untick=SCOPES] [PARAMETER=VALUE …]
//	                                       up to the redirect: $NAME_code, $NAME_verifier, $NAME_error
//	login NAME [password=WRONG]            the login page; the answer is the page after it
//	open NAME PATH                         a page in NAME's browser
//	submit NAME FIELD [K=V …]              the first form of NAME's page that has FIELD
//	http METHOD PATH [as=CREDENTIAL] [basic=APP] [host=NAME] [key=KEY|none] [header='N: V'] [form=…|raw=…|BODY]
//	until STATUS METHOD PATH …             http, again and again until it is answered with the status
//	answer STATUS|~REGEXP [CODE]                   the last answer, and that its record says the same
//	json PATH VALUE|~REGEXP                a member of the last answer
//	header NAME VALUE|~REGEXP              a header of the last answer; "! header NAME": it is absent
//	matches REGEXP, lacks TEXT             the body of the last answer
//	is TEXT VALUE|~REGEXP                  a variable
//	save VAR PATH                          keeps a member of the last answer as $VAR
//	record K=V …                           more about the record of the last answer
//	log COUNT K=V …                        how many records the decision log has with these filters
//	logged K=V …                           waits until it has one
//
// The credentials admin, manager, support, viewer, policy, approver, auditor and
// key are those of demo.json.
func TestFlows(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "flows",
		Setup: func(e *testscript.Env) error { e.Values[worldKey{}] = &world{env: e}; return nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": command(serve), "token": command(grant), "service": command(service), "code": command(code), "expired": command(expired),
			"login": command(login), "open": command(open), "submit": command(submit),
			"http": command(send), "until": command(keepAsking), "answer": command(answer), "json": command(member), "header": headerOrNot,
			"matches": command(matches), "lacks": command(lacks), "is": command(is), "save": command(save),
			"record": command(record), "log": command(records), "logged": command(logged),
		},
	})
}

// world is what one script has made so far.
type world struct {
	env         *testscript.Env
	server      *harness.Server
	credentials map[string]string
	browsers    map[string]*harness.Browser
	pages       map[string]*harness.Answer
	last        *harness.Answer
	elsewhere   bool   // the last answer is the tenant other's, whose log demo's staff can't read
	auditor     string // token of an administrator of other, once one was needed
}

type worldKey struct{}

// command makes a word of a function; a script may not expect it to fail.
func command(f func(*testscript.TestScript, *world, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, not bool, args []string) {
		if not {
			ts.Fatalf("! has no meaning here")
		}
		w, _ := ts.Value(worldKey{}).(*world)
		if err := f(ts, w, args); err != nil {
			ts.Fatalf("%v", err)
		}
	}
}

func serve(_ *testscript.TestScript, w *world, args []string) (err error) {
	given, _ := options(args, "limits", "fresh")
	o := harness.Options{Limits: given["limits"] == "on"}
	if seconds := given["fresh"]; seconds != "" {
		policy := filepath.Join(w.env.WorkDir, "policy")
		if err := policyWith(policy, `"max_age_s": 300`, `"max_age_s": `+seconds); err != nil {
			return err
		}
		o.Args = []string{"--policy-dir", policy}
	}
	if w.server, err = harness.Launch(w.env.WorkDir, o); err != nil {
		return err
	}
	w.credentials, w.browsers, w.pages = map[string]string{}, map[string]*harness.Browser{}, map[string]*harness.Answer{}
	w.env.Defer(func() {
		if err := w.server.Stop(); err != nil {
			w.env.T().Fatal(err, w.server.Log())
		}
	})
	return nil
}

// policyWith writes the default policy with another text in its data.
func policyWith(folder, old, text string) error {
	if err := os.CopyFS(folder, os.DirFS("../policies/rego")); err != nil {
		return err
	}
	name := filepath.Join(folder, "data.json")
	data, err := os.ReadFile(name)
	if err == nil && !strings.Contains(string(data), old) {
		err = fmt.Errorf("no %s in %s", old, name)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(strings.Replace(string(data), old, text, 1)), 0o600)
}

// options splits K=V arguments off those names; the rest is returned in order.
func options(args []string, names ...string) (map[string]string, []string) {
	given, rest := map[string]string{}, []string{}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if known := strings.Contains(" "+strings.Join(names, " ")+" ", " "+k+" "); ok && known {
			given[k] = v
		} else {
			rest = append(rest, a)
		}
	}
	return given, rest
}

func personAndApp(args []string) (harness.Person, harness.App, error) {
	if len(args) < 3 {
		return harness.Person{}, harness.App{}, fmt.Errorf("want NAME APP SCOPES")
	}
	who, _, _ := strings.Cut(args[0], "-with-") // alice-with-spa is alice once more
	app, ok := harness.Apps[args[1]]
	if !ok {
		return harness.Person{}, harness.App{}, fmt.Errorf("no app %q", args[1])
	}
	return harness.People[who], app, nil
}
