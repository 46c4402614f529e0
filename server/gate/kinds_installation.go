package gate

// ServerStarted is a process that begins to answer.
type ServerStarted struct {
	// Of the program.
	Version string `json:"version"`
	// Of the database.
	Schema int64 `json:"schema"`
	// The policy that decides: sha256:….
	Revision string `json:"revision"`
	// SHA-256 of the configuration without its secrets; another digest is another
	// configuration.
	Settings string `json:"settings,omitempty"`
}

func (ServerStarted) kind() kind { return kind{"server.start", ok, 0} }

// ServerStopped is a process that ended as it was told to. A start without a
// stop before it was preceded by a crash, or a power cut, or a kill.
type ServerStopped struct {
	// How long it has run, in seconds.
	Seconds int64 `json:"seconds"`
}

func (ServerStopped) kind() kind { return kind{"server.stop", ok, 0} }

// PolicyLoaded is a policy that decides from now on, and is not the one that did
// before.
type PolicyLoaded struct {
	// Its digest: sha256:….
	Revision string `json:"revision"`
	// That of the one before.
	Previous string `json:"previous,omitempty"`
}

func (PolicyLoaded) kind() kind { return kind{"policy.load", ok, 0} }

// SecretCreated is the first start with the installation's master secret.
type SecretCreated struct {
	// A digest of a key that is derived from it: it tells one secret from another,
	// and nothing else.
	Fingerprint string `json:"fingerprint"`
}

func (SecretCreated) kind() kind { return kind{"secret.create", ok, 0} }

// SecretChanged is a start with another master secret than before: all tokens,
// codes and cursors that were given out are junk.
type SecretChanged struct {
	// Of the secret from now on, as of secret.create.
	Fingerprint string `json:"fingerprint"`
	// Of the one before.
	Previous string `json:"previous"`
}

func (SecretChanged) kind() kind { return kind{"secret.change", ok, 0} }

// DatabaseMigrated is a database that got a newer schema, at a start or by
// pointgate migrate.
type DatabaseMigrated struct {
	// The schema before; 0: none.
	From int64 `json:"from"`
	// The schema from now on.
	To int64 `json:"to"`
}

func (DatabaseMigrated) kind() kind { return kind{"database.migrate", ok, 0} }

// DatabaseBackedUp is a copy of the whole database, by pointgate backup. It is
// written before the copy, so that the copy has it.
type DatabaseBackedUp struct {
	// The user of the operating system who ran the command.
	Operator string `json:"operator"`
	// The name of the file, without its folder.
	File string `json:"file"`
}

func (DatabaseBackedUp) kind() kind { return kind{"database.backup", ok, 0} }

// BackupFailed is a copy that was announced and not made whole.
type BackupFailed struct {
	// As of the copy that it is about.
	Operator string `json:"operator"`
	// As of the copy that it is about.
	File string `json:"file"`
}

func (BackupFailed) kind() kind { return kind{"database.backup", "backup_failed", 0} }

// DatabaseRestored is a backup that was put in the place of the database, by
// pointgate restore. What was recorded after the backup is not in the log any
// more: checkpoints that were published in that time show it.
type DatabaseRestored struct {
	// The user of the operating system who ran the command.
	Operator string `json:"operator"`
	// The name of the file, without its folder.
	File string `json:"file"`
	// SHA-256 of the file.
	Digest string `json:"digest"`
	// How many records the backup has.
	Size int64 `json:"size"`
	// How many the database had that it took the place of; absent where there was
	// none, or none that could be read.
	Replaced *int64 `json:"replaced_size,omitempty"`
}

func (DatabaseRestored) kind() kind { return kind{"database.restore", ok, 0} }
