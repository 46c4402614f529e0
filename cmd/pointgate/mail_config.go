package main

import (
	"log/slog"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/server/mail"
)

// MailConfig is how mails are sent, and who is told of alerts.
type MailConfig struct {
	// SMTPURL is the server that mails are given to: smtp://user:password@host:587
	// (STARTTLS, which is demanded unless the host is this machine's loopback),
	// smtps://…:465 (TLS from the beginning), or smtp+insecure://host:25 (no TLS,
	// no password). It holds a secret: give it by the environment or the file.
	// Default none: mails are files in the folder mail of the data folder.
	SMTPURL string `yaml:"smtp_url"`
	// MailFrom is the address that mails come from, with or without a name. Needed
	// with SMTPURL. Default Pointgate <pointgate@HOST>, of the public URL.
	MailFrom string `yaml:"mail_from"`
	// AlertMailTo are the addresses that are told of each new alert, of all
	// tenants. Default none: alerts are in the list alone. With --demo
	// admin@demo.example.
	AlertMailTo []string `yaml:"alert_mail_to"`
}

const demoAlertMailTo = "admin@demo.example"

func bindMailFlags(fs *pflag.FlagSet, c *MailConfig) {
	fs.StringVar(&c.SMTPURL, "smtp-url", c.SMTPURL, "mail server: smtp://host:587 or smtps://host:465 (default: mails are files in DATA/mail)")
	fs.StringVar(&c.MailFrom, "mail-from", c.MailFrom, "address that mails come from")
	fs.StringSliceVar(&c.AlertMailTo, "alert-mail-to", c.AlertMailTo, "addresses that are told of new alerts")
}

// checkMail refuses what can't be sent, and fills what follows from the rest. Its
// errors don't hold the URL, which has a password in it.
func (c *Config) checkMail() error {
	if c.SMTPURL != "" && c.MailFrom == "" {
		return usage("smtp-url needs mail-from")
	}
	from, err := c.mailSender()
	if err != nil {
		return usage("mail-from: %v", err)
	}
	if c.SMTPURL != "" {
		if _, err := mail.NewSMTP(c.SMTPURL, from); err != nil {
			return usage("smtp-url: %v", err)
		}
	}
	if c.Demo && len(c.AlertMailTo) == 0 {
		c.AlertMailTo = []string{demoAlertMailTo}
	}
	for _, to := range c.AlertMailTo {
		if _, err := mail.Address(to); err != nil {
			return usage("alert-mail-to: %v", err)
		}
	}
	return nil
}

// mailSender is who mails come from.
func (c *Config) mailSender() (*netmail.Address, error) {
	if c.MailFrom != "" {
		return mail.Sender(c.MailFrom)
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil, err
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		host = "localhost"
	}
	return mail.Sender("Pointgate <pointgate@" + host + ">")
}

// mailTransport says in the log where mails go; c has been checked.
func mailTransport(c *Config, log *slog.Logger) (mail.Transport, error) {
	from, err := c.mailSender()
	if err != nil {
		return nil, err
	}
	if c.SMTPURL != "" {
		s, err := mail.NewSMTP(c.SMTPURL, from)
		if err != nil {
			return nil, err
		}
		log.Info("mails are sent", "server", s.Server())
		return s, nil
	}
	dir := filepath.Join(c.Data, "mail")
	log.Info("no mail server is configured: mails are files", "dir", dir)
	return mail.NewFiles(dir, from)
}
