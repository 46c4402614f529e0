package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestCheckpointOfAnotherHand: these bytes were made with the C2SP formats module
// (github.com/transparency-dev/formats), which this program does not use.
func TestCheckpointOfAnotherHand(t *testing.T) {
	w := &world{t: t, dir: t.TempDir()}
	file := w.file("c", `points.example/audit
0
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

— points.example/audit LePapcpu0a039WZYofMpAaDIxWKeai6ZC2Mwh0yRJ5221U+7mwo9mYvMNT79kXJ+e1UGQPkiQW4B3GPM+ldsWk6VvQY=
— points.example/audit QYfTogAAAABrAqgIJtr/URvKnMKfXXdS74CdqPQxbzYu+rwRv5/K0GODTMDk6A2YXgFHF8XSZzDz41NEdjrT9mJaSOVM0VOqIvd4Bg==
`)
	code, out := runWith("checkpoint", file, "--key", "points.example/audit+2de3daa5+AYMgpRl32MOMqKSSfGcN9YIeRJdhlF4V6e+yahUJ0jDq")
	if code != 0 || !strings.Contains(out, "signed at       2026-11-22T08:30:00Z\nage             0s\n") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestCheckpointHolds(t *testing.T) {
	w := newWorld(t, 3)
	want := []string{"size            3\n", "root            " + w.root(3).String(), "age             1m0s\n", "HOLDS"}
	w.wants(t, 0, want, "checkpoint", w.file("c", w.checkpoint(3)))
	w.wants(t, 0, want, "checkpoint", w.site()+"/checkpoint")
	w.wants(t, 0, []string{"carries no time"}, "checkpoint", w.file("c", w.signed(w.text(3))))
	w.wants(t, 0, want[:2], "checkpoint", w.file("c", w.signed(w.text(3)+"an extension\n")))
	w.wants(t, 0, nil, "checkpoint", "--max-age", "2m", w.file("c", w.checkpoint(3)))
	w.wants(t, 1, []string{"younger"}, "checkpoint", "--max-age", "30s", w.file("c", w.checkpoint(3)))
	w.wants(t, 1, []string{"younger"}, "checkpoint", "--max-age", "30s", w.file("c", w.signed(w.text(3))))
	ahead := w.signed(w.text(3)) + w.log.cosign(w.text(3), now.Add(time.Hour))
	w.wants(t, 1, []string{"a time to come"}, "checkpoint", "--max-age", "30s", w.file("c", ahead))
	// While keys change, the log signs with both; an auditor may know one or two.
	next := newSigner(t, w.log.name)
	both := w.checkpoint(3) + strings.SplitAfter(must(t, next, w.text(3)), "\n\n")[1]
	w.wants(t, 0, want, "checkpoint", w.file("c", both))
	w.wants(t, 0, want, "checkpoint", w.file("c", both), "--key", next.vkey)
	w.wants(t, 0, []string{"carries no time"}, "checkpoint", w.file("c", must(t, next, w.text(3))), "--key", next.vkey)
}

func must(t *testing.T, s *signer, text string) string {
	w := &world{t: t, log: s}
	return w.signed(text)
}

func TestCheckpointWithALie(t *testing.T) {
	w := newWorld(t, 3)
	root, other := w.root(3).String(), newSigner(t, w.log.name)
	for name, c := range map[string]struct{ file, want string }{
		"an unknown key of the same name":       {must(t, other, w.text(3)), "no verifiable signatures"},
		"the time alone, not the log's own":     {strings.Split(w.checkpoint(3), "\n\n")[0] + "\n\n" + w.log.cosign(w.text(3), now), "no signature by a key"},
		"another origin, signed":                {w.signed("points.example/other\n3\n" + root + "\n"), "no signature by a key of that name"},
		"a size with a zero before":             {w.signed(w.log.name + "\n03\n" + root + "\n"), "is no size"},
		"a negative size":                       {w.signed(w.log.name + "\n-3\n" + root + "\n"), "is no size"},
		"a size beyond 63 bits":                 {w.signed(w.log.name + "\n9223372036854775808\n" + root + "\n"), "is no size"},
		"a size beyond all logs":                {w.signed(fmt.Sprintf("%s\n%d\n%s\n", w.log.name, int64(1)<<62+1, root)), "is no size"},
		"a short root":                          {w.signed(w.log.name + "\n3\n" + root[:40] + "\n"), "is no hash"},
		"no root":                               {w.signed(w.log.name + "\n3\n"), "three lines"},
		"the root of others for an empty log":   {w.signed(w.log.name + "\n0\n" + root + "\n"), "empty log"},
		"a wrong signature beside a good one":   {w.checkpoint(3) + w.log.cosign("x", now), ""},
		"only the log's cosignature is altered": {w.signed(w.text(3)) + moved(w.log.cosign(w.text(3), now)), "invalid signature"},
		"not a note":                            {"hello", "malformed note"},
	} {
		t.Run(name, func(t *testing.T) {
			code := 1
			if c.want == "" { // the second line of the same key is never looked at
				code = 0
			}
			w.wants(t, code, []string{c.want}, "checkpoint", w.file("c", c.file))
		})
	}
	w.wants(t, 1, []string{"is longer than"}, "checkpoint", w.file("c", strings.Repeat("x", mostCheckpoint+1)))
}

func TestWitnesses(t *testing.T) {
	w := newWorld(t, 3)
	second := newSigner(t, "witness.example/w2")
	one := w.file("one", w.checkpoint(3)+w.witness.cosign(w.text(3), now.Add(-time.Hour)))
	none := w.file("none", w.checkpoint(3))
	wrong := w.file("wrong", w.checkpoint(3)+w.witness.cosign(w.text(2), now))
	later := w.file("later", w.checkpoint(3)+moved(strings.ReplaceAll(w.witness.cosign(w.text(3), now), "witness.example/w1", "points.example/audit")))
	w.wants(t, 0, []string{"witness.example/w1 at 2026-11-22T07:30:00Z"}, "checkpoint", one, "--witness", w.witness.vkey)
	w.wants(t, 0, nil, "checkpoint", one, "--witness", asCosigner(w.witness))
	w.wants(t, 0, nil, "checkpoint", one, "--witness", w.witness.vkey, "--witness", second.vkey, "--witnesses", "1")
	w.wants(t, 0, nil, "consistency", "--log", w.site(), none, one, "--witness", w.witness.vkey)
	w.wants(t, 1, []string{"0 of the witnesses"}, "consistency", "--log", w.site(), one, none, "--witness", w.witness.vkey)
	w.wants(t, 1, []string{"1 of the witnesses have cosigned the checkpoint, and 2 are asked for"}, "checkpoint", one, "--witness", w.witness.vkey, "--witness", second.vkey)
	w.wants(t, 1, []string{"0 of the witnesses"}, "checkpoint", none, "--witness", w.witness.vkey)
	w.wants(t, 0, nil, "checkpoint", later) // a signature by nobody we know says nothing
	w.wants(t, 0, nil, "checkpoint", one)
	w.wants(t, 1, []string{"invalid signature"}, "checkpoint", wrong, "--witness", w.witness.vkey)
	w.wants(t, 2, []string{"given twice"}, "checkpoint", one, "--witness", w.witness.vkey, "--witness", asCosigner(w.witness))
	w.wants(t, 2, []string{"given twice"}, "checkpoint", one, "--witness", w.log.vkey)
	w.wants(t, 2, []string{"--witnesses 2 of 1"}, "checkpoint", one, "--witness", w.witness.vkey, "--witnesses", "2")
	w.wants(t, 2, []string{"--witnesses -1 of 1"}, "checkpoint", one, "--witness", w.witness.vkey, "--witnesses", "-1")
	w.wants(t, 0, []string{"witness.example/w1 at"}, "proof", w.file("p", w.proof(1, 3)+w.witness.cosign(w.text(3), now)), "--witness", w.witness.vkey)
	w.wants(t, 1, []string{"0 of the witnesses"}, "proof", w.file("p", w.proof(1, 3)), "--witness", w.witness.vkey)
}

// asCosigner is the vkey of type 0x04.
func asCosigner(s *signer) string {
	key := append([]byte{4}, s.vkeyBytes()...)
	id := sha256.Sum256([]byte(s.name + "\n" + string(key)))
	return fmt.Sprintf("%s+%x+%s", s.name, id[:4], base64.StdEncoding.EncodeToString(key))
}

func (s *signer) vkeyBytes() []byte {
	b, _ := base64.StdEncoding.DecodeString(strings.SplitN(s.vkey, "+", 3)[2])
	return b[1:]
}

func TestWrongUsage(t *testing.T) {
	w := newWorld(t, 3)
	c, x := w.file("c", w.checkpoint(3)), w.file("x", w.ndjson())
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "usage", nil},
		{2, "usage", []string{"prove"}},
		{0, "mirror", []string{"help"}},
		{0, "usage", []string{"proof", "--help"}},
		{2, "usage", []string{"proof", "--key", w.log.vkey}},
		{2, "usage", []string{"proof", "--key", w.log.vkey, c, c}},
		{2, "not defined", []string{"proof", "--log", "x", "--key", w.log.vkey, c}},
		{2, "--key is missing", []string{"checkpoint", c}},
		{2, "no vkey", []string{"checkpoint", c, "--key", "hello"}},
		{2, "a typing mistake", []string{"checkpoint", c, "--key", strings.Replace(w.log.vkey, "points", "points2", 1)}},
		{2, "type 0x06", []string{"checkpoint", c, "--key", "x+00000000+Bg=="}},
		{2, "can't sign a checkpoint", []string{"checkpoint", c, "--key", asCosigner(w.log)}},
		{2, "no such file", []string{"checkpoint", c + "x", "--key", w.log.vkey}},
		{2, "no such file", []string{"proof", c + "x", "--key", w.log.vkey}},
		{2, "no such file", []string{"export", "--checkpoint", c, x + "x", "--key", w.log.vkey}},
		{2, "--checkpoint is missing", []string{"export", x, "--key", w.log.vkey}},
		{2, "--log is missing", []string{"log", "--key", w.log.vkey}},
		{2, "--log is missing", []string{"consistency", c, "--key", w.log.vkey}},
		{2, "no such file", []string{"log", "--log", c + "x", "--key", w.log.vkey}},
		{2, "only https", []string{"log", "--log", "http://points.example/audit", "--key", w.log.vkey}},
		{2, "only https", []string{"checkpoint", "http://192.0.2.1/audit/checkpoint", "--key", w.log.vkey}},
		{2, "no address of a log", []string{"log", "--log", "https://me:secret@points.example/audit", "--key", w.log.vkey}},
		{3, "refused", []string{"log", "--log", "http://127.0.0.1:1/audit", "--key", w.log.vkey}},
		{3, "not exist", []string{"checkpoint", w.site() + "/nothing", "--key", w.log.vkey}},
		{3, "not exist", []string{"log", "--log", w.site() + "/nothing", "--key", w.log.vkey}},
	} {
		if code, out := runWith(c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: exit code %d, want %d and %q:\n%s", c.args, code, c.code, c.want, out)
		}
	}
}

