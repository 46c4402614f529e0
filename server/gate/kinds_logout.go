package gate

// LogoutUndelivered is a client that wants to hear when a session ends, and could
// not be told of this one, its resource, for a day: the person may still be
// signed in there.
type LogoutUndelivered struct {
	// How often it was tried.
	Tries int `json:"tries"`
}

func (LogoutUndelivered) kind() kind { return kind{"logout.deliver", "undelivered", 0} }
