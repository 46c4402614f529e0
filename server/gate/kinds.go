package gate

import "time"

// What is one kind of [Event] with its members, which stand in the record's
// custom. The list of kinds is closed: these types, and no others.
type What interface{ kind() kind }

// kind is what all events of a kind have in common.
type kind struct {
	action string // noun.verb
	code   string // ok: it happened as it was wanted
	status int    // of the HTTP answer; 0 where nobody is answered
}

const ok = "ok"

// Kinds is one event of each action and code, for documents and tests.
func Kinds() []What {
	return []What{
		LoginSucceeded{}, LoginFailed{},
		SetupOffered{}, InstallationCreated{}, TenantMoved{},
		ConsentDenied{},
		TokenRevoked{}, TokenReused{Type: AuthorizationCode}, TokenReused{Type: RefreshToken}, TokenReused{Type: DeviceCode},
		RequestRefused{},
		ServerStarted{}, ServerStopped{}, PolicyLoaded{}, SecretCreated{}, SecretChanged{},
		DatabaseMigrated{}, DatabaseBackedUp{}, BackupFailed{}, DatabaseRestored{},
		ErasureFinished{}, TrailRetained{}, RetentionHeld{},
		LogKeyCreated{}, LogKeyDestroyed{}, LogRolledBack{}, LogForked{}, TrailVerified{}, VerificationFailed{},
		SigningKeyCreated{}, SigningKeyDestroyed{},
		AlertRaised{}, LogoutUndelivered{},
	}
}

// Describe is an event's action and code, and the status of its answer.
func Describe(what What) (action, code string, status int) {
	k := what.kind()
	return k.action, k.code, k.status
}

// LoginSucceeded is a person who signed in: a session began, or the person who had
// it proved once more who they are. Its resource is the session.
type LoginSucceeded struct {
	// How they proved who they are (RFC 8176).
	AMR []string `json:"amr"`
	// The session of another person, in the same browser, that ended with it.
	Replaced string `json:"replaced,omitempty"`
	// The session was there; it has a new key now.
	Again bool `json:"again,omitempty"`
}

func (LoginSucceeded) kind() kind { return kind{"login.succeed", ok, 303} }

// LoginFailed is an attempt to sign in that was looked at and refused. Its
// subject and resource are the account that it was for, if there is one;
// authentication.status says that nothing was proven. Attempts that were too
// many to be looked at are among the refusals, with the code rate_limited.
type LoginFailed struct {
	// Why, for those who may read the log: the answer doesn't tell.
	Reason LoginFault `json:"reason"`
	// Where there is no such account: four hexadecimal digits that are the same
	// for the same address. Nobody without the master secret can compute them, and
	// with it they fit one string in 65,536: they tell one address that is tried
	// again from many that are tried once, and not what was typed, which may be a
	// password in the wrong field.
	Unknown string `json:"unknown,omitempty"`
}

// LoginFault is why an attempt to sign in failed.
type LoginFault string

// The reasons of [LoginFailed].
const (
	WrongPassword   LoginFault = "wrong_password"
	UnknownAccount  LoginFault = "unknown_account"
	DisabledAccount LoginFault = "disabled_account"
)

func (LoginFailed) kind() kind { return kind{"login.fail", "invalid_credentials", 401} }

// SetupOffered is a one-time link for the first administrator that was printed
// at a start. Who holds it becomes super_admin: setup.complete is the decision
// about that.
type SetupOffered struct {
	// The end of the link.
	ExpiresAt time.Time `json:"expires_at"`
}

func (SetupOffered) kind() kind { return kind{"setup.offer", ok, 0} }

// InstallationCreated is the first start on an empty database: the first tenant,
// which is its resource, was made.
type InstallationCreated struct {
	// The issuer of the first tenant.
	Issuer string `json:"issuer"`
	// It is a demo, whose passwords everybody knows.
	Demo bool `json:"demo"`
}

func (InstallationCreated) kind() kind { return kind{"installation.create", ok, 0} }

// TenantMoved is the first tenant, which is its resource, at the public URL that
// is now configured.
type TenantMoved struct {
	// The issuer before.
	From string `json:"from"`
	// The issuer from now on.
	To string `json:"to"`
}

func (TenantMoved) kind() kind { return kind{"tenant.move", ok, 0} }

// ConsentDenied is a person's no, or a yes to nothing that a client can use. Its
// resource is the client.
type ConsentDenied struct {
	// What the client asked for.
	Asked []string `json:"asked"`
}

func (ConsentDenied) kind() kind { return kind{"consent.deny", "access_denied", 303} }

// TokenType is what a client shows to get something, or to end it.
type TokenType string

// The types of token, and the code.
const (
	AuthorizationCode TokenType = "code"
	AccessToken       TokenType = "access_token"
	RefreshToken      TokenType = "refresh_token"
	DeviceCode        TokenType = "device_code"
)

// TokenRevoked is a token that its client ended; a refresh token with the whole
// grant, which is its resource. It is written for each such request, also where
// the token was revoked before.
type TokenRevoked struct {
	// access_token or refresh_token.
	Type TokenType `json:"token_type"`
}

func (TokenRevoked) kind() kind { return kind{"token.revoke", ok, 200} }

// TokenReused is a code or refresh token that was shown again after its use: it
// or its successor is in wrong hands, and nobody can tell which, so its grant,
// which is its resource, was revoked. The subject is the grant's, and has not
// done it; the client is the one that the grant was given to.
type TokenReused struct {
	// code, refresh_token or device_code.
	Type TokenType `json:"token_type"`
	// The client that showed it, if it is another one.
	ShownBy string `json:"shown_by,omitempty"`
}

func (e TokenReused) kind() kind { return kind{"token.reuse", string(e.Type) + "_reuse", 400} }

// RequestRefused is the sum of requests that were refused in front of the gate,
// or by an endpoint of OAuth2, for one cause, from one address, in one second.
// Its code and status are those of the answers. Where they named a client that
// there is, without the right secret, they are summed for this client.
type RequestRefused struct {
	Code   string `json:"-"`
	Status int    `json:"-"`
	// How many there were.
	Count int64 `json:"count"`
	// The path of the first; its id is the event's.
	FirstPath string `json:"first_path"`
}

func (e RequestRefused) kind() kind { return kind{"request.refuse", e.Code, e.Status} }
