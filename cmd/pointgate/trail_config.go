package main

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/web"
)

// TrailConfig is where the checkpoints of the audit trail go. It is exported
// because the YAML decoder fills no embedded type that isn't.
type TrailConfig struct {
	// CheckpointFile always holds the newest checkpoint. It belongs where a copy
	// of the data folder that is put back does not take it along. Default: the
	// name of the data folder with .checkpoint behind it. "none": no file.
	CheckpointFile string `yaml:"checkpoint_file"`
	// CheckpointURLs take the newest checkpoint by PUT, or by POST if they take no
	// PUT. What they give back by GET is compared at the start. https, or http on
	// this machine.
	CheckpointURLs []string `yaml:"checkpoint_urls"`
	// CheckpointWitnesses cosign checkpoints (C2SP tlog-witness): each is a URL, a
	// space, and the witness's vkey.
	CheckpointWitnesses []string `yaml:"checkpoint_witnesses"`
	// CheckpointWitnessEvery is how often a witness is asked at most. Default 10s.
	CheckpointWitnessEvery time.Duration `yaml:"checkpoint_witness_every"`
	// AuditPublic is "on" (default), or "off": checkpoints, keys and tiles are not
	// served below /audit/.
	AuditPublic string `yaml:"audit_public"`
	// AcceptRollback is the size of the published checkpoint that is given up for
	// good, for one start on a database that is behind it. Default 0: none.
	AcceptRollback int64 `yaml:"accept_rollback"`
}

func defaultTrailConfig() TrailConfig {
	return TrailConfig{CheckpointWitnessEvery: 10 * time.Second, AuditPublic: "on"}
}

func bindTrailFlags(fs *pflag.FlagSet, c *TrailConfig) {
	fs.StringVar(&c.CheckpointFile, "checkpoint-file", c.CheckpointFile, "file of the newest checkpoint, or none (default DATA.checkpoint)")
	fs.StringSliceVar(&c.CheckpointURLs, "checkpoint-urls", c.CheckpointURLs, "URLs that take the newest checkpoint")
	fs.StringSliceVar(&c.CheckpointWitnesses, "checkpoint-witnesses", c.CheckpointWitnesses, "witnesses of checkpoints: URL, space, vkey")
	fs.DurationVar(&c.CheckpointWitnessEvery, "checkpoint-witness-every", c.CheckpointWitnessEvery, "how often a witness is asked at most")
	fs.StringVar(&c.AuditPublic, "audit-public", c.AuditPublic, "on, or off: nothing is served below /audit/")
	fs.Int64Var(&c.AcceptRollback, "accept-rollback", c.AcceptRollback, "size of the published checkpoint that is given up, for this start")
}

func (c *TrailConfig) checkTrail() error {
	if c.AuditPublic != "on" && c.AuditPublic != "off" {
		return usage("audit-public: want on or off")
	}
	for _, u := range c.CheckpointURLs {
		if !safeURL(u) {
			return usage("checkpoint-urls: want https://host/path, or http on this machine")
		}
	}
	for _, w := range c.CheckpointWitnesses {
		if u, vkey, _ := strings.Cut(w, " "); !safeURL(u) || !strings.Contains(vkey, "+") {
			return usage("checkpoint-witnesses: want https://host/path (or http on this machine), a space, and a vkey")
		}
	}
	switch {
	case c.CheckpointWitnessEvery < time.Second:
		return usage("checkpoint-witness-every: want a second or more")
	case c.AcceptRollback < 0:
		return usage("accept-rollback: want the size of a checkpoint")
	}
	return nil
}

// safeURL: what goes there is no secret, but what comes back is believed.
func safeURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Host != "" && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http" && web.Loopback(u.Host))
}

// checkpointFile is the path of the newest checkpoint; empty: none.
func (c *Config) checkpointFile() string { return checkpointFile(c.CheckpointFile, c.Data) }

// checkpointFile is the file that is named or, if none is, the one beside the
// data folder.
func checkpointFile(named, data string) string {
	switch named {
	case "none":
		return ""
	case "":
		dir, err := filepath.Abs(data)
		if err != nil {
			dir = filepath.Clean(data)
		}
		return dir + ".checkpoint"
	}
	return named
}

// trailOf is the trail's part of what a server is made of.
func trailOf(c *Config, master []byte, node string) *audit.Config {
	if c.Database == "" {
		node = "the only one" // the folder's lock says so: it need not wait for the lease of itself before a crash
	}
	return &audit.Config{
		Issuer: c.PublicURL, SealKey: derive(master, "trail"), Holder: node,
		File: c.checkpointFile(), Endpoints: c.CheckpointURLs, Witnesses: c.CheckpointWitnesses, WitnessEvery: c.CheckpointWitnessEvery,
		Private: c.AuditPublic == "off", AcceptRollback: c.AcceptRollback, Demo: c.Demo,
	}
}
