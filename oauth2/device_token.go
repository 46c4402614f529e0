package oauth2

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// deviceCode is the handler of the device grant (RFC 8628 §3.4), which fosite
// v0.49 does not have.
type deviceCode struct{ p *Provider }

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*deviceCode) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*deviceCode) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(DeviceGrant)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: what can be
// refused without the database.
func (h *deviceCode) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !exchangeOf(ctx).client.GrantTypes.Has(DeviceGrant) {
		return refuse("unauthorized_client")
	}
	return genuine(h.p.device.signature(ctx, r.GetRequestForm().Get("device_code")))
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler. A device
// that has to wait, or is refused, is told so here; one that was approved is put
// to the policy, and gets its tokens by a second look in the write.
func (h *deviceCode) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	x, p := exchangeOf(ctx), h.p
	hash := rowKey(p.device.signature(ctx, r.GetRequestForm().Get("device_code")))
	d, err := x.approvedDevice(ctx, p.store, hash)
	if err != nil {
		return p.refuseDevice(ctx, x, hash, err)
	}
	to, err := p.audience(ctx, x, x.client, d.Audience[0])
	if err != nil {
		return refuse("invalid_grant").saying("What the code is for is not open to this client any more.").because(err)
	}
	if !sameAudience(x.request.Form.Get("resource"), to.uri) {
		return refuse("invalid_target")
	}
	scopes := to.within(d.Granted, x.client)
	if !useful(scopes) {
		return refuse("invalid_grant").saying("What was granted is not open to this client any more.")
	}
	next, err := p.mintTokens(ctx)
	if err != nil {
		return err
	}
	x.act = x.actOn("token.issue", Object{Type: "grant", ID: d.GrantID, Owner: d.Subject}, d.Standing, scopes)
	x.act.Facts = x.facts(DeviceGrant, to.uri)
	x.add(to.stillThere(x))
	x.add(func(ctx context.Context, tx *store.Tx) error {
		x.replay, err = x.redeemDevice(ctx, tx, hash, &redemption{next, scopes, to.uri})
		return err
	})
	resp.SetAccessToken("minted") // fosite wants one; the answer is made in the write
	resp.SetTokenType("Bearer")
	return nil
}

// approvedDevice is a device code that was approved, with the standing of its
// grant.
type approvedDevice struct {
	*store.DeviceCode
	store.Standing
}

// approvedDevice finds the device that may have its tokens. Otherwise the error
// says why not: the device has to wait (errWait), the code was used already
// (errUsed), or it is a refusal.
func (x *exchange) approvedDevice(ctx context.Context, r store.Reader, hash []byte) (*approvedDevice, error) {
	d, err := store.GetDeviceCode(ctx, r, x.tenant.ID, hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse("invalid_grant")
	}
	switch {
	case err != nil:
		return nil, x.failed(err)
	case !d.UsedAt.IsZero():
		return nil, errUsed
	case d.ClientID != x.client.ID:
		return nil, refuse("invalid_grant").saying("The device code is not for this client.")
	case !x.now.Before(d.ExpiresAt.Time):
		return nil, refuse("expired_token")
	case d.Status == store.DeviceDenied:
		return nil, deviceDenied()
	case d.Status == store.DevicePending:
		return nil, errWait
	}
	s, err := store.DeviceStanding(ctx, r, hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse("invalid_grant")
	}
	if err != nil {
		return nil, x.failed(err)
	}
	if !s.Live || !x.now.Before(s.GrantEndsAt.Time) {
		return nil, refuse("invalid_grant") // it was revoked before the device came for it
	}
	return &approvedDevice{d, *s}, nil
}

var (
	errWait = errors.New("oauth2: the person has not answered")
	errUsed = errors.New("oauth2: the device code was used before")
)

// deviceDenied: at the token endpoint, a person's no is 400 (RFC 6749 §5.2).
func deviceDenied() *Error {
	e := refuse("access_denied")
	e.Status = http.StatusBadRequest
	return e
}

// refuseDevice does what goes with a refusal, in a write of its own: nobody has
// to be asked for that. It never gives anything.
func (p *Provider) refuseDevice(ctx context.Context, x *exchange, hash []byte, why error) error {
	switch {
	case errors.Is(why, errWait):
		x.add(func(ctx context.Context, tx *store.Tx) error { return x.polled(ctx, tx, hash) })
	case errors.Is(why, errUsed):
		x.add(func(ctx context.Context, tx *store.Tx) error { return x.deviceReused(ctx, tx, hash) })
	default:
		return why
	}
	if err := p.commit(ctx, x); err != nil {
		return err
	}
	return refuse("invalid_grant")
}

// polled notes a poll, and lets a device that is too quick wait longer (RFC 8628
// §3.5). A second is forgiven: networks do not keep time.
func (x *exchange) polled(ctx context.Context, tx *store.Tx, hash []byte) error {
	d, err := store.GetDeviceCode(ctx, tx, x.tenant.ID, hash)
	if err != nil {
		return err
	}
	again := refuse("authorization_pending")
	if due := d.PolledAt.Add(time.Duration(d.Interval-1) * time.Second); !d.PolledAt.IsZero() && x.now.Before(due) {
		d.Interval += pollInterval
		again = refuse("slow_down")
	}
	if err := tx.PollDeviceCode(ctx, hash, store.At(x.now), d.Interval); err != nil {
		return err
	}
	return kept{again}
}

// deviceReused: as with codes, it does not matter which client shows it.
func (x *exchange) deviceReused(ctx context.Context, tx *store.Tx, hash []byte) error {
	d, err := store.GetDeviceCode(ctx, tx, x.tenant.ID, hash)
	if err != nil {
		return err
	}
	s, err := store.DeviceStanding(ctx, tx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return refuse("invalid_grant")
	}
	if err != nil {
		return err
	}
	return x.reused(ctx, tx, *s, "device_code", d.GrantID, d.ClientID)
}

// redemption is what a device gets.
type redemption struct {
	*minted
	scopes   store.Words
	audience string
}

// redeemDevice gives the tokens inside of the write, if nobody else did.
func (x *exchange) redeemDevice(ctx context.Context, tx *store.Tx, hash []byte, n *redemption) (*Answer, error) {
	d, err := x.approvedDevice(ctx, tx, hash)
	switch {
	case errors.Is(err, errUsed):
		return nil, x.deviceReused(ctx, tx, hash)
	case err != nil:
		return nil, err
	}
	used, err := tx.UseDeviceCode(ctx, hash, store.At(x.now))
	if err == nil && !used {
		err = refuse("invalid_grant")
	}
	if err != nil {
		return nil, err
	}
	x.granted.id, x.granted.ends = d.GrantID, d.GrantEndsAt.Time
	access := x.newAccess(n.accessSignature, n.scopes, n.audience)
	if err := tx.InsertAccessToken(ctx, access); err != nil {
		return nil, err
	}
	if !n.scopes.Has(offline) || !x.client.GrantTypes.Has("refresh_token") {
		return x.answer(n.access, "", access)
	}
	refresh := x.newRefresh(n.refreshSignature, n.scopes, n.audience)
	if err := tx.InsertRefreshToken(ctx, refresh); err != nil {
		return nil, err
	}
	return x.answer(n.access, n.refresh, access)
}
