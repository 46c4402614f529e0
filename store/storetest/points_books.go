package storetest

import (
	"context"
	"fmt"

	"github.com/pointgate/pointgate/store"
)

// books are the ways in which points are kept twice: each query counts the rows
// where the two disagree.
var books = []struct{ rule, query string }{
	{"available is what is left in the lots", `SELECT COUNT(*) FROM accounts a WHERE a.tenant = ? AND a.available <>
		(SELECT COALESCE(SUM(remaining), 0) FROM lots l WHERE l.tenant = a.tenant AND l.customer_id = a.customer_id)`},
	{"held is what the open holds are for", `SELECT COUNT(*) FROM accounts a WHERE a.tenant = ? AND a.held <>
		(SELECT COALESCE(SUM(points), 0) FROM holds h WHERE h.tenant = a.tenant AND h.customer_id = a.customer_id AND h.status = 'held')`},
	{"the balance is the sum of the ledger", `SELECT COUNT(*) FROM accounts a WHERE a.tenant = ? AND a.available + a.held <>
		(SELECT COALESCE(SUM(points), 0) FROM ledger l WHERE l.tenant = a.tenant AND l.customer_id = a.customer_id)`},
	{"balance_after is the sum up to the line", `SELECT COUNT(*) FROM ledger x WHERE x.tenant = ? AND x.balance_after <>
		(SELECT SUM(points) FROM ledger l WHERE l.tenant = x.tenant AND l.customer_id = x.customer_id AND l.seq <= x.seq)`},
	{"a lot is what is left of it and what was used", `SELECT COUNT(*) FROM lots l WHERE l.tenant = ? AND l.points <> l.remaining +
		(SELECT COALESCE(SUM(u.points), 0) FROM lot_uses u WHERE u.lot = l.seq)`},
	{"a lot is what lines put in it", `SELECT COUNT(*) FROM lots l WHERE l.tenant = ? AND l.points <>
		(SELECT COALESCE(SUM(g.points), 0) FROM lot_gains g WHERE g.lot = l.seq)`},
	{"what a line brings is in lots", `SELECT COUNT(*) FROM ledger l WHERE l.tenant = ? AND l.points > 0 AND l.type <> 'reverse' AND l.points <>
		(SELECT COALESCE(SUM(g.points), 0) FROM lot_gains g WHERE g.line_id = l.id)`},
	{"an open hold has its points from lots, a closed one has none", `SELECT COUNT(*) FROM holds h WHERE h.tenant = ? AND
		(CASE WHEN h.status = 'held' THEN h.points ELSE 0 END) <> (SELECT COALESCE(SUM(u.points), 0) FROM lot_uses u WHERE u.used_by = h.id)`},
	{"lifetime_earned is what was earned and not reversed", `SELECT COUNT(*) FROM accounts a WHERE a.tenant = ? AND a.lifetime_earned <>
		(SELECT COALESCE(SUM(l.points), 0) FROM ledger l WHERE l.tenant = a.tenant AND l.customer_id = a.customer_id AND (l.type = 'earn'
			OR l.reverses IN (SELECT e.id FROM ledger e WHERE e.type = 'earn')))`},
}

// Balanced says which rule of the books a tenant's rows break; nil: none.
func Balanced(ctx context.Context, r store.Reader, tenant string) error {
	for _, b := range books {
		var wrong int
		if err := r.Get(ctx, &wrong, b.query, tenant); err != nil {
			return err
		}
		if wrong != 0 {
			return fmt.Errorf("%s: not so in %d rows", b.rule, wrong)
		}
	}
	return nil
}
