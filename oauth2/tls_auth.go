package oauth2

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

var (
	errNoCertificate    = errors.New("no certificate was shown")
	errOtherCertificate = errors.New("the certificate is not the registered one")
	errCertificateTime  = errors.New("the certificate is not valid at this time")
)

// checkCertificate proves by its certificate who the client is (RFC 8705 §2).
// TLS has proven that the client has the private key, and nothing else. c is nil
// where there is no such client.
func (p *Provider) checkCertificate(ctx context.Context, c *client, cert *x509.Certificate, now time.Time) error {
	err := errNoCertificate
	switch {
	case cert == nil:
	case c != nil && c.AuthMethod == methodSelfSigned:
		err = p.checkSelfSigned(ctx, c, cert, now)
	default:
		err = p.checkIssued(c, cert, now)
	}
	if err != nil {
		return refuse("invalid_client").because(err)
	}
	return nil
}

// checkIssued wants a certificate of the configured authorities for the
// registered subject (RFC 8705 §2.1). The chain is checked first, so that an
// unknown client costs the same.
func (p *Provider) checkIssued(c *client, cert *x509.Certificate, now time.Time) error {
	if p.clientCAs == nil {
		return errOtherCertificate // there is nobody who could have issued it
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: p.clientCAs, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return err
	}
	if c == nil {
		return errOtherCertificate
	}
	subject, err := parseTLSSubject(c.TLSSubject)
	if err != nil {
		return err
	}
	if !subject.matches(cert) {
		return errOtherCertificate
	}
	return nil
}

// checkSelfSigned wants a certificate of a registered key; where the key was
// registered with its certificate, that one (RFC 8705 §2.2). Who issued it does
// not matter.
func (p *Provider) checkSelfSigned(ctx context.Context, c *client, cert *x509.Certificate, now time.Time) error {
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return errCertificateTime
	}
	matches := func(k *publicKey) bool {
		return samePublic(k.key, cert.PublicKey) && (k.der == nil || bytes.Equal(k.der, cert.Raw))
	}
	keys, err := p.keysOf(ctx, c, matches)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k publicKey) bool { return matches(&k) }) {
		return errOtherCertificate
	}
	return nil
}
