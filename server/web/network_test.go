package web

import "testing"

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1":             "192.0.2.1",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::/64",
		"2001:db8:1:2::1":       "2001:db8:1:2::/64",
		"2001:db8:1:3::1":       "2001:db8:1:3::/64",
		"fe80::1%eth0":          "fe80::/64",
		"::ffff:192.0.2.1":      "::ffff:192.0.2.1",
		"not an address at all": "not an address at all",
		"":                      "",
	} {
		if got := Network(ip); got != want {
			t.Errorf("%q: %q, want %q", ip, got, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for _, host := range []string{
		"localhost", "LocalHost", "localhost:8080", "demo.localhost", "other.localhost:8080",
		"127.0.0.1", "127.8.9.10", "127.0.0.1:0", "::1", "[::1]", "[::1]:8080", "::ffff:127.0.0.1",
	} {
		if !Loopback(host) {
			t.Errorf("%q is this machine", host)
		}
	}
	for _, host := range []string{
		"", ":8080", "0.0.0.0", "0.0.0.0:80", "[::]:80", "192.0.2.1", "localhost.example", "notlocalhost", "127.0.0.1.example", "127.1", "2130706433",
		"localhost.example:80", "::2", "localhost@192.0.2.1", "192.0.2.1:localhost",
	} {
		if Loopback(host) {
			t.Errorf("%q is another machine", host)
		}
	}
}
