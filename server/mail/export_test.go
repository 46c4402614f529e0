package mail

// DialTo takes what s dials to another address, as a name server would.
func (s *SMTP) DialTo(address string) { s.dialTo = address }

// Pause is how long an attempt waits for the next.
var Pause = pause

// MaxAttempts is how often a mail is tried.
const MaxAttempts = maxAttempts
