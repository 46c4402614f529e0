package main

import (
	"bytes"
	"encoding/base64"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// proof is a C2SP tlog-proof that was read, and not checked yet.
type proof struct {
	index      int64
	extra      []byte
	hashes     tlog.RecordProof
	checkpoint []byte
}

// mostHashes is more than any tree of 2^63 leaves needs.
const mostHashes = 63

func parseProof(file []byte) (*proof, error) {
	head, checkpoint, ok := bytes.Cut(file, []byte("\n\n"))
	if !ok {
		return nil, found("no proof: the empty line before the checkpoint is missing")
	}
	if bytes.ContainsRune(head, '\r') {
		return nil, found("no proof: its lines end in CR LF: the file was converted")
	}
	p := &proof{checkpoint: checkpoint}
	lines := strings.Split(string(head), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, found("no proof: the first line is not c2sp.org/tlog-proof@v1")
	}
	lines = append(lines[1:], "")
	var err error
	if extra, ok := strings.CutPrefix(lines[0], "extra "); ok {
		if p.extra, err = base64.StdEncoding.Strict().DecodeString(extra); err != nil {
			return nil, found("no proof: the extra line: %v", err)
		}
		lines = lines[1:]
	}
	number, ok := strings.CutPrefix(lines[0], "index ")
	if p.index, err = parseIndex(number); err != nil || !ok {
		return nil, found("no proof: the line of the index is missing, or its number is none")
	}
	for i, line := range lines[1 : len(lines)-1] {
		h, err := parseHash(line)
		if err != nil || i == mostHashes {
			return nil, found("no proof: hash %d of the path: %v", i+1, err)
		}
		p.hashes = append(p.hashes, h)
	}
	return p, nil
}

// check proves that the event of the proof stands at its index under its checkpoint.
func (p *proof) check(t *trust) (record, *checkpoint, error) {
	c, err := t.open(p.checkpoint)
	if err != nil {
		return record{}, nil, err
	}
	if p.extra == nil {
		return record{}, nil, foundAt(p.index, "the proof carries no event: there is nothing that it proves")
	}
	r, err := parseRecord(p.extra)
	if err != nil {
		return r, nil, err
	}
	if r.index != p.index {
		return r, nil, foundAt(p.index, "the proof is of this index, and its event claims to be %d", r.index)
	}
	if p.index >= c.N {
		return r, nil, foundAt(p.index, "the checkpoint has %d records: this index is beyond it", c.N)
	}
	if err := tlog.CheckRecord(p.hashes, c.N, c.Hash, p.index, r.leaf()); err != nil {
		return r, nil, foundAt(p.index, "the event is not what stands at this index under the checkpoint's root")
	}
	return r, c, nil
}

// proof is the command.
func (a *app) proof(args []string) error {
	file, err := a.read(args[0], mostProof)
	if err != nil {
		return err
	}
	p, err := parseProof(file)
	if err != nil {
		return err
	}
	r, c, err := p.check(a.trust)
	if err != nil {
		return err
	}
	a.tellRecord(r, p.extra)
	a.tell(c)
	return nil
}
