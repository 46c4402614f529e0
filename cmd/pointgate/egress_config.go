package main

import (
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/server/egress"
	"github.com/pointgate/pointgate/server/web"
)

// EgressConfig is where the server may call addresses that others chose: key
// sets and documents of clients, and where they want to hear of logouts.
type EgressConfig struct {
	// EgressAllow are the networks (CIDR) that may be called although they are
	// not public. Whoever registers a client can then make the server send
	// requests to anything in them. Default none.
	EgressAllow []string `yaml:"egress_allow"`
}

func bindEgressFlags(fs *pflag.FlagSet, c *EgressConfig) {
	fs.StringSliceVar(&c.EgressAllow, "egress-allow", c.EgressAllow, "networks that are not public and may be called where a client names an address in them")
}

// checkEgress reads the networks.
func (c *Config) checkEgress() (err error) {
	c.reach, err = networks("egress-allow", c.EgressAllow)
	return err
}

// egress is how addresses that others chose are called. An installation that is
// on loopback, listener and issuer, may call loopback.
func (c *Config) egress() egress.Config {
	issuer, _ := strings.CutPrefix(c.PublicURL, "http://")
	return egress.Config{
		Allow: c.reach, Local: web.Loopback(c.Listen) && web.Loopback(strings.TrimPrefix(issuer, "https://")), Agent: "pointgate/" + version(),
	}
}

// networks reads a setting that is a list of networks.
func networks(flag string, list []string) (out []netip.Prefix, err error) {
	for _, text := range list {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, usage("%s: %q is not a network such as 10.0.0.0/8", flag, text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
