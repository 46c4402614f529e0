package oauth2

import (
	"context"
	"errors"
	"slices"

	"github.com/pointgate/pointgate/store"
)

// audience is what tokens are wanted for (RFC 8707): the tenant's own API, or a
// resource of the tenant.
type audience struct {
	uri  string
	name string // of a resource
	// scopes are those that its tokens may have besides those of this server; of
	// the API, all.
	scopes []string
	api    bool
}

// allows reports whether tokens for the audience may have the scope.
func (a *audience) allows(scope string) bool {
	return a.api || ofServer(scope) || slices.Contains(a.scopes, scope)
}

// within are those of the scopes of a grant that client and audience have today.
func (a *audience) within(scopes []string, c *client) []string {
	return keep(scopes, func(s string) bool { return c.Scopes.Has(s) && a.allows(s) })
}

// audience finds what the parameter resource names; empty means the API. Who
// may not ask for a resource learns no more than if it were not there.
func (p *Provider) audience(ctx context.Context, x *exchange, c *client, resource string) (*audience, error) {
	if api := x.tenant.Resource(); resource == "" || resource == api {
		return &audience{uri: api, api: true}, nil
	}
	if !resourceRegistrable(resource) {
		return nil, refuse("invalid_target").saying("The resource must be an absolute URI without a fragment, of a server that is registered here.")
	}
	s, err := store.ResourceAt(ctx, p.store, x.tenant.ID, resource, OtherSpelling(resource))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, refuse("invalid_target")
	case err != nil:
		return nil, x.failed(err)
	case !s.DisabledAt.IsZero(), !s.Open && !c.Resources.Has(s.URI) && !c.Resources.Has(OtherSpelling(s.URI)):
		return nil, refuse("invalid_target")
	}
	return &audience{uri: s.URI, name: s.Name, scopes: s.Scopes}, nil
}

// stillThere looks once more, inside of the write: a resource that was switched
// off since has ended what was given for it, and this would come too late.
func (a *audience) stillThere(x *exchange) step {
	return func(ctx context.Context, tx *store.Tx) error {
		if a.api {
			return nil
		}
		s, err := store.ResourceAt(ctx, tx, x.tenant.ID, a.uri, a.uri)
		if errors.Is(err, store.ErrNotFound) || err == nil && !s.DisabledAt.IsZero() {
			return refuse("invalid_target")
		}
		return err
	}
}

// sameAudience reports whether a token request that names a resource, or none,
// is for what was authorized: it can't be for more (RFC 8707 §2.2).
func sameAudience(resource, authorized string) bool {
	return resource == "" || resource == authorized || OtherSpelling(resource) == authorized
}
