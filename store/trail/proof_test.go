package trail

import (
	"bytes"
	"testing"

	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"
)

// TestProofsAreReadByOthers reads ours with the format's own library.
func TestProofsAreReadByOthers(t *testing.T) {
	hashes := tlog.RecordProof{tlog.RecordHash([]byte("a")), tlog.RecordHash([]byte("b"))}
	for name, extra := range map[string][]byte{"with a record": []byte(`{"custom":{}}`), "without": nil} {
		t.Run(name, func(t *testing.T) {
			ours := Proof{Index: 73_894, Hashes: hashes, Note: []byte(sample), Extra: extra}
			var theirs proof.TLogProof
			if err := theirs.Unmarshal(ours.Bytes()); err != nil {
				t.Fatal(err)
			}
			if theirs.Index != 73_894 || len(theirs.Hashes) != 2 || theirs.Hashes[1] != hashes[1] ||
				string(theirs.Checkpoint) != sample || !bytes.Equal(theirs.ExtraData, extra) {
				t.Errorf("%+v", theirs)
			}
			if !bytes.Equal(theirs.Marshal(), ours.Bytes()) {
				t.Errorf("they write\n%s\nwe\n%s", theirs.Marshal(), ours.Bytes())
			}
		})
	}
}

func TestAddCheckpoint(t *testing.T) {
	h := tlog.RecordHash([]byte("a"))
	got := string(AddCheckpoint(20_852_014, tlog.TreeProof{h}, []byte(sample)))
	if want := "old 20852014\n" + h.String() + "\n\n" + sample; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(AddCheckpoint(0, nil, []byte(sample))); got != "old 0\n\n"+sample {
		t.Errorf("%q", got)
	}
}