func TestAnotherHostIsNotFollowed(t *testing.T) {
	w := newWorld(t, 3)
	there := w.site()
	here := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(out, r, there+"/checkpoint", http.StatusFound)
		case "/near":
			http.Redirect(out, r, "/checkpoint", http.StatusFound)
		case "/round":
			http.Redirect(out, r, "/round", http.StatusFound)
		case "/checkpoint":
			_, _ = out.Write([]byte(w.checkpoint(3)))
		case "/no":
			http.Error(out, "no", http.StatusForbidden)
		case "/endless":
			_, _ = out.Write(make([]byte, mostCheckpoint+1))
		}
	}))
	defer here.Close()
	w.wants(t, 3, []string{"not followed"}, "checkpoint", here.URL+"/away")
	w.wants(t, 3, []string{"not followed"}, "checkpoint", here.URL+"/round")
	w.wants(t, 0, nil, "checkpoint", here.URL+"/near")
	w.wants(t, 3, []string{"403"}, "checkpoint", here.URL+"/no")
	w.wants(t, 1, []string{"longer than"}, "checkpoint", here.URL+"/endless")
}

func TestAnotherSchemeIsNotFollowed(t *testing.T) {
	s, err := (&app{}).site("https://points.example/audit")
	if err != nil {
		t.Fatal(err)
	}
	first := httptest.NewRequest(http.MethodGet, "https://points.example/audit", nil)
	for next, follows := range map[string]bool{
		"https://points.example/": true, "http://points.example/": false, "https://points.example:8443/": false, "https://other.example/": false,
	} {
		err := s.client.CheckRedirect(httptest.NewRequest(http.MethodGet, next, nil), []*http.Request{first})
		if (err == nil) != follows {
			t.Errorf("from %v to %s: %v", first.URL, next, err)
		}
	}
}

func TestABusyLogIsAskedAgain(t *testing.T) {
	w := newWorld(t, 3)
	for busy, code := range map[int]int{0: 0, 4: 0, 5: 3} {
		left, waited := busy, []time.Duration{}
		s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if left--; left >= 0 {
				out.Header().Set("Retry-After", "2")
				out.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = out.Write([]byte(w.checkpoint(3)))
		}))
		var b strings.Builder
		a := app{out: &b, errors: &b, now: time.Now, wait: func(d time.Duration) { waited = append(waited, d) }, transport: http.DefaultTransport}
		if got := a.run([]string{"checkpoint", s.URL, "--key", w.log.vkey}); got != code || len(waited) != min(busy, 4) || busy > 0 && waited[0] != 2*time.Second {
			t.Errorf("busy %d times: exit code %d, waited %v: %s", busy, got, waited, b.String())
		}
		s.Close()
	}
}
