package oauth2

import (
	"context"
	"errors"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// Who may register clients by themselves, by [store.Tenant].Registration.
const (
	RegistrationOff   = "off"
	RegistrationToken = "token" // who has an initial access token (RFC 7591 §3)
	RegistrationOpen  = "open"  // anybody
)

// RegistrationModes are those three.
var RegistrationModes = []string{RegistrationOff, RegistrationToken, RegistrationOpen}

// maxDynamic is how many clients of a tenant may have registered themselves.
const maxDynamic = 10_000

// How who registers a client proves that they may: [Act].Method.
const (
	methodInitial = "initial_token"
	methodManage  = "registration_token"
)

// RegistrationRequest is what the registration endpoints were sent. All of it is
// copied.
type RegistrationRequest struct {
	Tenant *store.Tenant
	Bearer string // the token of the Authorization header; empty: none
	Body   []byte // of POST and PUT
	ID     string // of the client; empty of POST
}

// Register prepares a client that registers itself (RFC 7591). Its metadata is
// only judged once the policy has allowed that there be one.
func (p *Provider) Register(ctx context.Context, r *RegistrationRequest) (*Prepared[*Registered], error) {
	_, x := p.begin(ctx, r.Tenant)
	initial, err := p.initial(ctx, x, r.Bearer)
	if err != nil {
		return nil, x.end(err)
	}
	c := &store.Client{Tenant: r.Tenant.ID, ID: newID("dyn_"), CreatedAt: store.At(x.now), RegisteredBy: "dynamic"}
	refused := readRegistration(r.Tenant, c, r.Body)
	answer := p.registered(r.Tenant, c)
	secret := answer.renew(c, HasSecret(c), x.now)
	x.add(func(context.Context, *store.Tx) error { return refusalOf(refused) })
	x.add(func(ctx context.Context, tx *store.Tx) error { return spendInitial(ctx, tx, initial) })
	x.add(func(ctx context.Context, tx *store.Tx) error { return insertDynamic(ctx, tx, c) })
	x.add(func(ctx context.Context, tx *store.Tx) error { return insertSecret(ctx, tx, secret) })
	act := registrationAct("client.register", r.Tenant, c, methodNone)
	if initial != nil {
		act.Method = methodInitial
	}
	return &Prepared[*Registered]{act, x, func() *Registered { return answer }}, nil
}

// registrationAct is about a client that acts for itself.
func registrationAct(action string, t *store.Tenant, c *store.Client, method string) Act {
	return Act{
		Action: action, Client: c, Method: method, SubjectType: "client", Subject: c.ID,
		Object: Object{Type: "client", ID: c.ID, Owner: c.ID}, Facts: RegistrationFacts(t, c),
	}
}

// RegistrationFacts are what rules may want to know of a client that is
// registered, or wants to be otherwise.
func RegistrationFacts(t *store.Tenant, c *store.Client) map[string]any {
	mode := t.Registration
	if mode == "" {
		mode = RegistrationOff
	}
	return map[string]any{
		"registration": mode, "client_documents": t.ClientDocuments, "client_registered_by": c.RegisteredBy, "client_public": c.Public,
		"client_grant_types": []string(c.GrantTypes), "client_scopes": []string(c.Scopes), "redirect_uris": []string(c.RedirectURIs),
	}
}

// initial finds the initial access token that was sent. One that is sent has to
// be good, also where none is needed.
func (p *Provider) initial(ctx context.Context, x *exchange, bearer string) (*store.RegistrationToken, error) {
	if bearer == "" {
		if x.tenant.Registration == RegistrationToken {
			return nil, refuse("invalid_token").saying("An initial access token is needed to register a client here.")
		}
		return nil, nil
	}
	if !strings.HasPrefix(bearer, initialPrefix) {
		return nil, refuse("invalid_token")
	}
	t, err := store.RegistrationTokenWith(ctx, p.store, x.tenant.ID, HashSecret(bearer))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, refuse("invalid_token")
	case err != nil:
		return nil, x.failed(err)
	case !t.RevokedAt.IsZero(), t.Used >= t.Most, !t.ExpiresAt.IsZero() && !x.now.Before(t.ExpiresAt.Time):
		return nil, refuse("invalid_token")
	}
	return t, nil
}

// spendInitial counts the use: of many at once, so many succeed as the token allows.
func spendInitial(ctx context.Context, tx *store.Tx, t *store.RegistrationToken) error {
	if t == nil {
		return nil
	}
	ok, err := tx.UseRegistrationToken(ctx, t.Tenant, t.ID)
	if err == nil && !ok {
		err = refuse("invalid_token")
	}
	return err
}

func insertDynamic(ctx context.Context, tx *store.Tx, c *store.Client) error {
	n, err := store.CountClients(ctx, tx, c.Tenant, c.RegisteredBy, "")
	if err != nil {
		return err
	}
	if n >= maxDynamic {
		return refuse("temporarily_unavailable").saying("Too many clients have registered themselves here.")
	}
	return tx.InsertClient(ctx, c)
}

func insertSecret(ctx context.Context, tx *store.Tx, s *store.ClientSecret) error {
	if s == nil {
		return nil
	}
	return tx.InsertClientSecret(ctx, s)
}

// refusalOf is an error of a refusal, or nil.
func refusalOf(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// readRegistration fills a client with what was sent.
func readRegistration(t *store.Tenant, c *store.Client, body []byte) *Error {
	if len(body) > maxMetadata {
		return refuse("invalid_client_metadata").saying("The metadata is larger than 16 KiB.")
	}
	members, err := object(body)
	if err != nil {
		return refuse("invalid_client_metadata").saying("The body is not a JSON object, or has a member twice.")
	}
	return readClientMetadata(t, c, members)
}
