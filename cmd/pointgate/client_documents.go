package main

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/pointgate/pointgate/server/egress"
)

// maxDocument is the most that is read of a document that is a client, in bytes
// (draft-ietf-oauth-client-id-metadata-document §6.6).
const maxDocument = 5 << 10

// documentFetcher gets the documents that are clients.
type documentFetcher struct{ client *egress.Client }

var errNoDocument = errors.New("there is no document at the address: its status is not 200, or it is not called JSON")

// GetDocument implements oauth2.Documents.
func (f documentFetcher) GetDocument(ctx context.Context, url string) ([]byte, string, error) {
	a, err := f.client.Get(ctx, url, maxDocument)
	if err != nil {
		return nil, "", err
	}
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if a.Status != http.StatusOK || err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil, "", errNoDocument
	}
	return a.Body, a.Header.Get("Cache-Control"), nil
}
