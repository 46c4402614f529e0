package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

const (
	mailKind   = "alert"
	maxMails   = 20 // to each address, of one tenant, in an hour
	maxTold    = 20 // alerts that one mail tells of
	mailWithin = time.Hour
)

var errManyMails = errors.New("there were too many mails in the last hour")

// tell puts mails about new alerts into the outbox. told is why nobody is told;
// that doesn't keep the alerts from being raised, as an err of the store does.
func (f *Follower) tell(ctx context.Context, tx *store.Tx, tenant string, raised []*store.Alert) (told, err error) {
	if len(raised) == 0 || len(f.MailTo) == 0 {
		return nil, nil
	}
	n, err := store.MailsSince(ctx, tx, tenant, mailKind, store.At(f.Now().Add(-mailWithin)))
	if err != nil {
		return nil, err
	}
	before := int(n) / len(f.MailTo)
	if before >= maxMails {
		return errManyMails, nil
	}
	issuer := ""
	if t, err := store.GetTenant(ctx, tx, tenant); err == nil {
		issuer = t.Issuer
	}
	for _, to := range f.MailTo {
		err := tx.InsertMail(ctx, &store.Mail{
			ID: "mail_" + f.NewID(), Tenant: tenant, Kind: mailKind, Recipient: to,
			Subject: subject(tenant, raised), Body: text(issuer, raised, before+1 == maxMails),
		})
		if errors.Is(err, store.ErrUnavailable) {
			return fmt.Errorf("the outbox is full: %w", err), nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

var gravity = []string{"low", "medium", "high", "critical"}

func gravest(raised []*store.Alert) *store.Alert {
	return slices.MaxFunc(raised, func(a, b *store.Alert) int {
		return slices.Index(gravity, a.Severity) - slices.Index(gravity, b.Severity)
	})
}

func subject(tenant string, raised []*store.Alert) string {
	worst := gravest(raised)
	more := ""
	if len(raised) > 1 {
		more = fmt.Sprintf(" and %d more", len(raised)-1)
	}
	return fmt.Sprintf("[Pointgate] %s: %s: %s%s", tenant, worst.Severity, worst.Title, more)
}

func text(issuer string, raised []*store.Alert, last bool) string {
	var b strings.Builder
	for i, a := range raised {
		if i == maxTold {
			fmt.Fprintf(&b, "And %d more, which are in the list.\n\n", len(raised)-maxTold)
			break
		}
		fmt.Fprintf(&b, "%s\n%s\n\n  severity   %s\n  rule       %s\n  about      %s\n  alert      %s\n", a.Title, a.Detail, a.Severity, a.Rule, a.Key, a.ID)
		for j, id := range a.Decisions {
			fmt.Fprintf(&b, "  %-10s %s\n", map[bool]string{true: "decisions"}[j == 0], id)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "Look at a decision:  pointgate audit show ID --url %s\n", issuer)
	fmt.Fprintf(&b, "Take an alert on:    pointgate alert update ID --state acknowledged --url %s\n", issuer)
	b.WriteString("\nAs long as an alert is not closed, no other mail comes about the same.\n")
	if last {
		fmt.Fprintf(&b, "\nThis is mail number %d in an hour: of what is raised in the rest of it, no mail tells.\n", maxMails)
	}
	return b.String()
}
