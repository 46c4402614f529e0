package oauth2

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// prompts are the values of prompt that there are (OpenID Connect Core §3.1.2.1).
var prompts = []string{"none", "login", "consent", "select_account"}

// maxHint is the longest login_hint that is shown: no address is longer.
const maxHint = 254

// demands reads what the request asks of the login: prompt, max_age, acr_values
// and login_hint (OpenID Connect Core §3.1.2.1, RFC 9470 §4). They count with or
// without the scope openid.
func (f *Flow) demands(get func(name string) string, now time.Time) error {
	asked := strings.Fields(get("prompt"))
	for _, value := range asked {
		if !slices.Contains(prompts, value) || value == "none" && len(asked) > 1 {
			return refuse("invalid_request").saying("The prompt must be none alone, or some of login, consent and select_account.")
		}
	}
	f.Silent = slices.Contains(asked, "none")
	f.AskAgain = slices.Contains(asked, "consent")
	if slices.Contains(asked, "login") || slices.Contains(asked, "select_account") {
		f.LoginAfter = now
	}
	if age := get("max_age"); age != "" {
		seconds, err := strconv.ParseUint(age, 10, 31)
		if err != nil {
			return refuse("invalid_request").saying("The max_age must be a number of seconds.")
		}
		if since := now.Add(-time.Duration(seconds) * time.Second); since.After(f.LoginAfter) {
			f.LoginAfter = since
		}
	}
	f.Classes = keep(strings.Fields(get("acr_values")), within(ACRs()))
	if hint := get("login_hint"); len(hint) <= maxHint && !strings.ContainsFunc(hint, unicode.IsControl) {
		f.LoginHint = hint
	}
	return nil
}

// Suits reports whether the person's login is as fresh as the client demands,
// and of a class that it prefers, if one of them can be had by a login here; and
// where nobody can be asked, whether they are who the client thinks. The time
// that counts is the session's, which no client has a hand in.
func (f *Flow) Suits(who Person) bool {
	if f.Subject != "" && f.Subject != who.ID {
		return false
	}
	return !who.AuthTime.Before(f.LoginAfter) && (len(f.Classes) == 0 || slices.Contains(f.Classes, ACR(who.AMR)))
}
