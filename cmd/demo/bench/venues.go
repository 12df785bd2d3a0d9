package main

import (
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// scene is what the simulators play: venues with orders that are closed
// already. It replaces the scene before.
type scene struct {
	Name   string `json:"name"`
	Venues int    `json:"venues"`
	Orders int    `json:"orders"` // of all venues together
	// PerSecond is the partner's limit; 0 lifts it.
	PerSecond int `json:"perSecond"`
	// Partner is whom the venues are connected to; empty is 7shifts.
	Partner string `json:"partner,omitempty"`
	// Days of history hold the orders, those before today; 0: they are today's.
	Days int `json:"days,omitempty"`
	// Companies of 7shifts share the venues in turn, each with a token of its
	// own; 0 is one.
	Companies int `json:"companies,omitempty"`
	// Holders are how many of the venues hold the orders, the first ones; 0: all.
	Holders int `json:"holders,omitempty"`
}

func (s scene) companies() int { return max(s.Companies, 1) }

// of is how many orders the i-th venue has.
func (s scene) of(i int) int {
	holders := s.Venues
	if s.Holders > 0 {
		holders = s.Holders
	}
	if i >= holders {
		return 0
	}
	n := s.Orders / holders
	if i < s.Orders%holders {
		n++
	}
	return n
}

// closed is when the n-th order of the i-th venue was: today, or on one of the
// days of history, which are filled one after the other.
func (s scene) closed(i, n int) time.Time {
	if s.Days == 0 {
		return closing(n, s.of(i))
	}
	back, nth, of := s.place(i, n)
	return closing(nth, of).AddDate(0, 0, -back)
}

// place says on which day of history an order lies, counted back from today, and
// that it is the nth of so many there.
func (s scene) place(i, n int) (back, nth, of int) {
	perDay := (s.of(i) + s.Days - 1) / s.Days
	day := n / perDay
	return s.Days - day, n % perDay, min(perDay, s.of(i)-day*perDay)
}

// daily are how many orders the i-th venue has, by business day.
func (s scene) daily(i int) map[string]int {
	days := map[string]int{}
	for n := range s.of(i) {
		days[dayOf(s.closed(i, n))]++
	}
	return days
}

// today is the business day on which the venues are connected.
func today() sale.Day {
	y, m, d := businessDay().Date()
	return sale.NewDay(y, m, d)
}

// firstDay is the first business day of a scene.
func (s scene) firstDay() sale.Day { return today().Plus(-s.Days) }

// venue has the names of the i-th venue of a scene, which simulators and ledger
// share. They are made up for the simulators, so they are no secrets.
type venue struct {
	scene   string
	partner string
	company int64
	i       int
}

const (
	firstCompany  = 30_001
	firstLocation = 70_001
)

func (s scene) venues() []venue {
	all := make([]venue, s.Venues)
	for i := range all {
		all[i] = venue{s.Name, s.partner(), firstCompany + int64(i%s.companies()), i}
	}
	return all
}

func (s scene) partner() string {
	if s.Partner == "" {
		return work.SevenShifts
	}
	return s.Partner
}

func (v venue) id() string         { return fmt.Sprintf("%s-%d", v.scene, v.i) }
func (v venue) serial() string     { return fmt.Sprintf("B%s%04d", v.scene, v.i) }
func (v venue) key() string        { return "key-of-" + v.id() }
func (v venue) location() int64    { return firstLocation + int64(v.i) }
func (v venue) connection() string { return work.ConnectionID(v.partner, v.id()) }

// token is the company's at 7shifts, and at WISK what names the venue.
func (v venue) token() string {
	if v.partner == work.Wisk {
		return "venue-of-" + v.id()
	}
	return fmt.Sprintf("token-of-%s-%d", v.scene, v.company)
}
