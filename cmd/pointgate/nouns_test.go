package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNounsThroughAServer(t *testing.T) {
	newInstallation(t)
	for _, step := range []struct {
		line  string
		shows []string // in the output, in this order
	}{
		{"tenant create --id third --name Third --issuer https://third.example", []string{"id", "third", "setup_url", "https://third.example/setup?link="}},
		{"tenant update main --name Mine", []string{"name", "Mine"}},
		{"tenant list", []string{"ID", "NAME", "main", "Mine"}},
		{"client create --id till --name Till --grant-type client_credentials --scope points:read --scope points:write --trusted", []string{"client_secret", "pgs_", "scopes", "points:read points:write", "true"}},
		{"client rotate till --overlap 60", []string{"client_secret", "pgs_", "old_expires_at"}},
		{"client update till --scope points:read --trusted=false", []string{"scopes", "points:read\n", "trusted", "false"}},
		{"client update till --auth-method private_key_jwt --jwks testdata/keys.json --homepage https://till.example/ --dpop-bound", []string{"dpop_bound_access_tokens", "true\n", "https://till.example/", "Ed25519", "private_key_jwt"}},
		{"client update till --auth-method= --jwks= --homepage= --dpop-bound=false", []string{"homepage", "-\n", "jwks", "-\n", "token_endpoint_auth_method", "-\n"}},
		{"client list", []string{"GRANT TYPES", "till", "client_credentials"}},
		{"user create --id cus_a --email a@demo.example --name Alice", []string{"cus_a", "a@demo.example"}},
		{"user list --email A@demo.example", []string{"EMAIL", "cus_a", "Alice"}},
		{"user create --type staff --id stf_s --email s@demo.example --name Sam --role viewer --role auditor", []string{"roles", "viewer auditor"}},
		{"user list --type staff", []string{"stf_admin", "super_admin", "stf_s", "viewer auditor"}},
		{"user update cus_a --disabled", []string{"disabled_at", "20"}},
		{"user update cus_a --disabled=false", []string{"disabled_at", "-\n"}},
		{"user delete cus_a", nil},
		{"key create --client till --name ci --scope points:read --expires-at 12h", []string{"client_id", "till", "key", "pgk_"}},
		{"key list --client till", []string{"CLIENT", "ci", "till"}},
		{"token create --staff stf_s --name laptop --scope points:read", []string{"staff_id", "stf_s", "token", "pgt_"}},
		{"token list --staff stf_s", []string{"STAFF", "laptop"}},
		{"tenant update main --registration token --client-documents --app-scheme com.example.app", []string{"app_schemes", "com.example.app", "client_documents", "true", "registration", "token"}},
		{"registration-token create --name partner --max-uses 3", []string{"max_uses", "3", "partner", "token", "pgi_", "uses", "0"}},
		{"registration-token list", []string{"MAX USES", "partner"}},
		{"resource create --id mcp --uri https://mcp.example --name MCP --scope points:read --open", []string{"id", "mcp", "open", "true", "https://mcp.example"}},
		{"resource update mcp --open=false", []string{"open", "false"}},
		{"resource list", []string{"URI", "OPEN", "mcp", "https://mcp.example"}},
		{"resource delete mcp", nil},
		{"signing-key rotate --alg RS256 --lead 0", []string{"ALG", "sgk_", "RS256", "signing"}},
		{"signing-key list", []string{"SIGNS FROM", "sgk_"}},
		{"grant list --customer cus_a", []string{"SUBJECT"}},
		{"session list --live", []string{"BROWSER"}},
		{"session list --user cus_a", []string{"BROWSER"}},
		{"alert list --state open --severity high --rule guessing --since 1h", []string{"SEVERITY", "ABOUT"}},
		{"audit list --action client.rotate", []string{"ACTION", "stf_admin", "client.rotate", "till", "true", "ok", "201"}},
		{"audit list --since 1h --subject nobody", []string{"ACTION"}},
	} {
		o := want(t, exitDone, strings.Fields(step.line)...)
		rest := o.out
		for _, s := range step.shows {
			_, after, found := strings.Cut(rest, s)
			if !found {
				t.Errorf("%s: %q is not in its place in\n%s", step.line, s, o.out)
				break
			}
			rest = after
		}
		if o.err != "" || (step.shows == nil && o.out != "") {
			t.Errorf("%s: says %q and %q", step.line, o.out, o.err)
		}
	}
	ids := idsOf(t, want(t, exitDone, "key", "list", "--output", "json").out)
	want(t, exitDone, "key", "update", ids[0], "--expires-at", "never", "--name", "cd")
	want(t, exitDone, "key", "revoke", ids[0])
	var key map[string]any
	decodeInto(t, want(t, exitDone, "key", "show", ids[0], "--output", "json").out, &key)
	if key["expires_at"] != nil || key["name"] != "cd" || key["revoked_at"] == nil {
		t.Errorf("the key is %v", key)
	}
}

