package store

import (
	"context"

	"github.com/pointgate/pointgate/store/trail"
)

// kept reads the checkpoints that the database has, and finds those whose row
// does not say what its signed note does.
func (v *verifier) kept(ctx context.Context) error {
	var vkeys []string
	if err := v.db.Select(ctx, &vkeys, `SELECT verifier FROM log_keys`); err != nil {
		return err
	}
	var rows []Checkpoint
	if err := v.db.Select(ctx, &rows, checkpointColumns+`ORDER BY size, at`); err != nil {
		return err
	}
	for _, row := range rows {
		last := max(row.Size-1, 0)
		where := "the checkpoint of " + row.At.Format("2006-01-02T15:04:05Z")
		s, err := trail.Open([]byte(row.Note), vkeys...)
		if err != nil {
			v.find(last, last, "%s is not what the log has signed: %v", where, err)
			continue
		}
		if s.Size != row.Size || string(s.Root[:]) != string(row.Root) || s.Origin != row.Origin {
			v.find(last, last, "%s is listed as another one", where)
		}
		v.claims = append(v.claims, Claim{Head: s.Head, Where: where})
	}
	return nil
}
