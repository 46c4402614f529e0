package gate

import "time"

// LogKeyCreated is a new key that signs the checkpoints of the log, from now on.
// Its resource is the log, by its origin.
type LogKeyCreated struct {
	// The vkey (C2SP signed-note): what auditors verify checkpoints with.
	Verifier string `json:"verifier"`
	// The vkeys that signed before, and sign beside it until they end.
	Previous []string `json:"previous,omitempty"`
	// When the previous ones end to sign.
	PreviousEnd *time.Time `json:"previous_end,omitempty"`
}

func (LogKeyCreated) kind() kind { return kind{"log_key.create", ok, 0} }

// LogKeyDestroyed is a key whose end has come: its secret part is gone. What it
// has signed can still be verified. Its resource is the log, by its origin.
type LogKeyDestroyed struct {
	// The vkey.
	Verifier string `json:"verifier"`
}

func (LogKeyDestroyed) kind() kind { return kind{"log_key.destroy", ok, 0} }

// LogRolledBack is a start on a database that is not what was published, and
// that the operator accepted (--accept-rollback). The log goes on under another
// origin, which is its resource: no origin ever signs two different histories.
type LogRolledBack struct {
	// How many records the database has.
	Size int64 `json:"size"`
	// How many the largest checkpoint has that was published.
	PublishedSize int64 `json:"published_size"`
	// The origin until now.
	Previous string `json:"previous_origin"`
	// What was found where checkpoints are published, and is not so any more.
	Published []PublishedCheckpoint `json:"published"`
}

// PublishedCheckpoint is a checkpoint that somebody else holds.
type PublishedCheckpoint struct {
	Place  string `json:"place"`
	Why    string `json:"why"`    // it was refused
	Signed bool   `json:"signed"` // by a key that the database knows
	Note   string `json:"note"`   // all of it
}

func (LogRolledBack) kind() kind { return kind{"trail.rollback", "rolled_back", 0} }

// LogForked is a database that, while a server runs, is not any more what was
// published: records that a published checkpoint has are missing or are others,
// as after a failover to a replica that lagged, or the log's key has signed
// another history. This server publishes no checkpoint while it is so, and leaves
// those that it has published where they are. Its resource is the log, by its
// origin.
type LogForked struct {
	// How many records the database has.
	Size int64 `json:"size"`
	// How many the largest checkpoint has that was published.
	PublishedSize int64 `json:"published_size"`
	// What was published, and contradicts the database.
	Published []PublishedCheckpoint `json:"published"`
}

func (LogForked) kind() kind { return kind{"trail.fork", "fork", 0} }

// TrailVerified is a whole verification of the log (pointgate audit verify
// --record) that found nothing wrong. Its resource is the database.
type TrailVerified struct {
	// The user of the operating system who ran the command.
	Operator string `json:"operator"`
	// How many records the log had.
	Size int64 `json:"size"`
	// The root of their tree, in base64.
	Root string `json:"root"`
	// How many checkpoints it was compared with.
	Checkpoints int `json:"checkpoints"`
}

func (TrailVerified) kind() kind { return kind{"trail.verify", ok, 0} }

// VerificationFailed is a verification of the log that found something wrong.
type VerificationFailed struct {
	// The user of the operating system who ran the command.
	Operator string `json:"operator"`
	// How many records the log should have.
	Size int64 `json:"size"`
	// How many things are wrong.
	Findings int `json:"findings"`
	// The first of them.
	First string `json:"first"`
}

func (VerificationFailed) kind() kind { return kind{"trail.verify", "verification_failed", 0} }