func idsOf(t *testing.T, list string) (ids []string) {
	t.Helper()
	var l struct{ Data []struct{ ID string } }
	decodeInto(t, list, &l)
	for _, o := range l.Data {
		ids = append(ids, o.ID)
	}
	return ids
}

func decodeInto(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}

func TestListsGoOverPages(t *testing.T) {
	i := newInstallation(t)
	for n := range 205 {
		userAt(i, n)
	}
	if got := len(idsOf(t, want(t, exitDone, "user", "list", "--limit", "0", "--output", "json").out)); got != 205 {
		t.Errorf("all are %d", got)
	}
	if got := len(idsOf(t, want(t, exitDone, "user", "list", "--limit", "203", "--output", "json").out)); got != 203 {
		t.Errorf("203 are %d", got)
	}
	o := want(t, exitDone, "user", "list")
	if lines := strings.Count(o.out, "\n"); lines != 51 || !strings.Contains(o.err, "--limit 0") {
		t.Errorf("%d lines, and %q", lines, o.err)
	}
}

func TestExitCodes(t *testing.T) {
	newInstallation(t)
	for name, tc := range map[string]struct {
		line string
		code int
		says string // in the one line
	}{
		"help":               {"", exitDone, ""},
		"version":            {"version", exitDone, ""},
		"unknown command":    {"frobnicate", exitUsage, `unknown command "frobnicate"`},
		"unknown verb":       {"grant create", exitUsage, `unknown command "create"`},
		"unknown flag":       {"client list --nope", exitUsage, "unknown flag: --nope"},
		"no id":              {"client show", exitUsage, "accepts 1 arg(s), received 0"},
		"an id of dots":      {"client show ..", exitUsage, `".." is no id`},
		"no such type":       {"user list --type robot", exitUsage, "--type: want customer or staff"},
		"no such output":     {"client list --output yaml", exitUsage, "--output: want table or json"},
		"nothing to change":  {"client update x", exitUsage, "nothing to change"},
		"no state":           {"alert update x", exitUsage, "nothing to change"},
		"no such state":      {"alert update x --state gone", exitRefused, "state: It must be one of"},
		"no time":            {"key create --client x --name x --expires-at soon", exitUsage, "--expires-at: want a time"},
		"no file":            {"client update x --jwks /no/such/file", exitUsage, "no such file"},
		"no JSON":            {"client update x --jwks nouns_test.go", exitUsage, "nouns_test.go holds no JSON"},
		"no number":          {"client update x --refresh-grace many", exitUsage, "invalid argument"},
		"no url":             {"client list --url demo", exitUsage, "url: want https://host"},
		"a token in clear":   {"client list --url http://pointgate.example", exitUsage, "want https"},
		"no server":          {"client list --url http://127.0.0.1:1", exitRefused, "http://127.0.0.1:1 can't be reached"},
		"wrong token":        {"client list --token pgt_wrong", exitRefused, "(invalid_credentials, request req_"},
		"not there":          {"client show nope", exitRefused, "There is no such object. (not_found, request req_"},
		"bad input":          {"client create --name X --grant-type password", exitRefused, "grant_types: It must be some of"},
		"a record not there": {"audit show nope", exitRefused, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			o := want(t, tc.code, strings.Fields(tc.line)...)
			if !strings.Contains(o.err, tc.says) || (tc.says != "" && (strings.Count(o.err, "\n") != 1 || !strings.HasPrefix(o.err, "pointgate: "))) {
				t.Errorf("it says %q, want one line with %q", o.err, tc.says)
			}
		})
	}
	if o := want(t, exitRefused, "client", "show", "nope"); !strings.Contains(o.err, ", decision ") {
		t.Errorf("no decision id in %q", o.err)
	}
	t.Setenv("POINTGATE_TOKEN", "")
	want(t, exitUsage, "client", "list")
}

