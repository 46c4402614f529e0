package points

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// The shapes of the contract. Every key is always there; what does not apply is
// null.

type balance struct {
	CustomerID     string     `json:"customer_id"`
	Balance        int64      `json:"balance"`
	Available      int64      `json:"available"`
	Held           int64      `json:"held"`
	LifetimeEarned int64      `json:"lifetime_earned"`
	Expiring       []expiring `json:"expiring"`
	AsOf           time.Time  `json:"as_of"`
}

type expiring struct {
	Points int64     `json:"points"`
	At     time.Time `json:"at"`
}

type transaction struct {
	ID           string     `json:"id"`
	CustomerID   string     `json:"customer_id"`
	Type         string     `json:"type"`
	Points       int64      `json:"points"`
	BalanceAfter int64      `json:"balance_after"`
	Reason       string     `json:"reason"`
	InternalNote string     `json:"internal_note,omitempty"` // where the decision says so
	Actor        string     `json:"actor"`
	ClientID     *string    `json:"client_id"`
	RequestID    string     `json:"request_id"`
	DecisionID   string     `json:"decision_id"`
	RelatedID    *string    `json:"related_id"`
	CreatedAt    time.Time  `json:"created_at"`
	EffectiveAt  time.Time  `json:"effective_at"`
	ExpiresAt    *time.Time `json:"expires_at"`
}

type hold struct {
	ID         string    `json:"id"`
	CustomerID string    `json:"customer_id"`
	Points     int64     `json:"points"`
	Captured   int64     `json:"captured"`
	Status     string    `json:"status"`
	Reason     string    `json:"reason"`
	ExpiresAt  time.Time `json:"expires_at"`
}

const maxExpiring = 100 // groups in a balance

// balanceOf is the shape of an account. Only one that has points with an expiry
// costs another query.
func balanceOf(ctx context.Context, r store.Reader, c *gate.Call, a *store.Account) (*balance, error) {
	now := store.At(c.Now)
	b := &balance{
		CustomerID: a.CustomerID, Balance: a.Balance(), Available: a.Available, Held: a.Held,
		LifetimeEarned: a.LifetimeEarned, Expiring: []expiring{}, AsOf: now.Time,
	}
	if a.NextExpiry.IsZero() {
		return b, nil
	}
	due, err := store.Expiring(ctx, r, a.Tenant, a.CustomerID, now, maxExpiring)
	for _, e := range due {
		b.Expiring = append(b.Expiring, expiring{Points: e.Points, At: e.At.Time})
	}
	return b, err
}

// balanceAfter reads what an effect has left.
func balanceAfter(ctx context.Context, tx *store.Tx, c *gate.Call, customer string) (*balance, error) {
	a, err := store.GetAccount(ctx, tx, c.Tenant.ID, customer, store.At(c.Now))
	if err != nil {
		return nil, err
	}
	return balanceOf(ctx, tx, c, a)
}

// posted answers with a new line and the balance that it left.
func posted(ctx context.Context, tx *store.Tx, c *gate.Call, l *store.Line) (*web.Answer, error) {
	b, err := balanceAfter(ctx, tx, c, l.CustomerID)
	if err != nil {
		return nil, err
	}
	return web.JSON(201, struct {
		Transaction transaction `json:"transaction"`
		Balance     *balance    `json:"balance"`
	}{transactionOf(c, l), b}), nil
}

func transactionOf(c *gate.Call, l *store.Line) transaction {
	t := transaction{
		ID: l.ID, CustomerID: l.CustomerID, Type: l.Type, Points: l.Points, BalanceAfter: l.BalanceAfter,
		Reason: l.Reason, Actor: l.Actor, ClientID: orNull(l.ClientID), RequestID: l.RequestID, DecisionID: l.DecisionID,
		RelatedID: orNull(l.RelatedID), CreatedAt: l.CreatedAt.Time, EffectiveAt: l.EffectiveAt.Time,
	}
	if !l.ExpiresAt.IsZero() {
		t.ExpiresAt = &l.ExpiresAt.Time
	}
	if c.Decision.Obligations["show_internal_note"] == true {
		t.InternalNote = l.InternalNote
	}
	return t
}

func holdOf(h *store.Hold) hold {
	return hold{
		ID: h.ID, CustomerID: h.CustomerID, Points: h.Points, Captured: h.Captured,
		Status: h.Status, Reason: h.Reason, ExpiresAt: h.ExpiresAt.Time,
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
