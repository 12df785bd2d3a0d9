package play

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// simulators are the tills, 7shifts and WISK, served on loopback.
type simulators struct {
	tills       *clustersim.Sim
	sevenShifts *sevenshiftssim.Sim
	plan        *traffic.Plan
	venues      []venue
	wisk        *wisksim.Sim
	wiskPlan    *traffic.Plan
	sites       []site
	// box takes all mails; nil where nobody is onboarded.
	box      *mailboxsim.Sim
	smtpPort int
	boxPage  string

	// sevenShiftsURL is the API's base; shiftsPage is where people look.
	clusterURL, sevenShiftsURL, shiftsPage, wiskURL string
	servers                                         []*http.Server
}

// Simulated 7shifts shows what it accepted after a moment, as the real one
// does after up to two minutes.
const (
	shortestDelay = 100 * time.Millisecond
	longestDelay  = time.Second
	listDays      = 100 // see shortenedSettings
	// block is how long it takes no more requests of a token that is too fast.
	// The limit itself is the real one. Where a machine is so busy that processes
	// stand still for a moment, requests that left one after the other arrive
	// together, which no limiter can know; a whole minute of standing still would
	// be three business days.
	block = 10 * time.Second
)

// simulate serves the tills, filled from the plans, 7shifts and WISK, with what
// an earlier run left in the state folder.
func simulate(size Size, f *folder, c *calendar) (*simulators, error) {
	switches := sevenshiftssim.Defaults()
	switches.DelayMin, switches.DelayMax = sevenshiftssim.Duration(shortestDelay), sevenshiftssim.Duration(longestDelay)
	switches.ListDays, switches.Block = listDays, sevenshiftssim.Duration(block)
	shifts, err := sevenshiftssim.Open(sevenshiftssim.Options{Clock: c, StateFile: f.file(journalFile), Switches: &switches})
	if err != nil {
		return nil, err
	}
	s := &simulators{sevenShifts: shifts, venues: venuesOf(size), sites: sitesOf(size)}
	if s.tills, err = openOffice(f, c); err != nil {
		return nil, errors.Join(err, shifts.Close())
	}
	for _, v := range s.venues {
		shifts.AddCompany(sevenshiftssim.Company{ID: v.Company, Name: v.TradeName})
		shifts.AddLocation(sevenshiftssim.Location{ID: v.Location, CompanyID: v.Company, Name: v.TradeName, City: v.city(), Timezone: v.Zone})
		for _, token := range []string{v.token(), v.readerToken()} {
			shifts.AddToken(sevenshiftssim.Token{Value: token, Companies: []int64{v.Company}})
		}
	}
	s.plan = newPlan(size, s.venues)
	s.plan.Load(s.tills)
	if s.clusterURL, err = s.serve(s.tills); err == nil {
		s.shiftsPage, err = s.serve(shifts)
		s.sevenShiftsURL = s.shiftsPage + "/v2"
	}
	if err == nil {
		err = s.simulateWisk(size, f.file(wiskFile), c)
	}
	if err == nil && !size.ByVerbs {
		err = s.expectGuests(f, c)
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func newPlan(size Size, venues []venue) *traffic.Plan {
	list := make([]traffic.Venue, len(venues))
	for i, v := range venues {
		list[i] = traffic.Venue{
			Location: clustersim.Location{
				Serial: v.Serial, Key: v.clusterKey(), TradeName: v.TradeName, Address: v.Address, Zone: v.Zone, Language: v.Language,
				Contact: &v.contact, Employees: v.staff(),
			},
			TaxRate: v.TaxRate, OrdersPerHistoryDay: size.OrdersPerPastDay, OrdersPerLiveDay: size.OrdersPerLiveDay,
		}
	}
	m := size.Minimum
	return traffic.New(size.Seed, list, firstHistory(size), firstLive, size.LiveDays, traffic.Minimums{
		Orders: m.Orders, LateEdits: m.LateEdits, Voids: m.OfEach, Refunds: m.OfEach, Splits: m.OfEach, Merges: m.OfEach, Transfers: m.OfEach,
		Vanished: size.Vanished,
	})
}

func (s *simulators) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no free port for a simulator: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: readWait}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(l) }() // ends with stop
	return "http://" + l.Addr().String(), nil
}

func (s *simulators) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	errs = append(errs, s.sevenShifts.Close())
	if s.box != nil {
		errs = append(errs, s.box.Close())
	}
	if s.wisk != nil {
		errs = append(errs, s.wisk.Close())
	}
	return errors.Join(errs...)
}

// planned is what the plan expects 7shifts to hold of a venue at an instant.
func (s *simulators) planned(v venue, at time.Time) []planned {
	var list []planned
	for _, e := range s.plan.Expected(at) {
		if e.Serial != v.Serial {
			continue
		}
		list = append(list, planned{Day: e.Day, Live: e.Live, Marks: e.Marks, receipt: receipt{
			ID: e.ReceiptID, Date: e.OpenedAt, Status: e.Status, Net: e.Net, Tips: e.CardTips, Gratuity: e.Gratuity, Employee: e.EmployeeID,
		}})
	}
	return list
}

// loseOne makes the simulated 7shifts accept one receipt again and again and
// never hold it: an ordinary one of the first live day.
func (s *simulators) loseOne(until time.Time) (lost planned, of venue) {
	of = s.venues[0]
	for _, p := range s.planned(of, until) {
		if p.Day == firstLive && p.Status == traffic.Closed && len(p.Marks) == 0 {
			s.sevenShifts.Lose(of.Location, p.ID, true)
			return p, of
		}
	}
	return lost, of
}

// observed is what the simulated 7shifts saw that must never be, and its
// traffic in a sentence.
func (s *simulators) observed() (violations []string, traffic string) {
	for _, v := range s.sevenShifts.Violations() {
		violations = append(violations, fmt.Sprintf("%s (%d times)", v.What, v.Times))
	}
	c := s.sevenShifts.Counters()
	if c.SecondAfterClean > 0 {
		violations = append(violations, fmt.Sprintf("%d receipts were created again after a clean answer", c.SecondAfterClean))
	}
	fastest, limited, requests := 0, 0, 0
	for _, r := range s.sevenShifts.Rates() {
		fastest, limited, requests = max(fastest, r.MaxPerSecond), limited+r.Limited, requests+r.Requests
	}
	return violations, fmt.Sprintf("7shifts saw %d requests: %d creates, %d updates; at most %d of one token in any second (10 are allowed), %d refused for speed.",
		requests, c.Creates, c.Updates, fastest, limited)
}
