package gate

// AlertRaised is what a rule over the last minutes of the log found, for the
// first time since an alert of this rule and key was closed. Its resource is the
// alert. What is done about it are decisions: alert.update.
type AlertRaised struct {
	// The rule, by its folder under policies/rego/alerts/rules.
	Rule string `json:"rule"`
	// low, medium, high or critical.
	Severity string `json:"severity"`
	// The policy whose rule it is: sha256:….
	Revision string `json:"revision"`
	// Ids of records that show it, the newest last.
	Decisions []string `json:"decisions"`
}

func (AlertRaised) kind() kind { return kind{"alert.raise", ok, 0} }
