package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const connections = 64

// benchCase is one request that is sent over and over.
type benchCase struct {
	name     string
	server   server
	request  []byte   // a run of # in it is replaced by a number that never comes again
	requests [][]byte // in place of request, in turn
	rounds   []measurement
}

type measurement struct {
	perSecond float64
	p50, p99  time.Duration
	cpu       float64 // microseconds of the server for each request
	failed    int64   // answers that are not 2xx
}

const number = "####################"

func get(path, token string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n")
}

func post(path, token, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s", path, token, number, len(body), body)
}

var counter atomic.Int64

// measure loads the server for a while over all connections.
func (c *benchCase) measure(each time.Duration) (m measurement, err error) {
	before, err := cpuTime(c.server.pid)
	if err != nil {
		return m, err
	}
	took, failed, errs := make([][]time.Duration, connections), make([]int64, connections), make([]error, connections)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() { took[i], failed[i], errs[i] = c.connection(began.Add(each)) })
	}
	wg.Wait()
	elapsed := time.Since(began)
	after, err := cpuTime(c.server.pid)
	all := slices.Concat(took...)
	if err := errors.Join(append(errs, err)...); err != nil || len(all) == 0 {
		return m, errors.Join(err, errors.New("no answers"))
	}
	slices.Sort(all)
	for _, n := range failed {
		m.failed += n
	}
	n := len(all)
	m.perSecond, m.p50, m.p99 = float64(n)/elapsed.Seconds(), all[n/2], all[n*99/100]
	m.cpu = float64((after - before).Microseconds()) / float64(n)
	return m, nil
}

// connection sends one request after the other over one connection.
func (c *benchCase) connection(until time.Time) (took []time.Duration, failed int64, err error) {
	conn, err := net.Dial("tcp", c.server.address)
	if err != nil {
		return nil, 0, err
	}
	defer conn.Close()
	request, r := slices.Clone(c.request), bufio.NewReader(conn)
	place := bytes.Index(request, []byte(number))
	for time.Now().Before(until) {
		if len(c.requests) > 0 {
			request = c.requests[counter.Add(1)%int64(len(c.requests))]
		}
		if place >= 0 {
			copy(request[place:], fmt.Sprintf("%020d", counter.Add(1)))
		}
		began := time.Now()
		if _, err := conn.Write(request); err != nil {
			return took, failed, err
		}
		ok, err := readAnswer(r)
		if err != nil {
			return took, failed, err
		}
		took = append(took, time.Since(began))
		if !ok {
			failed++
		}
	}
	return took, failed, nil
}

var lengthHeader = []byte("content-length:")

// readAnswer reads one answer with a Content-Length, which all of ours have.
func readAnswer(r *bufio.Reader) (ok bool, err error) {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	ok = bytes.HasPrefix(status, []byte("HTTP/1.1 2"))
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if n := len(lengthHeader); len(line) > n && bytes.EqualFold(line[:n], lengthHeader) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[n:]))); err != nil {
				return false, err
			}
		}
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return ok, err
}
