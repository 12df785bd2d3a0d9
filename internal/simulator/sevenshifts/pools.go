package sevenshiftssim

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// TipPool is one tip pool of a location, with its rules (reference: 7shifts 9).
type TipPool struct {
	UUID       string `json:"uuid"` // empty in AddTipPool: a new one
	CompanyID  int64  `json:"company_id"`
	LocationID int64  `json:"location_id"`
	Name       string `json:"name"`
	Disabled   bool   `json:"disabled,omitempty"`
	// Distribution is HOURS_WORKED (also when empty), ROLE_PERCENT_HOURS_WORKED
	// or POINTS.
	Distribution string `json:"distribution"`
	// UnassignedPercent of the unassigned tips are added, as those of
	// unassigned contributors.
	UnassignedPercent float64 `json:"unassigned_percent,omitempty"`
	// Sources are CREDIT_CARD, AUTO_GRATUITY and DECLARED; none means the first
	// two.
	Sources []string `json:"sources,omitempty"`
	Stakes  []Stake  `json:"stakes,omitempty"`
	Cadence string   `json:"cadence,omitempty"` // as shown; it is always shared out daily here
}

// Stake is a role's part in a pool: a percentage of its tips that it
// contributes, or its points or percentage of what is shared out.
type Stake struct {
	RoleID   int64   `json:"role_id"`
	Receives bool    `json:"receives,omitempty"` // otherwise contributes
	Amount   float64 `json:"amount"`
}

// AddTipPool adds or replaces a pool and returns its uuid.
func (s *Sim) AddTipPool(p TipPool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.UUID == "" {
		p.UUID = newUUID()
	}
	p.Distribution = cmp.Or(p.Distribution, "HOURS_WORKED")
	p.Cadence = cmp.Or(p.Cadence, "DAILY")
	s.do(event{Pool: &p})
	return p.UUID
}

// Why a receipt stays unassigned, as the pages tell it; the API does not.
const (
	whyNobody     = "no employee"
	whyUnmapped   = "unmapped"
	whyIgnored    = "ignored"
	whyInactive   = "inactive"
	whyNoPunch    = "not clocked in"
	whyNoRole     = "punch without role"
	whyOpen       = "open punch"
	whyUnapproved = "punch not approved"
)

// openFor is how long an open punch counts as clocked in (assumed).
const openFor = 24 * time.Hour

// PoolRow is what becomes of one receipt.
type PoolRow struct {
	Date     string // the workday
	Receipt  string
	External string
	At       time.Time
	// UserID and PunchID are 0, and Why is set, where nobody gets it. With a
	// punch that does not count, PunchID names it.
	UserID, PunchID     int64
	Why                 string
	Net, Card, Gratuity int64
}

// PoolRows tells what becomes of a location's receipts that are open or closed,
// from one workday to another, both included and written YYYY-MM-DD.
func (s *Sim) PoolRows(location int64, first, last string) []PoolRow {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poolRows(s.locations[location], first, last)
}

func (s *Sim) poolRows(l location, first, last string) []PoolRow {
	rows := []PoolRow{}
	for _, r := range s.store.order {
		if r.Location != l.ID || (*r.Fields.Status != "open" && *r.Fields.Status != "closed") {
			continue
		}
		if date := workday(r.date(), l.zone); date >= first && date <= last {
			row := PoolRow{Date: date, Receipt: r.ID, External: or(r.Fields.Employee, ""), At: r.date().UTC(), Net: *r.Fields.Net}
			row.Card, row.Gratuity = r.Fields.tipsByType()
			s.assign(l, &row)
			rows = append(rows, row)
		}
	}
	return rows
}

// assign finds whose receipt it is: that of the mapped user who was clocked in
// at its date on a punch with a role (reference: 7shifts 9).
func (s *Sim) assign(l location, row *PoolRow) {
	k := mappingKey{l.ID, row.External}
	m, mapped := s.staff.mappings[k]
	switch {
	case row.External == "":
		row.Why = whyNobody
		return
	case s.staff.ignored[k]:
		row.Why = whyIgnored
		return
	case !mapped:
		row.Why = whyUnmapped
		return
	case s.staff.users[m.UserID].Inactive:
		row.Why = whyInactive
		return
	}
	row.Why = whyNoPunch
	for _, p := range s.clockedIn(l, m.UserID, row.At) {
		why := s.useless(p)
		if row.PunchID == 0 || badness[why] <= badness[row.Why] {
			row.PunchID, row.Why = p.ID, why
		}
	}
	if row.Why == "" {
		row.UserID = m.UserID
	}
}

