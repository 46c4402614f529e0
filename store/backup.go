package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
)

// File is the name of SQLite's database in the data folder.
const File = "pointgate.db"

// Progress is told from time to time how many bytes of how many are done.
type Progress func(done, total int64)

const progressEvery = 100 * time.Millisecond

// Backup writes a consistent copy of the SQLite database in dir to a new file,
// which only its owner may read, while others go on writing. The file appears
// under its name once it is whole and durable. ErrExists if it is there.
func Backup(ctx context.Context, dir, file string, progress Progress) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s: %w", file, ErrExists)
	}
	db, err := openPlain(filepath.Join(dir, File))
	if err != nil {
		return err
	}
	defer db.Close()
	temp, err := os.CreateTemp(filepath.Dir(file), ".backup-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	if err := vacuumInto(ctx, db, temp.Name(), progress); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	// A link, because a rename would overwrite what came there in the meantime.
	if err := os.Link(temp.Name(), file); errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: %w", file, ErrExists)
	} else if err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// openPlain opens a SQLite file that must be there, without a word about its
// journal: it may be a server's at work.
func openPlain(path string) (*sqlx.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := sqlx.Open(sqlite.driver, "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=rw&_busy_timeout=5000")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2) // one works, one counts pages
	return db, nil
}

// vacuumInto copies what one read transaction sees; in WAL mode it holds up no
// writer.
func vacuumInto(ctx context.Context, db *sqlx.DB, file string, progress Progress) error {
	var total int64
	if err := db.GetContext(ctx, &total, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(ctx, `VACUUM INTO ?`, file)
		done <- err
	}()
	return watchSize(done, file, total, progress)
}

// watchSize reports the growth of a file until done says how it ended.
func watchSize(done <-chan error, file string, total int64, progress Progress) error {
	if progress == nil {
		return <-done
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err == nil {
				progress(total, total)
			}
			return err
		case <-tick.C:
			if s, err := os.Stat(file); err == nil {
				progress(min(s.Size(), total), total)
			}
		}
	}
}

// Restore puts a backup in the place of dir's database. The caller holds the
// folder's lock. The copy is checked before anything of the old database is
// touched: ErrInvalid if it is broken, is none of Pointgate, or was written by
// a newer version.
func Restore(ctx context.Context, dir, file string, progress Progress) error {
	incoming, err := os.MkdirTemp(dir, ".restore-*") // made with mode 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(incoming)
	if err := copyFile(filepath.Join(incoming, File), file, progress); err != nil {
		return err
	}
	if err := checkRestored(ctx, incoming); err != nil {
		return err
	}
	for _, name := range []string{IndexFile, File} { // the index is that of another log
		if err := removeDatabase(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(incoming, File), filepath.Join(dir, File)); err != nil {
		return err
	}
	return syncDir(dir)
}

func checkRestored(ctx context.Context, dir string) (err error) {
	i, err := Inspect(Options{Dir: dir})
	if err != nil {
		return err
	}
	// Closing the last connection moves SQLite's log into the file.
	defer func() { err = errors.Join(err, i.Close()) }()
	have, known, err := i.Schema(ctx)
	if err != nil {
		return err
	}
	if have == 0 || have > known {
		return fmt.Errorf("%w: it has schema %d, this program knows 1 to %d", ErrInvalid, have, known)
	}
	if err := i.Integrity(ctx); err != nil {
		return err
	}
	if _, err := i.Log(ctx); err != nil {
		return err
	}
	_, err = i.Ledger(ctx)
	return err
}

func copyFile(to, from string, progress Progress) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(&counter{Writer: out, total: info.Size(), progress: progress}, in); err != nil {
		return err
	}
	return errors.Join(out.Sync(), out.Close())
}

// counter tells how much was written.
type counter struct {
	io.Writer
	done, total int64
	progress    Progress
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.done += int64(n)
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
	return n, err
}

// syncDir makes new names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
