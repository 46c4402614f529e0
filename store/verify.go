package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store/trail"
)

// Finding is one thing in the log that does not hold. It concerns the records
// from From to To; To is From where it is one.
type Finding struct {
	From int64  `json:"from"`
	To   int64  `json:"to"`
	What string `json:"what"`
}

// String is the finding in one line.
func (f Finding) String() string {
	if f.From == f.To {
		return fmt.Sprintf("index %d: %s", f.From, f.What)
	}
	return fmt.Sprintf("indexes %d to %d: %s", f.From, f.To, f.What)
}

// Claim is a tree that the log had, as somebody else has kept it.
type Claim struct {
	trail.Head
	Where string // for the finding: "the checkpoint of 2026-…"
}

// Verification is what [Inspector.Verify] found.
type Verification struct {
	trail.Head           // as the records make it
	Erased     int64     // records whose bodies are gone, by command or by age
	Claims     int       // that were compared
	Findings   []Finding // by index; at most maxFindings
}

// maxFindings ends the listing, not the reading: a log that is all wrong is
// known to be so after the first thousand.
const maxFindings = 1000

// Verify reads the whole log and checks that every index is there once, that
// each record is what its entry commits to, that what lists show of it is in its
// body, that the tree is made of the entries, and that it has been every tree
// that was claimed: the checkpoints kept in the database and those of the
// caller; and that the log accounts for every record that was emptied. It may run while a server writes; it sees the log as it was when it
// began. Its error says that it could not look.
func (i *Inspector) Verify(ctx context.Context, claims []Claim, progress Progress) (*Verification, error) {
	v := &verifier{db: i.db, claims: claims, tree: &trail.Frontier{}}
	if err := v.kept(ctx); err != nil { // before the head, which is then never older
		return nil, err
	}
	v.gone.named, v.gone.erasures = map[string]*named{}, map[string]*erasure{}
	if err := i.db.Get(ctx, &v.head, `SELECT size, frontier FROM log_head`); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.claims, func(a, b Claim) int { return cmp.Compare(a.Size, b.Size) })
	v.out.Claims = len(v.claims)
	for {
		var rows []batch
		err := i.db.Select(ctx, &rows, `SELECT first, count, entries, keys, bodies FROM batches
			WHERE first >= ? AND first < ? ORDER BY first LIMIT ?`, v.read, v.head.Size, batchesPerRead)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			break
		}
		for j := range rows {
			if err := v.row(ctx, &rows[j]); err != nil {
				return nil, err
			}
		}
		if progress != nil {
			progress(v.read, v.head.Size)
		}
	}
	return v.end(ctx)
}

// verifier goes through the log once.
type verifier struct {
	db     *DB
	head   logHead
	claims []Claim // by size; those that are checked go
	tree   *trail.Frontier
	sound  int64 // the largest claim that held
	broken bool  // the tree can't be made: an entry is missing
	next   int64 // the index that is expected
	read   int64 // where to go on reading
	gone   emptied
	out    Verification
}

// find adds a finding, or makes the last one longer if it goes on.
func (v *verifier) find(from, to int64, format string, args ...any) {
	f := Finding{from, to, fmt.Sprintf(format, args...)}
	if n := len(v.out.Findings); n > 0 && v.out.Findings[n-1].What == f.What && v.out.Findings[n-1].To == from-1 {
		v.out.Findings[n-1].To = to
	} else if n < maxFindings {
		v.out.Findings = append(v.out.Findings, f)
	}
}

func (v *verifier) row(ctx context.Context, b *batch) error {
	v.read = b.First + 1
	switch {
	case b.First > v.next:
		v.find(v.next, b.First-1, "missing")
		v.broken = true
	case b.First < v.next:
		v.find(b.First, b.First, "this index is there twice")
		return nil
	}
	if b.Count < 1 || b.Count != int64(len(b.Entries)/len(trail.Entry{})) {
		v.find(b.First, b.First, "its row does not have the entries that it counts")
		v.broken = true
		b.Count = max(1, int64(len(b.Entries)/len(trail.Entry{})))
	}
	v.next = b.First + b.Count
	records, err := b.records()
	if err != nil {
		at := min(b.First+int64(len(records)), v.next-1)
		v.find(at, v.next-1, "can't be read: %v", err)
	}
	for i := range records {
		v.record(&records[i])
	}
	return v.grow(ctx, b)
}

