// Package tips foretells which sales and tips 7shifts will give to a person
// and which it will leave unassigned, and why. 7shifts assigns a receipt only
// if its employee is mapped to a user who was clocked in at the receipt's date
// on a punch with a role (reference: 7shifts 9). The package is pure: no clock,
// no I/O, of ours it imports only sale.
package tips

import (
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Amounts are what a receipt brings to a pool, in cents.
type Amounts struct {
	Net      sale.Cents // net sales
	Card     sale.Cents // tips on cards
	Gratuity sale.Cents // automatic gratuities
}

// Add returns the sum, or sale.ErrOverflow.
func (a Amounts) Add(b Amounts) (Amounts, error) {
	var sum Amounts
	var err error
	if sum.Net, err = a.Net.Add(b.Net); err != nil {
		return Amounts{}, err
	}
	if sum.Card, err = a.Card.Add(b.Card); err != nil {
		return Amounts{}, err
	}
	if sum.Gratuity, err = a.Gratuity.Add(b.Gratuity); err != nil {
		return Amounts{}, err
	}
	return sum, nil
}

// Tips is the money that somebody is waiting for, or sale.ErrOverflow.
func (a Amounts) Tips() (sale.Cents, error) { return a.Card.Add(a.Gratuity) }

// IsZero tells whether there is nothing to assign.
func (a Amounts) IsZero() bool { return a == Amounts{} }

// Receipt is a receipt as it was, or is to be, delivered.
type Receipt struct {
	ID  string
	Day sale.Day // the business day of Date
	// Date is receipt_date as sent: one of Opened and Closed, as the
	// connection's setting says, in UTC to the second.
	Date time.Time
	// Opened and Closed are the check's instants, zero where unknown. They only
	// explain: another setting might have dated the receipt inside the shift.
	Opened, Closed time.Time
	EmployeeID     string // Cluster's; empty for nobody's
	Amounts        Amounts
	// Cash is Cluster's cash tips. They are never sent, and shown beside what
	// was declared at the punch.
	Cash sale.Cents
	// Voided receipts hold no money of anybody and get no row.
	Voided bool
}

// State is how a Cluster employee stands in the mapping.
type State string

// The states. An employee who is not listed at all is unknown.
const (
	Mapped   State = "mapped"
	Unmapped State = "unmapped"
	Ignored  State = "ignored" // on purpose: ghost profiles, takeout roles
)

// Mapping is what is known of one Cluster employee.
type Mapping struct {
	EmployeeID string
	State      State
	UserID     int64 // 7shifts user, with Mapped
	UserActive bool  // with Mapped
}

// Punch is one time punch of the location; those of other locations are not
// given. Instants are UTC.
type Punch struct {
	ID     int64
	UserID int64
	RoleID int64 // 0: without role
	In     time.Time
	Out    time.Time // zero: still open
	Breaks []Break
	// Approved by a manager; only matters with Rules.ApprovedOnly.
	Approved bool
	Deleted  bool
	// Declared is what the user declared as tips at this punch.
	Declared sale.Cents
}

// Break is a break within a punch. It does not clock out: a receipt during a
// break is during the punch (assumed).
type Break struct {
	In, Out time.Time // Out is zero while it lasts
	Paid    bool
}

// Worked is the punch's length without unpaid breaks; none while it is open.
func (p Punch) Worked() time.Duration {
	if p.Out.IsZero() {
		return 0
	}
	worked := p.Out.Sub(p.In)
	for _, b := range p.Breaks {
		if b.Paid {
			continue
		}
		from, to := later(b.In, p.In), p.Out
		if !b.Out.IsZero() && b.Out.Before(to) {
			to = b.Out
		}
		worked -= max(0, to.Sub(from))
	}
	return max(0, worked)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Rules are what 7shifts' description leaves open: a setting each. The zero
// Rules are what is assumed.
type Rules struct {
	// OutInclusive lets the second of clocking out still belong to the punch.
	// Clocking in always does.
	OutInclusive bool
	// OpenCounts lets a punch without a clock-out count as clocked in, for at
	// most OpenReach. Otherwise its receipts stay unassigned: an open punch is
	// among 7shifts' own reasons for missing tips (complaint 13).
	OpenCounts bool
	// ApprovedOnly lets only approved punches count: 7shifts' advice for payroll
	// asks for approval, its list of reasons does not name it.
	ApprovedOnly bool
}

// OpenReach is how long after its clock-in an open punch explains a receipt.
// Nobody's shift is longer than a day, and a punch forgotten on Monday must not
// explain what happened on Friday.
const OpenReach = 24 * time.Hour

// covers tells whether the user was clocked in on this punch at t. An open
// punch covers too: whether it counts is another question.
func (r Rules) covers(p Punch, t time.Time) bool {
	end := p.Out
	if p.Out.IsZero() {
		end = p.In.Add(OpenReach)
	}
	if t.Before(p.In) || end.Before(p.In) {
		return false
	}
	return t.Before(end) || (r.OutInclusive && t.Equal(end) && !p.Out.IsZero())
}

// assigns tells whether 7shifts assigns what happened during the punch.
func (r Rules) assigns(p Punch) bool {
	return p.RoleID != 0 && (r.OpenCounts || !p.Out.IsZero()) && (p.Approved || !r.ApprovedOnly)
}
