package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Receiver is a receiver over HTTP.
type Receiver struct {
	URL       *url.URL // whole
	TokenFile string   // its first line is the bearer token; read for each request, so that it may change. Optional.
	Agent     string   // User-Agent
	HTTP      *http.Client
}

const receiveTimeout = 30 * time.Second

// TokenError is a TokenFile that there is no token in.
type TokenError struct{ Err error }

func (e *TokenError) Error() string { return e.Err.Error() }
func (e *TokenError) Unwrap() error { return e.Err }

// NewReceiver checks an address: https, or http on this machine, whose host then
// sees the whole log. The certificate is always checked. An error is of the
// address, or a *[TokenError].
func NewReceiver(address, tokenFile, agent string) (*Receiver, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("want https://host/path")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !web.Loopback(u.Hostname())) {
		return nil, errors.New("want https: whoever is on the way could read and change the records")
	}
	r := &Receiver{URL: u, TokenFile: tokenFile, Agent: agent, HTTP: newClient(receiveTimeout)}
	if _, err := r.token(); err != nil {
		return nil, &TokenError{err}
	}
	return r, nil
}

func (r *Receiver) token() (string, error) {
	if r.TokenFile == "" {
		return "", nil
	}
	raw, err := os.ReadFile(r.TokenFile)
	if err != nil {
		return "", err
	}
	token, _, _ := strings.Cut(string(raw), "\n")
	if token = strings.TrimSpace(token); token == "" || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", fmt.Errorf("the first line of %s is no bearer token", r.TokenFile)
	}
	return token, nil
}

const mostReply = 64 << 10 // what is read of a receiver's answer

// post sends a compressed body and returns the answer's, if it is a yes.
func (r *Receiver) post(ctx context.Context, kind string, body []byte) ([]byte, error) {
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", r.Agent)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := r.HTTP.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, mostReply))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, refusal(res)
	}
	return reply, err
}

// refusal sorts what is not a yes. Credentials and addresses that are wrong
// (401, 403, 404, 405) are wrong for every record: fewer at once would not help.
func refusal(res *http.Response) *Refusal {
	r := &Refusal{Status: res.StatusCode, After: retryAfter(res.Header.Get("Retry-After"), time.Now())}
	switch res.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		r.TooMuch = true
	}
	return r
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3); 0 if it is neither.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		return time.Duration(max(n, 0)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}

func gzipped(write func(w io.Writer)) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	write(w)
	_ = w.Close() // into memory: can't fail
	return b.Bytes()
}

// DecisionLogs is a log service of the Open Policy Agent: it takes what OPA's
// own plugin sends, a gzipped JSON array of events.
type DecisionLogs struct{ *Receiver }

// NewDecisionLogs is one at a base address, below which /logs takes the events.
func NewDecisionLogs(base, tokenFile, agent string) (*DecisionLogs, error) {
	base = strings.TrimSuffix(base, "/")
	if strings.HasSuffix(base, "/logs") {
		return nil, errors.New("want the address without /logs at its end, which is put there")
	}
	r, err := NewReceiver(base+"/logs", tokenFile, agent)
	if err != nil {
		return nil, err
	}
	if r.URL.RawQuery != "" {
		return nil, errors.New("want no query")
	}
	return &DecisionLogs{r}, nil
}

// Name implements [Sink].
func (*DecisionLogs) Name() string { return "opa" }

// Send implements [Sink].
func (s *DecisionLogs) Send(ctx context.Context, records []store.Record) error {
	_, err := s.post(ctx, "application/json", gzipped(func(w io.Writer) {
		before := "["
		for i := range records {
			_, _ = io.WriteString(w, before)
			_, _ = w.Write(records[i].Event())
			before = ","
		}
		_, _ = io.WriteString(w, "]")
	}))
	return err
}
