package authn

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Lifetime is how long a session may be idle, and how long it may last at most.
type Lifetime struct{ Idle, Most time.Duration }

// The lifetimes of docs and contract, for those who configure none.
var (
	CustomerLifetime = Lifetime{Idle: 14 * 24 * time.Hour, Most: 90 * 24 * time.Hour}
	StaffLifetime    = Lifetime{Idle: 30 * time.Minute, Most: 12 * time.Hour}
)

// Sessions is the method of the session cookie, and the keeper of sessions. A
// session's key is 256 random bits that only the cookie holds.
type Sessions struct {
	Store           *store.DB
	Now             func() time.Time
	Customer, Staff Lifetime
}

// Name implements [Method].
func (*Sessions) Name() string { return "session" }

// Find implements [Method].
func (*Sessions) Find(c *Credentials) bool { return c.Session != "" }

// Authenticate implements [Method]. The caller's GrantID is the session's id.
func (s *Sessions) Authenticate(ctx context.Context, c *Credentials) (web.Caller, error) {
	if len(c.Session) != secretChars {
		return web.Anonymous(s.Name(), web.Invalid), nil
	}
	row, u, err := s.Store.SessionByHash(ctx, digest(c.Session))
	if errors.Is(err, store.ErrNotFound) {
		return web.Anonymous(s.Name(), web.Invalid), nil
	}
	if err != nil {
		return web.Caller{}, err
	}
	k := web.Caller{
		Method: s.Name(), Status: s.status(row, u), Type: u.Type, ID: u.ID, Tenant: u.Tenant, Roles: u.Roles,
		IssuedAt: row.CreatedAt.Time, AuthTime: row.CreatedAt.Time, AMR: row.AMR, ACR: oauth2.ACR(row.AMR), GrantID: row.ID,
	}
	if k.Status == web.Valid {
		err = s.touch(ctx, row)
	}
	return k, err
}

func (s *Sessions) status(row *store.Session, u *store.User) web.Status {
	now := s.Now()
	switch {
	case !row.EndedAt.IsZero(), !u.DisabledAt.IsZero():
		return web.Revoked
	case !now.Before(row.ExpiresAt.Time), !now.Before(row.LastSeenAt.Add(s.lifetime(u).Idle)):
		return web.Expired
	}
	return web.Valid
}

func (s *Sessions) lifetime(u *store.User) Lifetime {
	if u.Type == "staff" {
		return s.Staff
	}
	return s.Customer
}

// touch notes that the session is in use, at most once a minute.
func (s *Sessions) touch(ctx context.Context, row *store.Session) error {
	now := s.Now()
	before := store.At(now.Add(-seenEvery))
	if !row.LastSeenAt.Before(before.Time) {
		return nil
	}
	return heeded(s.Store.Write(ctx, func(tx *store.Tx) error { return tx.TouchSession(ctx, row.Hash, before, store.At(now)) }))
}

// Begin signs a person in on this browser. What was there before is worth
// nothing after it (OWASP): the session of another person ends; that of the same
// one gets a new key and keeps its id, since for the clients that know it nobody
// has gone. amr says how they proved who they are (RFC 8176). began makes the
// record of it, which is written with the session.
func (s *Sessions) Begin(c *fiber.Ctx, u *store.User, began func(b Begun) *store.Record, amr ...string) error {
	ctx, now, key := c.UserContext(), s.Now(), random62(secretChars)
	row := store.Session{
		Hash: digest(key), ID: "ses_" + random62(idChars), Tenant: u.Tenant, UserID: u.ID,
		CreatedAt: store.At(now), LastSeenAt: store.At(now), ExpiresAt: store.At(now.Add(s.lifetime(u).Most)),
		AMR: amr, IP: web.OriginOf(c).IP, UserAgent: line(c.Get(fiber.HeaderUserAgent), 256),
	}
	old := web.CallerOf(c)
	if old != nil && old.Method != s.Name() {
		old = nil
	}
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		b, err := begin(ctx, tx, row, old)
		if err == nil {
			tx.Record(began(b))
		}
		return err
	})
	if err != nil {
		return err
	}
	c.Cookie(sessionCookie.make(secure(c), key, row.ExpiresAt.Time))
	c.Cookie(loginCookie.remove(secure(c)))
	return nil
}

// begin writes the session in place of the one that the browser had, if any.
func begin(ctx context.Context, tx *store.Tx, row store.Session, old *web.Caller) (Begun, error) {
	b := Begun{Session: row.ID}
	if old == nil || old.GrantID == "" {
		return b, tx.InsertSession(ctx, &row)
	}
	if old.Status == web.Valid && old.ID == row.UserID && old.Tenant == row.Tenant {
		again := row
		again.ID = old.GrantID
		if err := tx.RenewSession(ctx, &again); !errors.Is(err, store.ErrNotFound) {
			return Begun{Session: again.ID, Again: true}, err
		}
	}
	switch err := tx.EndSession(ctx, old.Tenant, old.GrantID); {
	case err == nil:
		b.Replaced = old.GrantID
	case !errors.Is(err, store.ErrNotFound):
		return b, err
	}
	return b, tx.InsertSession(ctx, &row)
}

// Begun is a session that began, by its id, and the one that ended with it, if
// there was one.
type Begun struct {
	Session, Replaced string
	Again             bool // it was there: the same person has signed in once more
}

// Forget takes the cookie from the browser. The row is ended by its own action.
func (*Sessions) Forget(c *fiber.Ctx) { c.Cookie(sessionCookie.remove(secure(c))) }

// SignedIn is the person whose session is good at the host's tenant, or nil: for
// what has no gate (signing in, consent, an authorization request). It permits
// nothing.
func SignedIn(c *fiber.Ctx) *web.Caller {
	k, t := web.CallerOf(c), web.TenantOf(c)
	if k == nil || t == nil || k.Method != "session" || k.Status != web.Valid || k.Tenant != t.ID {
		return nil
	}
	return k
}

// line makes one printable line of at most n bytes of what a stranger sent.
func line(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return strings.Clone(s)
}
