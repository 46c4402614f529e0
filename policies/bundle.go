package policies

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed rego
var embedded embed.FS

//go:embed rego/input.schema.json
var inputSchema []byte

// Embedded is the default policy as it was built into the program: modules,
// their tests, data.json and the schema of the input.
func Embedded() fs.FS {
	sub, err := fs.Sub(embedded, "rego")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// A bundle is pushed by people, so what it may cost is bounded before it is read.
const (
	maxBundleFiles = 2000
	maxBundleBytes = 4 << 20
	dataFile       = "data.json"
)

// file is one file that decides: a module, or the data.
type file struct {
	path    string
	content []byte
}

// bundle is the files of a policy that decide, in the order of their paths.
type bundle struct {
	modules []file
	data    file
}

// readBundle takes *.rego and the one data.json at the root; what else lies
// there, tests too, decides nothing and is not part of the revision.
func readBundle(root fs.FS) (*bundle, error) {
	b, left, count := &bundle{}, maxBundleBytes, 0
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if count++; count > maxBundleFiles {
			return fmt.Errorf("more than %d files", maxBundleFiles)
		}
		module := strings.HasSuffix(p, ".rego") && !strings.HasSuffix(p, "_test.rego")
		if !module && path.Base(p) != dataFile {
			return nil
		}
		content, err := readAtMost(root, p, left)
		if err != nil {
			return err
		}
		left -= len(content)
		switch {
		case module:
			b.modules = append(b.modules, file{p, content})
		case p == dataFile:
			b.data = file{p, content}
		default:
			return fmt.Errorf("%s: data is kept in one %s at the root", p, dataFile)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if b.data.path == "" {
		return nil, errors.New("there is no " + dataFile)
	}
	slices.SortFunc(b.modules, func(x, y file) int { return cmp.Compare(x.path, y.path) })
	return b, nil
}

func readAtMost(root fs.FS, name string, limit int) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(content) > limit {
		err = fmt.Errorf("%s: more than %d bytes in all", name, maxBundleBytes)
	}
	return content, err
}

// revision is the digest of everything that decides.
func (b *bundle) revision() string {
	return digest(append(slices.Clone(b.modules), b.data)...)
}

// digest is SHA-256 over paths and contents, each behind its length, so that
// no two lists of files look alike.
func digest(files ...file) string {
	h := sha256.New()
	for _, f := range files {
		writeSized(h, []byte(f.path))
		writeSized(h, f.content)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func writeSized(h hash.Hash, b []byte) {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(b)))
	h.Write(size[:])
	h.Write(b)
}
