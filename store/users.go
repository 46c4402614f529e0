package store

import (
	"context"
	"strings"
)

// User is a person: a customer, who has a points account, or a member of staff,
// who has roles.
type User struct {
	Tenant       string `db:"tenant"`
	ID           string `db:"id"`
	Type         string `db:"type"`  // "customer" or "staff"
	Email        string `db:"email"` // in lower case; see [NormalEmail]
	Name         string `db:"name"`
	Roles        Words  `db:"roles"`
	PasswordHash string `db:"password_hash"` // argon2id in PHC form; empty: no login by password
	CreatedAt    Time   `db:"created_at"`
	DisabledAt   Time   `db:"disabled_at"`
}

const userColumns = `tenant, id, type, email, name, roles, password_hash, created_at, disabled_at`

// NormalEmail is the form in which addresses are kept and compared.
func NormalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// GetUser is one by id.
func GetUser(ctx context.Context, r Reader, tenant, id string) (*User, error) {
	var u User
	if err := r.Get(ctx, &u, `SELECT `+userColumns+` FROM users WHERE tenant = ? AND id = ?`, tenant, id); err != nil {
		return nil, err
	}
	return &u, nil
}

// UserByEmail is one by address, which is normalised here.
func (db *DB) UserByEmail(ctx context.Context, tenant, email string) (*User, error) {
	var u User
	if err := db.Get(ctx, &u, `SELECT `+userColumns+` FROM users WHERE tenant = ? AND email = ?`, tenant, NormalEmail(email)); err != nil {
		return nil, err
	}
	return &u, nil
}

// InsertUser adds a person, and for a customer the empty points account.
// ErrExists if the address is taken, or the id, also by a client: a token of the
// client would look like one of the person.
func (tx *Tx) InsertUser(ctx context.Context, u *User) error {
	u.Email = NormalEmail(u.Email)
	var clients int
	if err := tx.Get(ctx, &clients, `SELECT COUNT(*) FROM clients WHERE tenant = ? AND id = ?`, u.Tenant, u.ID); err != nil {
		return err
	}
	if clients > 0 {
		return ErrExists
	}
	if _, err := tx.Exec(ctx, `INSERT INTO users (`+userColumns+`) VALUES (?,?,?,?,?,?,?,?,?)`,
		u.Tenant, u.ID, u.Type, u.Email, u.Name, u.Roles, u.PasswordHash, u.CreatedAt, u.DisabledAt); err != nil {
		return err
	}
	if u.Type != "customer" {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO accounts (tenant, customer_id, available, held, lifetime_earned) VALUES (?,?,0,0,0)`, u.Tenant, u.ID)
	return err
}

// UserFilter narrows a list of people.
type UserFilter struct {
	Tenant string // always set
	Type   string // always set: customer or staff
	Email  string // normalised here; empty: any
	After  string // only ids behind it
	Limit  int
}

// Users lists people by id.
func Users(ctx context.Context, r Reader, f UserFilter) ([]User, error) {
	w := where{}
	w.and(`tenant = ?`, f.Tenant)
	w.and(`type = ?`, f.Type)
	w.and(`id > ?`, f.After)
	w.andIf(f.Email != "", `email = ?`, NormalEmail(f.Email))
	var out []User
	err := r.Select(ctx, &out, `SELECT `+userColumns+` FROM users`+w.String()+` ORDER BY id LIMIT ?`, append(w.args, f.Limit)...)
	return out, err
}

// UpdateUser changes what may change: address, name, roles, password, disabled.
// ErrExists if the address is taken.
func (tx *Tx) UpdateUser(ctx context.Context, u *User) error {
	u.Email = NormalEmail(u.Email)
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE users SET email = ?, name = ?, roles = ?, password_hash = ?, disabled_at = ?
		WHERE tenant = ? AND id = ?`, u.Email, u.Name, u.Roles, u.PasswordHash, u.DisabledAt, u.Tenant, u.ID)
}

// CountStaff is how many enabled staff a tenant has.
func (db *DB) CountStaff(ctx context.Context, tenant string) (n int64, err error) {
	err = db.Get(ctx, &n, `SELECT COUNT(*) FROM users WHERE tenant = ? AND type = 'staff' AND disabled_at IS NULL`, tenant)
	return n, err
}

// StaffWith is the ids of a tenant's enabled staff who have a role. Inside a
// write nobody can change it at the same time.
func StaffWith(ctx context.Context, r Reader, tenant, role string) ([]string, error) {
	var staff []User
	if err := r.Select(ctx, &staff, `SELECT `+userColumns+` FROM users
		WHERE tenant = ? AND type = 'staff' AND disabled_at IS NULL ORDER BY id`, tenant); err != nil {
		return nil, err
	}
	var out []string
	for i := range staff {
		if staff[i].Roles.Has(role) {
			out = append(out, staff[i].ID)
		}
	}
	return out, nil
}
