package tips

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// DaySum is one business day. Delivered is Assigned plus Unassigned.
type DaySum struct {
	Day                             sale.Day
	Receipts, Loose                 int // all, and those unassigned
	Delivered, Assigned, Unassigned Amounts
}

// ByDay sums per business day, the earliest first. The only error is
// sale.ErrOverflow, as with all sums here.
func ByDay(rows []Row) ([]DaySum, error) {
	days := map[sale.Day]*DaySum{}
	for _, r := range rows {
		d := entry(days, r.Day)
		d.Day = r.Day
		d.Receipts++
		sum := &d.Assigned
		if !r.Assigned() {
			d.Loose++
			sum = &d.Unassigned
		}
		if err := addTo(sum, r.Amounts); err != nil {
			return nil, err
		}
		if err := addTo(&d.Delivered, r.Amounts); err != nil {
			return nil, err
		}
	}
	return sorted(days, func(a, b *DaySum) int { return byDay(a.Day, b.Day) }), nil
}

// CauseSum is what one cause leaves unassigned.
type CauseSum struct {
	Cause    Cause
	Receipts int
	Amounts  Amounts
}

// ByCause sums the unassigned rows per cause, the most tips first, then the
// most net sales.
func ByCause(rows []Row) ([]CauseSum, error) {
	causes := map[Cause]*CauseSum{}
	for _, r := range rows {
		if r.Assigned() {
			continue
		}
		c := entry(causes, r.Cause)
		c.Cause = r.Cause
		c.Receipts++
		if err := addTo(&c.Amounts, r.Amounts); err != nil {
			return nil, err
		}
		if _, err := c.Amounts.Tips(); err != nil {
			return nil, err
		}
	}
	return sorted(causes, func(a, b *CauseSum) int {
		return cmp.Or(byMoney(a.Amounts, b.Amounts), cmp.Compare(a.Cause, b.Cause))
	}), nil
}

// byMoney puts the most tips first, then the most net sales. Their sums have
// been checked.
func byMoney(a, b Amounts) int {
	return cmp.Or(cmp.Compare(b.Card+b.Gratuity, a.Card+a.Gratuity), cmp.Compare(b.Net, a.Net))
}

// EmployeeDay is one person on one business day.
type EmployeeDay struct {
	Day sale.Day
	// EmployeeID is Cluster's, empty for a user to whom nobody is mapped and for
	// nobody's receipts; UserID is 7shifts', 0 where nobody is mapped.
	EmployeeID string
	UserID     int64
	// Delivered is Assigned plus Unassigned.
	Delivered, Assigned, Unassigned Amounts
	// Cash is Cluster's cash tips, Declared what was declared at the punches
	// that began on this day. Neither is ever sent: a person enters them.
	Cash, Declared sale.Cents
	// Worked is the length of those punches without unpaid breaks.
	Worked time.Duration
}

// employeeDay is the key: two Cluster employees are two, even with one user.
type employeeDay struct {
	day      sale.Day
	employee string
	user     int64
}

// ByEmployee sums per business day and person, with what was declared at the
// punches beside it. A user's punches go to the employee that is mapped to the
// user; with several, to the first by id.
func ByEmployee(in Input, r Result) ([]EmployeeDay, error) {
	days := map[employeeDay]*EmployeeDay{}
	at := func(k employeeDay) *EmployeeDay {
		e := entry(days, k)
		e.Day, e.EmployeeID, e.UserID = k.day, k.employee, k.user
		return e
	}
	for _, row := range r.Rows {
		e := at(employeeDay{row.Day, row.EmployeeID, row.UserID})
		if err := e.take(row); err != nil {
			return nil, err
		}
	}
	employees := employeeOf(in.Mappings)
	for _, p := range in.Punches {
		if p.Deleted {
			continue
		}
		e := at(employeeDay{sale.DayOf(p.In, in.Zone), employees[p.UserID], p.UserID})
		e.Worked += p.Worked()
		var err error
		if e.Declared, err = e.Declared.Add(p.Declared); err != nil {
			return nil, err
		}
	}
	return sorted(days, func(a, b *EmployeeDay) int {
		return cmp.Or(byDay(a.Day, b.Day), cmp.Compare(a.EmployeeID, b.EmployeeID), cmp.Compare(a.UserID, b.UserID))
	}), nil
}

func (e *EmployeeDay) take(row Row) error {
	sum := &e.Assigned
	if !row.Assigned() {
		sum = &e.Unassigned
	}
	if err := addTo(sum, row.Amounts); err != nil {
		return err
	}
	if err := addTo(&e.Delivered, row.Amounts); err != nil {
		return err
	}
	cash, err := e.Cash.Add(row.Cash)
	e.Cash = cash
	return err
}

func employeeOf(mappings []Mapping) map[int64]string {
	employees := map[int64]string{}
	for _, m := range mappings {
		if held, ok := employees[m.UserID]; m.State == Mapped && (!ok || m.EmployeeID < held) {
			employees[m.UserID] = m.EmployeeID
		}
	}
	return employees
}

func addTo(sum *Amounts, a Amounts) error {
	next, err := sum.Add(a)
	*sum = next
	return err
}

// entry finds or makes the value of a key.
func entry[K comparable, V any](all map[K]*V, k K) *V {
	if all[k] == nil {
		all[k] = new(V)
	}
	return all[k]
}

func sorted[K comparable, V any](all map[K]*V, order func(a, b *V) int) []V {
	values := make([]V, 0, len(all))
	for _, v := range slices.SortedFunc(maps.Values(all), order) {
		values = append(values, *v)
	}
	return values
}
