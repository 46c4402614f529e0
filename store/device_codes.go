package store

import (
	"context"
	"time"
)

// deviceCodesKept is how long a device code stays after its end, so that the
// device is told that it expired, and its reuse is noticed.
const deviceCodesKept = time.Hour

// The statuses of a [DeviceCode].
const (
	DevicePending  = "pending"
	DeviceApproved = "approved"
	DeviceDenied   = "denied"
)

// DeviceCode is a device that waits until a person lets it in (RFC 8628). The
// row has hashes of both codes, never the codes.
type DeviceCode struct {
	Hash         []byte `db:"hash"`
	UserCodeHash []byte `db:"user_code_hash"` // under a key: there are too few user codes for a plain hash
	Tenant       string `db:"tenant"`
	ClientID     string `db:"client_id"`
	Scopes       Words  `db:"scopes"`   // that were asked for
	Audience     Words  `db:"audience"` // what its tokens are for
	Status       string `db:"status"`
	GrantID      string `db:"grant_id"`      // once approved
	Granted      Words  `db:"granted"`       // the scopes that were ticked
	Interval     int64  `db:"poll_interval"` // seconds between two polls
	PolledAt     Time   `db:"polled_at"`
	IP           string `db:"ip"` // where the device asked from
	CreatedAt    Time   `db:"created_at"`
	ExpiresAt    Time   `db:"expires_at"`
	UsedAt       Time   `db:"used_at"`
}

const deviceCodeColumns = `hash, user_code_hash, tenant, client_id, scopes, audience, status, grant_id, granted, poll_interval, polled_at, ip,
	created_at, expires_at, used_at`

// GetDeviceCode finds one, in whatever state; ErrNotFound also for another tenant's.
func GetDeviceCode(ctx context.Context, r Reader, tenant string, hash []byte) (*DeviceCode, error) {
	var d DeviceCode
	if err := r.Get(ctx, &d, `SELECT `+deviceCodeColumns+` FROM device_codes WHERE hash = ? AND tenant = ?`, hash, tenant); err != nil {
		return nil, err
	}
	return &d, nil
}

// OpenDeviceCode finds the one with this user code that still waits for a
// person; ErrNotFound for all else.
func OpenDeviceCode(ctx context.Context, r Reader, tenant string, userCodeHash []byte, now Time) (*DeviceCode, error) {
	var d DeviceCode
	if err := r.Get(ctx, &d, `SELECT `+deviceCodeColumns+` FROM device_codes
		WHERE user_code_hash = ? AND tenant = ? AND status = 'pending' AND expires_at > ?`, userCodeHash, tenant, now); err != nil {
		return nil, err
	}
	return &d, nil
}

// DeviceStanding is what decides, besides its own row, whether an approved code
// is good: the standing of its grant. ErrNotFound where there is no grant.
func DeviceStanding(ctx context.Context, r Reader, hash []byte) (*Standing, error) {
	var s Standing
	if err := r.Get(ctx, &s, `SELECT `+standingColumns+` FROM device_codes t`+standingJoin+` WHERE t.hash = ?`, hash); err != nil {
		return nil, err
	}
	return &s, nil
}

// InsertDeviceCode adds one; ErrExists if another has its user code.
func (tx *Tx) InsertDeviceCode(ctx context.Context, d *DeviceCode) error {
	_, err := tx.Exec(ctx, `INSERT INTO device_codes (`+deviceCodeColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		d.Hash, d.UserCodeHash, d.Tenant, d.ClientID, d.Scopes, d.Audience, d.Status, d.GrantID, d.Granted, d.Interval, d.PolledAt, d.IP,
		d.CreatedAt, d.ExpiresAt, d.UsedAt)
	return err
}

// PollDeviceCode notes that the device asked, and how long it has to wait until
// the next time.
func (tx *Tx) PollDeviceCode(ctx context.Context, hash []byte, at Time, interval int64) error {
	_, err := tx.Exec(ctx, `UPDATE device_codes SET polled_at = ?, poll_interval = ? WHERE hash = ?`, at, interval, hash)
	return err
}

// ApproveDeviceCode gives one that waits its grant and the scopes that were
// ticked; false if it was answered already or is at its end.
func (tx *Tx) ApproveDeviceCode(ctx context.Context, hash []byte, grant string, granted Words) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE device_codes SET status = 'approved', grant_id = ?, granted = ?
		WHERE hash = ? AND status = 'pending' AND expires_at > ?`, grant, granted, hash, tx.Now())
	return n == 1, err
}

// DenyDeviceCode is a person's no; false if it was answered already or is at
// its end.
func (tx *Tx) DenyDeviceCode(ctx context.Context, hash []byte) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE device_codes SET status = 'denied' WHERE hash = ? AND status = 'pending' AND expires_at > ?`, hash, tx.Now())
	return n == 1, err
}

// UseDeviceCode redeems one that was approved; false if it is used already or
// at its end.
func (tx *Tx) UseDeviceCode(ctx context.Context, hash []byte, now Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE device_codes SET used_at = ? WHERE hash = ? AND status = 'approved' AND used_at IS NULL AND expires_at > ?`, now, hash, now)
	return n == 1, err
}

// DeleteDeviceCodes removes at most limit device codes whose end is long past.
func (tx *Tx) DeleteDeviceCodes(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM device_codes WHERE hash IN (SELECT hash FROM device_codes WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
		At(tx.Now().Add(-deviceCodesKept)), limit)
}
