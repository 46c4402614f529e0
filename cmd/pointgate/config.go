package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/server/web"
)

// Config is the reference for the configuration of `pointgate serve`. Each
// field is a flag (--public-url), an environment variable (POINTGATE_PUBLIC_URL)
// and a key of the file (public_url); a flag beats the environment, which beats
// the file. The zero file is useful: it serves on loopback out of ./data.
type Config struct {
	// Listen is the address of the public listener. One that is not loopback
	// needs TLS here or --behind-tls-proxy. Default 127.0.0.1:8080.
	Listen string `yaml:"listen"`
	// OpsListen is the address of /metrics, /healthz, /readyz and pprof. It has
	// no authentication: keep it on loopback or a private network.
	// Default 127.0.0.1:9464.
	OpsListen string `yaml:"ops_listen"`

	StoreConfig  `yaml:",inline"`
	TrailConfig  `yaml:",inline"`
	ExportConfig `yaml:",inline"`

	// PublicURL is the issuer of the installation's first tenant: the base of
	// all its URLs, as browsers and clients see it, without a trailing slash.
	// Default http:// and the listen address.
	PublicURL string `yaml:"public_url"`
	// PolicyDir holds the policy in place of the built-in one, in the layout of
	// policies/rego. It is read at the start.
	PolicyDir string `yaml:"policy_dir"`
	// Limits is "on", or "off" for load tests: no rate limits, no throttling of
	// logins. Off refuses a listener that is not loopback.
	Limits string `yaml:"limits"`
	// Demo fills an empty data folder with the demo and keeps to loopback.
	Demo bool `yaml:"demo"`

	// SecretFile holds the 64 hexadecimal digits from which the keys for tokens,
	// forms and cursors are derived; it is made at the first start. Nodes on one
	// PostgreSQL share its content. Default: secret.key in the data folder.
	SecretFile string `yaml:"secret_file"`

	KeyConfig `yaml:",inline"`

	// TLSCert and TLSKey are PEM files; both or none.
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`
	// TLSMin is the lowest version that is spoken: "1.3" (default) or "1.2".
	TLSMin string `yaml:"tls_min"`
	// TLSClientCerts is "on" to ask who connects over TLS for a certificate, which
	// nobody must have, or "off": then browsers that have one ask nobody which.
	TLSClientCerts string `yaml:"tls_client_certs"`
	// BehindTLSProxy says that a proxy in TrustedProxies ends TLS.
	BehindTLSProxy bool `yaml:"behind_tls_proxy"`
	// TrustedProxies are the networks (CIDR) whose X-Forwarded-For, -Host and
	// -Proto headers are believed. Default none.
	TrustedProxies []string `yaml:"trusted_proxies"`

	// ClientCertHeader is the header in which TrustedProxies forward the
	// certificate of a client (RFC 8705): Client-Cert as RFC 9440 writes it, or one
	// with percent-encoded PEM, as nginx's $ssl_client_escaped_cert. They must
	// remove what a client sends in it. Default none: no certificate is believed
	// behind a proxy.
	ClientCertHeader string `yaml:"client_cert_header"`
	// ClientCA is a PEM file of the authorities whose certificates prove who a
	// client is (tls_client_auth, RFC 8705 §2.1). Default none: no client can be
	// registered for that method.
	ClientCA string `yaml:"client_ca"`

	// ShutdownTimeout is how long requests in flight may take to finish after
	// SIGTERM. Default 20s.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
	// LogFormat of the program's own log on standard error: "text" or "json".
	LogFormat string `yaml:"log_format"`

	MailConfig   `yaml:",inline"`
	EgressConfig `yaml:",inline"`

	// OTLPEndpoint is the base URL of an OpenTelemetry collector, such as
	// http://127.0.0.1:4318; spans go to /v1/traces below it. Default none: no
	// traces.
	OTLPEndpoint string `yaml:"otlp_endpoint"`
	// TraceRatio is the part of the requests that is traced, from 0 to 1.
	// Default 0.1.
	TraceRatio float64 `yaml:"trace_ratio"`
	// TraceTrustProxies lets a proxy in TrustedProxies decide which requests are
	// traced, by the sampled flag of its traceparent. Default false.
	TraceTrustProxies bool `yaml:"trace_trust_proxies"`

	proxies, reach []netip.Prefix // of TrustedProxies and EgressAllow
	key, previous  []byte         // see KeyConfig; nil where none is given
}

// StoreConfig is what all commands that open the database have in common. It is
// exported because the YAML decoder fills no embedded type that isn't.
type StoreConfig struct {
	// Data is the folder of everything that is kept. Default ./data.
	Data string `yaml:"data"`
	// Database is empty for SQLite in the data folder, or postgres://….
	Database string `yaml:"database"`
	// DiskReserve is how many MiB must stay free in the data folder; below it
	// the server answers 503 rather than fill the disk. 0 switches it off.
	// Default 64.
	DiskReserve int64 `yaml:"disk_reserve"`
}

func defaultConfig() *Config {
	return &Config{
		Listen: "127.0.0.1:8080", OpsListen: "127.0.0.1:9464",
		StoreConfig:  StoreConfig{Data: "./data", DiskReserve: 64},
		TrailConfig:  defaultTrailConfig(),
		ExportConfig: defaultExportConfig(),
		KeyConfig:    defaultKeyConfig(),
		Limits:       "on", TLSMin: "1.3", TLSClientCerts: "on", ShutdownTimeout: 20 * time.Second, LogFormat: "text",
		TraceRatio: 0.1,
	}
}

// bind makes the flags; their values go straight into c.
func (c *Config) bind(fs *pflag.FlagSet) {
	fs.StringVar(&c.Listen, "listen", c.Listen, "address of the public listener")
	fs.StringVar(&c.OpsListen, "ops-listen", c.OpsListen, "address of metrics, health and pprof")
	bindStoreFlags(fs, &c.StoreConfig)
	bindTrailFlags(fs, &c.TrailConfig)
	bindExportFlags(fs, &c.ExportConfig)
	bindMailFlags(fs, &c.MailConfig)
	bindEgressFlags(fs, &c.EgressConfig)
	fs.StringVar(&c.PublicURL, "public-url", c.PublicURL, "issuer of the first tenant (default http://LISTEN)")
	fs.StringVar(&c.PolicyDir, "policy-dir", c.PolicyDir, "folder with the policy (default: the built-in one)")
	fs.StringVar(&c.Limits, "limits", c.Limits, "on, or off for load tests")
	fs.BoolVar(&c.Demo, "demo", c.Demo, "fill an empty data folder with the demo")
	fs.StringVar(&c.SecretFile, "secret-file", c.SecretFile, "file of the master secret (default DATA/secret.key)")
	bindKeyFlags(fs, &c.KeyConfig)
	fs.StringVar(&c.TLSCert, "tls-cert", c.TLSCert, "certificate file (PEM)")
	fs.StringVar(&c.TLSKey, "tls-key", c.TLSKey, "key file (PEM)")
	fs.StringVar(&c.TLSMin, "tls-min", c.TLSMin, "lowest TLS version: 1.3 or 1.2")
	fs.StringVar(&c.TLSClientCerts, "tls-client-certs", c.TLSClientCerts, "on: ask for certificates of clients, and demand none; or off")
	fs.BoolVar(&c.BehindTLSProxy, "behind-tls-proxy", c.BehindTLSProxy, "a trusted proxy ends TLS")
	fs.StringSliceVar(&c.TrustedProxies, "trusted-proxies", c.TrustedProxies, "networks whose forwarding headers are believed")
	fs.StringVar(&c.ClientCA, "client-ca", c.ClientCA, "file with the authorities of clients' certificates, for tls_client_auth (PEM)")
	fs.StringVar(&c.ClientCertHeader, "client-cert-header", c.ClientCertHeader, "header with the client's certificate, of trusted proxies (default: none)")
	fs.DurationVar(&c.ShutdownTimeout, "shutdown-timeout", c.ShutdownTimeout, "how long requests in flight may take to finish")
	fs.StringVar(&c.LogFormat, "log-format", c.LogFormat, "text or json")
	fs.StringVar(&c.OTLPEndpoint, "otlp-endpoint", c.OTLPEndpoint, "base URL of an OpenTelemetry collector (default: no traces)")
	fs.Float64Var(&c.TraceRatio, "trace-ratio", c.TraceRatio, "part of the requests that is traced, 0 to 1")
	fs.BoolVar(&c.TraceTrustProxies, "trace-trust-proxies", c.TraceTrustProxies, "trusted proxies decide which requests are traced")
}

// bindStoreFlags makes the flags that all commands with a database have.
func bindStoreFlags(fs *pflag.FlagSet, c *StoreConfig) {
	fs.StringVar(&c.Data, "data", c.Data, "data folder")
	fs.StringVar(&c.Database, "database", c.Database, "postgres://… (default: SQLite in the data folder)")
	fs.Int64Var(&c.DiskReserve, "disk-reserve", c.DiskReserve, "MiB that must stay free in the data folder")
}

// loadConfig puts file and environment under the flags that fs has parsed.
// fs must be bound to c.
func loadConfig(c *Config, fs *pflag.FlagSet, file string) error {
	given := map[string]string{}
	fs.Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
	if file != "" {
		if err := decodeFile(c, file); err != nil {
			return usage("%v", err)
		}
	}
	if err := setFromEnvironment(fs, given); err != nil {
		return err
	}
	for name, value := range given {
		if err := setFlag(fs, name, value); err != nil {
			return usage("--%s: %v", name, err)
		}
	}
	return c.check()
}

// decodeFile reads one YAML document; no document at all changes nothing.
func decodeFile(c *Config, file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseBytes(raw, 0)
	switch {
	case err != nil:
	case len(parsed.Docs) > 1:
		return fmt.Errorf("%s: want one document", file)
	case len(parsed.Docs) == 1 && parsed.Docs[0].Body != nil:
		err = yaml.NodeToValue(parsed.Docs[0].Body, c, yaml.DisallowUnknownField())
	}
	if err != nil {
		return fmt.Errorf("%s: %s", file, strings.ReplaceAll(yaml.FormatError(err, false, false), "\n", " "))
	}
	return nil
}

// setFromEnvironment reads POINTGATE_… for the flags that are not given.
func setFromEnvironment(fs *pflag.FlagSet, given map[string]string) (err error) {
	fs.VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		value, ok := os.LookupEnv(name)
		if _, flag := given[f.Name]; flag || !ok || err != nil || f.Name == "config" {
			return
		}
		if serr := setFlag(fs, f.Name, value); serr != nil {
			err = usage("%s: %v", name, serr)
		}
	})
	return err
}

// strayVariables are those of the environment that look like settings and are
// none: a misspelt one would leave a limit or a proxy at its default in silence.
func strayVariables(fs *pflag.FlagSet, environ []string) (stray []string) {
	known := map[string]bool{
		"POINTGATE_URL": true, "POINTGATE_TOKEN": true, // of the other commands
		keyVariable: true, previousKeyVariable: true,
	}
	fs.VisitAll(func(f *pflag.Flag) { known[variable(f.Name)] = true })
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		ours := strings.HasPrefix(name, "POINTGATE_") && !strings.HasPrefix(name, "POINTGATE_TEST_")
		if ours && !known[name] && name != "POINTGATE_CHROMIUM" && name != "POINTGATE_BIN" {
			stray = append(stray, name)
		}
	}
	return stray
}

func variable(flag string) string {
	return "POINTGATE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setFlag sets a flag from its text; a list is replaced, not appended to.
func setFlag(fs *pflag.FlagSet, name, value string) error {
	f := fs.Lookup(name)
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = strings.Trim(value, "[]")
		var items []string
		if value != "" {
			items = strings.Split(value, ",")
		}
		return list.Replace(items)
	}
	return fs.Set(name, value)
}

// check refuses what can't work or isn't safe, and fills what follows from the rest.
func (c *Config) check() error {
	if c.PublicURL == "" {
		if !web.Loopback(c.Listen) && !c.Demo && c.Limits == "on" { // those are refused below, for a better reason
			return usage("a listener that is not loopback needs a public-url")
		}
		c.PublicURL = "http://" + c.Listen
		if c.TLSCert != "" {
			c.PublicURL = "https://" + c.Listen
		}
	}
	for _, choice := range []struct{ flag, value, a, b string }{
		{"limits", c.Limits, "on", "off"}, {"log-format", c.LogFormat, "text", "json"}, {"tls-min", c.TLSMin, "1.3", "1.2"},
		{"tls-client-certs", c.TLSClientCerts, "on", "off"},
	} {
		if choice.value != choice.a && choice.value != choice.b {
			return usage("%s: want %s or %s", choice.flag, choice.a, choice.b)
		}
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return usage("public-url: want https://host with nothing behind it")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usage("tls-cert and tls-key go together")
	}
	if c.proxies, err = networks("trusted-proxies", c.TrustedProxies); err != nil {
		return err
	}
	if err := c.checkEgress(); err != nil {
		return err
	}
	if c.SecretFile == "" {
		c.SecretFile = filepath.Join(c.Data, "secret.key")
	}
	if err := c.checkKeys(); err != nil {
		return err
	}
	if err := c.checkTraces(); err != nil {
		return err
	}
	if err := c.checkTrail(); err != nil {
		return err
	}
	if err := c.checkExport(); err != nil {
		return err
	}
	if err := c.checkMail(); err != nil {
		return err
	}
	return c.checkReach(u)
}

// checkTraces refuses an endpoint with a secret in it, which would be logged.
func (c *Config) checkTraces() error {
	if c.OTLPEndpoint != "" {
		u, err := url.Parse(c.OTLPEndpoint)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return usage("otlp-endpoint: want http://host:4318 or https://…, without a user or a query")
		}
	}
	switch {
	case !(c.TraceRatio >= 0 && c.TraceRatio <= 1): // NaN too
		return usage("trace-ratio: want a number from 0 to 1")
	case c.TraceTrustProxies && len(c.TrustedProxies) == 0:
		return usage("--trace-trust-proxies needs --trusted-proxies")
	}
	return nil
}

// headerCharacters are those that names of headers are made of, in practice.
const headerCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

// checkReach keeps what is unsafe on this machine.
func (c *Config) checkReach(public *url.URL) error {
	local := web.Loopback(c.Listen)
	switch {
	case (c.Demo || c.Limits == "off") && (!local || !web.Loopback(public.Host)):
		return usage("--demo and --limits off listen on loopback only, with a loopback public-url")
	case c.Demo && !web.Loopback(c.OpsListen):
		return usage("--demo keeps --ops-listen on loopback")
	case (c.Demo || c.Limits == "off") && len(c.TrustedProxies) > 0:
		return usage("--demo and --limits off trust no proxies")
	case c.BehindTLSProxy && len(c.TrustedProxies) == 0:
		return usage("--behind-tls-proxy needs --trusted-proxies")
	case c.ClientCertHeader != "" && len(c.TrustedProxies) == 0:
		return usage("--client-cert-header needs --trusted-proxies")
	case strings.Trim(c.ClientCertHeader, headerCharacters) != "":
		return usage("client-cert-header: want the name of a header, such as Client-Cert")
	case c.ClientCA != "" && !c.certificates():
		return usage("--client-ca needs --tls-cert, or --client-cert-header: no certificate comes here without")
	case !local && c.TLSCert == "" && !c.BehindTLSProxy:
		return usage("a listener that is not loopback needs --tls-cert and --tls-key, or --behind-tls-proxy")
	case !local && public.Scheme != "https":
		return usage("a listener that is not loopback needs an https public-url")
	case c.TLSCert != "" && public.Scheme != "https":
		return usage("with --tls-cert the public-url begins with https://")
	}
	return nil
}
