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

	"github.com/pointgate/pointgate/store"
)

// Receiver is a receiver over HTTP.
type Receiver struct {
	URL       *url.URL // whole
	TokenFile string   // its first line is the bearer token; read for each request, so that it may change. Optional.
	Agent     string   // User-Agent
	HTTP      *http.Client
}

// NewReceiver checks an address: https, or http on this machine, whose host then
// sees the whole log. The certificate is always checked.
func NewReceiver(address, tokenFile, agent string) (*Receiver, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("want https://host/path")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !onThisMachine(u.Hostname())) {
		return nil, errors.New("want https: whoever is on the way could read and change the records")
	}
	r := &Receiver{URL: u, TokenFile: tokenFile, Agent: agent, HTTP: &http.Client{
		Timeout: 30 * time.Second,
		// A redirect would take the records and the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	_, err = r.token()
	return r, err
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
		return nil, err
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

// onThisMachine reports whether a host is this machine by its name or address.
func onThisMachine(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
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
	r, err := NewReceiver(strings.TrimSuffix(base, "/")+"/logs", tokenFile, agent)
	if err == nil && r.URL.RawQuery != "" {
		err = errors.New("want no query")
	}
	return &DecisionLogs{r}, err
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
