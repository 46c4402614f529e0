package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
)

// load runs a command line of `serve` as far as its configuration.
func load(t *testing.T, file string, args ...string) (*Config, error) {
	t.Helper()
	c := defaultConfig()
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.bind(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if file == "" {
		return c, loadConfig(c, fs, "")
	}
	path := filepath.Join(t.TempDir(), "pointgate.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return c, loadConfig(c, fs, path)
}

var sameConfig = cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()}

func TestTheExampleFileNamesEachSettingWithItsDefault(t *testing.T) {
	const example = "../../docs/pointgate.example.yaml"
	raw, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	got, err := load(t, string(raw))
	if err != nil {
		t.Fatal(err)
	}
	want, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameConfig); diff != "" {
		t.Error(diff)
	}
	for _, key := range keysOf(reflect.TypeFor[Config]()) {
		if !strings.Contains("\n"+string(raw), "\n"+key+":") {
			t.Errorf("%s has no line %s:", example, key)
		}
	}
}

func TestEachSettingIsFlagVariableKeyAndDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	defaultConfig().bind(fs)
	flags := map[string]bool{}
	fs.VisitAll(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		flags[key] = true
		row := "| `--" + f.Name + "` | `POINTGATE_" + strings.ToUpper(key) + "` | `" + key + "` | "
		if !strings.Contains(string(raw), "\n"+row) {
			t.Errorf("docs/configuration.md has no line that begins with %s", row)
		}
	})
	keys := map[string]bool{}
	for _, k := range keysOf(reflect.TypeFor[Config]()) {
		keys[k] = true
	}
	if diff := cmp.Diff(flags, keys); diff != "" {
		t.Errorf("flags and keys of the file differ:\n%s", diff)
	}
}

// keysOf lists the YAML keys of a struct, those of inlined structs too.
func keysOf(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		switch f := t.Field(i); f.Tag.Get("yaml") {
		case "":
		case ",inline":
			keys = append(keys, keysOf(f.Type)...)
		default:
			keys = append(keys, f.Tag.Get("yaml"))
		}
	}
	return keys
}

