package oauth2

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// keyWorld is a Provider with a clock that the test moves.
type keyWorld struct {
	*testing.T
	p      *Provider
	db     *store.DB
	config Config
	mu     sync.Mutex
	at     time.Time
	events []Event
}

func keyWorlds(t *testing.T, test func(w *keyWorld)) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		w := &keyWorld{T: t, at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		o.Now = w.now
		w.db = storetest.Open(t, o)
		storetest.Tenant(t, w.db, "demo")
		storetest.Tenant(t, w.db, "other")
		w.config = Config{
			Store: w.db, Secret: bytes.Repeat([]byte{1}, 32), SealKey: bytes.Repeat([]byte{2}, 32), Now: w.now, KeyRotation: 90 * 24 * time.Hour,
			Record: func(_ context.Context, _ *store.Tx, e Event) { w.events = append(w.events, e) },
		}
		w.p = w.provider(nil)
		test(w)
	})
}

func (w *keyWorld) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *keyWorld) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *keyWorld) provider(edit func(c *Config)) *Provider {
	w.Helper()
	c := w.config
	if edit != nil {
		edit(&c)
	}
	p, err := New(c)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *keyWorld) try(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *keyWorld) signer(p *Provider, tenant, alg string) *signingKey {
	w.Helper()
	k, err := p.signing.signer(w.Context(), tenant, alg)
	w.try(err)
	return k
}

func (w *keyWorld) rotate(alg string, lead time.Duration) *store.SigningKey {
	w.Helper()
	fresh, err := w.p.FreshKeys("demo", []string{alg})
	w.try(err)
	w.try(w.db.Write(w.Context(), func(tx *store.Tx) error { return w.p.RotateKeys(w.Context(), tx, fresh, lead) }))
	w.try(w.p.LoadKeys(w.Context()))
	return fresh[0]
}

// published are the ids in the tenant's JWK set.
func (w *keyWorld) published(tenant string) (ids []string) {
	for _, k := range w.p.signing.ring.Load().byTenant[tenant] {
		if k.published(w.now()) {
			ids = append(ids, k.row.ID)
		}
	}
	return ids
}

func TestKeysSignAndVerify(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		for _, alg := range SigningAlgs {
			k := w.signer(w.p, "demo", alg)
			token, err := k.sign(typAccess, map[string]string{"jti": "a"})
			w.try(err)
			again := w.provider(nil)
			w.try(again.OpenKeys(w.Context(), false))
			found, err := again.signing.byHead(w.Context(), headOf(token))
			w.try(err)
			var claims struct{ JTI string }
			if found == nil || !found.claimsOf(token, &claims) || claims.JTI != "a" {
				t := found != nil
				w.Fatalf("%s: found %v, claims %+v", alg, t, claims)
			}
			for name, bad := range map[string]string{
				"another claim": strings.Replace(token, "."+encode([]byte(`{"jti":"a"}`))+".", "."+encode([]byte(`{"jti":"b"}`))+".", 1),
				"no signature":  token[:strings.LastIndexByte(token, '.')+1],
				"cut":           token[:len(token)-2],
				"padding":       token + "=",
			} {
				if bad == token || found.claimsOf(bad, &claims) {
					w.Errorf("%s: %s: taken", alg, name)
				}
			}
			id, err := k.sign(typID, map[string]string{"jti": "a"})
			w.try(err)
			if other, err := again.signing.byHead(w.Context(), headOf(id)); other != nil || err != nil {
				w.Errorf("%s: an ID token has the head of an access token: %v", alg, err)
			}
		}
	})
}

func TestKeysRotateWithOverlap(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		first := w.signer(w.p, "demo", "ES256").row.ID
		if w.signer(w.p, "other", "ES256").row.ID == first {
			w.Fatal("two tenants have one key")
		}
		next := w.rotate("ES256", KeyLead).ID
		if got := strings.Join(w.published("demo"), " "); got != first+" "+next {
			w.Fatalf("published %s", got)
		}
		if got := w.signer(w.p, "demo", "ES256").row.ID; got != first {
			w.Error("the new key signs before its lead is over")
		}
		w.pass(KeyLead)
		if got := w.signer(w.p, "demo", "ES256").row.ID; got != next {
			w.Error("the new key does not sign after its lead")
		}
		w.try(w.p.TendKeys(w.Context(), "one"))
		row, err := store.GetSigningKey(w.Context(), w.db, "demo", first)
		w.try(err)
		if len(row.Sealed) != 0 || len(w.published("demo")) != 2 {
			w.Errorf("the private half of a retired key is there, or its public half is not: %v", w.published("demo"))
		}
		w.pass(keyAfter)
		if got := strings.Join(w.published("demo"), " "); got != next {
			w.Errorf("published after the end of the first: %s", got)
		}
		var kinds []EventKind
		for _, e := range w.events {
			if e.Tenant == "demo" {
				kinds = append(kinds, e.Kind)
			}
		}
		if len(kinds) != 3 || kinds[0] != KeyCreated || kinds[1] != KeyCreated || kinds[2] != KeyDestroyed {
			w.Errorf("events %v", kinds)
		}
	})
}

