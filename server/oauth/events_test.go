package oauth_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// TestWhatIsGivenAndEndedIsTold goes through the life of grants, and compares
// what the log is told with what happened: no more, and no less.
func TestWhatIsGivenAndEndedIsTold(t *testing.T) {
	ctx := context.Background()
	each(t, func(w *world) {
		var seen int
		told := func(name string, want ...oauth2.Event) {
			w.Helper()
			w.mu.Lock()
			got := w.events[seen:]
			seen = len(w.events)
			w.mu.Unlock()
			for i := range got {
				if i < len(want) {
					want[i].At, want[i].Tenant = got[i].At, "demo"
					if want[i].Kind != oauth2.Denied && got[i].GrantID == "" {
						w.Errorf("%s: no grant in %+v", name, got[i])
					}
					want[i].GrantID = got[i].GrantID
				}
				if text := fmt.Sprintf("%+v", got[i]); strings.Contains(text, "pga_") || strings.Contains(text, "pgr_") || strings.Contains(text, "pgc_") {
					w.Errorf("%s: a secret in %s", name, text)
				}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
				w.Errorf("%s:\n%s", name, diff)
			}
		}
		alice := oauth2.Event{ClientID: "demo-web", SubjectType: "customer", Subject: "cus_alice"}
		of := func(kind oauth2.EventKind, edit func(e *oauth2.Event)) oauth2.Event {
			e := alice
			e.Kind = kind
			edit(&e)
			return e
		}
		all := []string{"points:read", "points:write", "offline_access"}

		f := w.flow(asks())
		to, err := w.provider.Approve(ctx, f, w.alice(), f.Scopes)
		if err != nil {
			w.Fatal(err)
		}
		told("a consent", of(oauth2.Granted, func(e *oauth2.Event) {
			e.Asked, e.Scopes, e.ExpiresAt = all, all, w.now().Add(oauth2.GrantLifetime)
		}))
		if _, err := w.provider.Approve(ctx, f, w.alice(), f.Scopes); err == nil {
			w.Error("a flow is approved twice")
		}
		told("a consent for the second time")

		code := sentTo(to).location("code")
		first := w.post("/oauth2/token", "demo-web", redeem(code))
		w.want(first, 200, "")
		issued := of(oauth2.Issued, func(e *oauth2.Event) {
			e.Client, e.GrantType, e.Scopes, e.ExpiresAt, e.Refresh = true, "authorization_code", all, w.now().Add(oauth2.AccessLifetime), true
		})
		told("a code", issued)

		refresh := first.field("refresh_token")
		next := w.post("/oauth2/token", "demo-web", again(refresh))
		w.want(next, 200, "")
		issued.GrantType = "refresh_token"
		told("a refresh", issued)
		w.want(w.post("/oauth2/token", "demo-web", again(refresh)), 200, "")
		issued.Again = true
		told("a refresh whose answer was lost", issued)

		w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"token": {next.field("access_token")}}), 200, "")
		told("a revoked access token", of(oauth2.RevokedByApp, func(e *oauth2.Event) { e.Client, e.Type = true, "access_token" }))
		w.want(w.post("/oauth2/revoke", "demo-gateway", url.Values{"token": {next.field("access_token")}}), 400, "unauthorized_client")
		w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"token": {"pga_nobodys"}}), 200, "")
		told("tokens that are another's, or nobody's")

		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_grant")
		told("a code again", of(oauth2.ReuseDetected, func(e *oauth2.Event) { e.Client, e.Type = true, "code" }))
		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_grant")
		told("a code of a grant that is gone")
		w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"token": {next.field("refresh_token")}}), 200, "")
		told("a revoked refresh token", of(oauth2.RevokedByApp, func(e *oauth2.Event) { e.Client, e.Type = true, "refresh_token" }))

		w.want(w.post("/oauth2/token", "demo-service", url.Values{"grant_type": {"client_credentials"}, "scope": {"points:read"}}), 200, "")
		told("a client's own", oauth2.Event{
			Kind: oauth2.Issued, ClientID: "demo-service", SubjectType: "client", Subject: "demo-service", Client: true,
			GrantType: "client_credentials", Scopes: []string{"points:read"}, ExpiresAt: w.now().Add(oauth2.AccessLifetime),
		})
		if _, err := w.provider.Deny(ctx, w.flow(asks()), w.alice()); err != nil {
			w.Error(err)
		}
		if _, err := w.provider.Approve(ctx, w.flow(asks()), w.alice(), nil); err != nil {
			w.Error(err)
		}
		denied := of(oauth2.Denied, func(e *oauth2.Event) { e.Asked = all })
		told("two denials", denied, denied)
	})
}

// TestWhatCannotBeRecordedIsNotGiven: the record is written in the write that it
// is about, so a log that takes none undoes the tokens.
func TestWhatCannotBeRecordedIsNotGiven(t *testing.T) {
	each(t, func(w *world) {
		w.refuse = true
		r := w.post("/oauth2/token", "demo-service", url.Values{"grant_type": {"client_credentials"}})
		w.want(r, 503, "temporarily_unavailable")
		grants, err := store.Grants(context.Background(), w.db, store.GrantFilter{Tenant: "demo", Limit: 9})
		if err != nil || len(grants) != 0 {
			w.Errorf("%d grants, %v", len(grants), err)
		}
	})
}
