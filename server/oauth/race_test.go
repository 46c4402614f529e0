package oauth_test

import (
	"testing"

	"github.com/pointgate/pointgate/oauth2"
)

// count is how often each status and error code was answered.
func count(replies []reply) map[string]int {
	n := map[string]int{}
	for _, r := range replies {
		if r.status == 200 {
			n["200"]++
		} else {
			n[r.error()]++
		}
	}
	return n
}

func winner(w *world, replies []reply) reply {
	w.Helper()
	for _, r := range replies {
		if r.status == 200 {
			return r
		}
	}
	w.Fatalf("nobody got tokens: %v", count(replies))
	return reply{}
}

// TestOneCodeTwentyTimes: RFC 6749 §4.1.2, in a race.
func TestOneCodeTwentyTimes(t *testing.T) {
	each(t, func(w *world) {
		for range 5 {
			code := w.code()
			replies := parallel(20, func() reply { return w.post("/oauth2/token", "demo-web", redeem(code)) })
			if n := count(replies); n["200"] != 1 || n["invalid_grant"] != 19 {
				w.Fatalf("got %v", n)
			}
			won := winner(w, replies)
			if s := w.status(won.field("access_token")); s != oauth2.Revoked {
				w.Errorf("the winner's access token is %s", s)
			}
			w.want(w.post("/oauth2/token", "demo-web", again(won.field("refresh_token"))), 400, "invalid_grant")
		}
		if len(w.told(reuse)) != 5 {
			w.Errorf("told %d times of 5 reuses", len(w.told(reuse)))
		}
	})
}

// TestOneRefreshTokenTwentyTimes: with grace one successor, without it none.
func TestOneRefreshTokenTwentyTimes(t *testing.T) {
	each(t, func(w *world) {
		_, token := w.tokens("demo-web")
		for range 3 {
			replies := parallel(20, func() reply { return w.post("/oauth2/token", "demo-web", again(token)) })
			for _, r := range replies {
				if r.status != 200 || r.body != replies[0].body {
					w.Fatalf("got %d %s beside %s", r.status, r.body, replies[0].body)
				}
			}
			token = replies[0].field("refresh_token")
		}
		w.want(w.post("/oauth2/token", "demo-web", again(token)), 200, "")
		if len(w.told(reuse)) != 0 {
			w.Errorf("told: %+v", w.told(reuse))
		}

		_, token = w.tokens("demo-spa")
		replies := parallel(20, func() reply { return w.post("/oauth2/token", "demo-spa", again(token)) })
		if n := count(replies); n["200"] != 1 || n["invalid_grant"] != 19 {
			w.Fatalf("without grace: got %v", n)
		}
		won := winner(w, replies)
		if s := w.status(won.field("access_token")); s != oauth2.Revoked {
			w.Errorf("without grace: the winner's access token is %s", s)
		}
		w.want(w.post("/oauth2/token", "demo-spa", again(won.field("refresh_token"))), 400, "invalid_grant")
		if len(w.told(reuse)) != 1 {
			w.Errorf("told: %+v", w.told(reuse))
		}
	})
}
