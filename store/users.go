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
// ErrExists if the id or the address is taken.
func (tx *Tx) InsertUser(ctx context.Context, u *User) error {
	u.Email = NormalEmail(u.Email)
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