func (v *verifier) record(r *Record) {
	if r.Erased {
		v.gone.gone(r)
		v.out.Erased++
		return
	}
	if trail.Commit(r.Nonce, r.Body).At(r.Index) != r.Entry {
		v.find(r.Index, r.Index, "the record is not the one that was logged here")
		return // what it says is worth nothing
	}
	if member := differs(r); member != "" {
		v.find(r.Index, r.Index, "what lists show as its %s is not in the record", member)
		return
	}
	v.gone.sound(r)
}

// grow adds the row's entries to the tree and compares it where something is known.
func (v *verifier) grow(ctx context.Context, b *batch) error {
	if v.broken || int64(len(b.Entries)) != b.Count*int64(len(trail.Entry{})) {
		v.broken = true
		return nil
	}
	for i := range b.Count {
		for _, n := range v.tree.Append(trail.Entry(b.Entries[i*32:]).Leaf()) {
			if err := v.node(ctx, n); err != nil {
				return err
			}
		}
		v.claim()
	}
	return nil
}

// node compares one of the kept nodes. A wrong one of a higher level is only
// told where all below it were right.
func (v *verifier) node(ctx context.Context, n trail.Node) error {
	kept, err := v.db.Tree(ctx).Nodes(n.Level, n.N, n.N+1)
	if err != nil {
		return err
	}
	from, to := n.N<<n.Level, (n.N+1)<<n.Level-1
	if len(kept) == 1 && kept[0] == n.Hash || v.found(from, to) {
		return nil
	}
	v.find(from, to, "the tree was not made of these records")
	return nil
}

// claim compares the tree with what was claimed of this size.
func (v *verifier) claim() {
	for len(v.claims) > 0 && v.claims[0].Size <= v.tree.Size() {
		c := v.claims[0]
		v.claims = v.claims[1:]
		if c.Size < v.tree.Size() || c.Root == v.tree.Root() {
			v.sound = max(v.sound, c.Size)
			continue
		}
		if !v.found(v.sound, c.Size-1) {
			v.find(v.sound, c.Size-1, "these are not the records of %s", c.Where)
		}
	}
}

// found says whether something in the range was found already.
func (v *verifier) found(from, to int64) bool {
	return slices.ContainsFunc(v.out.Findings, func(f Finding) bool { return f.From <= to && f.To >= from })
}

// end compares what is known of the whole.
func (v *verifier) end(ctx context.Context) (*Verification, error) {
	if v.next < v.head.Size {
		v.find(v.next, v.head.Size-1, "missing")
		v.broken = true
	}
	if v.next > v.head.Size {
		v.find(v.head.Size, v.next-1, "behind the end of the log")
		v.broken = true
	}
	for _, c := range v.claims {
		if c.Size > v.head.Size {
			v.find(v.head.Size, c.Size-1, "missing: %s has them", c.Where)
			break
		}
	}
	if want, err := v.head.tree(); !v.broken && (err != nil || want.Head() != v.tree.Head()) && !v.found(0, v.head.Size) {
		v.find(v.differing(want), max(v.head.Size-1, 0), "the tree was not made of these records")
	}
	var beyond int64
	if err := v.db.Get(ctx, &beyond, `SELECT COUNT(*) FROM batches WHERE first >= (SELECT size FROM log_head)`); err != nil {
		return nil, err
	}
	if beyond > 0 {
		v.find(v.head.Size, v.head.Size, "there are %d rows behind the end of the log", beyond)
	}
	if err := v.account(ctx); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.out.Findings, func(a, b Finding) int { return cmp.Compare(a.From, b.From) })
	v.out.Head = trail.Head{Size: v.head.Size, Root: v.tree.Root()}
	return &v.out, nil
}

// differing is the first index of the first complete subtree that differs.
func (v *verifier) differing(want *trail.Frontier) int64 {
	if want == nil {
		return 0
	}
	have, kept := v.tree.Bytes(), want.Bytes()
	at := int64(0)
	for i, bit := 0, int64(1)<<62; bit > 0; bit >>= 1 {
		if v.tree.Size()&bit == 0 {
			continue
		}
		if string(have[i:i+tlog.HashSize]) != string(kept[i:i+tlog.HashSize]) {
			break
		}
		at += bit
		i += tlog.HashSize
	}
	return min(at, max(v.tree.Size()-1, 0))
}
