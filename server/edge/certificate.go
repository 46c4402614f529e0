package edge

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// maxCertificate bounds the header with a certificate, in bytes.
const maxCertificate = 12 << 10

// certificate is the client's certificate, or nil. Only that its holder has the
// key is proven: TLS demands no chain (RFC 8705 §2.2 wants none), so whoever
// relies on a name in it has to check it. What a proxy forwards counts alone
// where the peer is one: the certificate of such a connection is the proxy's.
func (o *Origins) certificate(c *fiber.Ctx, proxied bool) *x509.Certificate {
	if proxied {
		lines := c.Request().Header.PeekAll(o.CertificateHeader)
		if o.CertificateHeader == "" || len(lines) != 1 {
			return nil // of two, one was not written by the proxy
		}
		return forwardedCertificate(string(lines[0]))
	}
	state := c.Context().TLSConnectionState()
	if state == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	return state.PeerCertificates[0]
}

// forwardedCertificate reads what a proxy says about the client's certificate:
// DER between colons (RFC 9440 §2.1), or percent-encoded PEM, as nginx and
// others write it. Nil for anything else.
func forwardedCertificate(value string) *x509.Certificate {
	if len(value) > maxCertificate {
		return nil
	}
	var der []byte
	if inner, ok := strings.CutPrefix(value, ":"); ok {
		inner, closed := strings.CutSuffix(inner, ":")
		raw, err := base64.StdEncoding.Strict().DecodeString(inner)
		if err != nil || !closed {
			return nil
		}
		der = raw
	} else {
		text, err := url.PathUnescape(value)
		if err != nil {
			return nil
		}
		block, rest := pem.Decode([]byte(text))
		if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
			return nil
		}
		der = block.Bytes
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return cert
}
