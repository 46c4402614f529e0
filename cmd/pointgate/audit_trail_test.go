package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/formats/proof"

	"github.com/pointgate/pointgate/store/trail"
)

func TestCheckpointsProofsAndKeysThroughAServer(t *testing.T) {
	newInstallation(t)
	keys := want(t, exitDone, "audit", "key", "list")
	vkey := strings.Fields(strings.Split(keys.out, "\n")[1])[0]
	o := want(t, exitDone, "audit", "checkpoint", "--key", vkey)
	if s, err := trail.Open([]byte(o.out), vkey); err != nil || !strings.Contains(o.err, "by your key") {
		t.Errorf("%+v, %v: %s", s, err, o.err)
	}
	if o := want(t, exitDone, "audit", "checkpoint", "--size", "0"); !strings.Contains(o.err, "that the server names") {
		t.Errorf("without a key it says %q", o.err)
	}
	other, err := trail.NewKey("127.0.0.1/audit")
	if err != nil {
		t.Fatal(err)
	}
	want(t, exitCheck, "audit", "checkpoint", "--key", other.Verifier())
	want(t, exitRefused, "audit", "checkpoint", "--size", "1000000")
	want(t, exitRefused, "audit", "checkpoint", "--at", "2020-01-01T00:00:00Z")

	rotated := want(t, exitDone, "audit", "key", "rotate", "--overlap", "1h")
	if lines := strings.Split(strings.TrimSpace(rotated.out), "\n"); len(lines) != 3 || strings.HasPrefix(lines[1], vkey) || !strings.HasPrefix(lines[2], vkey) {
		t.Errorf("after the rotation: %s", rotated.out)
	}

	want(t, exitDone, "client", "list")
	ids := idsOf(t, strings.ReplaceAll(want(t, exitDone, "audit", "list", "--limit", "1", "--output", "json").out, `"decision_id"`, `"id"`))
	file := filepath.Join(t.TempDir(), "record.tlog-proof")
	want(t, exitDone, "audit", "proof", ids[0], "--out", file)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var p proof.TLogProof
	if err := p.Unmarshal(raw); err != nil || !strings.Contains(string(p.ExtraData), ids[0]) {
		t.Errorf("%s: %v", raw, err)
	}
	if o := want(t, exitDone, "audit", "proof", ids[0]); !strings.HasPrefix(o.out, "c2sp.org/tlog-proof@v1\n") {
		t.Errorf("on standard output: %s", o.out)
	}
	want(t, exitRefused, "audit", "proof", "nothing")
	want(t, exitUsage, "audit", "proof", "..")
	want(t, exitUsage, "audit", "proof", ids[0], "--out", filepath.Join(file, "x"))
}

// TestAStartBesideAnotherLogsCheckpoint: who has deleted the data folder is told
// what else to do, and the program ends with exit code 2.
func TestAStartBesideAnotherLogsCheckpoint(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	k, err := trail.NewKey("127.0.0.1:8080/audit")
	if err != nil {
		t.Fatal(err)
	}
	c := trail.Checkpoint{Origin: k.Name(), Head: trail.Head{Size: 42}}
	s, err := c.Sign(time.Now(), k)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+".checkpoint", s.Note, 0o600); err != nil {
		t.Fatal(err)
	}
	o := want(t, exitUsage, "serve", "--data", dir+"/", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
	for _, part := range []string{dir + ".checkpoint", "42 records", "move that checkpoint away", "--accept-rollback 42"} {
		if !strings.Contains(o.err, part) {
			t.Errorf("it says %q, want %q in it", o.err, part)
		}
	}
}

func TestWhereCheckpointsGo(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"beside the data folder": {[]string{"--data", "/srv/points"}, "/srv/points.checkpoint"},
		"with a slash":           {[]string{"--data", "/srv/points/"}, "/srv/points.checkpoint"},
		"elsewhere":              {[]string{"--checkpoint-file", "/mnt/x"}, "/mnt/x"},
		"nowhere":                {[]string{"--checkpoint-file", "none"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, "", tc.args...)
			if err != nil || c.checkpointFile() != tc.want {
				t.Errorf("%q, %v, want %q", c.checkpointFile(), err, tc.want)
			}
		})
	}
	c, err := load(t, "data: x\n")
	if err != nil || !filepath.IsAbs(c.checkpointFile()) || filepath.Base(c.checkpointFile()) != "x.checkpoint" {
		t.Errorf("a relative folder: %q, %v", c.checkpointFile(), err)
	}
	const vkey = "witness.example/w1+4187d3a2+BIMgpRl32MOMqKSSfGcN9YIeRJdhlF4V6e+yahUJ0jDq"
	for _, args := range [][]string{
		{"--checkpoint-urls", "http://points.example/x"}, {"--checkpoint-urls", "file:///x"}, {"--checkpoint-urls", "https://x/#y"},
		{"--checkpoint-witnesses", "https://witness.example"}, {"--checkpoint-witnesses", "http://witness.example " + vkey},
		{"--checkpoint-witness-every", "10ms"}, {"--audit-public", "perhaps"}, {"--accept-rollback", "-1"},
	} {
		if _, err := load(t, "", args...); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
	c, err = load(t, "", "--checkpoint-urls", "https://a.example/x?y=z,http://127.0.0.1:9/b", "--checkpoint-witnesses", "https://witness.example/w "+vkey)
	if err != nil || len(c.CheckpointURLs) != 2 || len(c.CheckpointWitnesses) != 1 {
		t.Errorf("%+v, %v", c.TrailConfig, err)
	}
}
