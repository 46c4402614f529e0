package audit

import (
	"bytes"
	"errors"
	"testing"

	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// prove reads a proof with the format's own library, and verifies it.
func (w *world) prove(p *Publisher, r *store.Record) *trail.Signed {
	w.Helper()
	raw, err := p.Proof(ctx, r)
	if err != nil {
		w.Fatal(err)
	}
	var f proof.TLogProof
	if err := f.Unmarshal(raw); err != nil {
		w.Fatal(err)
	}
	c, err := trail.Open(f.Checkpoint, w.vkeys()...)
	if err != nil {
		w.Fatal(err)
	}
	var hashes tlog.RecordProof
	for _, h := range f.Hashes {
		hashes = append(hashes, h)
	}
	if err := tlog.CheckRecord(hashes, c.Size, c.Root, int64(f.Index), r.Entry.Leaf()); err != nil {
		w.Error(err)
	}
	if !bytes.Equal(f.ExtraData, r.Event()) {
		w.Errorf("it holds %s", f.ExtraData)
	}
	return c
}

func TestProofs(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		w.fill(20)
		published := w.flush(p)
		var all []store.Record
		w.fill(3) // not published
		err := w.db.Records(ctx, 0, w.size(), func(r *store.Record) error { all = append(all, *r); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if got := w.prove(p, &all[5]); got.Size != published.Size {
			t.Errorf("of an old record, by a checkpoint of %d, want the newest of %d", got.Size, published.Size)
		}
		if got := w.prove(p, &all[len(all)-1]); got.Size != int64(len(all)) {
			t.Errorf("of a new record, by a checkpoint of %d, want one made at once of %d", got.Size, len(all))
		}
		if got := p.current.Load(); got.Size != int64(len(all)) {
			t.Errorf("what was made for it is not published: %d", got.Size)
		}
		forged := all[5]
		forged.Entry[0] ^= 1
		if _, err := p.Proof(ctx, &forged); !errors.Is(err, store.ErrFork) {
			t.Errorf("a record that is not what the tree has: %v", err)
		}
		forged = all[5]
		forged.Index = 1000
		if _, err := p.Proof(ctx, &forged); !errors.Is(err, store.ErrFork) {
			t.Errorf("a record that the log has not: %v", err)
		}
	})
}
