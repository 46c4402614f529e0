package gate

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// idempotencyKey reads the header, bare or as the quoted string of
// draft-ietf-httpapi-idempotency-key-header: 8 to 128 visible characters.
func idempotencyKey(wanted bool, r *web.Request) (string, *web.Problem) {
	if !wanted {
		return "", nil
	}
	key := r.Header("Idempotency-Key")
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if len(key) < 8 || len(key) > 128 || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' }) {
		return "", web.BadRequest("An Idempotency-Key of 8 to 128 visible characters is needed.")
	}
	return key, nil
}

// once runs the effect, or hands out the answer that an equal request got
// before. Refusals of the store (409) are answers too and are kept; unknown
// errors are not.
func once(ctx context.Context, tx *store.Tx, c *Call, key string, run func() (*web.Answer, error)) (*web.Answer, error) {
	if key == "" {
		return tried(tx, c, run)
	}
	row := &store.IdempotencyKey{
		Tenant: c.Tenant.ID, Client: c.Caller.ClientID, Subject: c.Caller.Type + ":" + c.Caller.ID,
		Route: c.Method + " " + c.Path, Key: key, Fingerprint: fingerprint(c.Request), CreatedAt: store.At(c.Now),
	}
	was, err := tx.IdempotencyKey(ctx, row)
	switch {
	case err == nil && string(was.Fingerprint) != string(row.Fingerprint):
		return web.NewProblem("idempotency_mismatch", "Use a new key for a new request.").Answer(c.Event), nil
	case err == nil:
		return replay(was), nil
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	a, err := tried(tx, c, run)
	if err != nil {
		return nil, err
	}
	row.Status, row.Body = a.Status, a.Body
	return a, tx.InsertIdempotencyKey(ctx, row)
}

// tried runs the effect so that a refusal by the store undoes what it did and
// becomes an answer.
func tried(tx *store.Tx, c *Call, run func() (*web.Answer, error)) (a *web.Answer, err error) {
	err = tx.Savepoint(func() error {
		a, err = run()
		if err == nil && a.Status >= 500 {
			err = errAnswer
		}
		return err
	})
	if err == nil {
		return a, nil
	}
	if p := problemOf(err); p != nil {
		return p.Answer(c.Event), nil
	}
	return nil, err
}

// errAnswer: an effect whose answer can't be made has not happened.
var errAnswer = errors.New("the effect has no answer")

func replay(was *store.IdempotencyKey) *web.Answer {
	a := &web.Answer{Status: was.Status, Body: was.Body, Code: "ok", Header: map[string]string{"Idempotency-Replayed": "true"}}
	if was.Status >= 400 {
		a.Type, a.Code = web.ProblemType, web.CodeOf(was.Body)
	}
	return a
}

func fingerprint(r *web.Request) []byte {
	h := sha256.New()
	h.Write([]byte(r.Method + " " + r.Path + "?" + r.RawQuery + "\n"))
	h.Write(r.Body)
	return h.Sum(nil)
}
