package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
)

// TestAuditVerify: what the database alone can't show is compared with what was
// published, however the folder is written; without that, it is not called sound.
func TestAuditVerify(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(context.Background(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	at := store.At(db.Now())
	if err := db.Append(context.Background(), &store.Record{ID: "d", At: at, Tenant: "t", Body: []byte(`{"decision_id":"d","timestamp":"` + at.Format("2006-01-02T15:04:05.999999Z") + `","custom":{"tenant":"t"}}`)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	beside := dir + ".checkpoint"
	forged := "other.example/audit\n2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— other.example/audit AAAAAAAAAAAA\n"
	for name, tc := range map[string]struct {
		args []string
		env  string
		file string // what the file beside the folder holds
		code int
		say  string
	}{
		"nothing from outside":           {[]string{"--data", dir}, "", "", 2, "--checkpoint none"},
		"none is wanted":                 {[]string{"--data", dir, "--checkpoint", "none"}, "", "", 0, "The log holds: 1 records"},
		"as JSON":                        {[]string{"--data", dir, "--checkpoint", "none", "--output", "json"}, "", "", 0, `"holds": true`},
		"the file beside it":             {[]string{"--data", dir}, "", forged, 1, "not signed by a known key"},
		"the folder with a slash":        {[]string{"--data", dir + "/"}, "", forged, 1, "not signed by a known key"},
		"the file that is named outside": {[]string{"--data", dir}, filepath.Join(dir, "elsewhere"), forged, 2, "elsewhere"},
		"no key at all":                  {[]string{"--data", dir, "--key", "bad"}, "", forged, 2, "--key: want a vkey"},
		"no such output":                 {[]string{"--data", dir, "--checkpoint", "none", "--output", "yaml"}, "", "", 2, "want table or json"},
		"no folder":                      {[]string{"--data", dir + "x", "--checkpoint", "none"}, "", "", 2, "--data"},
		"a URL over the network":         {[]string{"--data", dir, "--checkpoint", "http://log.example/checkpoint"}, "", "", 2, "want https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("POINTGATE_CHECKPOINT_FILE", tc.env)
			_ = os.Remove(beside)
			if tc.file != "" {
				if err := os.WriteFile(beside, []byte(tc.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o := want(t, tc.code, append([]string{"audit", "verify"}, tc.args...)...)
			if !strings.Contains(o.out+o.err, tc.say) {
				t.Errorf("want %q:\n%s%s", tc.say, o.out, o.err)
			}
		})
	}
}
