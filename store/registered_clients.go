package store

import (
	"context"
	"errors"
)

// CountClients is how many clients a tenant has that were registered so; of one
// person, if owner is not empty.
func CountClients(ctx context.Context, r Reader, tenant, registeredBy, owner string) (n int64, err error) {
	w := where{}
	w.and(`tenant = ?`, tenant)
	w.and(`registered_by = ?`, registeredBy)
	w.andIf(owner != "", `owner = ?`, owner)
	return n, r.Get(ctx, &n, `SELECT COUNT(*) FROM clients`+w.String(), w.args...)
}

// OwnedClients lists at most limit clients that a person registered, the newest
// first.
func OwnedClients(ctx context.Context, r Reader, tenant, owner string, limit int) ([]Client, error) {
	var out []Client
	err := r.Select(ctx, &out, `SELECT `+clientColumns+` FROM clients WHERE tenant = ? AND owner = ? AND owner <> ''
		AND registered_by = 'developer' ORDER BY created_at DESC, id LIMIT ?`, tenant, owner, limit)
	return out, err
}

// unused is a client that nobody answers for, and that nobody uses: it was made
// by a stranger before some time, and there is no grant of it. One that was
// switched off stays: it must not come back as new.
const unused = `registered_by IN ('dynamic', 'document') AND created_at < ? AND disabled_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.tenant = clients.tenant AND g.client_id = clients.id)`

// UnusedClients lists at most limit clients of all tenants that registered
// themselves before the time and have no grant, live or over.
func UnusedClients(ctx context.Context, r Reader, before Time, limit int) ([]Client, error) {
	var out []Client
	err := r.Select(ctx, &out, `SELECT `+clientColumns+` FROM clients WHERE `+unused+` ORDER BY registered_by, tenant, created_at LIMIT ?`, before, limit)
	return out, err
}

// DeleteUnusedClient removes one of those, if it is still one; its secrets go
// with it.
func (tx *Tx) DeleteUnusedClient(ctx context.Context, tenant, id string, before Time) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM clients WHERE tenant = ? AND id = ? AND `+unused, tenant, id, before)
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.Forget(ctx, ConsentMatch{Tenant: tenant, Client: id})
}

// KeepDocument keeps what was read of a client's document: it makes the client
// or renews it. Whether it is switched off stays as it is, as does who made it:
// false if a client that is no document has the id.
func (tx *Tx) KeepDocument(ctx context.Context, c *Client) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE clients SET name = ?, public = ?, redirect_uris = ?, grant_types = ?, scopes = ?, auth_method = ?, jwks = ?,
			jwks_uri = ?, bound = ?, require_par = ?, logout_uris = ?, backchannel_uri = ?, homepage = ?, refresh_grace = ?, fresh_until = ?
			WHERE tenant = ? AND id = ? AND registered_by = 'document'`,
		c.Name, c.Public, c.RedirectURIs, c.GrantTypes, c.Scopes, c.AuthMethod, c.JWKS, c.JWKSURI, c.Bound, c.RequirePAR, c.LogoutURIs,
		c.BackchannelURI, c.Homepage, c.RefreshGrace, c.FreshUntil, c.Tenant, c.ID)
	if err != nil || n == 1 {
		return err == nil, err
	}
	switch _, err := GetClient(ctx, tx, c.Tenant, c.ID); {
	case err == nil:
		return false, nil
	case !errors.Is(err, ErrNotFound):
		return false, err
	}
	return true, tx.InsertClient(ctx, c)
}
