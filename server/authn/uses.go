package authn

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// Uses notes when and from where authorizations were used last, for the people
// who gave them; those that clients took for themselves are new each time. Most requests read and write nothing for it: the time comes
// with the token, and is a minute coarse.
type Uses struct {
	Store *store.DB
	Now   func() time.Time
}

// note is for a token that is good here. ip is where the request came from.
func (u *Uses) note(ctx context.Context, t *oauth2.Token, ip string) error {
	if u == nil || t.Status != oauth2.Valid || t.SubjectType == "client" {
		return nil
	}
	now := u.Now()
	before := store.At(now.Add(-seenEvery))
	if !t.LastUsedAt.IsZero() && !t.LastUsedAt.Before(before.Time) {
		return nil
	}
	return heeded(u.Store.Write(ctx, func(tx *store.Tx) error { return tx.TouchGrant(ctx, t.GrantID, ip, before, store.At(now)) }))
}