func TestKeysRotateOnSchedule(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		storetest.Client(w, w.db, "demo", "wants-eddsa", func(c *store.Client) { c.SigningAlg = "EdDSA" })
		w.try(w.p.TendKeys(w.Context(), "one"))
		if len(w.published("demo")) != 2 || len(w.published("other")) != 1 {
			w.Fatalf("first keys: %v, %v", w.published("demo"), w.published("other"))
		}
		w.try(w.p.TendKeys(w.Context(), "one"))
		w.pass(w.config.KeyRotation - KeyLead - time.Minute)
		w.try(w.p.TendKeys(w.Context(), "one"))
		if len(w.published("demo")) != 2 {
			w.Fatal("a key is replaced before its time")
		}
		w.pass(time.Minute)
		before := w.signer(w.p, "demo", "ES256").row.ID
		for range 2 {
			w.try(w.p.TendKeys(w.Context(), "one"))
		}
		if len(w.published("demo")) != 4 || len(w.published("other")) != 2 {
			w.Fatalf("successors: %v, %v", w.published("demo"), w.published("other"))
		}
		w.pass(KeyLead)
		if w.signer(w.p, "demo", "ES256").row.ID == before {
			w.Error("the successor does not sign")
		}
		w.pass(2 * time.Minute) // the lease is over
		two := w.provider(nil)
		w.try(two.TendKeys(w.Context(), "two"))
		w.try(w.p.TendKeys(w.Context(), "one"))
		if len(w.published("demo")) != 4 {
			w.Errorf("the second node makes keys of its own: %v", w.published("demo"))
		}
	})
}

func TestKeysThatAreRevokedSignNoMore(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		first := w.signer(w.p, "demo", "ES256")
		next := w.rotate("ES256", KeyLead).ID
		token, err := first.sign(typAccess, map[string]string{})
		w.try(err)
		w.pass(time.Minute)
		w.try(w.db.Write(w.Context(), func(tx *store.Tx) error { return tx.RevokeSigningKey(w.Context(), "demo", first.row.ID) }))
		w.try(w.p.LoadKeys(w.Context()))
		if k, err := w.p.signing.byHead(w.Context(), headOf(token)); k != nil || err != nil {
			w.Errorf("a token of a revoked key finds it: %v", err)
		}
		between := w.signer(w.p, "demo", "ES256")
		if between.row.ID == first.row.ID || between.row.ID == next {
			w.Errorf("%s signs", between.row.ID)
		}
		w.pass(KeyLead)
		if got := w.signer(w.p, "demo", "ES256").row.ID; got != next {
			w.Errorf("%s signs, want the one that was waiting", got)
		}
		row, err := store.GetSigningKey(w.Context(), w.db, "demo", first.row.ID)
		if err != nil || !row.Revoked() || len(row.Sealed) > 0 {
			w.Errorf("%+v %v", row, err)
		}
	})
}

func TestKeysOfAnotherNodeAreFound(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		two := w.provider(nil)
		w.try(two.LoadKeys(w.Context()))
		token, err := w.signer(w.p, "demo", "ES256").sign(typAccess, map[string]string{})
		w.try(err)
		if k, _ := two.signing.byHead(w.Context(), headOf(token)); k != nil {
			w.Error("the store is asked again in the same second")
		}
		w.pass(reloadAtMost)
		if k, err := two.signing.byHead(w.Context(), headOf(token)); k == nil || err != nil {
			w.Errorf("not found: %v", err)
		}
	})
}

func TestFirstKeyIsOneForAll(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		var wg sync.WaitGroup
		for range 3 {
			p := w.provider(nil)
			for range 4 {
				wg.Go(func() {
					if _, err := p.signing.signer(w.Context(), "demo", "ES256"); err != nil {
						w.Error(err)
					}
				})
			}
		}
		wg.Wait()
		w.try(w.p.LoadKeys(w.Context()))
		if len(w.published("demo")) != 1 {
			w.Errorf("%v", w.published("demo"))
		}
	})
}

func TestKeysUnderAnotherSeal(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		id := w.signer(w.p, "demo", "RS256").row.ID
		next := bytes.Repeat([]byte{9}, 32)
		wrong := w.provider(func(c *Config) { c.KeySeals = [][]byte{next} })
		if err := wrong.OpenKeys(w.Context(), false); !errors.Is(err, ErrSealed) {
			w.Fatalf("with another key: %v", err)
		}
		if err := wrong.LoadKeys(w.Context()); !errors.Is(err, ErrSealed) || len(wrong.signing.ring.Load().byID) != 1 {
			w.Errorf("what can't sign is published all the same: %v", err)
		}
		if _, err := wrong.signing.signer(w.Context(), "demo", "RS256"); !errors.Is(err, ErrSealed) {
			w.Errorf("a second key is made beside the one that can't be opened: %v", err)
		}
		if n, err := CheckKeys(w.Context(), w.db, w.now(), [][]byte{next}); n != 1 || !errors.Is(err, ErrSealed) {
			w.Errorf("checked %d: %v", n, err)
		}
		both := w.provider(func(c *Config) { c.KeySeals = [][]byte{next, c.SealKey} })
		w.try(both.OpenKeys(w.Context(), false))
		only := w.provider(func(c *Config) { c.KeySeals = [][]byte{next} })
		w.try(only.OpenKeys(w.Context(), false))
		if w.signer(only, "demo", "RS256").row.ID != id {
			w.Error("another key signs")
		}
		if err := w.provider(nil).OpenKeys(w.Context(), false); !errors.Is(err, ErrSealed) {
			w.Errorf("the old key opens: %v", err)
		}
	})
}

