package gate

import "time"

// ErasureFinished is a person's records that were emptied, after the decision
// that allowed it (erasure.create). Its resource is the person by a pseudonym.
type ErasureFinished struct {
	// The decision that allowed it; the emptied records name it as erased_by.
	Erasure string `json:"erasure"`
	// The size of the log when it was asked for: records from this index on were
	// not looked at.
	Size int64 `json:"size"`
	// How many were emptied.
	Records int64 `json:"records"`
	// Why, as it was asked for.
	Reason string `json:"reason"`
	// The member of staff who asked.
	AskedBy string `json:"asked_by"`
}

func (ErasureFinished) kind() kind { return kind{"erasure.finish", ok, 0} }

// TrailRetained is records that were emptied because their time was over.
type TrailRetained struct {
	// The first index that this is about.
	From int64 `json:"from"`
	// The index after the last. A younger record may lie in the range, made by a
	// clock that was ahead: it has its content.
	To int64 `json:"to"`
	// How many were emptied since the report before.
	Records int64 `json:"records"`
	// They were made before this time.
	Before time.Time `json:"before"`
}

func (TrailRetained) kind() kind { return kind{"trail.retain", ok, 0} }

// RetentionHeld is records whose time is over by the clock, and more of them at
// once than a week has: the clock may be wrong, or the program stood still, or the
// time was made shorter. They keep their content until somebody had time to look.
type RetentionHeld struct {
	// They were made before this time.
	Before time.Time `json:"before"`
	// When they are emptied all the same, unless the clock has changed.
	Until time.Time `json:"until"`
}

func (RetentionHeld) kind() kind { return kind{"trail.hold", "retention_jump", 0} }
