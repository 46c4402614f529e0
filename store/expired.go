package store

import (
	"context"
	"time"
)

// Expired is one kind of row that is removed some time after its end.
type Expired struct {
	Rows   string // its name, in metrics and logs
	Last   bool   // others refer to it, and are to be removed first: looking for those that may go takes long else
	kept   time.Duration
	oldest string // the earliest end of the rows that are left; one look into an index
	remove func(tx *Tx, ctx context.Context, limit int) (int64, error)
}

var expired = []Expired{
	{"successors", false, 0, `SELECT MIN(grace_ends_at) FROM refresh_tokens WHERE successor IS NOT NULL`, (*Tx).EmptySuccessors},
	{"codes", false, codesKept, `SELECT MIN(expires_at) FROM codes`, (*Tx).DeleteCodes},
	{"device_codes", false, deviceCodesKept, `SELECT MIN(expires_at) FROM device_codes`, (*Tx).DeleteDeviceCodes},
	{"pushed_requests", false, 0, `SELECT MIN(expires_at) FROM pushed_requests`, (*Tx).DeletePushedRequests},
	{"access_tokens", false, accessKept, `SELECT MIN(expires_at) FROM access_tokens`, (*Tx).DeleteAccessTokens},
	{"refresh_tokens", false, 0, `SELECT MIN(kept_until) FROM refresh_tokens`, (*Tx).DeleteRefreshTokens},
	{"replays", false, 0, `SELECT MIN(expires_at) FROM replays`, (*Tx).DeleteReplays},
	{"sessions", false, sessionsKept, `SELECT MIN(expires_at) FROM sessions`, (*Tx).DeleteSessions},
	{"idempotency_keys", false, IdempotencyTTL, `SELECT MIN(created_at) FROM idempotency_keys`, (*Tx).DeleteIdempotencyKeys},
	{"signing_keys", false, SigningKeysKept, `SELECT MIN(ends_at) FROM signing_keys`, (*Tx).DeleteSigningKeys},
	{"client_grants", true, accessKept, `SELECT MIN(expires_at) FROM grants WHERE (subject_type = 'client' OR parent_id <> '')`, (*Tx).DeleteClientGrants},
	{"grants", true, grantsKept, `SELECT MIN(expires_at) FROM grants WHERE subject_type <> 'client' AND parent_id = ''`, (*Tx).DeleteGrants},
}

// ExpiredRows are the kinds of row whose time ends, in the order in which they
// can be removed.
func ExpiredRows() []Expired { return append([]Expired(nil), expired...) }

// Remove removes at most limit rows that may go, and says how many they were.
// It takes a time that grows with limit, and with nothing else.
func (e *Expired) Remove(ctx context.Context, tx *Tx, limit int) (int64, error) {
	return e.remove(tx, ctx, limit)
}

// Behind is for how long the oldest row might have been gone by now; 0 if none
// might. It costs one look into an index.
func (e *Expired) Behind(ctx context.Context, r Reader, now time.Time) (time.Duration, error) {
	var oldest Time
	if err := r.Get(ctx, &oldest, e.oldest); err != nil || oldest.IsZero() {
		return 0, err
	}
	return max(0, now.Sub(oldest.Add(e.kept))), nil
}
