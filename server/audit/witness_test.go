package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	flog "github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// aWitness is a server of C2SP tlog-witness for one log.
type aWitness struct {
	*httptest.Server
	key trail.Key
	log note.Verifier

	mu      sync.Mutex
	size    int64
	root    tlog.Hash
	answers []int
	lie     func(lines string) string
	now     func() time.Time
}

func newWitness(w *world, vkey string) *aWitness {
	w.Helper()
	key, err := trail.NewKey("witness.example/w1")
	if err != nil {
		w.Fatal(err)
	}
	log, err := note.NewVerifier(vkey)
	if err != nil {
		w.Fatal(err)
	}
	a := &aWitness{key: key, log: log, now: w.now}
	a.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		status, answer := a.add(r, string(body))
		a.answers = append(a.answers, status)
		if status == http.StatusConflict {
			rw.Header().Set("Content-Type", "text/x.tlog.size")
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, answer)
	}))
	w.Cleanup(a.Close)
	return a
}

// add is add-checkpoint, in the order of the specification.
func (a *aWitness) add(r *http.Request, body string) (int, string) {
	head, msg, _ := strings.Cut(body, "\n\n")
	lines := strings.Split(head, "\n")
	var old int64
	if _, err := fmt.Sscanf(lines[0], "old %d", &old); err != nil || r.Method != http.MethodPost || r.URL.Path != "/w/add-checkpoint" || len(lines) > 64 {
		return http.StatusBadRequest, ""
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != 32 {
			return http.StatusBadRequest, ""
		}
		proof = append(proof, tlog.Hash(raw))
	}
	c, rest, n, err := flog.ParseCheckpoint([]byte(msg), a.log.Name(), a.log)
	switch {
	case err != nil || len(rest) > 0:
		return http.StatusForbidden, ""
	case old > int64(c.Size):
		return http.StatusBadRequest, ""
	case old != a.size:
		return http.StatusConflict, fmt.Sprintf("%d\n", a.size)
	case old == 0 && len(proof) > 0:
		return http.StatusUnprocessableEntity, ""
	case old == int64(c.Size) && !bytes.Equal(c.Hash, a.root[:]):
		return http.StatusUnprocessableEntity, ""
	case old > 0 && old < int64(c.Size) && tlog.CheckTree(proof, int64(c.Size), tlog.Hash(c.Hash), old, a.root) != nil:
		return http.StatusUnprocessableEntity, ""
	}
	a.size, a.root = int64(c.Size), tlog.Hash(c.Hash)
	return http.StatusOK, a.cosign(n.Text)
}

func (a *aWitness) cosign(text string) string {
	at := uint64(a.now().Unix())
	sig := ed25519.Sign(ed25519.NewKeyFromSeed(a.key.Seed()), fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text))
	v, _ := trail.Cosigner(a.key.Verifier()) // its own key
	raw := fmt.Appendf(nil, "%c%c%c%c", 0, 0, 0, 0)
	for i := range 4 {
		raw[i] = byte(v.KeyHash() >> (24 - 8*i))
	}
	for i := range 8 {
		raw = append(raw, byte(at>>(56-8*i)))
	}
	lines := fmt.Sprintf("— %s %s\n", a.key.Name(), base64.StdEncoding.EncodeToString(append(raw, sig...)))
	if a.lie != nil {
		lines = a.lie(lines)
	}
	return lines
}

// witnessed is a publisher with a witness that has seen its log before.
func witnessed(w *world) (*Publisher, *aWitness) {
	w.Helper()
	w.config.File = ""
	first := w.open()
	w.fill(10)
	c := w.flush(first)
	a := newWitness(w, w.vkeys()[0])
	a.size, a.root = c.Size, c.Root
	w.fill(300)
	w.config.Witnesses = []string{a.URL + "/w/ " + a.key.Verifier()}
	return w.open(), a
}

// cosignedBy reports whether the note has a good cosignature of the witness.
func (a *aWitness) cosignedBy(msg []byte) bool {
	v, err := trail.Cosigner(a.key.Verifier())
	if err != nil {
		return false
	}
	n, err := note.Open(msg, note.VerifierList(v))
	return err == nil && len(n.Sigs) == 1
}

