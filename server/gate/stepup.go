package gate

import (
	"strconv"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/web"
)

// insufficient is the code of a denial that another login would cure, which is
// also the error of RFC 9470.
const insufficient = "insufficient_user_authentication"

// login is what RFC 9470 §3 adds to a challenge: what the login must be.
func login(p *web.Problem) string {
	s := `, error="` + insufficient + `", error_description="` + p.Title + `"`
	if p.ACRValues != "" {
		s += `, acr_values="` + p.ACRValues + `"`
	}
	if p.MaxAge != nil {
		s += `, max_age="` + strconv.FormatInt(*p.MaxAge, 10) + `"`
	}
	return s
}

// stepUp tells what login would do, if the policy says that one would.
func stepUp(d *policies.Decision, p *web.Problem) {
	need, _ := d.Obligations[policies.StepUp].(map[string]any)
	if age, ok := need["max_age"].(int64); ok && age >= 0 {
		p.MaxAge = &age
	}
	classes, _ := need["acr_values"].(string)
	p.ACRValues = parameter(classes)
}
