package trail

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is the tree of a log at one size (C2SP tlog-checkpoint), without
// extension lines. Its text has no time, so the checkpoint of an idle log stays
// the same text, and the cosignatures of witnesses on it stay good.
type Checkpoint struct {
	Origin string // names the log
	Head
}

// The ways in which a note is no checkpoint that can be relied on.
var (
	ErrCheckpoint = errors.New("trail: no checkpoint")
	ErrUnknownKey = errors.New("trail: the checkpoint is not signed by a known key of its log")
)

// Text is what is signed.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// Signed is a checkpoint with who signed it.
type Signed struct {
	Checkpoint
	Note []byte    // the whole signed note
	At   time.Time // when the log signed it, by its own word; zero: it does not say
}

// Sign makes the signed note, with two signatures of each key. The keys must be
// of the checkpoint's origin. The same origin must never sign two checkpoints of
// which one is not an earlier state of the other; that is the caller's duty.
func (c Checkpoint) Sign(at time.Time, keys ...Key) (*Signed, error) {
	var signers []note.Signer
	for _, k := range keys {
		if k.name != c.Origin {
			return nil, fmt.Errorf("%w: a key of %q for a checkpoint of %q", ErrKey, k.name, c.Origin)
		}
		signers = append(signers, k.signers(at)...)
	}
	if len(signers) == 0 {
		return nil, ErrKey
	}
	msg, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		return nil, err
	}
	return &Signed{Checkpoint: c, Note: msg, At: time.Unix(at.Unix(), 0).UTC()}, nil
}

// Open verifies a signed note with the vkeys of a log. [ErrUnknownKey] says that
// none of them has signed it; any other error, that it is broken or forged.
func Open(msg []byte, vkeys ...string) (*Signed, error) {
	var all []note.Verifier
	var plains []note.Verifier
	for _, vkey := range vkeys {
		plain, timed, err := verifiers(vkey)
		if err != nil {
			return nil, fmt.Errorf("%w: vkey %q: %w", ErrKey, vkey, err)
		}
		plains = append(plains, plain)
		all = append(all, plain, timed)
	}
	n, err := note.Open(msg, note.VerifierList(all...))
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unverified):
		return nil, ErrUnknownKey
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return nil, err
	}
	out := &Signed{Checkpoint: c, Note: msg}
	signed := false
	for _, s := range n.Sigs {
		if s.Name != c.Origin {
			continue
		}
		is := func(v note.Verifier) bool { return v.Name() == s.Name && v.KeyHash() == s.Hash }
		if slices.ContainsFunc(plains, is) {
			signed = true
		} else if at := signedAt(s); at.After(out.At) {
			out.At = at
		}
	}
	if !signed {
		return nil, ErrUnknownKey
	}
	return out, nil
}

// Claimed reads a signed note without verifying it: what it says, which nobody
// may rely on.
func Claimed(msg []byte) (Checkpoint, error) {
	n, err := note.Open(msg, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		n, err = unverified.Note, nil
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return ParseCheckpoint(n.Text)
}

// ParseCheckpoint reads the text of a note. Extension lines, which other logs may
// have, are passed over.
func ParseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return c, fmt.Errorf("%w: it has no three lines", ErrCheckpoint)
	}
	// No key can have such a name, and in lists and lines it would look like another.
	if strings.ContainsFunc(lines[0], func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return c, fmt.Errorf("%w: its origin is %q", ErrCheckpoint, lines[0])
	}
	c.Origin = lines[0]
	c.Size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || c.Size < 0 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return c, fmt.Errorf("%w: its size is %q", ErrCheckpoint, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(lines[2]) != 44 || copy(c.Root[:], root) != len(c.Root) {
		return c, fmt.Errorf("%w: its root is %q", ErrCheckpoint, lines[2])
	}
	if c.Size == 0 && c.Root != sha256.Sum256(nil) {
		return c, fmt.Errorf("%w: an empty log with the root of another", ErrCheckpoint)
	}
	return c, nil
}
