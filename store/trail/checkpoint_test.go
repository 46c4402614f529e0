package trail

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	flog "github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const sample = `points.example/audit
0
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

— points.example/audit LePapcpu0a039WZYofMpAaDIxWKeai6ZC2Mwh0yRJ5221U+7mwo9mYvMNT79kXJ+e1UGQPkiQW4B3GPM+ldsWk6VvQY=
— points.example/audit QYfTogAAAABrAqgIJtr/URvKnMKfXXdS74CdqPQxbzYu+rwRv5/K0GODTMDk6A2YXgFHF8XSZzDz41NEdjrT9mJaSOVM0VOqIvd4Bg==
`

var sampleAt = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func sampleKey(t *testing.T) Key {
	t.Helper()
	k, err := OpenKey("points.example/audit", bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func emptyHead() Head { return new(Frontier).Head() }

// TestASignedCheckpointIsToTheByteWhatOthersMake: the sample was made with
// golang.org/x/mod/sumdb/note and github.com/transparency-dev/formats/note.
func TestASignedCheckpointIsToTheByteWhatOthersMake(t *testing.T) {
	k := sampleKey(t)
	if want := "points.example/audit+2de3daa5+AYMgpRl32MOMqKSSfGcN9YIeRJdhlF4V6e+yahUJ0jDq"; k.Verifier() != want {
		t.Errorf("vkey %s, want %s", k.Verifier(), want)
	}
	s, err := Checkpoint{Origin: k.Name(), Head: emptyHead()}.Sign(sampleAt.Add(999*time.Millisecond), k)
	if err != nil || string(s.Note) != sample || !s.At.Equal(sampleAt) {
		t.Errorf("%v\n%s\nof %v, want\n%s", err, s.Note, s.At, sample)
	}
}

func TestACheckpointIsReadByOthersAndByUs(t *testing.T) {
	for range 64 { // base64 of a key has a plus in it, or not
		k, err := NewKey("points.example:8443/audit/2")
		if err != nil {
			t.Fatal(err)
		}
		c := Checkpoint{Origin: k.Name(), Head: Head{Size: 7, Root: tlog.RecordHash([]byte("x"))}}
		s, err := c.Sign(sampleAt, k)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := note.NewVerifier(k.Verifier())
		if err != nil {
			t.Fatal(err)
		}
		theirs, rest, _, err := flog.ParseCheckpoint(s.Note, c.Origin, plain)
		if err != nil || theirs.Size != 7 || !bytes.Equal(theirs.Hash, c.Root[:]) || len(rest) > 0 {
			t.Errorf("others read %+v %q: %v", theirs, rest, err)
		}
		ours, err := Open(s.Note, k.Verifier())
		if err != nil || ours.Checkpoint != c || !ours.At.Equal(sampleAt) {
			t.Errorf("we read %+v: %v", ours, err)
		}
		timed, err := Cosigner(k.Verifier())
		if n, oerr := note.Open(s.Note, note.VerifierList(timed)); err != nil || oerr != nil || len(n.Sigs) != 1 {
			t.Errorf("its own cosignature: %v, %v", err, oerr)
		}
	}
}

func TestTwoKeysSignSideBySide(t *testing.T) {
	old := sampleKey(t)
	k, err := NewKey(old.Name())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Checkpoint{Origin: k.Name(), Head: emptyHead()}.Sign(sampleAt, k, old)
	if err != nil || strings.Count(string(s.Note), "\n— ") != 4 {
		t.Fatalf("%v, %s", err, s.Note)
	}
	for _, vkeys := range [][]string{{old.Verifier()}, {k.Verifier()}, {k.Verifier(), old.Verifier()}} {
		if _, err := Open(s.Note, vkeys...); err != nil {
			t.Errorf("with %v: %v", vkeys, err)
		}
	}
}

func TestWhatIsForgedOrBrokenIsRefused(t *testing.T) {
	k := sampleKey(t)
	other, err := NewKey(k.Name())
	if err != nil {
		t.Fatal(err)
	}
	plain, _, _ := strings.Cut(sample, "— points.example/audit QY")
	first := strings.Index(sample, "— points.example/audit LeP")
	second := strings.Index(sample, "— points.example/audit QYf")
	for name, tc := range map[string]struct {
		note string
		want error
	}{
		"whole":                       {sample, nil},
		"the plain signature alone":   {plain, nil},
		"the timed signature alone":   {sample[:first] + sample[second:], ErrUnknownKey},
		"another size":                {strings.Replace(sample, "\n0\n", "\n1\n", 1), ErrCheckpoint},
		"another time":                {strings.Replace(sample, "AAAABrAqgI", "AAAABrAqgJ", 1), ErrCheckpoint},
		"no signature":                {sample[:first], ErrCheckpoint},
		"nothing":                     {"", ErrCheckpoint},
		"another key's":               {string(must(Checkpoint{k.Name(), emptyHead()}.Sign(sampleAt, other))(t).Note), ErrUnknownKey},
		"this key, but of other text": {signText(t, k, "points.example/audit\nmany\nmore\n"), ErrCheckpoint},
		"a size with a zero before":   {signText(t, k, "points.example/audit\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), ErrCheckpoint},
		"a size below zero":           {signText(t, k, "points.example/audit\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), ErrCheckpoint},
		"a root that is too short":    {signText(t, k, "points.example/audit\n1\n47DEQpj8\n"), ErrCheckpoint},
		"an empty log with a root":    {signText(t, k, "points.example/audit\n0\nAAAAQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), ErrCheckpoint},
		"the key, for another origin": {signText(t, k, "other.example/audit\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), ErrUnknownKey},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open([]byte(tc.note), k.Verifier()); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
	if _, err := (Checkpoint{"other.example/audit", emptyHead()}).Sign(sampleAt, k); !errors.Is(err, ErrKey) {
		t.Errorf("a key signs for another origin: %v", err)
	}
	if _, err := (Checkpoint{k.Name(), emptyHead()}).Sign(sampleAt); !errors.Is(err, ErrKey) {
		t.Errorf("nobody signs: %v", err)
	}
	if c, err := Claimed([]byte(strings.Replace(sample, "LePa", "AePa", 1))); err != nil || c.Origin != k.Name() {
		t.Errorf("what an unverified note claims: %+v, %v", c, err)
	}
}

func TestOriginsThatNoLogHas(t *testing.T) {
	for _, origin := range []string{"points.example/audit evil", " a", "a\tb", "a\u00a0b", "a\u2028b", "a\u0085b", "a\rb", "a\x7fb"} {
		text := origin + "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
		if c, err := ParseCheckpoint(text); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%q: %+v, %v", origin, c, err)
		}
	}
}

func signText(t *testing.T, k Key, text string) string {
	t.Helper()
	return string(must(note.Sign(&note.Note{Text: text}, k.signers(sampleAt)...))(t))
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestNamesThatCanNotBeSignedFor(t *testing.T) {
	seed := bytes.Repeat([]byte("k"), 32)
	for _, name := range []string{"", "a b", "a+b", "a\nb", "cosignature/v1"} {
		if _, err := OpenKey(name, seed); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := OpenKey("a/audit", seed[:31]); !errors.Is(err, ErrKey) {
		t.Errorf("a short seed: %v", err)
	}
}

func TestCosigner(t *testing.T) {
	k := sampleKey(t)
	for name, tc := range map[string]struct {
		vkey string
		ok   bool
	}{
		"type 4":                  {"points.example/audit+4187d3a2+BIMgpRl32MOMqKSSfGcN9YIeRJdhlF4V6e+yahUJ0jDq", true},
		"type 1 of the same key":  {k.Verifier(), true},
		"the id of another type":  {"points.example/audit+2de3daa5+BIMgpRl32MOMqKSSfGcN9YIeRJdhlF4V6e+yahUJ0jDq", false},
		"a type that we can't do": {"points.example/audit+4187d3a2+BoMgpRl32MOMqKSSfGcN9YIeRJdhlF4V6e+yahUJ0jDq", false},
		"nothing":                 {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Cosigner(tc.vkey)
			if (err == nil) != tc.ok {
				t.Fatal(err)
			}
			if tc.ok && v.KeyHash() != 0x4187d3a2 {
				t.Errorf("id %08x", v.KeyHash())
			}
		})
	}
}
