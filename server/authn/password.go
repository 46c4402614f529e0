package authn

import (
	"context"
	"errors"
	"runtime"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// cost is OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
var cost = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// MinPassword is the fewest characters of a new password, MaxPassword the most
// bytes of any: it only keeps hashing short.
const (
	MinPassword = 12
	MaxPassword = 1024
)

// CheckPassword reports whether the password may be a new one: of MinPassword
// characters, whatever they take to write, and of MaxPassword bytes at most.
func CheckPassword(password string) bool {
	return utf8.RuneCountInString(password) >= MinPassword && len(password) <= MaxPassword
}

// hashWait is how long a login waits for its turn to hash.
const hashWait = 3 * time.Second

// ErrBusy says that too many passwords are being checked to check one more.
var ErrBusy = errors.New("authn: too many passwords are being checked")

// Passwords hashes and checks passwords, as many at once as there are
// processors: each takes 19 MiB, and a flood of logins must not take all
// memory. It is safe for concurrent use.
type Passwords struct {
	turns chan struct{}
	dummy string // the hash of nobody's password
}

// NewPasswords makes one; it hashes once.
func NewPasswords() (*Passwords, error) {
	dummy, err := argon2id.CreateHash(random62(secretChars), &cost)
	if err != nil {
		return nil, err
	}
	return &Passwords{turns: make(chan struct{}, runtime.GOMAXPROCS(0)), dummy: dummy}, nil
}

// Hash makes the PHC string of a password: $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if err := p.take(ctx); err != nil {
		return "", err
	}
	defer p.give()
	return argon2id.CreateHash(password, &cost)
}

// Verify reports whether the password is the hash's. With an empty hash it does
// the same work for nothing and says no, so that the time of an answer does not
// tell which addresses have an account.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = p.dummy
	}
	if len(password) > MaxPassword {
		known, password = false, password[:MaxPassword]
	}
	if err := p.take(ctx); err != nil {
		return false, err
	}
	defer p.give()
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	return same && known && err == nil, err
}

func (p *Passwords) take(ctx context.Context) error {
	wait := time.NewTimer(hashWait)
	defer wait.Stop()
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return ErrBusy
	}
}

func (p *Passwords) give() { <-p.turns }
