package store

import "context"

// Grant is one authorization: what a person, by one consent, let a client do,
// or what a client took for itself (client_credentials). Every code and token
// belongs to one and dies with it; its id is fosite's request id.
type Grant struct {
	ID          string `db:"id"`
	Tenant      string `db:"tenant"`
	ClientID    string `db:"client_id"`
	SubjectType string `db:"subject_type"` // customer, staff or client
	Subject     string `db:"subject"`      // of a client's own grant: its id
	Scopes      Words  `db:"scopes"`
	AuthTime    Time   `db:"auth_time"` // when the person logged in; zero for a client's own
	AMR         Words  `db:"amr"`
	CreatedAt   Time   `db:"created_at"`
	ExpiresAt   Time   `db:"expires_at"` // no token of it lives longer
	RevokedAt   Time   `db:"revoked_at"`
	RevokedBy   string `db:"revoked_by"`   // who or what: see [Tx.RevokeGrant]
	Audience    Words  `db:"audience"`     // what its tokens may be for; empty: the tenant's API alone
	SessionID   string `db:"session_id"`   // in which the person consented
	ParentID    string `db:"parent_id"`    // the grant whose token was exchanged; it ends with that one
	Actor       string `db:"actor"`        // who acts for the subject, as the JSON of an act claim (RFC 8693 §4.1)
	LastUsedAt  Time   `db:"last_used_at"` // to the minute
	LastIP      string `db:"last_ip"`
	ClientName  string `db:"client_name"` // as it is today; empty if the client is deleted. Not written.
}

const grantColumns = `id, tenant, client_id, subject_type, subject, scopes, auth_time, amr, created_at, expires_at, revoked_at, revoked_by,
	audience, session_id, parent_id, actor, last_used_at, last_ip`

const selectGrants = `SELECT g.id, g.tenant, g.client_id, g.subject_type, g.subject, g.scopes, g.auth_time, g.amr,
	g.created_at, g.expires_at, g.revoked_at, g.revoked_by, g.audience, g.session_id, g.parent_id, g.actor, g.last_used_at, g.last_ip, COALESCE(c.name, '') AS client_name
	FROM grants g LEFT JOIN clients c ON c.tenant = g.tenant AND c.id = g.client_id`

// GetGrant is one by its id; ErrNotFound also for another tenant's.
func GetGrant(ctx context.Context, r Reader, tenant, id string) (*Grant, error) {
	var g Grant
	if err := r.Get(ctx, &g, selectGrants+` WHERE g.tenant = ? AND g.id = ?`, tenant, id); err != nil {
		return nil, err
	}
	return &g, nil
}

// GrantFilter narrows a list; zero fields do not.
type GrantFilter struct {
	Tenant  string // always set
	Client  string
	Subject string
	LiveAt  Time // only those that are neither revoked nor at their end then
	Root    bool // only those that somebody gave, none that came of an exchange
	After   GrantPosition
	Limit   int
}

// GrantPosition is a place in a list of grants; the zero one is its start.
type GrantPosition struct {
	CreatedAt Time   `json:"at"`
	ID        string `json:"id"`
}

// Grants lists grants, newest first.
func Grants(ctx context.Context, r Reader, f GrantFilter) ([]Grant, error) {
	w := where{}
	w.and(`g.tenant = ?`, f.Tenant)
	w.andIf(f.Client != "", `g.client_id = ?`, f.Client)
	w.andIf(f.Subject != "", `g.subject = ?`, f.Subject)
	if !f.LiveAt.IsZero() {
		w.terms = append(w.terms, `g.revoked_at IS NULL`)
		w.and(`g.expires_at > ?`, f.LiveAt)
	}
	if f.Root {
		w.terms = append(w.terms, `g.parent_id = ''`)
	}
	if f.After.ID != "" {
		w.terms = append(w.terms, `(g.created_at, g.id) < (?, ?)`)
		w.args = append(w.args, f.After.CreatedAt, f.After.ID)
	}
	var out []Grant
	err := r.Select(ctx, &out, selectGrants+w.String()+` ORDER BY g.created_at DESC, g.id DESC LIMIT ?`, append(w.args, f.Limit)...)
	return out, err
}

// InsertGrant adds one.
func (tx *Tx) InsertGrant(ctx context.Context, g *Grant) error {
	_, err := tx.Exec(ctx, `INSERT INTO grants (`+grantColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		g.ID, g.Tenant, g.ClientID, g.SubjectType, g.Subject, g.Scopes, g.AuthTime, g.AMR, g.CreatedAt, g.ExpiresAt, g.RevokedAt, g.RevokedBy,
		g.Audience, g.SessionID, g.ParentID, g.Actor, g.LastUsedAt, g.LastIP)
	return err
}

// familyOf names, as family, the grants that a condition selects and all that
// came of their tokens by exchange, however far (RFC 8693). UNION keeps each once.
func familyOf(condition string) string {
	return `WITH RECURSIVE family (id) AS (SELECT id FROM grants` + condition + `
		UNION SELECT g.id FROM family f JOIN grants g ON g.parent_id = f.id AND g.parent_id <> '') `
}

