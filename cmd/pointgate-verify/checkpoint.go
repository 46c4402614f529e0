package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// trust is whom the auditor believes: the log's keys, and witnesses.
type trust struct {
	logs, clocks, witnesses []note.Verifier // clocks are the logs' keys as cosigners
	quorum                  int
}

// checkpoint is one whose signatures were verified.
type checkpoint struct {
	tlog.Tree
	origin    string
	time      time.Time // by the log's word; zero: it carries none
	witnessed []string  // name and time of each witness that was asked for
	bytes     []byte
}

// cosigner verifies cosignature/v1 of Ed25519 (C2SP tlog-cosignature).
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

const (
	typeEd25519  = 0x01
	typeCosigner = 0x04
)

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }

func (c *cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize || binary.BigEndian.Uint64(sig) > math.MaxInt64 {
		return false
	}
	signed := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), text)
	return ed25519.Verify(c.key, signed, sig[8:])
}

func keyID(name string, kind byte, key []byte) uint32 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%c%s", name, kind, key))
	return binary.BigEndian.Uint32(sum[:])
}

// parseKey reads a vkey of Ed25519 (C2SP signed-note) as one of a cosigner.
func parseKey(vkey string) (c *cosigner, kind byte, err error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, key64, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.Strict().DecodeString(key64)
	if err != nil || name == "" || len(key) < 1 || strings.ContainsAny(vkey, " \t\r\n") {
		return nil, 0, fmt.Errorf("%q is no vkey (name+id+key)", vkey)
	}
	kind, key = key[0], key[1:]
	if kind != typeEd25519 && kind != typeCosigner || len(key) != ed25519.PublicKeySize {
		return nil, 0, fmt.Errorf("the key of %q is of type 0x%02x: this program checks Ed25519 alone (0x01, 0x04)", name, kind)
	}
	if id != fmt.Sprintf("%08x", keyID(name, kind, key)) {
		return nil, 0, fmt.Errorf("the id in the vkey of %q is not that of its key: a typing mistake?", name)
	}
	return &cosigner{name: name, id: keyID(name, typeCosigner, key), key: key}, kind, nil
}

func newTrust(keys, witnesses []string, quorum int) (*trust, error) {
	t := &trust{quorum: quorum}
	if len(keys) == 0 {
		return nil, errors.New("--key is missing: the vkey of the log, got from elsewhere than the log")
	}
	if quorum == 0 {
		t.quorum = len(witnesses)
	}
	if t.quorum < 0 || t.quorum > len(witnesses) {
		return nil, fmt.Errorf("--witnesses %d of %d that were given", quorum, len(witnesses))
	}
	known := map[string]bool{}
	for i, vkey := range append(append([]string{}, keys...), witnesses...) {
		c, kind, err := parseKey(vkey)
		if err != nil {
			return nil, err
		}
		if known[string(c.key)] {
			return nil, fmt.Errorf("the key of %q is given twice: one key is one voice", c.name)
		}
		known[string(c.key)] = true
		if i >= len(keys) {
			t.witnesses = append(t.witnesses, c)
			continue
		}
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("the log's key %q: type 0x%02x can't sign a checkpoint (want 0x01): %w", c.name, kind, err)
		}
		t.logs, t.clocks = append(t.logs, v), append(t.clocks, c)
	}
	return t, nil
}

// alone asks for no witness.
func (t trust) alone() *trust {
	t.quorum = 0
	return &t
}

// mostRecords keeps the arithmetic of trees far from where 63 bits overflow.
const mostRecords = 1 << 48