func TestPasswordsComeFromStandardInput(t *testing.T) {
	newInstallation(t)
	stdin := func(text string) {
		t.Helper()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
		was := os.Stdin
		os.Stdin = r
		t.Cleanup(func() { os.Stdin = was; _ = r.Close() })
	}
	stdin("a long password\n")
	o := want(t, exitDone, "user", "create", "--email", "p@demo.example", "--name", "P", "--password-stdin")
	if !strings.Contains(o.out, "password_set  true") || strings.Contains(o.out, "a long password") {
		t.Errorf("it says %s", o.out)
	}
	stdin("")
	want(t, exitUsage, "user", "create", "--email", "q@demo.example", "--name", "Q", "--password-stdin")
}

// TestTimesInTables: to the millisecond; all of it is in the JSON and in what is
// shown of one object.
func TestTimesInTables(t *testing.T) {
	for long, want := range map[string]string{
		"2026-11-22T12:00:00.123456789Z":      "2026-11-22T12:00:00.123Z",
		"2026-11-22T12:00:00.1239Z":           "2026-11-22T12:00:00.123Z",
		"2026-11-22T12:00:00.123456789+01:00": "2026-11-22T12:00:00.123+01:00",
		"2026-11-22T12:00:00.12Z":             "2026-11-22T12:00:00.12Z",
		"2026-11-22T12:00:00Z":                "2026-11-22T12:00:00Z",
		"a2026-11-22T12:00:00.123456789Z":     "a2026-11-22T12:00:00.123456789Z",
		"12.3456789":                          "12.3456789",
	} {
		raw := json.RawMessage(`{"timestamp":"` + long + `"}`)
		var table, one, list strings.Builder
		err := errors.Join(printTable(&table, []column{{"TIME", "timestamp"}}, []json.RawMessage{raw}), printObject(&one, raw), printJSON(&list, raw))
		if err != nil || table.String() != "TIME\n"+want+"\n" || !strings.Contains(one.String(), long) || !strings.Contains(list.String(), long) {
			t.Errorf("%v\n%s%s%s", err, &table, &one, &list)
		}
		if line := decisionLine(map[string]any{"timestamp": long}); !strings.HasPrefix(line, want+"  ") {
			t.Error(line)
		}
	}
}

func TestTablesHoldStrangersWords(t *testing.T) {
	var out strings.Builder
	rows := []json.RawMessage{json.RawMessage(`{"a":"\u001b[31mred\u202e","b":{"c":["x","y\tz"]},"d":12345678901234567890,"e":null,"f":false}`)}
	columns := []column{{"A", "a"}, {"C", "b.c"}, {"D", "d"}, {"E", "e"}, {"F", "f"}, {"G", "b.c.no"}}
	if err := printTable(&out, columns, rows); err != nil {
		t.Fatal(err)
	}
	got := [][]string{}
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Fields(line))
	}
	if d := cmp.Diff([][]string{{"A", "C", "D", "E", "F", "G"}, {"[31mred", "x", "y", "z", "12345678901234567890", "-", "false", "-"}}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
