package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockDir takes the lock of a data folder, so that one process writes there.
// The lock belongs to the open file: it ends with the process, however that
// ends, and the file that stays behind locks nothing. It holds the process id
// of its holder, for people.
func lockDir(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := readHolder(f)
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &lockedError{dir: dir, holder: holder}
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := writeHolder(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// lockedError says that another process has the folder.
type lockedError struct {
	dir    string
	holder int // 0: not known
}

func (e *lockedError) Error() string {
	if e.holder == 0 {
		return fmt.Sprintf("the data folder %s is in use by another process", e.dir)
	}
	return fmt.Sprintf("the data folder %s is in use by process %d", e.dir, e.holder)
}

func readHolder(f *os.File) int {
	raw, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(raw))) // 0 if it says nothing
	return pid
}

func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