func TestAFlagBeatsTheEnvironmentWhichBeatsTheFile(t *testing.T) {
	const file = "listen: 127.0.0.1:1111\ntrusted_proxies: [10.1.0.0/16, 10.2.0.0/16]\nshutdown_timeout: 1s\ndemo: false\ndisk_reserve: 1\n"
	for name, tc := range map[string]struct {
		file string
		env  map[string]string
		args []string
		want func(*Config)
	}{
		"nothing":       {want: func(*Config) {}},
		"an empty file": {file: "# nothing yet\n", want: func(*Config) {}},
		"the file": {file: file, want: func(c *Config) {
			c.Listen, c.PublicURL = "127.0.0.1:1111", "http://127.0.0.1:1111"
			c.TrustedProxies, c.ShutdownTimeout, c.DiskReserve = []string{"10.1.0.0/16", "10.2.0.0/16"}, time.Second, 1
		}},
		"the environment over the file": {
			file: file,
			env:  map[string]string{"POINTGATE_LISTEN": "127.0.0.1:2222", "POINTGATE_TRUSTED_PROXIES": "10.3.0.0/16", "POINTGATE_SHUTDOWN_TIMEOUT": "2s"},
			want: func(c *Config) {
				c.Listen, c.PublicURL = "127.0.0.1:2222", "http://127.0.0.1:2222"
				c.TrustedProxies, c.ShutdownTimeout, c.DiskReserve = []string{"10.3.0.0/16"}, 2*time.Second, 1
			},
		},
		"flags over both": {
			file: file,
			env:  map[string]string{"POINTGATE_LISTEN": "127.0.0.1:2222", "POINTGATE_SHUTDOWN_TIMEOUT": "2s"},
			args: []string{"--listen=127.0.0.1:3333", "--trusted-proxies=10.4.0.0/16,10.5.0.0/16", "--disk-reserve=3"},
			want: func(c *Config) {
				c.Listen, c.PublicURL = "127.0.0.1:3333", "http://127.0.0.1:3333"
				c.TrustedProxies, c.ShutdownTimeout, c.DiskReserve = []string{"10.4.0.0/16", "10.5.0.0/16"}, 2*time.Second, 3
			},
		},
		"an empty variable empties a list": {
			file: file, env: map[string]string{"POINTGATE_TRUSTED_PROXIES": ""},
			want: func(c *Config) {
				c.Listen, c.PublicURL = "127.0.0.1:1111", "http://127.0.0.1:1111"
				c.TrustedProxies, c.ShutdownTimeout, c.DiskReserve = nil, time.Second, 1
			},
		},
		"a flag that says the default again beats the file": {
			file: "log_format: json\nlimits: \"off\"\n", args: []string{"--log-format=text", "--limits=on"},
			want: func(*Config) {},
		},
		"the data folder moves the secret": {
			args: []string{"--data=/srv/pg"},
			want: func(c *Config) { c.Data, c.SecretFile = "/srv/pg", "/srv/pg/secret.key" },
		},
		"a secret of its own stays": {
			args: []string{"--data=/srv/pg", "--secret-file=/etc/pg.key"},
			want: func(c *Config) { c.Data, c.SecretFile = "/srv/pg", "/etc/pg.key" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			want := defaultConfig()
			want.PublicURL, want.SecretFile = "http://127.0.0.1:8080", "data/secret.key"
			tc.want(want)
			got, err := load(t, tc.file, tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, sameConfig); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatCannotWorkOrIsNotSafeIsRefusedInOneLine(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		env  map[string]string
		args []string
		want string // a part of the line
	}{
		"unknown key":                       {file: "listne: 127.0.0.1:1\n", want: "listne"},
		"wrong type":                        {file: "disk_reserve: much\n", want: "DiskReserve"},
		"no YAML":                           {file: "listen: [\n", want: "pointgate.yaml"},
		"a key twice":                       {file: "limits: \"on\"\nlimits: \"off\"\n", want: "limits"},
		"a second document":                 {file: "limits: \"on\"\n---\ndemo: true\n", want: "one document"},
		"bad variable":                      {env: map[string]string{"POINTGATE_DEMO": "perhaps"}, want: "POINTGATE_DEMO"},
		"limits of another kind":            {args: []string{"--limits=half"}, want: "limits: want on or off"},
		"log format of another kind":        {args: []string{"--log-format=xml"}, want: "log-format: want text or json"},
		"an old TLS":                        {args: []string{"--tls-min=1.1"}, want: "tls-min: want 1.3 or 1.2"},
		"public URL with a path":            {args: []string{"--public-url=https://points.example/x"}, want: "public-url: want"},
		"public URL with a slash":           {args: []string{"--public-url=https://points.example/"}, want: "public-url: want"},
		"public URL with a query":           {args: []string{"--public-url=https://points.example?x=1"}, want: "public-url: want"},
		"public URL with a user":            {args: []string{"--public-url=https://a@points.example"}, want: "public-url: want"},
		"public URL without a host":         {args: []string{"--public-url=https://"}, want: "public-url: want"},
		"public URL of another scheme":      {args: []string{"--public-url=ftp://points.example"}, want: "public-url: want"},
		"certificates perhaps":              {args: []string{"--tls-client-certs=maybe"}, want: "tls-client-certs: want on or off"},
		"certificate without its key":       {args: []string{"--tls-cert=c.pem"}, want: "go together"},
		"key without its certificate":       {args: []string{"--tls-key=k.pem"}, want: "go together"},
		"a proxy that is no network":        {args: []string{"--trusted-proxies=10.0.0.1"}, want: `"10.0.0.1" is not a network`},
		"a network that is none":            {args: []string{"--egress-allow=10.0.0.1"}, want: `egress-allow: "10.0.0.1" is not a network`},
		"demo for everyone":                 {args: []string{"--demo", "--listen=0.0.0.0:8080"}, want: "loopback only"},
		"demo on all addresses":             {args: []string{"--demo", "--listen=:8080", "--public-url=http://localhost:8080"}, want: "loopback only"},
		"demo under a public name":          {args: []string{"--demo", "--public-url=https://points.example"}, want: "loopback only"},
		"demo behind a proxy":               {args: []string{"--demo", "--trusted-proxies=10.0.0.0/8"}, want: "trust no proxies"},
		"no limits for everyone":            {args: []string{"--limits=off", "--listen=192.0.2.1:80"}, want: "loopback only"},
		"no limits under a public name":     {args: []string{"--limits=off", "--public-url=https://points.example"}, want: "loopback only"},
		"no limits behind a proxy":          {args: []string{"--limits=off", "--trusted-proxies=127.0.0.0/8"}, want: "trust no proxies"},
		"a TLS proxy that nobody trusts":    {args: []string{"--behind-tls-proxy"}, want: "needs --trusted-proxies"},
		"authorities of no certificates":    {args: []string{"--client-ca=ca.pem"}, want: "--client-ca needs"},
		"a certificate that nobody may say": {args: []string{"--client-cert-header=Client-Cert"}, want: "needs --trusted-proxies"},
		"a header that is none":             {args: []string{"--client-cert-header=Client Cert:", "--trusted-proxies=10.0.0.0/8"}, want: "client-cert-header: want"},
		"plain HTTP for everyone":           {args: []string{"--listen=0.0.0.0:80", "--public-url=https://points.example"}, want: "needs --tls-cert"},
		"plain HTTP in the public URL":      {args: []string{"--listen=0.0.0.0:443", "--public-url=http://points.example", "--tls-cert=c", "--tls-key=k"}, want: "needs an https public-url"},
		"no public URL for everyone":        {args: []string{"--listen=0.0.0.0:443", "--tls-cert=c", "--tls-key=k"}, want: "needs a public-url"},
		"a name that only looks loopback":   {args: []string{"--demo", "--public-url=http://localhost.example"}, want: "loopback only"},
		"a number that only looks loopback": {args: []string{"--demo", "--listen=127.0.0.1.example:1"}, want: "loopback only"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			_, err := load(t, tc.file, tc.args...)
			var e *exit
			if !errors.As(err, &e) || e.code != exitUsage {
				t.Fatalf("error %v, want one with exit code %d", err, exitUsage)
			}
			if line := err.Error(); !strings.Contains(line, tc.want) || strings.Contains(line, "\n") {
				t.Errorf("it says %q, want one line with %q", line, tc.want)
			}
		})
	}
}

func TestAFileThatCannotBeReadIsRefused(t *testing.T) {
	c := defaultConfig()
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.bind(fs)
	err := loadConfig(c, fs, filepath.Join(t.TempDir(), "none.yaml"))
	var e *exit
	if !errors.As(err, &e) || e.code != exitUsage {
		t.Errorf("error %v, want one with exit code %d", err, exitUsage)
	}
}

func TestWhatIsSafeIsAccepted(t *testing.T) {
	for name, args := range map[string][]string{
		"loopback with nothing":                {},
		"IPv6 loopback":                        {"--listen=[::1]:8080"},
		"demo under a name of this machine":    {"--demo", "--public-url=http://demo.localhost:8080"},
		"no limits on this machine":            {"--limits=off"},
		"everyone, with TLS":                   {"--listen=0.0.0.0:443", "--public-url=https://points.example", "--tls-cert=c", "--tls-key=k"},
		"everyone, behind a proxy":             {"--listen=0.0.0.0:80", "--public-url=https://points.example", "--behind-tls-proxy", "--trusted-proxies=10.0.0.0/8"},
		"loopback behind a proxy on this host": {"--public-url=https://points.example", "--behind-tls-proxy", "--trusted-proxies=127.0.0.1/32"},
		"certificates that a proxy forwards":   {"--client-cert-header=X-SSL-Client-Cert", "--trusted-proxies=127.0.0.1/32"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(t, "", args...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAMisspeltVariableIsNamed(t *testing.T) {
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	defaultConfig().bind(fs)
	got := strayVariables(fs, []string{"POINTGATE_LISTEN=x", "POINTGATE_LISTN=x", "POINTGATE_TEST_POSTGRES=x", "POINTGATE_TOKEN=x", "PATH=x"})
	if diff := cmp.Diff([]string{"POINTGATE_LISTN"}, got); diff != "" {
		t.Error(diff)
	}
}