func TestAWitnessCosigns(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p, a := witnessed(w)
		c := w.flush(p) // the witness says where it is, and gets a proof from there
		if fmt.Sprint(a.answers) != "[409 200]" || a.size != c.Size {
			t.Errorf("it answered %v, and has %d of %d", a.answers, a.size, c.Size)
		}
		app := mounted(p)
		for _, path := range []string{"/audit/checkpoint", "/audit/cosigned"} {
			if res, body := get(t, app, path); res.StatusCode != 200 || !a.cosignedBy(body) {
				t.Errorf("%s: %d\n%s", path, res.StatusCode, body)
			}
		}
		idle := w.flush(p)
		if !a.cosignedBy(idle.Note) || strings.Count(string(idle.Note), "witness.example") != 1 {
			t.Errorf("an idle second later:\n%s", idle.Note)
		}
		row, err := w.db.LastCosigned(ctx, c.Origin)
		if err != nil || !a.cosignedBy([]byte(row.Note)) || row.Witnesses != 1 || row.Size != c.Size {
			t.Errorf("kept: %+v, %v", row, err)
		}
		w.fill(5)
		p.step(ctx) // there is a newer one, which the witness hasn't seen
		if n := p.current.Load(); n.Size != c.Size+5 || a.cosignedBy(n.Note) {
			t.Errorf("a new one: %d\n%s", n.Size, n.Note)
		}
		var old store.Record
		if err := w.db.Records(ctx, 4, 5, func(r *store.Record) error { old = *r; return nil }); err != nil {
			t.Fatal(err)
		}
		if proven := w.prove(p, &old); proven.Size != c.Size || !a.cosignedBy(proven.Note) {
			t.Errorf("a proof of %d, want the cosigned one of %d", proven.Size, c.Size)
		}
		again := w.open()
		if got := again.cosigned.Load(); got == nil || got.Size != c.Size || !a.cosignedBy(got.Note) {
			t.Error("after a restart it is forgotten")
		}
		if last := w.flush(again); !a.cosignedBy(again.current.Load().Note) || a.size != last.Size {
			t.Errorf("the next: %v", a.answers)
		}
	})
}

func TestAWitnessThatLiesOrRefuses(t *testing.T) {
	other, err := trail.NewKey("witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(a *aWitness)
		want   string
	}{
		"of another tree":           {func(a *aWitness) { a.root[0] ^= 1 }, "does not go on"},
		"that has seen more":        {func(a *aWitness) { a.size += 1000 }, "has cosigned 1011 records, the log has"},
		"that doesn't know our key": {func(a *aWitness) { a.log, _ = note.NewVerifier(other.Verifier()) }, "403"},
		"that signs nothing":        {func(a *aWitness) { a.lie = func(string) string { return "" } }, "no cosignature"},
		"that signs wrong":          {func(a *aWitness) { a.lie = func(s string) string { return strings.Replace(s, "AAA", "AAB", 1) } }, "no cosignature"},
		"that signs with another": {func(a *aWitness) {
			key := a.key
			a.lie = func(string) string { return "— " + key.Name() + " AAAAAAAAAAA=\n" }
		}, "no cosignature"},
		"that answers nonsense": {func(a *aWitness) { a.lie = func(string) string { return "<html>" } }, "no cosignature"},
	} {
		t.Run(name, func(t *testing.T) {
			oneWorld(t, func(w *world) {
				t := w.T
				p, a := witnessed(w)
				tc.change(a)
				p.step(ctx)
				got := p.places[0].put(ctx, p.current.Load())
				if got == nil || !strings.Contains(got.Error(), tc.want) {
					t.Errorf("%v, want %q", got, tc.want)
				}
				if p.cosigned.Load() != nil || strings.Contains(string(p.current.Load().Note), "witness") {
					t.Error("it is shown as cosigned")
				}
			})
		})
	}
}

// TestAWitnessThatNamesANonsensicalSize once is asked anew, not given up.
func TestAWitnessThatNamesANonsensicalSize(t *testing.T) {
	oneWorld(t, func(w *world) {
		t := w.T
		p, a := witnessed(w)
		p.step(ctx)
		was := a.size
		a.size = 1 << 62
		if err := p.places[0].put(ctx, p.current.Load()); !errors.Is(err, store.ErrFork) {
			t.Errorf("%v, want ErrFork", err)
		}
		a.size = was
		if c := w.flush(p); !a.cosignedBy(c.Note) {
			t.Errorf("it answered %v, and the newest is not cosigned", a.answers)
		}
	})
}

func TestAWitnessIsNamedByURLAndKey(t *testing.T) {
	oneWorld(t, func(w *world) {
		for _, spec := range []string{"", "https://witness.example", "https://witness.example w+1+AA", " x"} {
			w.config.Witnesses = []string{spec}
			w.refused("witness")
		}
	})
}

func TestANewerCosignatureTakesThePlaceOfTheOlder(t *testing.T) {
	line := func(name string, id, sig byte) string {
		raw := append([]byte{0, 0, 0, id}, bytes.Repeat([]byte{sig}, 72)...)
		return "— " + name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	}
	old, more := line("a", 1, 1)+line("b", 2, 1)+line("a", 3, 1), line("a", 1, 9)
	if got, want := string(merge([]byte(old), []byte(more))), line("b", 2, 1)+line("a", 3, 1)+line("a", 1, 9); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