// badness orders what may be wrong with a punch: of several at one time the
// best is taken.
var badness = map[string]int{"": 0, whyNoRole: 1, whyOpen: 2, whyUnapproved: 3}

// useless tells why a punch gets nothing; empty when it does.
func (s *Sim) useless(p Punch) string {
	switch {
	case p.RoleID == 0:
		return whyNoRole
	case p.Out.IsZero() && !s.switches.PoolOpenCounts:
		return whyOpen
	case !p.Approved && s.switches.PoolApprovedOnly:
		return whyUnapproved
	}
	return ""
}

// clockedIn lists a user's punches at an instant, in the order of clocking in.
func (s *Sim) clockedIn(l location, user int64, at time.Time) []Punch {
	found := sortedBy(s.staff.punches, func(p Punch) bool {
		if p.UserID != user || p.LocationID != l.ID || p.Deleted || at.Before(p.In) {
			return false
		}
		if p.Out.IsZero() {
			return at.Sub(p.In) < openFor
		}
		inclusive := s.switches.PoolOutInclusive && p.Out.Equal(at) && !p.Out.Before(p.In)
		return at.Before(p.Out) || inclusive
	}, func(p Punch) int64 { return p.ID })
	slices.SortStableFunc(found, func(a, b Punch) int { return a.In.Compare(b.In) })
	return found
}

// worked are the hours of a punch without unpaid breaks; none while it is open.
func (p Punch) worked() time.Duration {
	if p.Out.IsZero() || p.Out.Before(p.In) {
		return 0
	}
	total := p.Out.Sub(p.In)
	for _, b := range p.Breaks {
		if !b.Paid && !b.Out.IsZero() {
			total -= b.Out.Sub(b.In)
		}
	}
	return max(0, total)
}

// poolSums are the amounts of one row of a report.
type poolSums struct {
	net, card, gratuity, declared int64
	hours                         time.Duration
	tipIn, tipOut                 int64
}

func (a *poolSums) add(b poolSums) {
	a.net, a.card, a.gratuity, a.declared = a.net+b.net, a.card+b.card, a.gratuity+b.gratuity, a.declared+b.declared
	a.hours, a.tipIn, a.tipOut = a.hours+b.hours, a.tipIn+b.tipIn, a.tipOut+b.tipOut
}

// poolLine is a row of the detailed report: a punch, or with punch 0 receipts
// of nobody.
type poolLine struct {
	poolSums
	punch Punch
}

// poolDay is one pool on one workday.
type poolDay struct {
	assigned   []poolLine
	unassigned []poolLine // the first is that of no punch
}

// poolDay computes a pool on one workday. The caller holds s.mu.
func (s *Sim) poolDay(pool TipPool, l location, date string, rows []PoolRow) poolDay {
	lines := map[int64]*poolLine{0: {}}
	at := func(p Punch) *poolLine {
		if lines[p.ID] == nil {
			lines[p.ID] = &poolLine{punch: p}
		}
		return lines[p.ID]
	}
	for _, p := range s.staff.punches {
		if p.LocationID == l.ID && !p.Deleted && !s.staff.users[p.UserID].Inactive && workday(p.In, l.zone) == date {
			at(p).add(poolSums{hours: p.worked(), declared: p.Tips})
		}
	}
	for _, r := range rows {
		if r.Date != date {
			continue
		}
		line := lines[0]
		if r.Why == "" || r.Why == whyNoRole {
			line = at(s.staff.punches[r.PunchID])
		}
		line.add(poolSums{net: r.Net, card: r.Card, gratuity: r.Gratuity})
	}
	var day poolDay
	for _, line := range sortedBy(lines, func(*poolLine) bool { return true }, func(line *poolLine) int64 { return line.punch.ID }) {
		switch why := s.useless(line.punch); {
		case line.poolSums == poolSums{} && line.punch.ID != 0:
		case why == whyNoRole:
			day.unassigned = append(day.unassigned, *line)
		case why == "" && pool.involves(line.punch.RoleID):
			day.assigned = append(day.assigned, *line)
		}
	}
	pool.share(&day)
	return day
}

// poolsRefused is the 403 of a partner for whom 7shifts has not enabled pools.
func (s *Sim) poolsRefused() *answer {
	if s.switches.TipPools {
		return nil
	}
	a := refuse(http.StatusForbidden, "access_denied", "", "Tip pooling is not enabled")
	return &a
}
