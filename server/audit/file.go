package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pointgate/pointgate/store"
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

// tryFile finds out whether replaceFile could work, and leaves nothing.
func tryFile(path string) error {
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(next))
}

// unwritable is why a start without its own file's checkpoint is refused: that
// file is what tells that the database was put back. A full disk passes.
func unwritable(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO) {
		return fmt.Errorf("%w: the checkpoint file can't be written: %w", store.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: the checkpoint file %s can't be written (%w); name another with --checkpoint-file, or, with nothing to tell that the database was put back, go without: --checkpoint-file none",
		ErrRefused, path, err)
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
