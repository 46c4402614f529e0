package oauth2

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Device is a device that waits for a person's answer.
type Device struct {
	UserCode   string // as it is shown
	ClientID   string
	ClientName string
	Resource   string   // the name of what it is for; empty: the API
	Scopes     []string // that this person can give
	StartedAt  time.Time
	IP         string // where it asked from
	row        *store.DeviceCode
}

// ErrDevice says that no device waits with this code: it was mistyped, answered
// or is too old. Which of these it is helps only those who guess.
var ErrDevice = errors.New("oauth2: no such device")

// FindDevice finds the device that shows the code that was typed. Who calls it
// limits the guesses: see RFC 8628 §5.1. [ErrDevice] also where the device asks
// for nothing that this type of person (customer, staff) can give, or its client
// was disabled.
func (p *Provider) FindDevice(ctx context.Context, t *store.Tenant, personType, typed string) (*Device, error) {
	code, ok := readUserCode(typed)
	if !ok {
		return nil, ErrDevice
	}
	ctx, x := p.begin(ctx, t)
	d, err := store.OpenDeviceCode(ctx, p.store, t.ID, p.userCodeHash(t.ID, code), store.At(x.now))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrDevice
	}
	if err != nil {
		return nil, err
	}
	c, err := p.client(ctx, x, d.ClientID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrDevice
	}
	if err != nil {
		return nil, err
	}
	to, err := p.audience(ctx, x, c, d.Audience[0])
	if refused := (*Error)(nil); errors.As(err, &refused) {
		return nil, ErrDevice
	}
	if err != nil {
		return nil, err
	}
	scopes := holdable(personType, to.within(d.Scopes, c))
	if !useful(scopes) || !c.GrantTypes.Has(DeviceGrant) {
		return nil, ErrDevice
	}
	return &Device{
		UserCode: spell(code), ClientID: c.ID, ClientName: c.Name, Resource: to.name, Scopes: scopes, StartedAt: d.CreatedAt.Time, IP: d.IP, row: d,
	}, nil
}

// Ticked are those of the device's scopes that a person of this type gives by
// ticking these; none, where they are of no use to a client: that is a denial.
func (d *Device) Ticked(personType string, ticked []string) []string {
	return given(personType, d.Scopes, ticked)
}

// ApproveDevice prepares a grant of these scopes, which are of [Device.Ticked],
// for the device. It is answered once: the second time is an *[Error].
func (p *Provider) ApproveDevice(ctx context.Context, t *store.Tenant, d *Device, who Person, granted []string) (*Prepared[struct{}], error) {
	ctx, x := p.begin(ctx, t)
	c, err := p.client(ctx, x, d.ClientID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse("invalid_client")
	}
	if err != nil {
		return nil, x.end(err)
	}
	to, err := p.audience(ctx, x, c, d.row.Audience[0])
	if err != nil {
		return nil, x.end(err)
	}
	x.client = c
	x.grant = newGrant(x, newID("grt_"), who, granted, to.uri)
	x.add(func(ctx context.Context, tx *store.Tx) error { return enabled(ctx, tx, x.grant) })
	x.add(to.stillThere(x))
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.InsertGrant(ctx, x.grant) })
	x.add(func(ctx context.Context, tx *store.Tx) error {
		return answeredOnce(tx.ApproveDeviceCode(ctx, d.row.Hash, x.grant.ID, granted))
	})
	return &Prepared[struct{}]{x.consent(who, d.row.Scopes, DeviceGrant, to.uri), x, func() struct{} { return struct{}{} }}, nil
}

// DenyDevice records a person's no; the device learns of it with its next poll.
func (p *Provider) DenyDevice(ctx context.Context, t *store.Tenant, d *Device, who Person) error {
	ctx, x := p.begin(ctx, t)
	x.event = x.about(Denied, "", d.ClientID, who.Type, who.ID)
	x.event.Asked = d.row.Scopes
	x.add(func(ctx context.Context, tx *store.Tx) error { return answeredOnce(tx.DenyDeviceCode(ctx, d.row.Hash)) })
	if err := p.commit(ctx, x); err != nil {
		return x.end(err)
	}
	return nil
}

func answeredOnce(ok bool, err error) error {
	if err == nil && !ok {
		err = refuse("invalid_request").saying("This request was answered before, or waited for too long.")
	}
	return err
}
