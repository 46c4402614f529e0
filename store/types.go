package store

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// Time is an instant in UTC, kept as microseconds since 1970 in a BIGINT; the
// zero Time is NULL. Truncation happens here and nowhere else, so that a value
// written and read back is equal.
type Time struct{ time.Time }

// At truncates t to what the database keeps.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Microsecond)}
}

func fromMicros(us int64) Time { return Time{time.UnixMicro(us).UTC()} }

// Value implements driver.Valuer.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMicro(), nil
}

// Scan implements sql.Scanner.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = fromMicros(v)
	default:
		return fmt.Errorf("store: a time column holds %T", src)
	}
	return nil
}

// Words is a set of words without white space (scopes, roles, URIs), kept as
// one space-separated TEXT.
type Words []string

// Value implements driver.Valuer.
func (w Words) Value() (driver.Value, error) { return strings.Join(w, " "), nil }

// Scan implements sql.Scanner.
func (w *Words) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*w = nil
	case string:
		*w = strings.Fields(v)
	case []byte:
		*w = strings.Fields(string(v))
	default:
		return fmt.Errorf("store: a words column holds %T", src)
	}
	return nil
}

// Has reports whether word is one of w, exactly as spelled.
func (w Words) Has(word string) bool {
	for _, x := range w {
		if x == word {
			return true
		}
	}
	return false
}
