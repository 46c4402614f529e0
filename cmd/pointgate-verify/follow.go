package main

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

func (a *app) tiles(from source, mirror *folder) *tiles {
	return &tiles{from: from, mirror: mirror, kept: map[tlog.Tile][]byte{}, saved: map[string]bool{}, find: a.report.find}
}

// current opens a log and its own checkpoint.
func (a *app) current() (source, *checkpoint, error) {
	from, err := a.source(a.options.log)
	if err != nil {
		return nil, nil, err
	}
	msg, err := from.get("checkpoint", mostCheckpoint)
	if errors.Is(err, fs.ErrNotExist) && isAddress(a.options.log) {
		err = unreachable{err}
	}
	if err != nil {
		return nil, nil, err
	}
	c, err := a.trust.open(msg)
	return from, c, err
}

// continues proves that the first records of the new tree are those of the old
// one: the full subtrees that the old tree is made of, proven to be in the new
// tree, lead to the old root. They are returned.
func (t *tiles) continues(old, new *checkpoint) (*frontier, error) {
	if old.origin != new.origin {
		return nil, found("the old checkpoint is of %q, the new one of %q", old.origin, new.origin)
	}
	if old.N > new.N {
		return nil, foundAt(new.N, "the old checkpoint has %d records, the new one only %d", old.N, new.N)
	}
	f := &frontier{size: old.N}
	var indexes []int64
	for level, n := 62, int64(0); level >= 0; level-- {
		if size := int64(1) << level; old.N&size != 0 {
			indexes = append(indexes, tlog.StoredHashIndex(level, n>>level))
			n += size
		}
	}
	var err error
	if len(indexes) > 0 {
		f.roots, err = t.hashes(new.Tree, indexes)
	}
	if err == nil && f.root() != old.Hash {
		err = found("not append-only: the first %d records under the new checkpoint are not those under the old one", old.N)
	}
	return f, err
}

// consistency is the command.
func (a *app) consistency(args []string) error {
	old, err := a.openAt(a.trust.alone(), args[0])
	if err != nil {
		return err
	}
	var now *checkpoint
	from, err := a.source(a.options.log)
	if err == nil && len(args) == 2 {
		now, err = a.openAt(a.trust, args[1])
	} else if err == nil {
		from, now, err = a.current()
	}
	if err != nil {
		return err
	}
	a.tell(now)
	a.report.fact("old_size", old.N)
	a.report.fact("old_root", old.Hash.String())
	if _, err = a.tiles(from, nil).continues(old, now); err == nil {
		a.report.fact("proven", "the new checkpoint continues the old one: nothing before it was changed or removed")
	}
	return err
}

// follow is the command log.
func (a *app) follow([]string) error {
	from, c, err := a.current()
	if err != nil {
		return err
	}
	a.tell(c)
	t, f := a.tiles(from, nil), &frontier{}
	if a.options.from != "" {
		old, err := a.openAt(a.trust.alone(), a.options.from)
		if err != nil {
			return err
		}
		if f, err = t.continues(old, c); err != nil {
			return err
		}
		a.report.fact("continues", old.N)
	}
	return a.walk(t, c, f)
}

// mirror is the command.
func (a *app) mirror(args []string) error {
	from, c, err := a.current()
	if err != nil {
		return err
	}
	a.tell(c)
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(args[0])
	if err != nil {
		return err
	}
	dir, f := folder{root}, &frontier{}
	t := a.tiles(from, &dir)
	msg, err := dir.get("checkpoint", mostCheckpoint)
	if err == nil {
		old, err := a.trust.alone().open(msg)
		if err != nil {
			return err
		}
		t.fixed = true // what does not continue the mirror must not get into it
		if f, err = t.continues(old, c); err != nil {
			return errors.Join(err, a.compare(a.tiles(dir, nil), old, a.tiles(from, nil), c))
		}
		t.fixed = false
		a.report.fact("continues", old.N)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := a.walk(t, c, f); err != nil || a.report.count > 0 {
		return err
	}
	return dir.put("checkpoint", c.bytes)
}

// compare names the records that are not the same in two trees.
func (a *app) compare(mine *tiles, old *checkpoint, theirs *tiles, c *checkpoint) error {
	for n := int64(0); n*wide < min(old.N, c.N); n++ {
		before, err := mine.leaves(old.Tree, n)
		if err != nil {
			return err
		}
		now, err := theirs.leaves(c.Tree, n)
		if err != nil {
			return err
		}
		for i := range min(len(before), len(now)) {
			if before[i] != now[i] {
				a.report.find(foundAt(n*wide+int64(i), "the log now has another record here than the mirror kept"))
			}
		}
	}
	return nil
}

// walk reads all entries that f has not yet, and leads them to the root.
func (a *app) walk(t *tiles, c *checkpoint, f *frontier) error {
	begin, progress := f.size, a.progress("entries")
	edge := c.N > 0
	if edge {
		_, err := t.hashes(c.Tree, nil) // the right edge alone leads to the root
		if f := asFinding(err); f != nil {
			a.report.find(f)
			edge = false
		} else if err != nil {
			return err
		}
	}
	for n := f.size / wide; n*wide < c.N; n++ {
		if err := a.step(t, c.Tree, n, f, edge); err != nil {
			return err
		}
		progress(f.size, c.N)
	}
	a.report.fact("entries", f.size-begin)
	if f.root() != c.Hash {
		return found("the log's %d entries lead to the root %v, which is not the checkpoint's", f.size, f.root())
	}
	return nil
}

// step adds the n-th bundle of entries, and holds it against the tile of its
// hashes; edge: tiles can be proven. Only what was proven may stay in a mirror: a
// lie that it kept would be held against the log for ever.
func (a *app) step(t *tiles, tree tlog.Tree, n int64, f *frontier, edge bool) error {
	var hashes []tlog.Hash
	var err error
	if edge {
		hashes, err = t.leaves(tree, n)
	}
	lost := asFinding(err)
	proven := edge && lost == nil
	if !proven {
		hashes, err = t.unproven(tree, n)
	}
	if err != nil {
		return err
	}
	entries, err := t.bundle(tree, n)
	if proven && t.mirror != nil && (asFinding(err) != nil || err == nil && differ(entries, hashes) != nil) {
		// Perhaps it is the mirror that is wrong, as in hashes.
		t.around = true
		entries, err = t.bundle(tree, n)
		t.around = false
	}
	if err != nil {
		return err
	}
	wrong := differ(entries, hashes)
	for _, i := range wrong {
		a.report.find(foundAt(n*wide+i, "the entry here is not the one whose hash stands in the tree's tile"))
	}
	bundle := make([]byte, 0, mostBundle)
	for i, e := range entries {
		if n*wide+int64(i) >= f.size {
			f.add(tlog.RecordHash(e[:]))
		}
		bundle = append(binary.BigEndian.AppendUint16(bundle, tlog.HashSize), e[:]...)
	}
	if lost != nil && len(wrong) == 0 {
		a.report.find(foundAt(n*wide, "the tile and the entries from here to %d are not those of the checkpoint: %s", f.size-1, lost.Problem))
	}
	if proven && len(wrong) == 0 {
		t.save(tlog.Tile{H: height, L: -1, N: n, W: len(entries)}, bundle, 2+tlog.HashSize)
	}
	return nil
}

// differ are the places of the entries that have another hash than the tile says.
func differ(entries, hashes []tlog.Hash) (at []int64) {
	for i, e := range entries {
		if i >= len(hashes) || tlog.RecordHash(e[:]) != hashes[i] {
			at = append(at, int64(i))
		}
	}
	return at
}
