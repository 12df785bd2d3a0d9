package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Charge is the one-time fee of a location and partner.
type Charge struct {
	Number   string `json:"number"` // of the invoice
	Case     string `json:"case_id"`
	Partner  string `json:"partner"`
	Serial   string `json:"serial"`
	State    string `json:"state"` // one of work's Charge constants
	Currency string `json:"currency"`
	// Before is without tax; rates are in thousandths of a per cent.
	Before    sale.Cents `json:"before_tax"`
	GST       sale.Cents `json:"gst"`
	QST       sale.Cents `json:"qst"`
	GSTRate   int64      `json:"gst_rate"`
	QSTRate   int64      `json:"qst_rate"`
	OpenedAt  time.Time  `json:"opened_at"`
	SettledAt time.Time  `json:"settled_at"`
	Reference string     `json:"reference"` // of the payment
}

// Total is with tax.
func (c Charge) Total() (sale.Cents, error) { return sale.Sum(c.Before, c.GST, c.QST) }

// OpenCharge opens a charge, or tells the one that is there: of this number, or
// an unrefunded one of this partner and till.
func (s *Store) OpenCharge(ctx context.Context, n Charge) (Charge, error) {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO charges (number, case_id, partner, serial, state, currency, before_tax, gst, qst, gst_rate, qst_rate, opened_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (number) DO NOTHING`,
		n.Number, n.Case, n.Partner, n.Serial, work.ChargeOpen, n.Currency, n.Before, n.GST, n.QST, n.GSTRate, n.QSTRate, s.clock.Now())
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Constraint == "charges_one" {
		err = nil // another one is there
	}
	if err != nil {
		return Charge{}, failed("opening a charge", err)
	}
	found, err := selectJSON[Charge](ctx, s.db, `
		SELECT to_json(c) FROM charges c
		WHERE c.number = $1 OR (c.partner = $2 AND c.serial = $3 AND c.state IN ('open', 'paid'))
		ORDER BY (c.number = $1) DESC LIMIT 1`, n.Number, n.Partner, n.Serial)
	if err == nil && len(found) == 0 {
		err = work.Err(work.LedgerUnavailable, "a charge that was there a moment ago is gone")
	}
	if err != nil {
		return Charge{}, failed("opening a charge", err)
	}
	return found[0], nil
}

// ChargeOf is the charge of a case, and whether there is one.
func (s *Store) ChargeOf(ctx context.Context, caseID string) (Charge, bool, error) {
	return s.aCharge(ctx, `WHERE c.case_id = $1`, caseID)
}

// ChargeNumbered is the charge of an invoice, and whether there is one.
func (s *Store) ChargeNumbered(ctx context.Context, number string) (Charge, bool, error) {
	return s.aCharge(ctx, `WHERE c.number = $1`, number)
}

// PaidCharge is a charge of a partner that was paid and not refunded, for a till
// with this serial number or an earlier one of the same location.
func (s *Store) PaidCharge(ctx context.Context, partnerName, serial string) (Charge, bool, error) {
	return s.aCharge(ctx, `WHERE c.partner = $1 AND c.state = 'paid' AND c.serial IN (
		SELECT $2 UNION SELECT other.serial FROM serials this JOIN serials other USING (location_id) WHERE this.serial = $2)`, partnerName, serial)
}

func (s *Store) aCharge(ctx context.Context, where string, args ...any) (Charge, bool, error) {
	found, err := selectJSON[Charge](ctx, s.db, `SELECT to_json(c) FROM charges c `+where+` ORDER BY c.opened_at DESC LIMIT 1`, args...)
	if err != nil || len(found) == 0 {
		return Charge{}, false, failed("reading a charge", err)
	}
	return found[0], true, nil
}

// SettleCharge brings a charge from one of some states to another, journalled,
// and tells the charge as it is then, and whether this is what changed it. A
// refund keeps its reference beside the payment's.
func (s *Store) SettleCharge(ctx context.Context, number string, from []string, to, reference string, by Actor) (Charge, bool, error) {
	var c Charge
	var changed bool
	err := s.inTx(ctx, "settling a charge", func(tx *sqlx.Tx) error {
		found, err := selectJSON[Charge](ctx, tx, `
			UPDATE charges AS c SET state = $3, settled_at = $4,
				reference = CASE WHEN $3 = 'refunded' THEN c.reference ELSE $5 END,
				refund_reference = CASE WHEN $3 = 'refunded' THEN $5 ELSE c.refund_reference END
			WHERE c.number = $1 AND c.state = ANY ($2::text[]) RETURNING to_json(c)`,
			number, textArray(from), to, s.clock.Now(), reference)
		if err != nil {
			return err
		}
		if changed = len(found) > 0; changed {
			c = found[0]
			e := by.entry(ActFee)
			e.Location, e.New = c.Case, to
			return s.journal(ctx, tx, e)
		}
		found, err = selectJSON[Charge](ctx, tx, `SELECT to_json(c) FROM charges c WHERE c.number = $1`, number)
		if err == nil && len(found) == 0 {
			err = work.Err(work.BadInput, "there is no invoice of this number")
		}
		if err == nil {
			c = found[0]
		}
		return err
	})
	return c, changed, err
}

// Payment is what the billing system told of an invoice.
type Payment struct {
	ID       string     `json:"id"`     // the billing system's
	Number   string     `json:"number"` // of the invoice
	Kind     string     `json:"kind"`   // payment or refund
	Amount   sale.Cents `json:"amount"` // with tax
	Currency string     `json:"currency"`
	At       time.Time  `json:"at"`
}

// NotePayment keeps what the billing system told, which may come before the
// charge is here, and tells whether it is new. The same id with other contents
// is BadInput.
func (s *Store) NotePayment(ctx context.Context, p Payment) (news bool, err error) {
	done, err := s.db.ExecContext(ctx, `
		INSERT INTO payments (id, number, kind, amount, currency, at, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
		p.ID, p.Number, p.Kind, p.Amount, p.Currency, micros(p.At), s.clock.Now())
	if err != nil {
		return false, failed("noting a payment", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return n == 1, failed("noting a payment", err)
	}
	var same bool
	err = s.db.GetContext(ctx, &same, `
		SELECT number = $2 AND kind = $3 AND amount = $4 AND currency = $5 FROM payments WHERE id = $1`,
		p.ID, p.Number, p.Kind, p.Amount, p.Currency)
	if err == nil && !same {
		return false, work.Err(work.BadInput, "a payment of this id was told before, with other contents")
	}
	return false, failed("noting a payment", err)
}

// Payments are those of an invoice, in the order in which they were made.
func (s *Store) Payments(ctx context.Context, number string) ([]Payment, error) {
	all, err := selectJSON[Payment](ctx, s.db, `SELECT to_json(p) FROM payments p WHERE p.number = $1 ORDER BY p.at, p.id`, number)
	return all, failed("reading payments", err)
}
