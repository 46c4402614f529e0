package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

// mostLine is how long a line of an export may be, in bytes.
const mostLine = 1 << 20

// span is the indexes from a to before b.
type span struct{ a, b int64 }

// mostGaps bounds memory where an export has more holes than anyone wants to read.
const mostGaps = 1024

// lines checks an export line by line, in constant memory.
type lines struct {
	*report
	c             *checkpoint
	tiles         *tiles // nil: no log was given
	strict, whole bool   // no gap between first and last; none at all

	count       map[kind]int64
	first, last int64 // indexes; last is -1 before the first line
	gaps        []span
	tree        frontier // over the lines, for as long as none is missing
	at          int64    // which tile leaves is of, -1 for none
	leaves      []tlog.Hash
}

// export is the command.
func (a *app) export(args []string) error {
	c, err := a.openAt(a.trust, a.options.checkpoint)
	if err != nil {
		return err
	}
	a.tell(c)
	e := &lines{report: a.report, c: c, whole: a.options.whole, count: map[kind]int64{}, last: -1, at: -1}
	if a.options.log == "" {
		e.whole = true // without tiles, only the whole proves anything
	} else {
		from, err := a.source(a.options.log)
		if err != nil {
			return err
		}
		e.tiles = a.tiles(from, nil)
	}
	e.strict = e.whole || a.options.contiguous
	file := os.Stdin
	if args[0] != "-" {
		if file, err = os.Open(args[0]); err != nil {
			return err
		}
		defer file.Close()
	}
	progress := a.progress("lines")
	err = eachLine(file, func(number int64, line []byte) error {
		progress(e.last+1, c.N)
		return e.check(number, line)
	})
	if f := asFinding(err); f != nil {
		e.find(f)
	} else if err != nil {
		return err
	}
	e.finish()
	return nil
}

// eachLine calls f with each line, without its newline. A file that is cut short
// or damaged is a finding; a file that can't be read is an error.
func eachLine(file io.Reader, f func(int64, []byte) error) error {
	in := bufio.NewReaderSize(file, mostLine+1)
	if magic, err := in.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return found("the gzip file: %v", err)
		}
		in = bufio.NewReaderSize(unzipped, mostLine+1)
	}
	for number := int64(1); ; number++ {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			line = nil
		}
		bad := flate.CorruptInputError(0)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.As(err, &bad):
			return &finding{Line: number, Problem: "the gzip file is cut short or damaged here: " + err.Error()}
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if err := f(number, bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
}

// check checks one line; an error ends the work.
func (e *lines) check(number int64, line []byte) error {
	if len(line) == 0 {
		e.find(&finding{Line: number, Problem: "an empty line, or one over 1 MiB"})
		return nil
	}
	r, err := parseRecord(line)
	if f := asFinding(err); f != nil {
		f.Line = number
		e.find(f)
		return nil
	}
	if problem := e.place(r.index); problem != nil {
		problem.Line = number
		e.find(problem)
	}
	if r.index >= e.c.N {
		return nil
	}
	e.count[r.kind]++
	if r.index == e.tree.size {
		e.tree.add(r.leaf())
	}
	return e.compare(number, r)
}

// place notes an index, and says what is wrong with it behind those before.
func (e *lines) place(index int64) *finding {
	last := e.last
	switch {
	case index >= e.c.N:
		return foundAt(index, "beyond the checkpoint, which has %d records: use one that is younger than the export", e.c.N)
	case last < 0:
		e.first, e.last = index, index
		e.missing(span{0, index}, e.whole)
	case index > last:
		e.last = index
		e.missing(span{last + 1, index}, e.strict)
	case index == last:
		return foundAt(index, "appears twice")
	case e.late(index):
		return foundAt(index, "in the wrong order: it comes behind %d", last)
	default:
		return foundAt(index, "appears again, behind %d", last)
	}
	return nil
}

func (e *lines) missing(s span, matters bool) {
	if s.a >= s.b || !matters {
		return
	}
	if e.gaps = append(e.gaps, s); len(e.gaps) > mostGaps {
		e.tellMissing(e.gaps[0])
		e.gaps = e.gaps[1:]
	}
}

// late reports whether an index was missing so far, and takes it from the gaps.
// In a filtered export no gaps are kept, and any that comes back is late.
func (e *lines) late(index int64) bool {
	if !e.strict {
		return true
	}
	for i, s := range e.gaps {
		if s.a <= index && index < s.b {
			rest := e.gaps[i+1:]
			e.gaps = append(append([]span{}, e.gaps[:i]...), span{s.a, index}, span{index + 1, s.b})
			e.gaps = append(e.gaps, rest...)
			return true
		}
	}
	return false
}

func (e *lines) tellMissing(s span) {
	switch {
	case s.b-s.a == 1:
		e.find(foundAt(s.a, "missing"))
	case s.b > s.a:
		e.find(foundAt(s.a, "missing, and all up to %d", s.b-1))
	}
}

// compare holds a line against the log's proven tile, where there is a log.
func (e *lines) compare(number int64, r record) error {
	if e.tiles == nil {
		return nil
	}
	if n := r.index / wide; n != e.at {
		var err error
		e.at = n
		e.leaves, err = e.tiles.leaves(e.c.Tree, n)
		if f := asFinding(err); f != nil {
			e.find(foundAt(n*wide, "the log's tile for the 256 records from here proves nothing: %s", f.Problem))
		} else if err != nil {
			return err
		}
	}
	if i := r.index % wide; i < int64(len(e.leaves)) && e.leaves[i] != r.leaf() {
		f := foundAt(r.index, "the line is not the record that stands here in the log")
		f.Line = number
		e.find(f)
	}
	return nil
}

// finish says what is missing at the end, and checks the root of a whole export.
func (e *lines) finish() {
	if e.whole {
		e.missing(span{e.last + 1, e.c.N}, true)
	}
	for _, s := range e.gaps {
		e.tellMissing(s)
	}
	all := e.count[verified] + e.count[erased] + e.count[withheld]
	if all > 0 {
		e.fact("first_index", e.first)
		e.fact("last_index", e.last)
	}
	for _, k := range []kind{verified, erased, withheld} {
		e.fact(string(k), e.count[k])
	}
	if all == 0 && e.strict && !e.whole && e.c.N > 0 {
		e.find(found("there is no record of this log in the file: nothing was checked"))
	}
	complete := all == e.c.N && e.tree.size == e.c.N
	e.fact("complete", complete)
	if complete && e.tree.root() != e.c.Hash {
		e.find(found("the lines lead to the root %v, which is not the checkpoint's: some line is not the log's (--log names it)", e.tree.root()))
	}
	if !complete && e.report.count == 0 {
		e.fact("note", "each line is the log's; nothing is said about the indexes that are not in the file")
	}
}
