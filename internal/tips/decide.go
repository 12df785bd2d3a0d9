package tips

import (
	"cmp"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Cause is why a receipt stays unassigned; empty when it is assigned.
type Cause string

// The causes, in the order in which they are looked for: the first that holds
// is what has to be repaired first.
const (
	NoEmployee       Cause = "no_employee"      // the receipt names nobody
	EmployeeUnknown  Cause = "unknown_employee" // in no mapping
	EmployeeIgnored  Cause = "ignored"
	EmployeeUnmapped Cause = "unmapped"
	UserInactive     Cause = "inactive_user"
	PunchWithoutRole Cause = "punch_without_role"
	PunchOpen        Cause = "open_punch"
	PunchNotApproved Cause = "punch_not_approved" // with Rules.ApprovedOnly
	// DateSetting: not clocked in at the receipt's date, but at the other of the
	// check's instants, which would date it if the setting were the other one.
	DateSetting  Cause = "receipt_date_setting"
	NotClockedIn Cause = "not_clocked_in"
)

// Causes lists all causes in their order.
func Causes() []Cause {
	return []Cause{
		NoEmployee, EmployeeUnknown, EmployeeIgnored, EmployeeUnmapped, UserInactive,
		PunchWithoutRole, PunchOpen, PunchNotApproved, DateSetting, NotClockedIn,
	}
}

// Row is what becomes of one receipt.
type Row struct {
	ReceiptID  string
	Day        sale.Day
	Date       time.Time
	EmployeeID string
	Amounts    Amounts
	Cash       sale.Cents
	Cause      Cause
	// UserID is the mapped user, 0 where there is none.
	UserID int64
	// PunchID is the punch that it is assigned to, or that the cause is about,
	// or with NotClockedIn the nearest one; 0 where there is none. RoleID is
	// that punch's.
	PunchID, RoleID int64
	// Miss is by how much PunchID misses, with NotClockedIn.
	Miss Miss
}

// Assigned tells whether 7shifts gives the receipt to somebody.
func (r Row) Assigned() bool { return r.Cause == "" }

// Miss is how far a receipt lies outside a punch.
type Miss struct {
	By time.Duration
	// Early says that it lies before the clock-in; otherwise it lies after the
	// clock-out.
	Early bool
}

// Minutes rounds up, so that a miss is never "0 minutes".
func (m Miss) Minutes() int { return max(1, int((m.By+time.Minute-1)/time.Minute)) }

// Input is what the decision depends on, and all of it.
type Input struct {
	Receipts []Receipt
	Mappings []Mapping
	// Punches of the location around the receipts' days, those of unmapped users
	// included: they may be receivers without a role.
	Punches []Punch
	Rules   Rules
	Zone    *time.Location // the location's, for the days of Receivers
}

// Result is the decision. Delivered is Assigned plus Unassigned, to the cent.
type Result struct {
	Rows                            []Row // in the order of the receipts, voided ones left out
	Receivers                       []Receiver
	Delivered, Assigned, Unassigned Amounts
}

// Decide foretells what 7shifts does with every receipt. The only error is
// sale.ErrOverflow; its text holds amounts, so that it is a cause and never a
// sentence.
func Decide(in Input) (Result, error) {
	d := decider{rules: in.Rules, mappings: map[string]Mapping{}, punches: map[int64][]Punch{}}
	for _, m := range in.Mappings {
		d.mappings[m.EmployeeID] = m
	}
	for _, p := range in.Punches {
		if !p.Deleted {
			d.punches[p.UserID] = append(d.punches[p.UserID], p)
		}
	}
	for _, punches := range d.punches {
		slices.SortFunc(punches, newestFirst)
	}
	result := Result{Receivers: receivers(in.Punches, in.Zone)}
	var err error
	for _, r := range in.Receipts {
		if r.Voided {
			continue
		}
		row := d.row(r)
		result.Rows = append(result.Rows, row)
		sum := &result.Unassigned
		if row.Assigned() {
			sum = &result.Assigned
		}
		if *sum, err = sum.Add(row.Amounts); err != nil {
			return Result{}, err
		}
		if result.Delivered, err = result.Delivered.Add(row.Amounts); err != nil {
			return Result{}, err
		}
	}
	return result, nil
}

// newestFirst decides between overlapping punches of one user: the one that
// began last is what the user was doing; of two that began together the one
// with the higher id was entered last (assumed).
func newestFirst(a, b Punch) int {
	return cmp.Or(b.In.Compare(a.In), cmp.Compare(b.ID, a.ID))
}

type decider struct {
	rules    Rules
	mappings map[string]Mapping
	punches  map[int64][]Punch // by user, newest first
}

func (d decider) row(r Receipt) Row {
	row := Row{
		ReceiptID: r.ID, Day: r.Day, Date: r.Date, EmployeeID: r.EmployeeID, Amounts: r.Amounts, Cash: r.Cash,
	}
	m, known := d.mappings[r.EmployeeID]
	switch {
	case r.EmployeeID == "":
		row.Cause = NoEmployee
	case !known:
		row.Cause = EmployeeUnknown
	case m.State == Ignored:
		row.Cause = EmployeeIgnored
	case m.State != Mapped || m.UserID == 0:
		row.Cause = EmployeeUnmapped
	case !m.UserActive:
		row.UserID, row.Cause = m.UserID, UserInactive
	default:
		row.UserID = m.UserID
		d.place(&row, r)
	}
	return row
}

// place finds the punch that a mapped user's receipt belongs to.
func (d decider) place(row *Row, r Receipt) {
	p, cause, covered := d.during(row.UserID, r.Date)
	if covered {
		row.Cause, row.PunchID, row.RoleID = cause, p.ID, p.RoleID
		return
	}
	for _, other := range []time.Time{r.Opened, r.Closed} {
		// A receipt's date has no fraction of a second.
		if other = other.Truncate(time.Second); other.IsZero() || other.Equal(r.Date) {
			continue
		}
		if p, cause, covered := d.during(row.UserID, other); covered && cause == "" {
			row.Cause, row.PunchID, row.RoleID = DateSetting, p.ID, p.RoleID
			return
		}
	}
	row.Cause = NotClockedIn
	if p, miss, ok := d.nearest(row.UserID, r.Date); ok {
		row.PunchID, row.RoleID, row.Miss = p.ID, p.RoleID, miss
	}
}

// during is the user's punch at an instant: one that is assigned to if there
// is any, otherwise one that says why not.
func (d decider) during(user int64, t time.Time) (found Punch, cause Cause, covered bool) {
	for _, p := range d.punches[user] {
		if !d.rules.covers(p, t) {
			continue
		}
		if d.rules.assigns(p) {
			return p, "", true
		}
		if c := d.rules.refusal(p); !covered || slices.Index(Causes(), c) < slices.Index(Causes(), cause) {
			found, cause, covered = p, c, true
		}
	}
	return found, cause, covered
}

// refusal is why a punch that covers an instant is not assigned to.
func (r Rules) refusal(p Punch) Cause {
	switch {
	case p.RoleID == 0:
		return PunchWithoutRole
	case p.Out.IsZero() && !r.OpenCounts:
		return PunchOpen
	default:
		return PunchNotApproved
	}
}

// nearest is the user's punch that misses an instant by the least; of two, the
// newer one.
func (d decider) nearest(user int64, t time.Time) (found Punch, by Miss, ok bool) {
	for _, p := range d.punches[user] {
		miss := Miss{By: p.In.Sub(t), Early: true}
		if !t.Before(p.In) {
			end := p.Out
			if end.IsZero() {
				end = p.In.Add(OpenReach)
			}
			miss = Miss{By: max(0, t.Sub(end))}
		}
		if !ok || miss.By < by.By {
			found, by, ok = p, miss, true
		}
	}
	return found, by, ok
}
