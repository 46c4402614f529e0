package server

import (
	"context"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// RecordReuse is [RecordOAuth] without a mask, by its former name.
func RecordReuse(labels map[string]string) func(ctx context.Context, tx *store.Tx, e oauth2.Event) {
	return RecordOAuth(labels, nil)
}
