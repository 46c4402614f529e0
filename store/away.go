package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// opening marks those errors of opening a database as [ErrUnavailable] that
// pass without anybody changing the configuration: who starts the program may
// start it again then.
func opening(err error) error {
	if Away(err) && !errors.Is(err, ErrUnavailable) {
		return unavailable(err)
	}
	return err
}

// full are the errors of a machine that has no room or no strength left.
var full = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE}

// Away reports whether an error says that the database, or what it needs, is not
// there now. A password that is wrong, or a file that is no database, stays so.
func Away(err error) bool {
	var lite sqlite3.Error
	var pg *pgconn.PgError
	var connecting *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil:
		return false
	case errors.Is(err, ErrUnavailable):
		return true
	case errors.As(err, &pg): // before the error of connecting that it may be in
		// Connection, resources, operator (57P03: it is starting up), system.
		return len(pg.Code) == 5 && slices.Contains([]string{"08", "53", "57", "58"}, pg.Code[:2])
	case errors.As(err, &lite):
		return slices.Contains([]sqlite3.ErrNo{sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrNomem}, lite.Code)
	case errors.As(err, &connecting), errors.As(err, &network):
		return true
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	return slices.ContainsFunc(full, func(f error) bool { return errors.Is(err, f) })
}
