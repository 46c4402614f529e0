package store

import (
	"context"
	"errors"
	"slices"
)

// Consent is what a person let a client do with tokens for one audience, so
// that they are asked again only where it wants more. It is a memory and no
// authorization: those are grants.
type Consent struct {
	Tenant    string `db:"tenant"`
	ClientID  string `db:"client_id"`
	UserID    string `db:"user_id"`
	Audience  string `db:"audience"`   // empty: the tenant's API
	Scopes    Words  `db:"scopes"`     // none that the person last unticked
	CreatedAt Time   `db:"created_at"` // when they first said yes
	ChangedAt Time   `db:"changed_at"` // when they last did
}

const consentColumns = `tenant, client_id, user_id, audience, scopes, created_at, changed_at`

// GetConsent is what is remembered; ErrNotFound if nothing is.
func GetConsent(ctx context.Context, r Reader, tenant, user, client, audience string) (*Consent, error) {
	var c Consent
	if err := r.Get(ctx, &c, `SELECT `+consentColumns+` FROM consents WHERE tenant = ? AND user_id = ? AND client_id = ? AND audience = ?`,
		tenant, user, client, audience); err != nil {
		return nil, err
	}
	return &c, nil
}

// Consents lists what is remembered of a person, at most limit.
func Consents(ctx context.Context, r Reader, tenant, user string, limit int) ([]Consent, error) {
	var out []Consent
	err := r.Select(ctx, &out, `SELECT `+consentColumns+` FROM consents WHERE tenant = ? AND user_id = ?
		ORDER BY client_id, audience LIMIT ?`, tenant, user, limit)
	return out, err
}

// Remember notes that the person was asked for some scopes and gave c.Scopes of
// them. What they gave before and were not asked for now is still remembered;
// what they were asked for and did not give is not.
func (tx *Tx) Remember(ctx context.Context, c *Consent, asked []string) error {
	switch was, err := GetConsent(ctx, tx, c.Tenant, c.UserID, c.ClientID, c.Audience); {
	case errors.Is(err, ErrNotFound):
		if len(c.Scopes) == 0 {
			return nil
		}
		_, err = tx.Exec(ctx, `INSERT INTO consents (`+consentColumns+`) VALUES (?,?,?,?,?,?,?)`,
			c.Tenant, c.ClientID, c.UserID, c.Audience, c.Scopes, tx.Now(), tx.Now())
		return err
	case err != nil:
		return err
	default:
		all := slices.Clone(c.Scopes)
		for _, s := range was.Scopes {
			if !slices.Contains(asked, s) && !all.Has(s) {
				all = append(all, s)
			}
		}
		_, err = tx.Exec(ctx, `UPDATE consents SET scopes = ?, changed_at = ? WHERE tenant = ? AND user_id = ? AND client_id = ? AND audience = ?`,
			all, tx.Now(), c.Tenant, c.UserID, c.ClientID, c.Audience)
		return err
	}
}

// ConsentMatch says which consents [Tx.Forget] forgets; zero fields do not narrow.
type ConsentMatch struct {
	Tenant   string // always set
	Client   string
	User     string
	Audience string
	Before   Time // only those last given before it
}

// Forget forgets all that match: the person is asked again.
func (tx *Tx) Forget(ctx context.Context, m ConsentMatch) error {
	w := where{}
	w.and(`tenant = ?`, m.Tenant)
	w.andIf(m.Client != "", `client_id = ?`, m.Client)
	w.andIf(m.User != "", `user_id = ?`, m.User)
	w.andIf(m.Audience != "", `audience = ?`, m.Audience)
	w.andIf(!m.Before.IsZero(), `changed_at < ?`, m.Before)
	_, err := tx.Exec(ctx, `DELETE FROM consents`+w.String(), w.args...)
	return err
}
