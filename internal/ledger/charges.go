package ledger

import (
	"context"
	"errors"
	"slices"
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
	// RefundReference is the refund's.
	RefundReference string `json:"refund_reference"`
}

// Total is with tax.
func (c Charge) Total() (sale.Cents, error) { return sale.Sum(c.Before, c.GST, c.QST) }

// OpenCharge opens a charge, or tells the one that is there: of this number, or
// an unrefunded one of this partner and serial number.
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

// ChargeOfTill is a partner's charge that is open, or paid and not refunded, for
// a till with this serial number or another one that its location has or had.
func (s *Store) ChargeOfTill(ctx context.Context, partnerName, serial string) (Charge, bool, error) {
	return s.aCharge(ctx, `WHERE c.partner = $1 AND c.state IN ('open', 'paid') AND c.serial IN (
		SELECT $2 UNION SELECT other.serial FROM serials this JOIN serials other USING (location_id) WHERE this.serial = $2)`, partnerName, serial)
}

func (s *Store) aCharge(ctx context.Context, where string, args ...any) (Charge, bool, error) {
	found, err := selectJSON[Charge](ctx, s.db, `SELECT to_json(c) FROM charges c `+where+` ORDER BY c.opened_at DESC LIMIT 1`, args...)
	if err != nil || len(found) == 0 {
		return Charge{}, false, failed("reading a charge", err)
	}
	return found[0], true, nil
}

// ChangeCharge runs f on a charge, and on all that the billing system told of
// it, that nobody else changes meanwhile, and keeps what it changed: the state
// with its references, and for what each payment was taken. The entries are
// journalled in the case's story. An unknown number is BadInput.
func (s *Store) ChangeCharge(ctx context.Context, number string, f func(c *Charge, told []Payment) ([]Entry, error)) (Charge, error) {
	var c Charge
	err := s.inTx(ctx, "changing a charge", func(tx *sqlx.Tx) error {
		found, err := selectJSON[Charge](ctx, tx, `SELECT to_json(c) FROM charges c WHERE c.number = $1 FOR UPDATE`, number)
		if err == nil && len(found) == 0 {
			err = work.Err(work.BadInput, "there is no invoice of this number")
		}
		if err != nil {
			return err
		}
		c = found[0]
		told, err := payments(ctx, tx, number)
		if err != nil {
			return err
		}
		before := slices.Clone(told)
		entries, err := f(&c, told)
		if err != nil {
			return err
		}
		if c.State != found[0].State {
			c.SettledAt = s.clock.Now()
		}
		return s.keepCharge(ctx, tx, c, before, told, entries)
	})
	return c, err
}

func (s *Store) keepCharge(ctx context.Context, tx *sqlx.Tx, c Charge, before, told []Payment, entries []Entry) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE charges SET state = $2, settled_at = $3, reference = $4, refund_reference = $5 WHERE number = $1`,
		c.Number, c.State, orNull(c.SettledAt), c.Reference, c.RefundReference); err != nil {
		return err
	}
	for i, p := range told {
		if p.Taken == before[i].Taken {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE payments SET taken = $2 WHERE id = $1`, p.ID, p.Taken); err != nil {
			return err
		}
	}
	for _, e := range entries {
		e.Location = c.Case
		if err := s.journal(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// Payment is what the billing system told of an invoice.
type Payment struct {
	ID       string     `json:"id"`     // the billing system's
	Number   string     `json:"number"` // of the invoice
	Kind     string     `json:"kind"`   // payment or refund
	Amount   sale.Cents `json:"amount"` // with tax
	Currency string     `json:"currency"`
	At       time.Time  `json:"at"`
	// Taken says for what it was taken; empty as long as it means nothing.
	Taken string `json:"taken"`
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
	all, err := payments(ctx, s.db, number)
	return all, failed("reading payments", err)
}

func payments(ctx context.Context, q sqlx.QueryerContext, number string) ([]Payment, error) {
	return selectJSON[Payment](ctx, q, `SELECT to_json(p) FROM payments p WHERE p.number = $1 ORDER BY p.at, p.id`, number)
}
