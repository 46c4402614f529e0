package oauth2

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// managed finds the client that a registration access token manages (RFC 7592).
// What is wrong looks alike: 401 (§2.1).
func (p *Provider) managed(ctx context.Context, x *exchange, r *RegistrationRequest) (*store.Client, error) {
	if !strings.HasPrefix(r.Bearer, managePrefix) || !plausible(r.ID) {
		return nil, refuse("invalid_token")
	}
	c, err := store.GetClient(ctx, p.store, x.tenant.ID, r.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, x.failed(err)
	}
	if !manages(c, HashSecret(r.Bearer)) {
		return nil, refuse("invalid_token")
	}
	x.client = &client{Client: c, audience: x.tenant.Resource()}
	return c, nil
}

// manages compares in constant time, also where there is no such client.
func manages(c *store.Client, hash []byte) bool {
	if c == nil || c.RegisteredBy != "dynamic" || !c.DisabledAt.IsZero() || len(c.RegistrationHash) == 0 {
		return subtle.ConstantTimeCompare(nowhere, hash) == 2 // never
	}
	return subtle.ConstantTimeCompare(c.RegistrationHash, hash) == 1
}

// ReadRegistration prepares what a client is registered as (RFC 7592 §2.1).
func (p *Provider) ReadRegistration(ctx context.Context, r *RegistrationRequest) (*Prepared[*Registered], error) {
	_, x := p.begin(ctx, r.Tenant)
	c, err := p.managed(ctx, x, r)
	if err != nil {
		return nil, x.end(err)
	}
	answer := p.registered(r.Tenant, c)
	answer.Manage = r.Bearer
	return &Prepared[*Registered]{registrationAct("registration.read", r.Tenant, c, methodManage), x, func() *Registered { return answer }}, nil
}

// ReplaceRegistration prepares a client that is registered anew, with all that
// it has said now and nothing that it said before (RFC 7592 §2.2). The token
// that it came with is replaced.
func (p *Provider) ReplaceRegistration(ctx context.Context, r *RegistrationRequest) (*Prepared[*Registered], error) {
	_, x := p.begin(ctx, r.Tenant)
	was, err := p.managed(ctx, x, r)
	if err != nil {
		return nil, x.end(err)
	}
	c := &store.Client{
		Tenant: was.Tenant, ID: was.ID, CreatedAt: was.CreatedAt, RegisteredBy: was.RegisteredBy, Origins: was.Origins,
		TokenFormat: was.TokenFormat, SigningAlg: was.SigningAlg, Resources: was.Resources, RefreshIdle: was.RefreshIdle, RefreshMost: was.RefreshMost,
	}
	refused, err := p.readReplacement(ctx, x, was, c, r)
	if err != nil {
		return nil, x.end(err)
	}
	answer := p.registered(r.Tenant, c)
	secret := answer.renew(c, HasSecret(c) && !HasSecret(was), x.now)
	presented := HashSecret(r.Bearer)
	x.add(func(context.Context, *store.Tx) error { return refusalOf(refused) })
	x.add(func(ctx context.Context, tx *store.Tx) error { return replace(ctx, tx, presented, c) })
	x.add(func(ctx context.Context, tx *store.Tx) error { return insertSecret(ctx, tx, secret) })
	return &Prepared[*Registered]{registrationAct("registration.update", r.Tenant, c, methodManage), x, func() *Registered { return answer }}, nil
}

// readReplacement reads the new metadata. A client says who it is, and nothing
// of what the server said to it; a secret has to be its own.
func (p *Provider) readReplacement(ctx context.Context, x *exchange, was, c *store.Client, r *RegistrationRequest) (*Error, error) {
	if e := readRegistration(r.Tenant, c, r.Body); e != nil {
		return e, nil
	}
	members, err := object(r.Body)
	if err != nil {
		return refuse("invalid_client_metadata"), nil
	}
	for _, name := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if _, ok := members[name]; ok {
			return refuse("invalid_client_metadata").saying("A member is given that the server alone says (RFC 7592 section 2.2)."), nil
		}
	}
	switch {
	case text(members["client_id"]) != was.ID:
		return refuse("invalid_client_metadata").saying("The client_id must be the client's own."), nil
	case c.Public != was.Public:
		return refuse("invalid_client_metadata").saying("A public client stays public, and no other becomes one."), nil
	}
	if _, given := members["client_secret"]; given {
		err := p.checkSecret(ctx, x, &credentials{id: was.ID, secret: text(members["client_secret"])})
		if e := (*Error)(nil); errors.As(err, &e) && x.fault == nil {
			return refuse("invalid_client_metadata").saying("The client_secret must be the client's own."), nil
		}
		return nil, err
	}
	return nil, nil
}

// replace writes a client anew, if the token still manages it: of two at once,
// one succeeds.
func replace(ctx context.Context, tx *store.Tx, presented []byte, c *store.Client) error {
	was, err := store.GetClient(ctx, tx, c.Tenant, c.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !manages(was, presented) {
		return refuse("invalid_token")
	}
	if HasSecret(was) && !HasSecret(c) { // it must not come back with the method
		if _, err := tx.ExpireClientSecrets(ctx, c.Tenant, c.ID, tx.Now()); err != nil {
			return err
		}
	}
	if !slices.Equal(was.RedirectURIs, c.RedirectURIs) { // what people said yes to goes somewhere else now
		if err := tx.Forget(ctx, store.ConsentMatch{Tenant: c.Tenant, Client: c.ID}); err != nil {
			return err
		}
	}
	return tx.UpdateClient(ctx, c)
}

// DeleteRegistration prepares the end of a client, by itself (RFC 7592 §2.3): it
// and all that was given to it.
func (p *Provider) DeleteRegistration(ctx context.Context, r *RegistrationRequest) (*Prepared[struct{}], error) {
	_, x := p.begin(ctx, r.Tenant)
	c, err := p.managed(ctx, x, r)
	if err != nil {
		return nil, x.end(err)
	}
	x.add(func(ctx context.Context, tx *store.Tx) error {
		err := tx.DeleteClient(ctx, c.Tenant, c.ID, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			err = refuse("invalid_token") // another was faster
		}
		return err
	})
	return &Prepared[struct{}]{registrationAct("registration.delete", r.Tenant, c, methodManage), x, func() struct{} { return struct{}{} }}, nil
}
