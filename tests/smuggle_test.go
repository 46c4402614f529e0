package tests

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/tests/harness"
)

// TestSmuggling sends what no HTTP client sends, over a bare connection: two
// readers that understand a request differently are how one is hidden in
// another. Each must be refused as it stands, and nothing that follows it on the
// connection may be answered as a request of its own.
func TestSmuggling(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	const hidden = "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: localhost\r\n\r\n"
	head := func(extra ...string) string {
		return "POST /api/points/redeem HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + strings.Join(extra, "\r\n") + "\r\n\r\n"
	}
	for name, test := range map[string]struct {
		raw  string
		want []int
	}{
		"both lengths":                {head("Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n" + hidden, []int{400}},
		"both lengths, turned round":  {head("Transfer-Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n" + hidden, []int{400}},
		"two lengths":                 {head("Content-Length: 0", "Content-Length: 70") + hidden, []int{400}},
		"two equal lengths":           {head("Content-Length: 2", "Content-Length: 2") + "{}", []int{400}},
		"a list of lengths":           {head("Content-Length: 2, 2") + "{}", []int{400}},
		"a signed length":             {head("Content-Length: +2") + "{}", []int{400}},
		"a negative length":           {head("Content-Length: -2") + "{}", []int{400}},
		"a length in hexadecimal":     {head("Content-Length: 0x2") + "{}", []int{400}},
		"an unknown coding":           {head("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n" + hidden, []int{400, 501}},
		"an obscured coding":          {head("Transfer-Encoding: xchunked") + "0\r\n\r\n" + hidden, []int{400, 501}},
		"the coding identity":         {head("Transfer-Encoding: identity") + hidden, []int{400, 501}},
		"a header in a trailer":       {head("Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\nX-API-Key: pgk_x\r\n\r\n" + hidden, []int{400}},
		"an announced trailer":        {head("Transfer-Encoding: chunked", "Trailer: Idempotency-Key") + "2\r\n{}\r\n0\r\nIdempotency-Key: trailing-key\r\n\r\n" + hidden, []int{400}},
		"a space in front of a colon": {head("Content-Length : 2") + "{}", []int{400}},
		"a chunk size that is none":   {head("Transfer-Encoding: chunked") + "zz\r\n{}\r\n0\r\n\r\n", []int{400}},
		"a signed chunk size":         {head("Transfer-Encoding: chunked") + "+2\r\n{}\r\n0\r\n\r\n", []int{400}},
		"a chunk size that overflows": {head("Transfer-Encoding: chunked") + "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", []int{400, 413}},
		"a chunk without its end":     {head("Transfer-Encoding: chunked") + "2\r\n{}XX0\r\n\r\n", []int{400}},
		"a folded header":             {head("X-Folded: a", " b", "Content-Length: 2") + "{}", []int{400}},
		"a folded first header":       {"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", []int{400}},
		"a bare line feed in a name":  {head("X-A: b\nContent-Length: 70", "Content-Length: 0") + hidden, []int{400}},
		"a header without a name":     {"GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n", []int{400}},
		"a NUL in a header":           {"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n", []int{400}},
		"no host":                     {"GET /api/points HTTP/1.1\r\n\r\n", []int{400}},
		"two hosts":                   {"GET /api/points HTTP/1.1\r\nHost: localhost\r\nHost: other.localhost\r\n\r\n", []int{400}},
		"a host in the target too":    {"GET http://other.localhost/api/points HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{400}},
		"garbage":                     {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}},
		"no version":                  {"GET /\r\nHost: localhost\r\n\r\n", []int{400}},
		"another version":             {"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", []int{400, 505}},
		"an unknown method":           {"BREW /api/points HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{405}},
		"a method of lower case":      {"get /api/points HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{400, 405}},
		"two authorizations":          {"GET /api/points HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", []int{400}},
		"two idempotency keys":        {head("Idempotency-Key: 12345678", "Idempotency-Key: 87654321", "Content-Length: 2") + "{}", []int{400}},
		"a token in the query":        {"GET /api/points?access_token=pga_x HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{400}},
		"a head over 16 KiB":          {"GET /api/points HTTP/1.1\r\nHost: localhost\r\nX-Long: " + strings.Repeat("a", 17<<10) + "\r\n\r\n", []int{400, 413, 431}},
		"a body over 64 KiB":          {head(fmt.Sprintf("Content-Length: %d", 64<<10+1)) + strings.Repeat(" ", 64<<10+1), []int{413}},
		"a body over 64 KiB, chunked": {head("Transfer-Encoding: chunked") + "10001\r\n" + strings.Repeat(" ", 64<<10+1) + "\r\n0\r\n\r\n", []int{413}},
		"a body over a mebibyte":      {head(fmt.Sprintf("Content-Length: %d", 1<<20+1)) + strings.Repeat(" ", 1<<20+1), []int{413}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := converse(t, s.Address(), test.raw)
			if len(answers) != 1 {
				t.Fatalf("want one answer, got %d", len(answers))
			}
			refused(t, answers[0], test.want)
		})
	}
}

func refused(t *testing.T, a *http.Response, want []int) {
	t.Helper()
	good := false
	for _, status := range want {
		good = good || a.StatusCode == status
	}
	if !good {
		t.Errorf("want %v, got %d", want, a.StatusCode)
	}
	if a.Header.Get("X-Request-Id") == "" {
		t.Errorf("no X-Request-Id: %v", a.Header)
	}
	if got := a.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/problem+json") {
		t.Errorf("Content-Type %q", got)
	}
	if a.Header.Get("X-Decision-Id") != "" {
		t.Error("it came to the gate")
	}
}

// converse sends bytes and reads all answers until the server closes or has
// nothing more to say.
func converse(t *testing.T, address, raw string) []*http.Response {
	t.Helper()
	conn := must(net.Dial("tcp", address))(t)
	defer conn.Close()
	const patience = 3 * time.Second // for what should not come
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, writeErr := io.WriteString(conn, raw) // may fail: the server answers before it has read all
	var answers []*http.Response
	r := bufio.NewReader(conn)
	for {
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			if len(answers) == 0 {
				t.Logf("no answer: write: %v, read: %v", writeErr, err)
			}
			return answers
		}
		if _, err := io.Copy(io.Discard, a.Body); err != nil {
			t.Errorf("a body cut short: %v", err)
		}
		answers = append(answers, a)
	}
}
