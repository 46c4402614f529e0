package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var now = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

// signer signs notes, and cosigns them at a time.
type signer struct {
	note.Signer
	name, vkey string
	key        ed25519.PrivateKey
}

func newSigner(t testing.TB, name string) *signer {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.SplitN(skey, "+", 5)[4])
	if err != nil {
		t.Fatal(err)
	}
	return &signer{s, name, vkey, ed25519.NewKeyFromSeed(seed[1:])}
}

// cosign is a line of cosignature/v1 over a text.
func (s *signer) cosign(text string, at time.Time) string {
	public := s.key.Public().(ed25519.PublicKey)
	id := sha256.Sum256([]byte(s.name + "\n\x04" + string(public)))
	sig := binary.BigEndian.AppendUint64(id[:4:4], uint64(at.Unix()))
	sig = append(sig, ed25519.Sign(s.key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at.Unix(), text))...)
	return "— " + s.name + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
}

// world is a log, written with tlog alone.
type world struct {
	t       testing.TB
	dir     string
	log     *signer
	witness *signer
	lines   []string
	entries [][32]byte
	hashes  []tlog.Hash
	served  map[string][]byte // what the site says instead of the truth; nil: no such path
	asked   map[string]int
}

func (w *world) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		all[i] = w.hashes[x]
	}
	return all, nil
}

func newWorld(t testing.TB, size int) *world {
	w := &world{
		t: t, dir: t.TempDir(), log: newSigner(t, "points.example/audit"), witness: newSigner(t, "witness.example/w1"),
		served: map[string][]byte{}, asked: map[string]int{},
	}
	for range size {
		w.add()
	}
	return w
}

// add appends a record. Those of an index 3 mod 10 are erased, those of 7 mod 10 withheld.
func (w *world) add() {
	n := len(w.lines)
	id := fmt.Sprintf("dec_%d", n)
	body := fmt.Sprintf(`{"decision_id":%q,"timestamp":"2026-11-22T08:00:00Z","input":{"subject":{"type":"customer","id":"cus_alice"},`+
		`"action":{"name":"points.read"},"resource":{"type":"points_account","id":"cus_bob"}},"result":{"allow":false,"code":"not_owner"},`+
		`"custom":{"tenant":"demo","status":403,"code":"not_owner"}}`, id)
	var nonce [32]byte
	_, _ = rand.Read(nonce[:])
	w.addBody(body, nonce)
	entry := base64.StdEncoding.EncodeToString(w.entries[n][:])
	switch n % 10 {
	case 3:
		w.lines[n] = fmt.Sprintf(`{"decision_id":%q,"timestamp":"2026-11-22T08:00:00Z","erased":["/input","/result","/requested_by"],`+
			`"custom":{"tenant":"demo","erased_by":"dec_9","index":%d,"entry":"%s"}}`, id, n, entry)
	case 7:
		w.lines[n] = fmt.Sprintf(`{"custom":{"withheld":true,"index":%d,"entry":"%s"}}`, n, entry)
	}
}

func (w *world) addBody(body string, nonce [32]byte) {
	n := int64(len(w.lines))
	commitment := sha256.Sum256([]byte("pointgate-record-v1\n" + string(nonce[:]) + body))
	entry := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(n)), commitment[:]...))
	hashes, err := tlog.StoredHashes(n, entry[:], w)
	if err != nil {
		w.t.Fatal(err)
	}
	w.hashes = append(w.hashes, hashes...)
	w.entries = append(w.entries, entry)
	w.lines = append(w.lines, fmt.Sprintf(`%s,"index":%d,"nonce":"%s"}}`, strings.TrimSuffix(body, "}}"), n, base64.StdEncoding.EncodeToString(nonce[:])))
}

func (w *world) size() int64 { return int64(len(w.lines)) }

func (w *world) root(size int64) tlog.Hash {
	root, err := tlog.TreeHash(size, w)
	if err != nil {
		w.t.Fatal(err)
	}
	return root
}

// text is the text of a checkpoint.
func (w *world) text(size int64) string {
	return fmt.Sprintf("%s\n%d\n%s\n", w.log.name, size, w.root(size))
}

// checkpoint is signed twice by the log, a minute ago.
func (w *world) checkpoint(size int64) string {
	return w.signed(w.text(size)) + w.log.cosign(w.text(size), now.Add(-time.Minute))
}

func (w *world) signed(text string) string {
	msg, err := note.Sign(&note.Note{Text: text}, w.log)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(msg)
}

func (w *world) proof(index, size int64) string {
	path, err := tlog.ProveRecord(size, index, w)
	if err != nil {
		w.t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n", base64.StdEncoding.EncodeToString([]byte(w.lines[index])), index)
	for _, h := range path {
		fmt.Fprintln(&b, h)
	}
	return b.String() + "\n" + w.checkpoint(size)
}

// resource is what a true log of all records serves under a path; nil for nothing.
func (w *world) resource(path string) []byte {
	if path == "checkpoint" {
		return []byte(w.checkpoint(w.size()))
	}
	entries := strings.HasPrefix(path, "tile/entries/")
	tile, err := tlog.ParseTilePath(strings.Replace(strings.Replace(path, "tile/entries/", "tile/0/", 1), "tile/", "tile/8/", 1))
	if err != nil || (tile.N*256+int64(tile.W))<<(8*tile.L) > w.size() {
		return nil
	}
	if !entries {
		data, err := tlog.ReadTileData(tile, w)
		if err != nil {
			w.t.Fatal(err)
		}
		return data
	}
	var b []byte
	for _, e := range w.entries[tile.N*256 : tile.N*256+int64(tile.W)] {
		b = append(append(b, 0, 32), e[:]...)
	}
	return b
}

// site serves the log under /audit.
func (w *world) site() string {
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/audit/")
		w.asked[path]++
		data, lied := w.served[path]
		if !lied {
			data = w.resource(path)
		}
		if data == nil {
			http.NotFound(out, r)
			return
		}
		_, _ = out.Write(data)
	}))
	w.t.Cleanup(s.Close)
	return s.URL + "/audit"
}

// file writes a file, and returns its path.
func (w *world) file(name string, data string) string {
	p := filepath.Join(w.dir, name)
	if err := os.WriteFile(p, []byte(data), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) ndjson() string { return strings.Join(w.lines, "\n") + "\n" }

// run runs the program with the log's key.
func (w *world) run(args ...string) (code int, out string) {
	return runWith(append(args, "--key", w.log.vkey)...)
}

func runWith(args ...string) (code int, out string) {
	var b bytes.Buffer
	a := app{out: &b, errors: &b, now: func() time.Time { return now }, wait: func(time.Duration) {}, transport: http.DefaultTransport}
	return a.run(args), b.String()
}

// wants runs the program, and demands its exit code and texts in what it says.
func (w *world) wants(t *testing.T, code int, texts []string, args ...string) {
	t.Helper()
	got, out := w.run(args...)
	if got != code {
		t.Errorf("%v: exit code %d, want %d:\n%s", args, got, code, out)
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("%v: %q is not in:\n%s", args, text, out)
		}
	}
}

func tlogHashes(n int64, entry [32]byte, w *world) ([]tlog.Hash, error) {
	return tlog.StoredHashes(n, entry[:], w)
}

// TestItSharesNoCode: what checks the server must not be the server.
func TestItSharesNoCode(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			root, _, _ := strings.Cut(path, "/")
			if strings.Contains(root, ".") && path != "golang.org/x/mod/sumdb/note" && path != "golang.org/x/mod/sumdb/tlog" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