// open verifies a checkpoint: a finding, if it is not by the log, or not
// cosigned by as many witnesses as asked for.
func (t *trust) open(msg []byte) (*checkpoint, error) {
	all := append(append(append([]note.Verifier{}, t.logs...), t.clocks...), t.witnesses...)
	n, err := note.Open(msg, note.VerifierList(all...))
	if err != nil {
		return nil, found("the checkpoint: %v", err)
	}
	c := &checkpoint{bytes: msg}
	if c.origin, c.Tree, err = parseTree(n.Text); err != nil {
		return nil, err
	}
	if s := signedBy(n, t.logs, c.origin); len(s) == 0 {
		return nil, found("the checkpoint of %q has no signature by a key of that name that was given", c.origin)
	}
	for _, s := range signedBy(n, t.clocks, c.origin) {
		if at := timeOf(s); at.After(c.time) {
			c.time = at
		}
	}
	for _, s := range signedBy(n, t.witnesses, "") {
		c.witnessed = append(c.witnessed, s.Name+" at "+timeOf(s).Format(time.RFC3339))
	}
	if len(c.witnessed) < t.quorum {
		return nil, found("%d of the witnesses have cosigned the checkpoint, and %d are asked for", len(c.witnessed), t.quorum)
	}
	return c, nil
}

// signedBy are the verified signatures by these keys, and of this name unless it is empty.
func signedBy(n *note.Note, keys []note.Verifier, name string) (by []note.Signature) {
	for _, s := range n.Sigs {
		for _, k := range keys {
			if s.Name == k.Name() && s.Hash == k.KeyHash() && (name == "" || s.Name == name) {
				by = append(by, s)
			}
		}
	}
	return by
}

// timeOf is the time in a verified cosignature/v1.
func timeOf(s note.Signature) time.Time {
	b, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil || len(b) < 4+8 {
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC()
}

// parseTree reads the text of a checkpoint. Extension lines say nothing to us.
func parseTree(text string) (origin string, tree tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return "", tree, found("the checkpoint has no three lines: origin, size, root")
	}
	size, err := parseIndex(lines[1])
	if err != nil || size > mostRecords {
		return "", tree, found("the checkpoint's size %q is no size that a log can have", lines[1])
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return "", tree, found("the checkpoint's root %q is no hash", lines[2])
	}
	if size == 0 && root != sha256.Sum256(nil) {
		return "", tree, found("the checkpoint of an empty log has the root of another")
	}
	return lines[0], tlog.Tree{N: size, Hash: root}, nil
}

// parseIndex reads a decimal number without sign or leading zeroes.
func parseIndex(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, errors.New("no decimal number")
	}
	return n, nil
}

// parseHash reads 32 bytes of padded base64: one spelling for each value.
func parseHash(s string) (h tlog.Hash, err error) {
	var b [33]byte
	if len(s) != 44 {
		return h, errors.New("not 44 characters of base64")
	}
	n, err := base64.StdEncoding.Strict().Decode(b[:], []byte(s))
	if err != nil || n != len(h) {
		return h, errors.New("no base64 of 32 bytes")
	}
	return tlog.Hash(b[:32]), nil
}

// tell says what a checkpoint says.
func (a *app) tell(c *checkpoint) {
	a.report.fact("origin", c.origin)
	a.report.fact("size", c.N)
	a.report.fact("root", c.Hash.String())
	if c.time.IsZero() {
		a.report.fact("signed_at", "unknown: the checkpoint carries no time")
	} else {
		a.report.fact("signed_at", c.time.Format(time.RFC3339))
		a.report.fact("age", a.now().Sub(c.time).Round(time.Second).String())
	}
	if len(c.witnessed) > 0 {
		a.report.fact("witnessed_by", strings.Join(c.witnessed, ", "))
	}
}

// mostSkew is how far the log's clock may be ahead of ours.
const mostSkew = 5 * time.Minute

// checkpoint is the command.
func (a *app) checkpoint(args []string) error {
	c, err := a.openAt(a.trust, args[0])
	if err != nil {
		return err
	}
	a.tell(c)
	age := a.now().Sub(c.time)
	if a.options.maxAge > 0 && (c.time.IsZero() || age > a.options.maxAge || age < -mostSkew) {
		return found("the checkpoint is not known to be younger than %v, or claims a time to come", a.options.maxAge)
	}
	return nil
}

// openAt reads a checkpoint of a FILE or URL, and verifies it. One that the
// auditor kept is opened with trust.alone: witnesses are asked for on the new one.
func (a *app) openAt(t *trust, where string) (*checkpoint, error) {
	msg, err := a.read(where, mostCheckpoint)
	if err != nil {
		return nil, err
	}
	return t.open(msg)
}
