package tips

import (
	"cmp"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Receiver is a user with hours on a punch without role. Contributors and
// receivers both need a role (reference: 7shifts 9): whatever a pool shares
// out, these hours get nothing, also where no receipt is concerned.
type Receiver struct {
	UserID, PunchID int64
	Day             sale.Day // the business day of the clock-in
	Worked          time.Duration
	Open            bool // not clocked out yet: Worked is not known
}

// receivers lists them by day, user and punch.
func receivers(punches []Punch, zone *time.Location) []Receiver {
	var found []Receiver
	for _, p := range punches {
		worked, open := p.Worked(), p.Out.IsZero()
		if p.Deleted || p.RoleID != 0 || (worked == 0 && !open) {
			continue
		}
		found = append(found, Receiver{UserID: p.UserID, PunchID: p.ID, Day: sale.DayOf(p.In, zone), Worked: worked, Open: open})
	}
	slices.SortFunc(found, func(a, b Receiver) int {
		return cmp.Or(byDay(a.Day, b.Day), cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.PunchID, b.PunchID))
	})
	return found
}

func byDay(a, b sale.Day) int { return b.DaysUntil(a) }
