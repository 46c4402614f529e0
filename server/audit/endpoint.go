package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// endpointPlace is a URL that takes the newest checkpoint by PUT, or by POST if
// it takes no PUT, and may give it back by GET.
func endpointPlace(target string, client *http.Client) *place {
	e := &endpoint{url: target, client: client}
	return &place{
		kind: "endpoint", name: nameOf(target), anything: true, wake: make(chan struct{}, 1),
		put:  e.put,
		read: e.read,
	}
}

type endpoint struct {
	url    string
	client *http.Client
	posts  atomic.Bool
}

func (e *endpoint) put(ctx context.Context, c *Published) error {
	status, err := e.send(ctx, c)
	if err == nil && !e.posts.Load() && (status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented) {
		e.posts.Store(true)
		status, err = e.send(ctx, c)
	}
	if err == nil && (status < 200 || status > 299) {
		err = fmt.Errorf("it answered with status %d", status)
	}
	return err
}

func (e *endpoint) send(ctx context.Context, c *Published) (int, error) {
	method := http.MethodPut
	if e.posts.Load() {
		method = http.MethodPost
	}
	status, _, err := exchange(ctx, e.client, method, e.url, c.Note)
	return status, err
}

// read takes every answer but 200 for a no: many endpoints only take.
func (e *endpoint) read(ctx context.Context) ([]byte, error) {
	status, body, err := exchange(ctx, e.client, http.MethodGet, e.url, nil)
	if err != nil || status != http.StatusOK {
		return nil, err
	}
	return body, nil
}

// newClient follows no redirect: what is for one address, the records and their
// token among it, is not for another to get or to answer. A timeout of 0 leaves
// it to the context.
func newClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// exchange sends a checkpoint, or nothing, and reads the answer.
func exchange(ctx context.Context, client *http.Client, method, target string, content []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(content))
	if err != nil {
		return 0, nil, err
	}
	if content != nil {
		req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, withoutURL(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxNote))
	return res.StatusCode, body, err
}

// withoutURL is the cause of an error, without the URL, which may hold a secret.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// nameOf is a URL without its user and query, which are often secrets.
func nameOf(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Scheme+"://"+u.Host+u.EscapedPath(), "/")
}
