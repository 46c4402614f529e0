package store

import (
	"errors"
	"fmt"
)

// The kinds of error that leave this package. Everything else is internal:
// its text is for the operator and never for a caller.
var (
	// ErrNotFound says that no such row exists, or none that may be seen.
	ErrNotFound = errors.New("not found")
	// ErrExists says that a row with this key is there already.
	ErrExists = errors.New("already exists")
	// ErrConflict says that the row's state does not permit the change.
	ErrConflict = errors.New("conflict")
	// ErrInvalid says that a value can't be stored as it is.
	ErrInvalid = errors.New("invalid")
)

// Conflict is an [ErrConflict] with the stable code that the caller is told.
type Conflict struct {
	Code   string // e.g. insufficient_points, hold_closed, balance_limit
	Detail string // for the caller; holds no data of anyone else
}

func (c *Conflict) Error() string { return c.Code + ": " + c.Detail }

// Is reports that every Conflict is an ErrConflict.
func (c *Conflict) Is(target error) bool { return target == ErrConflict }

// ErrUnavailable says that the write did not happen because the database could
// not take it: queue full, disk full, no connection. Nothing was changed.
var ErrUnavailable = errors.New("store unavailable")

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }
