package pages

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// The kinds of app that a person can register.
const (
	public       = "public"
	confidential = "confidential"
)

// appForm is the form of an app as it is filled in, and which app it is about.
type appForm struct {
	id     string // of the path; empty of a new one
	posted bool   // the fields were sent
	client *store.Client

	Name, Homepage, Redirects, Kind string
	Scopes                          []string
	Overlap                         int // hours; of a rotation
	Sure                            bool
}

// overlaps are how many hours an old secret may live beside a new one.
var overlaps = []int{0, 1, 24, 168}

const usualOverlap = 24

// parseApp reads the form of an app.
func (p *Pages) parseApp(r *web.Request, in *appForm) *web.Problem {
	p.parseAppID(r, in)
	f, fault := p.signedForm(r, "scope")
	slices.Sort(f["scope"])
	in.posted, in.Scopes = true, slices.Compact(f["scope"])
	in.Name, in.Homepage, in.Redirects = strings.TrimSpace(f.Get("name")), strings.TrimSpace(f.Get("homepage")), f.Get("redirect_uris")
	in.Kind = f.Get("kind")
	return fault
}

func (p *Pages) parseAppID(r *web.Request, in *appForm) *web.Problem {
	in.id = web.ID(r.Params["id"])
	return nil
}

// parseAppAct reads a form that says which app, and little more.
func (p *Pages) parseAppAct(r *web.Request, in *appForm) *web.Problem {
	p.parseAppID(r, in)
	f, fault := p.signedForm(r)
	in.Sure = f.Get("sure") != ""
	in.Overlap = -1
	if n, err := strconv.Atoi(f.Get("overlap")); err == nil && slices.Contains(overlaps, n) {
		in.Overlap = n
	}
	return fault
}

// describe makes of an app what the form says.
func (in *appForm) describe(c *store.Client) {
	c.Name, c.Homepage = in.Name, in.Homepage
	oauth2.Describe(c, lines(in.Redirects), in.Scopes)
}

// wrong is why no app can be made of the form, or nil.
func (in *appForm) wrong(t *store.Tenant, c *store.Client) *web.Problem {
	if !goodName(in.Name) || strings.ContainsFunc(in.Name, oauth2.Deceptive) {
		return web.NewProblem("validation_failed", wrongName)
	}
	if in.id == "" && in.Kind != public && in.Kind != confidential {
		return web.NewProblem("validation_failed", "Please choose where the app runs.")
	}
	faults := oauth2.CheckApp(t, c)
	if len(faults) == 0 {
		return nil
	}
	text := faults[0].Detail
	switch faults[0].Field {
	case "redirect_uris":
		text = "Please enter 1 to 20 redirect addresses, one on each line: https, http on this machine, or a scheme of an app that is allowed here; without # and *."
	case "homepage":
		text = "The homepage must begin with https://."
	}
	return web.NewProblem("validation_failed", text)
}

// view is the form with its choices.
func (in *appForm) view(t *store.Tenant) newAppView {
	v := newAppView{appForm: in, Schemes: t.AppSchemes}
	for _, s := range oauth2.AppScopes() {
		v.Choices = append(v.Choices, choice{s.Name, s.Text, slices.Contains(in.Scopes, s.Name)})
	}
	return v
}

type newAppView struct {
	*appForm
	Choices []choice
	Schemes []string
}
