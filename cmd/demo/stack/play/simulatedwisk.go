package play

import (
	"fmt"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// What is asked of WISK in a minute here are the uploads of half a year: each
// site's business day is one at least. Faster than that they would take the
// machine away from all else, on which the partners' clocks run as well.
const (
	wiskPerSecond    = 10 // ours; see shortenedSettings
	wiskPerSecondMax = 12 // the simulated WISK's
)

// simulateWisk serves a simulated WISK with a venue or two, and adds what the
// sites' tills sell.
func (s *simulators) simulateWisk(size Size, state string, c *calendar) (err error) {
	switches := wisksim.Defaults()
	switches.PerSecond = wiskPerSecondMax
	if s.wisk, err = wisksim.Open(wisksim.Options{Clock: c, StateFile: state, Switches: &switches, ClusterURL: s.clusterURL}); err != nil {
		return err
	}
	for _, v := range s.wiskVenues() {
		s.wisk.AddVenue(wisksim.Venue{ID: v.identifier(), Name: v.Name, Address: v.Address, Zone: v.Zone})
	}
	s.wiskPlan = newWiskPlan(size, s.sites)
	s.wiskPlan.Load(s.tills)
	s.wiskURL, err = s.serve(s.wisk)
	return err
}

// wiskVenues are the venues of the sites, each once.
func (s *simulators) wiskVenues() []wiskVenue {
	var list []wiskVenue
	for _, one := range s.sites {
		if !slices.Contains(list, one.In) {
			list = append(list, one.In)
		}
	}
	return list
}

// linesOf is how many lines WISK took of a location's sales; none for one that is
// no site.
func (s *simulators) linesOf(location string) int {
	for _, one := range s.sites {
		if one.ID == location {
			return s.wisk.CountLines(one.In.identifier(), one.linePrefix())
		}
	}
	return 0
}

// loseItem makes the simulated WISK accept one line and forget it: of the first
// item that the last site will have sold on the day before the first live one.
func (s *simulators) loseItem(until time.Time) (string, error) {
	if len(s.sites) == 0 {
		return "", fmt.Errorf("BREAK=%s: this size plays nothing for WISK", BreakLoseItem)
	}
	of := s.sites[len(s.sites)-1]
	for _, item := range s.wiskPlan.ExpectedItems(of.name(), of.mode, until) {
		if item.Day == firstLive.Plus(-1) {
			lost := wisksim.Loss{Venue: of.In.identifier(), Day: item.Day.String(), PLU: item.Code}
			return fmt.Sprintf("one line of item %s on %s at %s", item.Code, item.Day, of.name()), s.wisk.Lose(lost)
		}
	}
	return "", fmt.Errorf("BREAK=%s: nothing is planned for the day before %s", BreakLoseItem, firstLive)
}

// observedWisk is what the simulated WISK saw that must never be, and its
// traffic in a sentence.
func (s *simulators) observedWisk() (violations []string, traffic string) {
	for _, v := range s.wisk.Check() {
		violations = append(violations, fmt.Sprintf("%s (%d times)", v.What, v.Times))
	}
	for _, v := range s.wiskVenues() {
		doubled, err := s.wisk.Doubled(v.identifier())
		if err != nil || len(doubled) > 0 {
			violations = append(violations, fmt.Sprintf("sales of %s count twice at WISK on %v %v", v.Name, doubled, err))
		}
	}
	c := s.wisk.Counters()
	fastest, limited, requests := 0, 0, 0
	for _, r := range s.wisk.Rates() {
		fastest, limited, requests = max(fastest, r.MaxPerSecond), limited+r.Limited, requests+r.Requests
	}
	return violations, fmt.Sprintf("WISK saw %d requests with %d lines: %d held, %d repeats under their own ids; at most %d for one venue in any second (%d are allowed), %d refused for speed.",
		requests, c.Lines, c.Applied, c.Repeats, fastest, wiskPerSecondMax, limited)
}

// plannedOrders are the orders that the plan expects at a site by business day,
// as known at an instant.
func (s *simulators) plannedOrders(of site, at time.Time) map[sale.Day][]plannedOrder {
	days := map[sale.Day][]plannedOrder{}
	for _, e := range s.wiskPlan.Expected(at) {
		if e.Serial == of.Location.Serial {
			days[e.Day] = append(days[e.Day], plannedOrder{e.ReceiptID, e.Corrected})
		}
	}
	return days
}
