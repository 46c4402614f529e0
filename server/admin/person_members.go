package admin

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// personMembers reads what customers and staff have in common.
func (a *Admin) personMembers(f *web.Fields, in *input[store.User], id *regexp.Regexp) {
	if in.created {
		f.Require("email", "name")
		if v, ok := matching(f, "id", id); ok {
			in.set(func(u *store.User) { u.ID = v })
		}
	} else {
		disabled(f, in, func(u *store.User) *store.Time { return &u.DisabledAt })
	}
	notNull(f, "email", "name", "disabled")
	if v, ok := address(f, "email"); ok {
		in.set(func(u *store.User) { u.Email = store.NormalEmail(v) })
	}
	if v, ok := line(f, "name"); ok {
		in.set(func(u *store.User) { u.Name = v })
	}
	a.password(f, in)
}

// password is hashed between the decision and the transaction; null takes the
// login by password away.
func (a *Admin) password(f *web.Fields, in *input[store.User]) {
	if f.Null("password") {
		in.set(func(u *store.User) { u.PasswordHash = "" })
		return
	}
	plain, ok := f.String("password", authn.MaxPassword)
	if !ok {
		return
	}
	if !authn.CheckPassword(plain) {
		f.Wrong("password", "out_of_range", fmt.Sprintf("It must have at least %d characters and at most %d bytes.", authn.MinPassword, authn.MaxPassword))
		return
	}
	var hash string
	in.prepare = append(in.prepare, func(ctx context.Context) (err error) {
		hash, err = a.Hash(ctx, plain)
		return err
	})
	in.set(func(u *store.User) { u.PasswordHash = hash })
}

// roles reads roles of the policy's table; staff has one at least.
func (a *Admin) roles(f *web.Fields, in *input[store.User]) {
	notNull(f, "roles")
	v, ok := words(f, "roles")
	if !ok || f.Null("roles") {
		return
	}
	known := a.Roles()
	if len(v) == 0 || within("roles", v, known, "") != nil {
		f.Wrong("roles", "out_of_range", "They must be some of: "+strings.Join(known, ", ")+".")
		return
	}
	in.set(func(u *store.User) { u.Roles = v })
}
