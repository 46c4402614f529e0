package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/alerts"
	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/edge"
	"github.com/pointgate/pointgate/server/egress"
	"github.com/pointgate/pointgate/server/mail"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Config is what a server is made of. All fields but those marked optional are
// needed.
type Config struct {
	Store     *store.DB
	Policy    *policies.Engine
	OAuth     *oauth2.Provider
	Log       *slog.Logger
	Now       func() time.Time
	Labels    map[string]string // of this process, in every record
	Home      string            // the first tenant
	CursorKey []byte
	CSRFKey   []byte
	Limits    bool           // rate limits and throttling of logins
	Trusted   []netip.Prefix // optional: proxies whose forwarding headers are believed
	// CertificateHeader is where those proxies put a client's certificate. Optional.
	CertificateHeader string
	Begin             func(e *web.Event)                     // optional: called for each request before its credentials are looked at
	Done              func(e *web.Event, took time.Duration) // optional: called for each request, for metrics
	Traces            Traces                                 // optional: which requests have spans
	// Decided is optional: called for each decision whose record is durable.
	Decided   func(r *store.Record, evaluated time.Duration)
	Trail     *audit.Config              // optional: how the audit trail is published; what this Config has too is filled in
	Sinks     []audit.Sink               // optional: receivers that the log is pushed to
	Retention time.Duration              // optional: how long a record has its content; 0: for ever
	Mail      mail.Transport             // optional: sends what is in the outbox; nil: it stays there
	Cleaned   func(rows string, n int64) // optional: called for each step that removed expired rows, for metrics
	Mailed    func(result string)        // optional: called for each attempt to send, for metrics; see mail.Outbox
	LoggedOut func(result string)        // optional: called for each attempt to tell a client of a logout; see oauth.Logouts
	// AlertMailTo are the addresses that are told of new alerts. Optional.
	AlertMailTo []string
	// Alerts is told what happens with alerts, for metrics. Optional.
	Alerts   alerts.Observer
	Settings string // optional: digest of the configuration without its secrets, for the record of the start
	// Egress is how addresses that others chose are called.
	Egress egress.Config
}

// Traces say which requests have spans; see [edge.Traces].
type Traces struct {
	Tracer  trace.Tracer // nil: none
	Ratio   float64
	Random  func() float64
	Trusted []netip.Prefix
}

// Server is the assembled program behind one listener.
type Server struct {
	rooms *rooms
	app   *fiber.App
	http  *fasthttp.Server
	log   *slog.Logger
	life  *lifetime
	stop  context.CancelFunc
	loops sync.WaitGroup
}

// New assembles a server; nothing runs yet.
func New(c Config) (*Server, error) {
	r, err := newRooms(&c)
	if err != nil {
		return nil, err
	}
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, StrictRouting: true, CaseSensitive: true,
		// Fiber's own error handler is never reached: edge.Events handles them.
		ErrorHandler: func(_ *fiber.Ctx, err error) error { return err },
	})
	r.pipeline(app)
	r.routes(app)
	s := &Server{rooms: r, app: app, log: c.Log, life: newLifetime(&c)}
	s.http = &fasthttp.Server{
		Handler: r.knownMethods(app.Handler()), ErrorHandler: r.unreadable,
		NoDefaultServerHeader: true, NoDefaultContentType: true,
		ReadBufferSize: 16 << 10, MaxRequestBodySize: edge.MaxBody, Concurrency: maxConnections,

		ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 75 * time.Second,
		Logger: quiet{},
	}
	return s, nil
}

// Start records that the server starts, and begins the loops that run beside the
// listener. It is called once, before Serve and Shutdown. An error means that
// the log takes no record, so there is nothing to serve: no loop runs.
func (s *Server) Start() error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	// The clock of this process has to be proven by what others have recorded.
	anchoring, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.rooms.follow.Retainer.Anchor(anchoring); err != nil {
		return fmt.Errorf("the log can't be read: %w", err)
	}
	if err := s.life.begin(); err != nil {
		return fmt.Errorf("the start can't be recorded: %w", err)
	}
	for _, loop := range s.rooms.loops() {
		s.loops.Go(func() { loop(ctx) })
	}
	return nil
}

// OpenKeys opens the keys that sign tokens, before Start; see
// [oauth2.Provider.OpenKeys].
func (s *Server) OpenKeys(ctx context.Context, replace bool) error {
	return s.rooms.oauth.Provider.OpenKeys(ctx, replace)
}

// Serve answers on ln until [Server.Shutdown].
func (s *Server) Serve(ln net.Listener) error { return s.http.Serve(ln) }

// Shutdown stops accepting, lets the requests in flight finish, ends the loops
// and records that the server stopped; when ctx ends it waits for nobody any
// more, and there is no such record. The store is still open afterwards.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.ShutdownWithContext(ctx)
	s.stop()
	ended := make(chan struct{})
	go func() { s.loops.Wait(); close(ended) }()
	select {
	case <-ended:
		return errors.Join(err, s.life.end(ctx))
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
}

// maxConnections bounds memory: each may hold a head and a body of the largest
// size before anything has looked at it.
const maxConnections = 8192

// CheckpointAge is the time since the newest checkpoint was signed; an error
// while there is none. It is for metrics.
func (s *Server) CheckpointAge(context.Context) (time.Duration, error) {
	c := s.rooms.trail.Newest()
	if c == nil {
		return 0, errors.New("there is no checkpoint")
	}
	return s.rooms.now().Sub(c.At), nil
}

// App is the Fiber application, for tests that walk its routes.
func (s *Server) App() *fiber.App { return s.app }

// Followers are what goes through the log, for metrics.
func (s *Server) Followers() *Followers { return s.rooms.follow }

// Trail is the publisher of the audit trail, for metrics; nil if there is none.
func (s *Server) Trail() *audit.Publisher { return s.rooms.trail }

// quiet drops fasthttp's own log: connection errors that any stranger can cause.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
