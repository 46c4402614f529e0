package oauth2

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

const (
	// DeviceGrant is the grant type of devices (RFC 8628 §3.4).
	DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	// DeviceLifetime is how long a device waits for its person.
	DeviceLifetime = 10 * time.Minute

	pollInterval = 5 // seconds between two polls, and by how much it grows (RFC 8628 §3.5)
)

// DeviceAuthorization is a successful answer of the device authorization
// endpoint (RFC 8628 §3.2).
type DeviceAuthorization struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"` // seconds
	Interval                int64  `json:"interval"`   // seconds
}

// AuthorizeDevice prepares the codes for a device that has no browser (RFC 8628
// §3.1). The client is authenticated as at the token endpoint, scopes and
// resource are checked as at the authorization endpoint. Its errors are *[Error].
func (p *Provider) AuthorizeDevice(ctx context.Context, r *Request) (*Prepared[*DeviceAuthorization], error) {
	ctx, x := p.receive(ctx, r)
	defer r.note(x)
	scopes, to, err := p.checkDevice(ctx, x, r)
	if err != nil {
		return nil, x.end(err)
	}
	code, signature, err := p.device.mint(ctx)
	if err != nil {
		return nil, x.end(err)
	}
	user := newUserCode()
	row := &store.DeviceCode{
		Hash: rowKey(signature), UserCodeHash: p.userCodeHash(r.Tenant.ID, user), Tenant: r.Tenant.ID, ClientID: x.client.ID,
		Scopes: scopes, Audience: store.Words{to.uri}, Status: store.DevicePending, Interval: pollInterval, IP: r.IP,
		CreatedAt: store.At(x.now), ExpiresAt: store.At(x.now.Add(DeviceLifetime)),
	}
	x.add(func(ctx context.Context, tx *store.Tx) error { return unguessed(tx.InsertDeviceCode(ctx, row)) })
	act := Act{
		Action: "device.authorize", Client: x.client.Client, Method: x.method, SubjectType: "client", Subject: x.client.ID,
		Scopes: scopes, Object: Object{Type: "device"}, Facts: x.facts(DeviceGrant, to.uri),
	}
	page := r.Tenant.Issuer + "/device"
	answer := &DeviceAuthorization{
		DeviceCode: code, UserCode: spell(user), VerificationURI: page, VerificationURIComplete: page + "?user_code=" + spell(user),
		ExpiresIn: int64(DeviceLifetime.Seconds()), Interval: pollInterval,
	}
	return &Prepared[*DeviceAuthorization]{act, x, func() *DeviceAuthorization { return answer }}, nil
}

// checkDevice is what can be refused without asking anybody.
func (p *Provider) checkDevice(ctx context.Context, x *exchange, r *Request) ([]string, *audience, error) {
	if err := single(r.Form); err != nil {
		return nil, nil, err
	}
	c, err := p.authenticate(ctx, x, r.Authorization, r.Form)
	if err != nil {
		return nil, nil, err
	}
	if !c.GrantTypes.Has(DeviceGrant) {
		return nil, nil, refuse("unauthorized_client")
	}
	if err := checkScope(r.Form); err != nil {
		return nil, nil, err
	}
	to, err := p.audience(ctx, x, c, r.Form.Get("resource"))
	if err != nil {
		return nil, nil, err
	}
	wanted := keep(strings.Split(r.Form.Get("scope"), " "), func(s string) bool { return s != "" })
	if len(wanted) == 0 { // of a resource, all is asked for that it has
		wanted = keep(c.Scopes, within(to.scopes))
	}
	if len(to.within(wanted, c)) != len(wanted) {
		return nil, nil, refuse("invalid_scope")
	}
	if !c.GrantTypes.Has("refresh_token") {
		wanted = keep(wanted, func(s string) bool { return s != offline })
	}
	if !useful(wanted) {
		return nil, nil, refuse("invalid_scope")
	}
	return wanted, to, nil
}

// unguessed: of 25,600,000,000 user codes another device has this one.
func unguessed(err error) error {
	if errors.Is(err, store.ErrExists) {
		return unavailable(err)
	}
	return err
}
