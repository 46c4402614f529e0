package trail

import (
	"encoding/base64"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof is that a record is in the tree of a checkpoint, in the form of C2SP
// tlog-proof: it can be checked offline.
type Proof struct {
	Index  int64
	Hashes tlog.RecordProof
	Note   []byte // the signed checkpoint
	Extra  []byte // the record, as it is exported; nothing vouches for it but its entry
}

// Bytes is the proof file.
func (p *Proof) Bytes() []byte {
	b := []byte("c2sp.org/tlog-proof@v1\n")
	if len(p.Extra) > 0 {
		b = append(b, "extra "...)
		b = append(base64.StdEncoding.AppendEncode(b, p.Extra), '\n')
	}
	b = append(b, "index "...)
	b = append(strconv.AppendInt(b, p.Index, 10), '\n')
	b = appendHashes(b, p.Hashes)
	b = append(b, '\n')
	return append(b, p.Note...)
}

// appendHashes writes one hash a line.
func appendHashes(b []byte, hashes []tlog.Hash) []byte {
	for _, h := range hashes {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return b
}

// AddCheckpoint is the body of a request to a witness (C2SP tlog-witness): the
// size of the checkpoint that it knows, why the next one goes on from there, and
// that one.
func AddCheckpoint(old int64, proof tlog.TreeProof, msg []byte) []byte {
	b := strconv.AppendInt([]byte("old "), old, 10)
	b = append(b, '\n')
	b = appendHashes(b, proof)
	b = append(b, '\n')
	return append(b, msg...)
}
