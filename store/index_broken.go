package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// logError is a failure to read the log: no fault of the index.
type logError struct{ error }

func (e logError) Unwrap() error { return e.error }

// isBroken tells an index that has to be made anew from a database that can't be
// asked now.
func isBroken(err error) bool {
	var log logError
	var lite sqlite3.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &log):
		return false
	case errors.Is(err, errIndex):
		return true
	case errors.As(err, &lite):
		switch lite.Code {
		case sqlite3.ErrCorrupt, sqlite3.ErrNotADB, sqlite3.ErrError, sqlite3.ErrIoErr, sqlite3.ErrReadonly, sqlite3.ErrCantOpen:
			return true // also: no such table, a file that was cut or is gone
		}
	case errors.As(err, &pg):
		switch pg.Code {
		case "42P01", "42703", "XX001", "XX002": // no such table or column; a broken page
			return true
		}
	}
	return false
}
