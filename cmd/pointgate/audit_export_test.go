package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// exportServer answers an export, and checkpoints of size 3 of which the second
// is a new one.
func exportServer(t *testing.T, export func(w http.ResponseWriter, r *http.Request)) {
	t.Helper()
	asked := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/api/decisions/export", export)
	mux.HandleFunc("GET /admin/api/audit/checkpoint", func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = fmt.Fprintf(w, "points.example/audit\n3\nroot\n\n— note %d\n", min(asked, 2))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	t.Setenv("POINTGATE_URL", srv.URL)
	t.Setenv("POINTGATE_TOKEN", "pgt_test")
}

func recordLine(index int) string {
	return fmt.Sprintf(`{"decision_id":"d%d","timestamp":"2026-01-02T03:04:05Z","input":{"action":{"name":"points.read"}},"result":{"allow":true},"custom":{"tenant":"demo","status":200,"code":"ok","index":%d,"nonce":"x"}}`+"\n", index, index)
}

func answering(last string, indexes ...int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Log-Size", "3")
		if last != "" {
			w.Header().Set("X-Export-Last", last)
		}
		for _, i := range indexes {
			_, _ = io.WriteString(w, recordLine(i))
		}
	}
}

// TestWhatBreaksOffIsNoExport: exit code 3, and no file under the name, nor another.
func TestWhatBreaksOffIsNoExport(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		args   []string
		code   int
	}{
		"whole":                    {answering("2", 0, 1, 2), []string{"--whole"}, exitDone},
		"own":                      {answering("2", 0, 2), nil, exitDone},
		"nothing":                  {answering(""), nil, exitDone},
		"the last is missing":      {answering("2", 0, 1), nil, exitRefused},
		"all are missing":          {answering("2"), nil, exitRefused},
		"more than announced":      {answering("1", 0, 1, 2), nil, exitRefused},
		"one where none should be": {answering("", 1), nil, exitRefused},
		"a gap in the whole":       {answering("2", 0, 2), []string{"--whole"}, exitRefused},
		"the first is missing":     {answering("2", 1, 2), []string{"--whole"}, exitRefused},
		"the wrong way round":      {answering("1", 0, 2, 1), nil, exitRefused},
		"the connection breaks": {func(w http.ResponseWriter, r *http.Request) {
			answering("2", 0, 1, 2)(w, r)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, nil, exitRefused},
		"half a line": {func(w http.ResponseWriter, r *http.Request) {
			answering("2", 0, 1)(w, r)
			_, _ = io.WriteString(w, strings.TrimSuffix(recordLine(2), "\n"))
		}, nil, exitRefused},
		"no log":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, recordLine(0)) }, nil, exitRefused},
		"no index": {func(w http.ResponseWriter, r *http.Request) { answering("0")(w, r); _, _ = io.WriteString(w, "{}\n") }, nil, exitRefused},
		"denied": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"code":"missing_role","title":"No."}`)
		}, nil, exitRefused},
	} {
		t.Run(name, func(t *testing.T) {
			exportServer(t, tc.answer)
			dir := t.TempDir()
			want(t, tc.code, append([]string{"audit", "export", "--out", filepath.Join(dir, "log.ndjson")}, tc.args...)...)
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if n := 2; (tc.code == exitDone && len(files) != n) || (tc.code != exitDone && len(files) != 0) {
				t.Errorf("%d files are there: %v", len(files), files)
			}
		})
	}
}

func TestExportIsWritten(t *testing.T) {
	var asked []string
	exportServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		answering("2", 0, 1, 2)(w, r)
	})
	dir := t.TempDir()
	all := recordLine(0) + recordLine(1) + recordLine(2)
	plain, packed := filepath.Join(dir, "log.ndjson"), filepath.Join(dir, "log.ndjson.gz")
	want(t, exitDone, "audit", "export", "--whole", "--out", plain)
	want(t, exitDone, "audit", "export", "--out", packed, "--no-checkpoint", "--action", "points.read", "--from-index", "0", "--to-index", "9")
	if o := want(t, exitDone, "audit", "export", "--allow=false"); o.out != all {
		t.Errorf("standard output has %q", o.out)
	}
	o := want(t, exitDone, "audit", "export", "--format", "ocsf")
	if lines := strings.Split(strings.TrimSpace(o.out), "\n"); len(lines) != 3 || !json.Valid([]byte(lines[0])) || !strings.Contains(lines[2], `"class_uid":6003`) {
		t.Errorf("OCSF: %s", o.out)
	}
	if got := strings.Join(asked, " "); got != "to_index=3&whole=true action=points.read&to_index=9 allow=false " {
		t.Errorf("asked for %q", got)
	}
	read := func(name string) []byte {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	z, err := gzip.NewReader(bytes.NewReader(read(packed)))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil || string(unpacked) != all || string(read(plain)) != all {
		t.Errorf("%v, %q", err, unpacked)
	}
	if note := string(read(plain + ".checkpoint")); !strings.HasSuffix(note, "— note 2\n") {
		t.Errorf("the checkpoint is %q, want one that was made after the command began", note)
	}
	if info, err := os.Stat(plain); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 3 {
		t.Errorf("%v", files)
	}
}

func TestExportIsRefused(t *testing.T) {
	t.Setenv("POINTGATE_TOKEN", "pgt_test")
	for _, args := range [][]string{
		{"--format", "xml"}, {"--whole", "--format", "ocsf"}, {"--whole", "--action", "points.read"}, {"--from-index", "-1"}, {"--to-index", "-2"},
		{"--out", filepath.Join(t.TempDir(), "none", "file"), "--no-checkpoint"}, {"--since", "yesterday"}, {"surplus"},
	} {
		want(t, exitUsage, append([]string{"audit", "export"}, args...)...)
	}
	want(t, exitUsage, "audit", "erase", "--subject", "cus_a")
	want(t, exitUsage, "audit", "erase", "--reason", "a letter")
	o := want(t, exitUsage, "audit", "erase", "--subject", "cus_a", "--reason", "a letter") // nobody is there to ask
	if !strings.Contains(o.err, "--yes") {
		t.Errorf("it says %q", o.err)
	}
}

// TestExportAndErasure runs against a server: a person's records go, and both
// exports are whole.
func TestExportAndErasure(t *testing.T) {
	i := newInstallation(t)
	userAt(i, 1)
	other := i.anotherAdmin()
	want(t, exitDone, "user", "show", "cus_001", "--token", other)
	before := want(t, exitDone, "audit", "export").out
	if !strings.Contains(before, "cus_001") {
		t.Fatalf("the export does not have it: %s", before)
	}
	o := want(t, exitDone, "audit", "erase", "--subject", "cus_001", "--reason", "a letter", "--wait", "--yes", "--output", "json")
	if !strings.Contains(o.err, "1 records of ") {
		t.Errorf("it does not say how many first: %q", o.err)
	}
	var done struct {
		Status  string
		Records int64
	}
	if err := json.Unmarshal([]byte(o.out), &done); err != nil || done.Status != "done" || done.Records != 1 || strings.Contains(o.out, "cus_001") {
		t.Errorf("%v %s", err, o.out)
	}
	after := want(t, exitDone, "audit", "export", "--whole").out
	if strings.Contains(after, "cus_001") || !strings.Contains(after, `"erased_by"`) || strings.Count(after, "\n") <= strings.Count(before, "\n") {
		t.Errorf("after the erasure: %s", after)
	}
	want(t, exitRefused, "audit", "erase", "--yes", "--subject", "stf_admin", "--reason", "me")
	want(t, exitRefused, "audit", "erase", "--yes", "--subject", "audit", "--reason", "nobody is called so")
	want(t, exitRefused, "audit", "erase", "--yes", "--subject", "cus_001", "--reason", "cus_001 wrote")
}

// anotherAdmin is the token of a second super_admin.
func (i *installation) anotherAdmin() string {
	i.t.Helper()
	storetest.User(i.t, i.db, "main", "stf_other", "super_admin")
	secret, key := authn.NewKey(authn.TokenPrefix)
	key.Tenant, key.Name, key.UserID, key.Scopes, key.CreatedAt = "main", "other", "stf_other", store.Words{"admin", "audit:read"}, store.At(i.db.Now())
	storetest.Write(i.t, i.db, func(tx *store.Tx) error { return tx.InsertAPIKey(context.Background(), &key) })
	return secret
}
