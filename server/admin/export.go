package admin

import (
	"context"
	"io"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Export headers. Who reads an export can tell from them whether it is whole.
const (
	logSizeHeader    = "X-Log-Size"    // of the log when the export began, which goes no further
	exportLastHeader = "X-Export-Last" // the index of the last line; absent where there is no line
)

// export is what one request wants to have.
type export struct {
	from, to int64 // indexes; to is exclusive
	filter   store.DecisionFilter
	narrowed bool // by more than indexes
	whole    bool // every index, also those of other tenants
}

// narrowing are the parameters of a list that an export takes, too.
var narrowing = []string{
	"from", "to", "subject", "client", "action", "resource", "related", "grant", "rule", "allow", "code", "request_id", "q",
}

// Export is GET /admin/api/decisions/export (decision.export): the records of
// the tenant, one JSON event on each line, oldest first. It takes the memory of
// a few hundred records, whatever it sends. With whole=true every index of the
// log is there, so that the tree can be computed; of another tenant's record
// only its place.
func (a *Admin) Export() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[export]{
		Action: "decision.export", Parse: a.parseExport,
		Facts: func(context.Context, store.Reader, *gate.Call, *export) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: "decision"}, nil, nil
		},
		Read: a.export,
	})
}

func (a *Admin) parseExport(r *web.Request, x *export) *web.Problem {
	f, p := web.ParseQuery(r.RawQuery)
	if p != nil {
		return p
	}
	x.from, _ = f.Int("from_index", 0, 1<<62)
	x.to = 1 << 62
	if to, ok := f.Int("to_index", 0, 1<<62); ok {
		x.to = to
	}
	x.whole, _ = f.Bool("whole")
	x.filter = a.decisionFilter(f)
	x.filter.Tenant = r.Tenant.ID
	if f.Has("after") {
		f.Wrong("after", "invalid", "An export begins at from_index.")
	}
	for _, name := range narrowing {
		if x.narrowed = x.narrowed || f.Has(name); x.whole && f.Has(name) {
			f.Wrong(name, "invalid", "A whole export leaves nothing out; from_index and to_index bound it.")
		}
	}
	return f.Problem()
}

func (a *Admin) export(ctx context.Context, _ store.Reader, _ *gate.Call, x *export) (*web.Answer, error) {
	size, err := a.Store.LogSize(ctx)
	if err != nil {
		return nil, err
	}
	x.to = min(x.to, size)
	head := map[string]string{logSizeHeader: strconv.FormatInt(size, 10)}
	last, err := a.lastOf(ctx, x)
	if err != nil {
		return nil, err
	}
	if last >= x.from {
		x.to = last + 1
		head[exportLastHeader] = strconv.FormatInt(last, 10)
	} else {
		x.to = x.from
	}
	return &web.Answer{
		Status: fiber.StatusOK, Type: "application/x-ndjson", Code: "ok", Header: head,
		// Not ctx: it ends with the handler, and the stream goes on after that.
		Stream: &exportStream{ctx: context.WithoutCancel(ctx), db: a.Store, export: x, at: x.from},
	}, nil
}

// lastOf is the index of the last record of the export; -1 if there is none.
func (a *Admin) lastOf(ctx context.Context, x *export) (int64, error) {
	if x.whole || x.to <= x.from {
		return x.to - 1, nil
	}
	f := x.filter
	f.Before, f.Limit = x.to, 1
	records, err := a.Store.Decisions(ctx, f)
	if err != nil || len(records) == 0 {
		return -1, err
	}
	return records[0].Index, nil
}

// exportStream reads the log as far as it is asked for. Its error breaks the
// connection, so that nobody takes a part for the whole.
type exportStream struct {
	ctx context.Context
	db  *store.DB
	*export
	at   int64  // the next index to look at
	rest []byte // lines that have not been read yet
}

const (
	exportStep = 512 // indexes that are read at once
	exportPage = 200 // records that are found at once
)

// Read implements [io.Reader].
func (s *exportStream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.at >= s.to {
			return 0, io.EOF
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *exportStream) fill() error {
	s.rest = nil
	if s.narrowed {
		return s.find()
	}
	to := min(s.at+exportStep, s.to)
	err := s.db.Records(s.ctx, s.at, to, func(r *store.Record) error {
		switch {
		case r.Tenant == s.filter.Tenant:
			s.line(r.Event())
		case s.whole:
			s.line(r.Withheld())
		}
		s.at = r.Index + 1
		return nil
	})
	if err == nil && s.at < to {
		err = io.ErrUnexpectedEOF // the log was longer when the export began
	}
	return err
}

// find takes the records that the filter finds from here on.
func (s *exportStream) find() error {
	f := s.filter
	f.Tail, f.After, f.Before, f.Limit = true, s.at-1, s.to, exportPage
	records, err := s.db.Decisions(s.ctx, f)
	if err != nil {
		return err
	}
	for i := range records {
		s.line(records[i].Event())
		s.at = records[i].Index + 1
	}
	if len(records) < exportPage {
		s.at = s.to
	}
	return nil
}

func (s *exportStream) line(event []byte) { s.rest = append(append(s.rest, event...), '\n') }