// RevokeGrant ends a grant and with it all its codes and tokens, and what those
// were exchanged for, from the next look at them on. by says who or what did it,
// e.g. "cus_alice", "stf_admin", "code_reuse". A revoked grant stays as it was;
// ErrNotFound if there is none.
func (tx *Tx) RevokeGrant(ctx context.Context, tenant, id, by string) error {
	n, err := tx.Exec(ctx, familyOf(` WHERE tenant = ? AND id = ?`)+`UPDATE grants SET revoked_at = ?, revoked_by = ?
		WHERE id IN (SELECT id FROM family) AND revoked_at IS NULL`, tenant, id, tx.Now(), by)
	if err != nil || n > 0 {
		return err
	}
	_, err = GetGrant(ctx, tx, tenant, id)
	return err
}

// RevokeExchanged ends the grants that came of the tokens of this one by
// exchange, and not the grant itself.
func (tx *Tx) RevokeExchanged(ctx context.Context, tenant, id, by string) error {
	_, err := tx.Exec(ctx, familyOf(` WHERE tenant = ? AND parent_id = ? AND parent_id <> ''`)+`UPDATE grants SET revoked_at = ?, revoked_by = ?
		WHERE id IN (SELECT id FROM family) AND revoked_at IS NULL`, tenant, id, tx.Now(), by)
	return err
}

// GrantMatch says which grants [Tx.RevokeGrants] revokes; zero fields do not
// narrow.
type GrantMatch struct {
	Tenant       string // always set
	Client       string
	Subject      string
	Audience     string // only those whose tokens are for it alone
	IssuedBefore Time   // only grants made before it; what they gave later goes too
}

// RevokeGrants revokes all grants that match and are not revoked, and those that
// came of them by exchange. It returns how many they were together, and how many
// usable access and refresh tokens died.
func (tx *Tx) RevokeGrants(ctx context.Context, m GrantMatch, by string) (grants, tokens int64, err error) {
	now := tx.Now()
	w := where{terms: []string{`revoked_at IS NULL`}}
	w.and(`tenant = ?`, m.Tenant)
	w.andIf(m.Client != "", `client_id = ?`, m.Client)
	w.andIf(m.Subject != "", `subject = ?`, m.Subject)
	w.andIf(m.Audience != "", `audience = ?`, m.Audience)
	w.andIf(!m.IssuedBefore.IsZero(), `created_at < ?`, m.IssuedBefore)
	with := familyOf(w.String())
	these := `(SELECT f.id FROM family f JOIN grants g ON g.id = f.id WHERE g.revoked_at IS NULL)`
	err = tx.Get(ctx, &tokens, with+`SELECT (SELECT COUNT(*) FROM access_tokens WHERE revoked_at IS NULL AND expires_at > ? AND grant_id IN `+these+`)
		+ (SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NULL AND expires_at > ? AND grant_id IN `+these+`)`, append(w.args, now, now)...)
	if err != nil {
		return 0, 0, err
	}
	grants, err = tx.Exec(ctx, with+`UPDATE grants SET revoked_at = ?, revoked_by = ? WHERE id IN (SELECT id FROM family) AND revoked_at IS NULL`,
		append(w.args, now, by)...)
	return grants, tokens, err
}

// TouchGrant notes a use at the time at and from the address ip, unless one
// since was is noted already: of several requests at once, one writes.
func (tx *Tx) TouchGrant(ctx context.Context, id, ip string, was, at Time) error {
	_, err := tx.Exec(ctx, `UPDATE grants SET last_used_at = ?, last_ip = ? WHERE id = ? AND revoked_at IS NULL
		AND (last_used_at IS NULL OR last_used_at < ?)`, at, ip, id, was)
	return err
}

// Standing is what decides, besides a code's or token's own row, whether it is
// good: its grant, client and person, read with it in one query.
type Standing struct {
	SubjectType string `db:"subject_type"`
	Subject     string `db:"subject"`
	AuthTime    Time   `db:"auth_time"`
	AMR         Words  `db:"amr"`
	GrantEndsAt Time   `db:"grant_ends_at"`
	Trusted     bool   `db:"trusted"` // the client
	Actor       string `db:"actor"`   // of the grant: the JSON of an act claim, or nothing
	SessionID   string `db:"session_id"`
	LastUsedAt  Time   `db:"last_used_at"` // of the grant, to the minute
	// ClientScopes and Roles are the client's and the person's as they are today:
	// what was taken from them is no longer in any of their tokens.
	ClientScopes Words `db:"client_scopes"`
	Roles        Words `db:"roles"`
	// Live says that the grant is not revoked and that client and person are
	// there and not disabled. Ends in time are not part of it.
	Live bool `db:"live"`
}

// standing joins the rows of a Standing to the code or token t.
const (
	standingColumns = `g.subject_type, g.subject, g.auth_time, g.amr, g.expires_at AS grant_ends_at, g.actor, g.session_id, g.last_used_at,
		COALESCE(c.trusted, FALSE) AS trusted, COALESCE(c.scopes, '') AS client_scopes, COALESCE(u.roles, '') AS roles,
		(g.revoked_at IS NULL AND c.id IS NOT NULL AND c.disabled_at IS NULL
			AND (g.subject_type = 'client' OR (u.id IS NOT NULL AND u.disabled_at IS NULL))) AS live`
	standingJoin = ` JOIN grants g ON g.id = t.grant_id
		LEFT JOIN clients c ON c.tenant = g.tenant AND c.id = g.client_id
		LEFT JOIN users u ON u.tenant = g.tenant AND u.id = g.subject AND u.type = g.subject_type`
)
