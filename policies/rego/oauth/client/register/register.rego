package pointgate.oauth.client.register

import data.pointgate.lib.denial

needed := []

# METADATA
# title: Register a client
# description: >-
#   Where the tenant lets them, strangers register clients by themselves, and the people of the tenant on the page for
#   developers. Such a client acts only for people who say yes.
# custom:
#   code: client.register
# scope: document
allow if {
	_open
	_modest
}

# A client that registers itself (RFC 7591).
_open if {
	_by_itself
	input.context.facts.registration == "open"
}

_open if {
	_by_itself
	input.context.facts.registration == "token"
	input.context.authentication.method == "initial_token"
}

# A document at its id, which was read once a person had logged in.
_open if {
	input.subject.type == "client"
	input.context.facts.client_registered_by == "document"
	input.context.authentication.method == "document"
	input.context.facts.client_documents
}

# A person who is signed in.
_open if {
	input.subject.type in {"customer", "staff"}
	input.context.authentication.method == "session"
	input.context.facts.client_registered_by == "developer"
	input.context.facts.registration == "open"
}

_by_itself if {
	input.subject.type == "client"
	input.context.facts.client_registered_by == "dynamic"
}

_modest if {
	every grant_type in input.context.facts.client_grant_types {
		grant_type in {"authorization_code", "refresh_token"}
	}
}

reason := registration_closed if not _open

# METADATA
# title: Registration is closed
# description: Clients are registered by an administrator here.
# custom:
#   code: registration_closed
registration_closed := denial.of(rego.metadata.chain())
