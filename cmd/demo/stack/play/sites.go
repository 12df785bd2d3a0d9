package play

import (
	"time"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// site is a till whose sales go to WISK, item by item.
type site struct {
	ID, Address, Hours string
	// Modifiers is what the venue chose in WISK's options.
	Modifiers string
	// In is the venue of WISK that takes its sales.
	In wiskVenue
	traffic.Venue
}

// wiskVenue is a venue of WISK; several sites may be in one.
type wiskVenue struct{ Name, Address, Zone string }

// identifier is what WISK hands out for a venue, and all that opens it for
// uploads.
func (v wiskVenue) identifier() string { return secretOf("WISK venue " + v.Name) }

// linePrefix begins the ids of all lines that are uploaded for the site.
func (s site) linePrefix() string { return s.ID + ":" }

func (s site) connection() string { return work.ConnectionID(work.Wisk, s.ID) }

func (s site) name() string { return s.Location.TradeName }

// zone is always known: see venue.zone.
func (s site) zone() *time.Location {
	zone, err := time.LoadLocation(s.Location.Zone)
	if err != nil {
		panic("the demo's site " + s.ID + ": " + err.Error())
	}
	return zone
}

// sitesOf are the sites of a size. The first two belong to one owner and are
// one venue in WISK: their order numbers and item codes are the same, some items
// have other titles, and each has its own choice for modifiers.
func sitesOf(size Size) []site {
	canal := wiskVenue{Name: "Les Tavernes du Canal", Address: "88 rue du Canal, Montreal", Zone: "America/Toronto"}
	wharf := wiskVenue{Name: "Salt Wharf", Address: "3 Lower Water Street, Halifax", Zone: "America/Halifax"}
	tills := traffic.ItemVenues()
	third := tills[1] // its menu is English, as Halifax is
	third.Location.Serial, third.Location.Key = "CL-62118", "key-CL-62118-5f1c9a"
	third.Location.TradeName, third.Location.Zone, third.TaxRate = wharf.Name, wharf.Zone, 14_000
	list := []site{
		{ID: "taverne-du-canal", Address: canal.Address, Hours: "mon-sun 11:00-02:00", Modifiers: items.Off, In: canal, Venue: tills[0]},
		{ID: "canal-street-tavern", Address: "90 rue du Canal, Montreal", Hours: "mon-sun 11:00-02:00", Modifiers: items.Separate, In: canal, Venue: tills[1]},
		{ID: "salt-wharf", Address: wharf.Address, Hours: "mon-sun 11:00-02:00", Modifiers: items.Include, In: wharf, Venue: third},
	}[:size.Wisk.Sites]
	for i := range list {
		s := &list[i]
		s.Location.Address = s.Address
		owner := contact("Hector Desrosiers", "tavernes-du-canal")
		if s.In == wharf {
			owner = contact("Philippa Creighton", "salt-wharf")
		}
		s.Location.Contact = &owner
		s.OrdersPerHistoryDay, s.OrdersPerLiveDay = size.Wisk.OrdersPerPastDay, size.Wisk.OrdersPerLiveDay
		s.Corrections = traffic.Corrections{PerLiveDay: size.Wisk.Corrections, DaysBack: size.Wisk.CorrectionDays, Items: true}
	}
	if len(list) > 0 {
		list[0].rename("1006", "Pouding ch\u00f4meur \u00e0 l'\u00e9rable", firstLive.Plus(-3))
	}
	if len(list) > 2 {
		list[2].rename("1002", "Smoked meat sandwich", firstLive)
	}
	return list
}

// fromDinnerOn is how long after 05:00 a renamed item has its new name.
const fromDinnerOn = 12 * time.Hour

// rename gives an item another title from the evening of a day on, under the
// same code, which people have to know who count stock by it.
func (s *site) rename(item, title string, day sale.Day) {
	at := day.Start(s.zone()).Add(fromDinnerOn)
	s.ItemEvents = append(s.ItemEvents, traffic.Rename(s.Menu.Dish(item), title, at))
}

// firstWiskHistory is the first business day that a size plans for WISK: months
// are counted from the day of connecting, which is one of those of setting up at
// the earliest.
func firstWiskHistory(size Size) sale.Day {
	if size.Wisk.HistoryDays > 0 {
		return firstLive.Plus(-size.Wisk.HistoryDays)
	}
	if size.ByVerbs {
		return firstLive.PlusMonths(-size.Wisk.HistoryMonths)
	}
	return firstLive.Plus(-setUpDays).PlusMonths(-size.Wisk.HistoryMonths)
}

// mode is the site's choice for modifiers on every business day.
func (s site) mode(sale.Day) string { return s.Modifiers }

func newWiskPlan(size Size, sites []site) *traffic.Plan {
	list := make([]traffic.Venue, len(sites))
	for i, s := range sites {
		list[i] = s.Venue
	}
	return traffic.New(size.Seed, list, firstWiskHistory(size), firstLive, size.LiveDays, traffic.Minimums{})
}
