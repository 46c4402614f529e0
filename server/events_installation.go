package server

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// Installation records what happens to an installation as a whole, by its
// program or by who operates it at its machine: for the commands that open the
// database themselves, and for the start.
type Installation struct {
	Store  *store.DB
	Labels map[string]string // of this process, in every record
	// Operator is the user of the operating system who runs the command.
	Operator string
}

// The marks of what was recorded last: whatever is another now is recorded, also
// where the program ended between the change and its record.
const (
	schemaMark = "recorded_schema"
	policyMark = "recorded_policy"
	secretMark = "recorded_secret"
)

// noHome takes the records of a database that has no tenant yet: it is what the
// first one will be called.
const noHome = "main"

// Created adds the record of a first start to the write that makes the tenant.
func (i *Installation) Created(tx *store.Tx, t *store.Tenant, demo bool) {
	i.record(tx, t.ID, gate.InstallationCreated{Issuer: t.Issuer, Demo: demo}, gate.Party{Type: "tenant", ID: t.ID})
}

// Moved adds the record of a first tenant that got another issuer to the write
// that gives it.
func (i *Installation) Moved(tx *store.Tx, t *store.Tenant, from string) {
	i.record(tx, t.ID, gate.TenantMoved{From: from, To: t.Issuer}, gate.Party{Type: "tenant", ID: t.ID})
}

// SetupOffered adds the record of a setup link to the write that makes it good.
func (i *Installation) SetupOffered(tx *store.Tx, l *store.SetupLink) {
	i.record(tx, l.Tenant, gate.SetupOffered{ExpiresAt: l.ExpiresAt.Time}, gate.Party{Type: "tenant", ID: l.Tenant})
}

// Migrated records the schema, if it is another than the one that was recorded
// last. On a database that has no tenant yet, it leaves that to the first start.
func (i *Installation) Migrated(ctx context.Context) error {
	tenant, err := i.home(ctx)
	if err != nil || tenant == "" {
		return err
	}
	record, err := i.schema(ctx, tenant)
	if err != nil {
		return err
	}
	return i.Store.Write(ctx, func(tx *store.Tx) error { return record(ctx, tx) })
}

// BackedUp records that a backup is about to be made, so that the backup has it.
func (i *Installation) BackedUp(ctx context.Context, file string) error {
	return i.append(ctx, gate.DatabaseBackedUp{Operator: i.Operator, File: file})
}

// BackupFailed records that the backup was not made.
func (i *Installation) BackupFailed(ctx context.Context, file string) error {
	return i.append(ctx, gate.BackupFailed{Operator: i.Operator, File: file})
}

// Verified records that the log was verified, and what came of it.
func (i *Installation) Verified(ctx context.Context, v *store.Verification) error {
	if len(v.Findings) > 0 {
		return i.append(ctx, gate.VerificationFailed{Operator: i.Operator, Size: v.Size, Findings: len(v.Findings), First: v.Findings[0].String()})
	}
	return i.append(ctx, gate.TrailVerified{Operator: i.Operator, Size: v.Size, Root: v.Root.String(), Checkpoints: v.Claims})
}

// Restored records in a restored database, before it takes its place, where it
// comes from: a file's name and SHA-256. replaced is the size of the log that it
// replaces; negative: not known.
func (i *Installation) Restored(ctx context.Context, file, digest string, replaced int64) error {
	size, err := i.Store.LogSize(ctx)
	if err != nil {
		return err
	}
	what := gate.DatabaseRestored{Operator: i.Operator, File: file, Digest: digest, Size: size}
	if replaced >= 0 {
		what.Replaced = &replaced
	}
	return i.append(ctx, what)
}

// home is the id of the first tenant; empty if there is none.
func (i *Installation) home(ctx context.Context) (string, error) {
	all, err := store.Tenants(ctx, i.Store)
	for _, t := range all {
		if t.Home {
			return t.ID, err
		}
	}
	return "", err
}

func (i *Installation) events() *gate.Events {
	return &gate.Events{Store: i.Store, Now: i.Store.Now, NewID: newID, Labels: i.Labels}
}

func (i *Installation) record(tx *store.Tx, tenant string, what gate.What, resource gate.Party) {
	tx.Record(i.events().Record(gate.System(tenant, what, resource)))
}

func (i *Installation) append(ctx context.Context, what gate.What) error {
	tenant, err := i.home(ctx)
	if err != nil {
		return err
	}
	if tenant == "" {
		tenant = noHome
	}
	return i.events().Append(ctx, gate.System(tenant, what, database))
}

var (
	database = gate.Party{Type: "database", ID: "pointgate"}
	process  = gate.Party{Type: "server", ID: "pointgate"}
)

// step is a part of a write.
type step func(ctx context.Context, tx *store.Tx) error

// schema records the schema if it is not the one that was recorded.
func (i *Installation) schema(ctx context.Context, tenant string) (step, error) {
	version, err := i.Store.Version(ctx)
	if err != nil {
		return nil, err
	}
	return i.changed(ctx, tenant, schemaMark, strconv.FormatInt(version, 10), database, func(was string) gate.What {
		from, _ := strconv.ParseInt(was, 10, 64) // 0: it was never recorded
		return gate.DatabaseMigrated{From: from, To: version}
	})
}

// changed records what makes of the former value, and sets the mark, if the
// value is not the one of the mark.
func (i *Installation) changed(ctx context.Context, tenant, mark, value string, of gate.Party, what func(was string) gate.What) (step, error) {
	was, err := i.Store.Mark(ctx, mark)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return func(ctx context.Context, tx *store.Tx) error {
		if was == value {
			return nil
		}
		i.record(tx, tenant, what(was), of)
		return tx.SetMark(ctx, mark, value)
	}, nil
}

// start is what a process says of itself when it begins to answer.
type start struct {
	tenant, revision, settings, fingerprint string
}

// started records a start, and what is another than at the last one: schema,
// policy, master secret.
func (i *Installation) started(ctx context.Context, s start) error {
	schema, err1 := i.schema(ctx, s.tenant)
	policy, err2 := i.changed(ctx, s.tenant, policyMark, s.revision, gate.Party{Type: "policy", ID: s.revision}, func(was string) gate.What {
		return gate.PolicyLoaded{Revision: s.revision, Previous: was}
	})
	secret, err3 := i.changed(ctx, s.tenant, secretMark, s.fingerprint, gate.Party{Type: "secret", ID: s.fingerprint}, func(was string) gate.What {
		if was == "" {
			return gate.SecretCreated{Fingerprint: s.fingerprint}
		}
		return gate.SecretChanged{Fingerprint: s.fingerprint, Previous: was}
	})
	version, err4 := i.Store.Version(ctx)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	return i.Store.Write(ctx, func(tx *store.Tx) error {
		for _, record := range []step{schema, secret, policy} {
			if err := record(ctx, tx); err != nil {
				return err
			}
		}
		i.record(tx, s.tenant, gate.ServerStarted{
			Version: i.Labels["version"], Schema: version, Revision: s.revision, Settings: s.settings,
		}, process)
		return nil
	})
}

func (i *Installation) stopped(ctx context.Context, tenant string, after time.Duration) error {
	return i.events().Append(ctx, gate.System(tenant, gate.ServerStopped{Seconds: int64(after.Seconds())}, process))
}
