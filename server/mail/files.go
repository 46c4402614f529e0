package mail

import (
	"context"
	netmail "net/mail"
	"os"
	"path/filepath"

	"github.com/pointgate/pointgate/store"
)

// Files is the transport where no server is configured: each mail is a file
// ID.eml in a folder, for its owner alone. A mail that is sent again takes the
// place of the first.
type Files struct {
	dir  string
	from *netmail.Address
}

// NewFiles makes the folder if it isn't there.
func NewFiles(dir string, from *netmail.Address) (*Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Files{dir: dir, from: from}, nil
}

// Send implements [Transport]. There is a whole file or none.
func (f *Files) Send(_ context.Context, m *store.Mail) (err error) {
	msg, err := compose(f.from, m)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(f.dir, ".next-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(next.Name())
		}
	}()
	_, err = msg.WriteTo(next)
	if err == nil {
		err = next.Sync()
	}
	if cerr := next.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(next.Name(), filepath.Join(f.dir, m.ID+".eml"))
}
