package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxNote bounds what is read of a place.
const maxNote = 64 << 10

// filePlace is a file that always holds one whole checkpoint. It is for
// everybody to read: there is nothing secret in it, and a copy of it elsewhere
// is one more who knows.
func filePlace(path string) *place {
	return &place{
		kind: "file", name: path, local: true, wake: make(chan struct{}, 1),
		put:  func(_ context.Context, c *Published) error { return replaceFile(path, c.Note) },
		read: func(context.Context) ([]byte, error) { return readFile(path) },
	}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxNote+1))
	if err == nil && len(raw) > maxNote {
		err = fmt.Errorf("%s is larger than any checkpoint", path)
	}
	return raw, err
}

// replaceFile puts the content there whole and durable, or not at all. The new
// file is made where nothing is, so that no link that somebody laid there is
// followed.
func replaceFile(path string, content []byte) (err error) {
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(next)
		}
	}()
	if err := writeSynced(f, content); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func writeSynced(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Chmod(0o644) // whatever the umask says
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
