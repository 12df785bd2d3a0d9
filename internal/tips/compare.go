package tips

import (
	"cmp"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Reported is one row of 7shifts' own detailed report: what it assigned to a
// punch on a day, or with PunchID 0 what it left unassigned.
type Reported struct {
	Day             sale.Day
	PunchID, UserID int64
	Amounts         Amounts
}

// Difference is a punch and day, or with PunchID 0 a day's unassigned part, for
// which 7shifts reports something else than was foretold.
type Difference struct {
	Day                sale.Day
	PunchID, UserID    int64
	Foretold, Reported Amounts
}

// Compare sets rows against a report of the same days that covers all roles. A
// report's rows without money, which only hold hours, are no difference. They
// come by day, then punch. The only error is sale.ErrOverflow.
func Compare(rows []Row, reported []Reported) ([]Difference, error) {
	type place struct {
		day   sale.Day
		punch int64
	}
	found := map[place]*Difference{}
	at := func(day sale.Day, punch, user int64) *Difference {
		d := entry(found, place{day, punch})
		d.Day, d.PunchID, d.UserID = day, punch, user
		return d
	}
	for _, r := range rows {
		d := at(r.Day, 0, 0)
		if r.Assigned() {
			d = at(r.Day, r.PunchID, r.UserID)
		}
		if err := addTo(&d.Foretold, r.Amounts); err != nil {
			return nil, err
		}
	}
	for _, r := range reported {
		if r.PunchID == 0 {
			r.UserID = 0
		}
		if err := addTo(&at(r.Day, r.PunchID, r.UserID).Reported, r.Amounts); err != nil {
			return nil, err
		}
	}
	var differences []Difference
	for _, d := range sorted(found, func(a, b *Difference) int {
		return cmp.Or(byDay(a.Day, b.Day), cmp.Compare(a.PunchID, b.PunchID))
	}) {
		if d.Foretold != d.Reported {
			differences = append(differences, d)
		}
	}
	return differences, nil
}
