package admin

import (
	"context"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// topRole is the role that must not die out: nobody else could give it.
const topRole = "super_admin"

// checkStaff keeps an installation from locking itself out.
func checkStaff(ctx context.Context, tx *store.Tx, c *gate.Call, was, u *store.User) error {
	if was.DisabledAt.IsZero() && !u.DisabledAt.IsZero() && c.Caller.Type == u.Type && c.Caller.ID == u.ID {
		return conflict("Nobody can switch themselves off.")
	}
	had := was.DisabledAt.IsZero() && was.Roles.Has(topRole)
	has := u.DisabledAt.IsZero() && u.Roles.Has(topRole)
	if u.Type != "staff" || !had || has {
		return nil
	}
	left, err := store.StaffWith(ctx, tx, u.Tenant, topRole)
	if err == nil && len(left) <= 1 {
		err = conflict("This is the last enabled " + topRole + ".")
	}
	return err
}
