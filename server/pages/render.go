package pages

import (
	"bytes"
	"embed"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

//go:embed templates
var templateFiles embed.FS

var templates = parse("login", "logout", "consent", "device", "device_consent", "home", "account", "apps", "sessions", "tokens", "new_token", "developer", "developer_new", "developer_app", "setup", "error")

func parse(names ...string) map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"asset": assetPath, "date": date, "day": day, "clock": clock, "stamp": stamp,
	}).ParseFS(templateFiles, "templates/layout.html", "templates/developer_fields.html"))
	out := map[string]*template.Template{}
	for _, n := range names {
		t := template.Must(layout.Clone())
		out[n] = template.Must(t.ParseFS(templateFiles, "templates/"+n+".html"))
	}
	return out
}

func date(t store.Time) string  { return t.Format("2 January 2006, 15:04 UTC") }
func day(t store.Time) string   { return t.Format("2 January 2006") }
func clock(t store.Time) string { return t.Format("15:04 UTC") }
func stamp(t store.Time) string { return t.Format(time.RFC3339) }

// view is what the layout shows, and in Page what the page itself does.
type view struct {
	Title  string
	Tenant string
	Here   string // the path, to mark it in the navigation
	Person string // the signed-in person's address; empty: nobody, and no navigation
	Staff  bool   // the person is a member of staff
	Builds bool   // the person may register apps
	CSRF   string
	Alert  string // what went wrong, read out at once by screen readers
	Notice string // what went well
	Page   any

	formTo string // where a form of this page may lead besides this server
}

// page renders one. Its answer is complete before anything of it leaves.
func page(status int, name string, v view) *web.Answer {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "layout", v); err != nil {
		return web.NewProblem("internal", "").Because(err).Answer(nil)
	}
	return &web.Answer{
		Status: status, Type: fiber.MIMETextHTMLCharsetUTF8, Body: b.Bytes(), Code: "ok",
		Header: map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'" + v.formTo,
			"Cache-Control":           "no-store",
			"Referrer-Policy":         "no-referrer",
			"X-Frame-Options":         "DENY",
			"X-Content-Type-Options":  "nosniff",
		},
	}
}

// base is the view of a request that no one needs to be signed in for.
func base(c *fiber.Ctx, title string) view {
	v := view{Title: title, Tenant: "Pointgate"}
	if t := web.TenantOf(c); t != nil {
		v.Tenant = t.Name
	}
	return v
}

// see sends the browser to a place with a GET.
func see(location, code string) *web.Answer {
	return &web.Answer{Status: fiber.StatusSeeOther, Type: fiber.MIMETextHTMLCharsetUTF8, Code: code, Header: map[string]string{"Location": location}}
}

var (
	sourceHost   = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`)
	sourceScheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)
)

// formTarget is the source expression for the origin of a redirect URI, with a
// space in front, or nothing. Browsers hold form-action against every redirect
// that follows a form, so without it they would stop in front of the client.
func formTarget(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || !sourceScheme.MatchString(u.Scheme) {
		return ""
	}
	if (u.Scheme == "http" || u.Scheme == "https") && sourceHost.MatchString(u.Host) {
		return " " + u.Scheme + "://" + u.Host
	}
	return " " + u.Scheme + ":" // of an app; or an IPv6 literal, which has no source expression
}

// maxReturn is the longest place to go after signing in: an authorization
// request, sealed.
const maxReturn = 12 << 10

// localPath is where to go after signing in: a path on this server, never
// another place that someone put into a link.
func localPath(s string) string {
	const otherwise = "/account"
	if len(s) > maxReturn || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.HasPrefix(s, "/\\") ||
		strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return otherwise
	}
	if u, err := url.Parse(s); err != nil || u.Host != "" || u.Scheme != "" {
		return otherwise
	}
	return s
}
