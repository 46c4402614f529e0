package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// witness is somebody else's server that cosigns our checkpoints if each goes on
// from the last that it saw (C2SP tlog-witness).
type witness struct {
	p      *Publisher
	url    string // submission prefix
	key    note.Verifier
	client *http.Client
	known  int64 // the size that it has seen, as far as we know
}

// witnessPlace reads "URL VKEY".
func (p *Publisher) witnessPlace(spec string, client *http.Client) (*place, error) {
	target, vkey, _ := strings.Cut(strings.TrimSpace(spec), " ")
	key, err := trail.Cosigner(strings.TrimSpace(vkey))
	if err != nil {
		return nil, fmt.Errorf("%q: want a URL, a space, and the vkey of an Ed25519 cosigner: %w", nameOf(target), err)
	}
	w := &witness{p: p, url: strings.TrimSuffix(target, "/"), key: key, client: client}
	return &place{
		kind: "witness", name: key.Name(), every: p.c.WitnessEvery, wake: make(chan struct{}, 1),
		put: w.put,
	}, nil
}

// errStale says that the witness has seen another size than we thought.
var errStale = errors.New("it knows another size")

func (w *witness) put(ctx context.Context, c *Published) error {
	lines, err := w.ask(ctx, c)
	if errors.Is(err, errStale) {
		lines, err = w.ask(ctx, c) // once, with what it said
	}
	if err != nil {
		return err
	}
	return w.p.cosign(ctx, c, lines)
}

// ask sends one checkpoint and returns the witness's signature lines on it.
func (w *witness) ask(ctx context.Context, c *Published) ([]byte, error) {
	if known := w.known; known > c.Size {
		w.known = 0 // it may have said anything: next time it is asked anew
		return nil, fmt.Errorf("%w: this witness has cosigned %d records, the log has %d", store.ErrFork, known, c.Size)
	}
	var proof tlog.TreeProof
	if w.known > 0 && w.known < c.Size {
		var err error
		if proof, err = tlog.ProveTree(c.Size, w.known, w.p.c.Store.Tree(ctx)); err != nil {
			return nil, err
		}
	}
	own := bytes.TrimSuffix(c.Note, c.lines)
	status, body, err := exchange(ctx, w.client, http.MethodPost, w.url+"/add-checkpoint", trail.AddCheckpoint(w.known, proof, own))
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusConflict:
		return nil, w.learn(body)
	case status != http.StatusOK:
		return nil, witnessRefusal(status)
	}
	lines, err := w.verified(own, body)
	if err == nil {
		w.known = c.Size
	}
	return lines, err
}

// learn takes over the size that the witness says it has seen.
func (w *witness) learn(body []byte) error {
	size, err := strconv.ParseInt(strings.TrimSuffix(string(body), "\n"), 10, 64)
	if err != nil || size < 0 || size == w.known {
		return fmt.Errorf("it answered 409 without a size: %.40q", body)
	}
	w.known = size
	return errStale
}

func witnessRefusal(status int) error {
	why := map[int]string{
		http.StatusBadRequest:          "it can't read the request, or knows a larger tree",
		http.StatusForbidden:           "it does not know the log's key: give it the vkey of /audit/keys",
		http.StatusNotFound:            "it does not know the log: give it the log's origin",
		http.StatusUnprocessableEntity: "it says that the log does not go on from what it has seen",
		http.StatusTooManyRequests:     "it asks for more time",
	}[status]
	if why == "" {
		why = "want 200"
	}
	return fmt.Errorf("it answered with status %d: %s", status, why)
}

// verified are the lines of the answer that are signatures of this witness on
// this checkpoint; others are left out.
func (w *witness) verified(own, answer []byte) ([]byte, error) {
	n, err := note.Open(slices.Concat(own, answer), note.VerifierList(w.key))
	if err != nil {
		return nil, fmt.Errorf("its answer is no cosignature of its key: %w", err)
	}
	var lines []byte
	for _, s := range n.Sigs {
		lines = fmt.Appendf(lines, "— %s %s\n", s.Name, s.Base64)
	}
	return lines, nil
}

// cosign keeps a cosignature with the checkpoint, durable, and then shows it.
func (p *Publisher) cosign(ctx context.Context, c *Published, lines []byte) error {
	var row *store.Checkpoint
	err := p.c.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.ReadCheckpoint(ctx, c.kept); err != nil {
			return err
		}
		s := &trail.Signed{Checkpoint: c.Checkpoint, Note: []byte(row.Note)}
		was := witnessLines(s)
		all := merge(was, lines)
		row.Note = string(slices.Concat(bytes.TrimSuffix(s.Note, was), all))
		row.Witnesses = int64(bytes.Count(all, []byte("\n")))
		return tx.CosignCheckpoint(ctx, row)
	})
	if err != nil {
		return err
	}
	if err := p.begin(ctx); err != nil {
		return err
	}
	defer p.end()
	signed := c.with(lines)
	if was := p.cosigned.Load(); was == nil || was.Origin != c.Origin || was.Size < c.Size {
		p.cosigned.Store(signed)
	} else if was.Checkpoint == c.Checkpoint {
		p.cosigned.Store(was.with(lines))
	}
	if now := p.current.Load(); now.Checkpoint == c.Checkpoint {
		p.publish(now.with(lines))
	}
	return nil
}

// with is the checkpoint with more cosignatures.
func (c *Published) with(lines []byte) *Published {
	out := *c
	out.lines = merge(c.lines, lines)
	out.Note = slices.Concat(bytes.TrimSuffix(c.Note, c.lines), out.lines)
	return &out
}

// merge adds lines; a newer one of the same key takes the older one's place.
func merge(lines, more []byte) (out []byte) {
	newer := map[string]bool{}
	for line := range bytes.Lines(more) {
		newer[signerOf(line)] = true
	}
	for line := range bytes.Lines(lines) {
		if !newer[signerOf(line)] {
			out = append(out, line...)
		}
	}
	return append(out, more...)
}

// signerOf is the name and key id of a signature line.
func signerOf(line []byte) string {
	name, sig, _ := strings.Cut(strings.TrimPrefix(string(line), "— "), " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(sig, "\n"))
	if err != nil || len(raw) < 4+ed25519.SignatureSize {
		return string(line)
	}
	return name + string(raw[:4])
}
