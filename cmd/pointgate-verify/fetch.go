package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// How long what we read may be, in bytes.
const (
	mostCheckpoint = 1 << 18 // dozens of signatures, also of post-quantum keys
	mostProof      = 1 << 21 // an event of 1 MiB in base64, a path, a checkpoint
	mostTile       = 256 * 32
	mostBundle     = 256 * (2 + 32)
)

// source is where a log is read from. get returns at most limit bytes of a path
// of the log; fs.ErrNotExist says that the source answers, and has no such path.
type source interface {
	get(path string, limit int64) ([]byte, error)
}

// folder is a mirror. Nothing outside it is read or written, not even by links.
type folder struct{ root *os.Root }

func (f folder) get(path string, limit int64) ([]byte, error) {
	file, err := f.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, path, limit)
}

// put writes a whole file or none.
func (f folder) put(path string, data []byte) error {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		if err := f.root.MkdirAll(path[:i], 0o755); err != nil {
			return err
		}
	}
	if err := f.root.WriteFile(path+".part", data, 0o644); err != nil {
		return err
	}
	return f.root.Rename(path+".part", path)
}

func readAll(r io.Reader, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = found("%s is longer than %d bytes, which is more than there can be", name, limit)
	}
	return data, err
}

// site is a log on the network.
type site struct {
	base   string
	client *http.Client
	wait   func(time.Duration)
}

const mostTries = 5

// get asks again, for as long as the answer is that of a busy server.
func (s site) get(path string, limit int64) ([]byte, error) {
	for try := 1; ; try++ {
		data, again, err := s.once(s.base+path, limit)
		if err == nil || again == 0 || try == mostTries {
			return data, err
		}
		s.wait(min(again<<(try-1), time.Minute))
	}
}

// once also returns how long to wait before it is worth asking again: 0 if never.
func (s site) once(address string, limit int64) ([]byte, time.Duration, error) {
	answer, err := s.client.Get(address)
	if err != nil {
		return nil, time.Second, unreachable{err}
	}
	defer answer.Body.Close()
	switch code := answer.StatusCode; {
	case code == http.StatusOK:
		data, err := readAll(answer.Body, address, limit)
		if err != nil && asFinding(err) == nil {
			return nil, time.Second, unreachable{err}
		}
		return data, 0, err
	case code == http.StatusNotFound || code == http.StatusGone:
		return nil, 0, fmt.Errorf("%s: %w", address, fs.ErrNotExist)
	case code == http.StatusTooManyRequests || code >= 500:
		after, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return nil, time.Duration(max(1, min(after, 60))) * time.Second, unreachable{fmt.Errorf("%s: %s", address, answer.Status)}
	default:
		return nil, 0, unreachable{fmt.Errorf("%s: %s", address, answer.Status)}
	}
}

func isAddress(where string) bool {
	return strings.HasPrefix(where, "https://") || strings.HasPrefix(where, "http://")
}

// site refuses what others on the way could read or change: plain http, except on
// loopback, and being sent to another host.
func (a *app) site(base string) (site, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return site{}, fmt.Errorf("%q is no address of a log: https://host/path", base)
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost") || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !loopback {
		return site{}, fmt.Errorf("%q: only https, except on loopback", base)
	}
	stay := func(next *http.Request, before []*http.Request) error {
		if first := before[0].URL; len(before) > 3 || next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
			return fmt.Errorf("sent on to %s: not followed", next.URL.Redacted())
		}
		return nil
	}
	client := &http.Client{Transport: a.transport, Timeout: 30 * time.Second, CheckRedirect: stay}
	return site{base, client, a.wait}, nil
}

// source opens a log: a URL or a folder.
func (a *app) source(where string) (source, error) {
	if isAddress(where) {
		return a.site(strings.TrimSuffix(where, "/") + "/")
	}
	root, err := os.OpenRoot(where)
	return folder{root}, err
}

// read reads one FILE or URL.
func (a *app) read(where string, limit int64) ([]byte, error) {
	if !isAddress(where) {
		file, err := os.Open(where)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return readAll(file, where, limit)
	}
	s, err := a.site(where)
	if err != nil {
		return nil, err
	}
	data, err := s.get("", limit)
	if errors.Is(err, fs.ErrNotExist) {
		err = unreachable{err}
	}
	return data, err
}