func TestKeysThatAreLostAreReplaced(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		id := w.signer(w.p, "demo", "ES256").row.ID
		token, err := w.signer(w.p, "demo", "ES256").sign(typAccess, map[string]string{})
		w.try(err)
		later := w.provider(func(c *Config) { c.KeySeals = [][]byte{bytes.Repeat([]byte{9}, 32)} })
		w.try(later.OpenKeys(w.Context(), true))
		if w.signer(later, "demo", "ES256").row.ID == id {
			w.Error("it still signs")
		}
		if k, err := later.signing.byHead(w.Context(), headOf(token)); k == nil || err != nil {
			w.Errorf("what it has signed is not good any more: %v", err)
		}
	})
}

// TestIDTokensOfThePastAreKnown, for who logs out with one: while the key's row is
// kept, unless the key was revoked.
func TestIDTokensOfThePastAreKnown(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		tenant, err := store.GetTenant(w.Context(), w.db, "demo")
		w.try(err)
		k := w.signer(w.p, "demo", "ES256")
		id, err := k.sign(typID, idClaims{Issuer: tenant.Issuer, Audience: "app"})
		w.try(err)
		access, err := k.sign(typAccess, accessClaims{Issuer: tenant.Issuer, Audience: "app"})
		w.try(err)
		w.rotate("ES256", 0)
		w.pass(30 * 24 * time.Hour)
		w.try(w.p.LoadKeys(w.Context()))
		if len(w.published("demo")) != 1 || w.p.idToken(tenant, id).Audience != "app" {
			w.Errorf("published %v; the ID token is not known", w.published("demo"))
		}
		if found, _ := w.p.signing.byHead(w.Context(), headOf(access)); found != nil || w.p.idToken(tenant, access).Audience != "" {
			w.Error("an access token of the past is taken")
		}
		w.pass(store.SigningKeysKept)
		w.try(w.p.LoadKeys(w.Context()))
		if w.p.idToken(tenant, id).Audience != "" {
			w.Error("it is known for ever")
		}
		k = w.signer(w.p, "demo", "ES256")
		id, err = k.sign(typID, idClaims{Issuer: tenant.Issuer, Audience: "app"})
		w.try(err)
		w.try(w.db.Write(w.Context(), func(tx *store.Tx) error { return tx.RevokeSigningKey(w.Context(), "demo", k.row.ID) }))
		w.try(w.p.LoadKeys(w.Context()))
		if w.p.idToken(tenant, id).Audience != "" {
			w.Error("a revoked key vouches for it")
		}
	})
}

// TestSealedHalvesBelongToTheirRow: whoever can write the table can't give one
// tenant the key of another.
func TestSealedHalvesBelongToTheirRow(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		mine, theirs := w.signer(w.p, "demo", "ES256").row, w.signer(w.p, "other", "ES256").row
		mine.Sealed = theirs.Sealed
		if _, _, err := w.p.signing.unseal(&mine); !errors.Is(err, ErrSealed) {
			w.Errorf("opened: %v", err)
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	keyWorlds(t, func(w *keyWorld) {
		for range maxTenantKeys {
			w.rotate("EdDSA", KeyLead)
		}
		fresh, err := w.p.FreshKeys("demo", nil)
		w.try(err)
		if len(fresh) != 1 || fresh[0].Alg != "EdDSA" {
			w.Fatalf("%+v", fresh)
		}
		err = w.db.Write(w.Context(), func(tx *store.Tx) error { return w.p.RotateKeys(w.Context(), tx, fresh, KeyLead) })
		if !errors.Is(err, store.ErrConflict) {
			w.Errorf("one more: %v", err)
		}
	})
}

func FuzzHeads(f *testing.F) {
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6InNna18yIiwidHlwIjoiYXQrand0In0.e30.c2ln")
	f.Add("..")
	f.Add("e30.e30.")
	k := &signingKey{row: store.SigningKey{ID: "sgk_abcdefghijklmnopqrstuvwxyz", Alg: "ES256"}, alg: algorithms["ES256"]}
	private, err := k.alg.generate()
	if err != nil {
		f.Fatal(err)
	}
	k.private, k.public = private, private.Public()
	good, err := k.sign(typAccess, map[string]string{"jti": "a"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, token string) {
		head := headOf(token)
		if kid := kidOf(head); kid != "" && !keyID.MatchString(kid) {
			t.Errorf("kid %q", kid)
		}
		var claims map[string]any
		if head != "" && k.claimsOf(token, &claims) && token[:strings.LastIndexByte(token, '.')] != good[:strings.LastIndexByte(good, '.')] {
			t.Errorf("%q verifies", token)
		}
	})
}
