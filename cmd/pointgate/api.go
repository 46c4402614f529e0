package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/server/web"
)

// api is the admin API of a server, as one member of staff sees it.
type api struct {
	url   string
	token string
	http  *http.Client
}

const (
	apiTimeout = 30 * time.Second
	maxReply   = 32 << 20
)

// bindAPI makes the flags of commands that talk to a server. The returned
// function is called once they are parsed.
func bindAPI(cmd *cobra.Command) func() (*api, error) {
	a := &api{}
	flags := pflag.NewFlagSet("api", pflag.ContinueOnError)
	flags.StringVar(&a.url, "url", "http://127.0.0.1:8080", "the server (POINTGATE_URL)")
	flags.StringVar(&a.token, "token", "", "bearer token of a member of staff (better: POINTGATE_TOKEN, which other users of this machine don't see)")
	cmd.PersistentFlags().AddFlagSet(flags)
	return func() (*api, error) {
		if err := fromEnvironment(flags); err != nil {
			return nil, err
		}
		return a, a.check()
	}
}

// check refuses to send a token where others could read it on its way.
func (a *api) check() error {
	u, err := url.Parse(a.url)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return usage("url: want https://host")
	}
	if u.Scheme == "http" && !web.Loopback(u.Host) {
		return usage("url: want https for a server that is not on this machine")
	}
	if a.token == "" {
		return usage("a token is needed: --token or POINTGATE_TOKEN")
	}
	a.url = strings.TrimSuffix(a.url, "/")
	a.http = &http.Client{
		Timeout: apiTimeout,
		// A redirect would take the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// reply is an answer of success.
type reply struct {
	body     json.RawMessage
	decision string // the id of the decision that allowed it
}

// call makes one request of the admin API. Every error ends the program with
// exitRefused.
func (a *api) call(ctx context.Context, method, path string, query url.Values, body any) (*reply, error) {
	req, err := a.request(ctx, method, path, query, body)
	if err != nil {
		return nil, refused("%v", err)
	}
	res, err := a.http.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err
		}
		return nil, refused("%s can't be reached: %w", a.url, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return nil, refused("the answer of %s broke off: %w", a.url, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, problem(res.StatusCode, raw)
	}
	return &reply{body: raw, decision: res.Header.Get("X-Decision-Id")}, nil
}

func (a *api) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(raw)
	}
	target := a.url + "/admin/api" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// problem makes an error of a problem document (RFC 9457): what is wrong, the
// code, and the ids with which an operator finds the record.
func problem(status int, raw []byte) error {
	var p struct {
		Title, Detail, Code string
		Request             string `json:"request_id"`
		Decision            string `json:"decision_id"`
		Errors              []struct{ Field, Detail string }
	}
	if json.Unmarshal(raw, &p) != nil || p.Code == "" {
		return refused("the server answered with status %d, not as Pointgate does", status)
	}
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if len(p.Errors) > 0 {
		var each []string
		for _, e := range p.Errors {
			each = append(each, e.Field+": "+e.Detail)
		}
		text = strings.Join(each, " ")
	}
	ids := []string{p.Code}
	if p.Request != "" {
		ids = append(ids, "request "+p.Request)
	}
	if p.Decision != "" {
		ids = append(ids, "decision "+p.Decision)
	}
	return refused("%s (%s)", text, strings.Join(ids, ", "))
}

// page is a list of the API.
type page struct {
	Data []json.RawMessage `json:"data"`
	Next *string           `json:"next_cursor"`
}

const pageSize = 200 // the most that the API gives at once

// list reads at most limit rows over as many pages as that takes; 0 means all.
func (a *api) list(ctx context.Context, path string, query url.Values, limit int) (*page, error) {
	all := &page{Data: []json.RawMessage{}}
	for {
		size := pageSize
		if limit > 0 {
			size = min(size, limit-len(all.Data))
		}
		query.Set("limit", fmt.Sprint(size))
		r, err := a.call(ctx, http.MethodGet, path, query, nil)
		if err != nil {
			return nil, err
		}
		var p page
		if err := json.Unmarshal(r.body, &p); err != nil {
			return nil, refused("the server's list can't be read: %w", err)
		}
		all.Data, all.Next = append(all.Data, p.Data...), p.Next
		if p.Next == nil || (limit > 0 && len(all.Data) >= limit) {
			return all, nil
		}
		query.Set("cursor", *p.Next)
	}
}
