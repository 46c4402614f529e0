package oauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// told is what the log was told since it was last asked: of each decision its
// action, answer, subject, client, scopes and whether it is a replay; then of
// each event its kind, type and client. Nothing in it is a secret.
func (w *world) newlyTold(from *int64, events *int) (all []string) {
	w.Helper()
	size, err := w.db.LogSize(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	err = w.db.Records(context.Background(), *from, size, func(r *store.Record) error {
		var body struct {
			Input struct {
				Context struct {
					Scopes []string
					Facts  struct{ Replay bool }
				}
			}
		}
		all = append(all, "")
		if strings.Contains(string(r.Body), "pga_") || strings.Contains(string(r.Body), "pgr_") || strings.Contains(string(r.Body), "pgc_") {
			w.Errorf("a secret in %s", r.Body)
		}
		err := json.Unmarshal(r.Body, &body)
		in := body.Input.Context
		all[len(all)-1] = fmt.Sprint(r.Action, " ", r.Status, " ", r.Code, " ", r.Subject, " ", r.Client, " ", strings.Join(in.Scopes, ","))
		if in.Facts.Replay {
			all[len(all)-1] += " again"
		}
		if r.Resource == "" || r.Grant == "" {
			w.Errorf("no grant in %s", r.Body)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events[*events:] {
		all = append(all, fmt.Sprintf("event %d %s %s %s %v", e.Kind, e.Type, e.Subject, e.ClientID, e.Client))
	}
	*from, *events = size, len(w.events)
	return all
}

// TestWhatIsGivenAndEndedIsTold goes through the life of grants, and compares
// what the log has with what happened: no more, and no less.
func TestWhatIsGivenAndEndedIsTold(t *testing.T) {
	each(t, func(w *world) {
		var size int64
		var events int
		told := func(name string, want ...string) {
			w.Helper()
			if diff := cmp.Diff(want, w.newlyTold(&size, &events)); diff != "" {
				w.Errorf("%s:\n%s", name, diff)
			}
		}
		all := "points:read,points:write,offline_access"
		revoked, reused := oauth2.RevokedByApp, oauth2.ReuseDetected

		code := w.code()
		told("a consent, outside of the gate")
		first := w.post("/oauth2/token", "demo-web", redeem(code))
		w.want(first, 200, "")
		told("a code", "token.issue 200 ok cus_alice demo-web "+all)

		refresh := first.field("refresh_token")
		next := w.post("/oauth2/token", "demo-web", again(refresh))
		w.want(next, 200, "")
		told("a refresh", "token.refresh 200 ok cus_alice demo-web "+all)
		w.want(w.post("/oauth2/token", "demo-web", again(refresh)), 200, "")
		told("a refresh whose answer was lost", "token.refresh 200 ok cus_alice demo-web "+all+" again")

		w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"token": {next.field("access_token")}}), 200, "")
		told("a revoked access token", fmt.Sprintf("event %d access_token cus_alice demo-web true", revoked))
		w.want(w.post("/oauth2/revoke", "demo-gateway", url.Values{"token": {next.field("access_token")}}), 400, "unauthorized_client")
		w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"token": {"pga_nobodys"}}), 200, "")
		told("tokens that are another's, or nobody's")

		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_grant")
		told("a code again", fmt.Sprintf("event %d code cus_alice demo-web true", reused))
		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_grant")
		told("a code of a grant that is gone")
		w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"token": {next.field("refresh_token")}}), 200, "")
		told("a revoked refresh token", fmt.Sprintf("event %d refresh_token cus_alice demo-web true", revoked))

		w.want(w.post("/oauth2/token", "demo-service", url.Values{"grant_type": {"client_credentials"}, "scope": {"points:read"}}), 200, "")
		told("a client's own", "token.issue 200 ok demo-service demo-service points:read")
		second := w.post("/oauth2/token", "demo-web", redeem(w.code())).field("refresh_token")
		less := again(second)
		less.Set("scope", "points:read")
		w.want(w.post("/oauth2/token", "demo-web", less), 200, "")
		w.want(w.post("/oauth2/token", "demo-web", again(second)), 200, "")
		told("a replay that asks for more gets what there was", "token.issue 200 ok cus_alice demo-web "+all,
			"token.refresh 200 ok cus_alice demo-web points:read", "token.refresh 200 ok cus_alice demo-web points:read again")
		for range 2 {
			if _, err := w.approve(w.flow(asks()), nil); err != nil {
				w.Error(err)
			}
		}
		denied := fmt.Sprintf("event %d  cus_alice demo-web false", oauth2.Denied)
		told("two denials", denied, denied)
	})
}

// TestWhatCannotBeRecordedIsNotGiven: the record is written in the write that it
// is about, so a log that takes none undoes the tokens.
func TestWhatCannotBeRecordedIsNotGiven(t *testing.T) {
	each(t, func(w *world) {
		form := url.Values{"grant_type": {"client_credentials"}}
		w.want(w.post("/oauth2/token", "demo-service", form), 200, "")
		w.exec(`INSERT INTO batches SELECT first + 1, count, entries, keys, bodies FROM batches`) // the next record's place is taken
		w.want(w.post("/oauth2/token", "demo-service", form), 503, "temporarily_unavailable")
		grants, err := store.Grants(context.Background(), w.db, store.GrantFilter{Tenant: "demo", Limit: 9})
		if err != nil || len(grants) != 1 {
			w.Errorf("%d grants, %v", len(grants), err)
		}
	})
}

// TestThePolicyHasTheLastWord: what the registration allows can be narrowed in
// Rego; the refusal is the RFC's outside and a record inside.
func TestThePolicyHasTheLastWord(t *testing.T) {
	each(t, func(w *world) {
		code := w.code()
		w.rule("token.issue", "house_rule", 403)
		r := w.post("/oauth2/token", "demo-web", redeem(code))
		w.want(r, 400, "unauthorized_client")
		id := r.header.Get("X-Decision-Id")
		record, err := w.db.Decision(context.Background(), "demo", id)
		if err != nil || record.Allow || record.Code != "house_rule" || record.Status != 400 || record.Subject != "cus_alice" {
			w.Errorf("%v: %+v", err, record)
		}
		w.rule("token.issue", "invalid_scope", 403)
		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_scope")
		w.rule("", "", 0)
		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 200, "")
	})
}
