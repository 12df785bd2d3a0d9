package play

import (
	"slices"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// How a venue answers the question whether its sales may go to a partner.
type answer string

const (
	joins    answer = "joins"
	declines answer = "declines"
	waits    answer = "waits" // it does not answer
)

// Where a venue's request comes from.
type origin string

const (
	fromOperator     origin = "clusterbridge onboard"
	fromIntegrations origin = "Cluster's Integrations page"
	fromSupport      origin = "WISK's support form"
)

// guest is a venue that is asked whether it joins a partner.
type guest struct {
	Name, Address, Zone, Language, Serial string
	Partner                               string
	Contact                               clustersim.Contact
	From                                  origin
	Answer                                answer
	// Venue is set where it joins 7shifts, Site where it joins WISK.
	Venue *venue
	Site  *site
}

// The venues that are asked and do not join. Nothing is sold there.
var (
	declining = guest{
		Name: "Bistro Sainte-Anne", Address: "17 rue Sainte-Anne, Quebec", Zone: "America/Toronto", Language: "fr", Serial: "CL-62200",
		Partner: work.Wisk, Contact: contact("Solange Archambault", "sainte-anne"), From: fromSupport, Answer: declines,
	}
	waiting = guest{
		Name: "The Lantern Room", Address: "8 Argyle Street, Halifax", Zone: "America/Halifax", Language: "en", Serial: "CL-220077",
		Partner: work.SevenShifts, Contact: contact("Winifred MacAskill", "lantern-room"), From: fromOperator, Answer: waits,
	}
)

// contact is the person on Cluster's record for a venue.
func contact(name, domain string) clustersim.Contact {
	return clustersim.Contact{Name: wire.Text(name), Email: wire.Text("gerance@" + domain + ".example")}
}

// guests are all that are asked: those that join first, in the order in which
// the demo shows them.
func (s *simulators) guests() []guest {
	var list []guest
	for i := range s.venues {
		v := &s.venues[i]
		g := guest{
			Name: v.TradeName, Address: v.Address, Zone: v.Zone, Language: v.Language, Serial: v.Serial,
			Partner: work.SevenShifts, Contact: v.contact, From: fromIntegrations, Answer: joins, Venue: v,
		}
		if i == 0 {
			g.From = fromOperator
		}
		list = append(list, g)
	}
	for i := range s.sites {
		l := &s.sites[i].Location
		g := guest{
			Name: l.TradeName, Address: l.Address, Zone: l.Zone, Language: l.Language, Serial: l.Serial,
			Partner: work.Wisk, Contact: *l.Contact, From: fromSupport, Answer: joins, Site: &s.sites[i],
		}
		if i == 2 {
			g.From = fromOperator // the other two share a contact, a mail and a page
		}
		list = append(list, g)
	}
	list = append(list, waiting)
	if len(s.sites) > 0 {
		list = append(list, declining)
	}
	return list
}

// location is the guest's till at Cluster, where it is none of a plan.
func (g guest) location() clustersim.Location {
	return clustersim.Location{
		Serial: g.Serial, TradeName: g.Name, Address: g.Address, Zone: g.Zone, Language: g.Language, Contact: &g.Contact,
	}
}

// caseOf finds the guest's case, if it was begun: the oldest, which later ones
// join.
func (g guest) caseOf(cases []ledger.Case) (ledger.Case, bool) {
	for _, c := range slices.Backward(cases) {
		if c.Partner == g.Partner && c.Name() == g.Name && c.Outcome != work.Joined && c.Data.Rotates == "" {
			return c, true
		}
	}
	return ledger.Case{}, false
}

// to is the partner's name as it writes it.
func (g guest) to() string { return (progressOf{To: g.Partner}).to() }
