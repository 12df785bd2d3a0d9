package traffic

import (
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// Venue is one restaurant of a plan. Order ids begin alike at all of them, so
// that those of two venues collide.
type Venue struct {
	Location clustersim.Location
	// TaxRate is the sales taxes' rate in hundred-thousandths.
	TaxRate             int64
	OrdersPerHistoryDay int
	OrdersPerLiveDay    int
	// Replacement is new hardware, nil for none.
	Replacement *Replacement
	// Menu is what it sells at first; the zero Menu is a small common one.
	Menu Menu
	// ItemEvents change the menu, each from an instant on.
	ItemEvents []ItemEvent
	// Corrections reach back into history.
	Corrections Corrections
}

// Replacement is new hardware with a new serial number from the start of a
// business day on; its order ids begin again where the old ones began.
type Replacement struct {
	Serial string
	Day    sale.Day
}

// Corrections are what managers change in orders of history while the venue is
// live.
type Corrections struct {
	// PerLiveDay is how many orders they change on each live day, and DaysBack
	// how many business days before the first live one these may be; 3 where
	// zero.
	PerLiveDay, DaysBack int
	// Items lets them change items too, the same order again and again, all day
	// long: what is sold moves within an order and between orders (see the
	// marks). Every kind of such a change also happens on every live day to
	// orders of the day, and now and then in history.
	Items bool
}

const (
	usualCorrections = 3
	usualDaysBack    = 3
)

func (c Corrections) orUsual() Corrections {
	if c.PerLiveDay == 0 {
		c.PerLiveDay = usualCorrections
	}
	if c.DaysBack == 0 {
		c.DaysBack = usualDaysBack
	}
	return c
}

// Minimums are how many orders of each kind the live days hold at least, over
// all venues. Orders counts history too. Refunds counts full ones; there are as
// many partial ones. Vanished are deleted without a trace on the first evening,
// which a reader finds only by re-reading the day; none by default.
type Minimums struct {
	Orders, LateEdits, Voids, Refunds, Splits, Merges, Transfers, Vanished int
}

// DemoMinimums are those that the demo promises.
func DemoMinimums() Minimums {
	return Minimums{Orders: 1500, LateEdits: 60, Voids: 10, Refunds: 10, Splits: 10, Merges: 10, Transfers: 10}
}

// DemoVenues are three venues in two zones.
func DemoVenues() []Venue {
	return []Venue{
		{Location: location("CL-40711", "Chez Marcel", "America/Toronto", "fr", 100), TaxRate: 14_975, OrdersPerHistoryDay: 6, OrdersPerLiveDay: 45},
		{Location: location("CL-40988", "Caf\u00e9 Beaubien", "America/Toronto", "fr", 200), TaxRate: 14_975, OrdersPerHistoryDay: 5, OrdersPerLiveDay: 40},
		{Location: location("CL-51203", "Harbour and Rye", "America/Halifax", "en", 300), TaxRate: 14_000, OrdersPerHistoryDay: 5, OrdersPerLiveDay: 40},
	}
}

// ItemVenues are two venues of one owner, for partners that count items: they
// sell what WISK's help page shows, under the same codes and partly under other
// names, and their managers correct items far back.
func ItemVenues() []Venue {
	corrections := Corrections{PerLiveDay: 24, DaysBack: 90, Items: true}
	return []Venue{
		{
			Location: location("CL-62110", "Taverne du Canal", "America/Toronto", "fr", 400), TaxRate: 14_975,
			OrdersPerHistoryDay: 20, OrdersPerLiveDay: 60, Menu: HelpPageMenu(), Corrections: corrections,
		},
		{
			Location: location("CL-62111", "Canal Street Tavern", "America/Toronto", "en", 500), TaxRate: 14_975,
			OrdersPerHistoryDay: 20, OrdersPerLiveDay: 60, Menu: HelpPageMenu().Named(englishNames), Corrections: corrections,
		},
	}
}

// Newcomers are venues that are with no partner yet, and whose contact stands on
// Cluster's record: one of the kind of DemoVenues, one of that of ItemVenues.
func Newcomers() (receipts, items []Venue) {
	known := func(l clustersim.Location, address, contact, email string) clustersim.Location {
		l.Key, l.Address, l.Contact = "", address, &clustersim.Contact{Name: wire.Text(contact), Email: wire.Text(email)}
		return l
	}
	bistro := location("CL-70301", "Bistro Ontario", "America/Toronto", "fr", 600)
	bar := location("CL-70302", "Bar Crescent", "America/Toronto", "en", 700)
	receipts = []Venue{{
		Location: known(bistro, "1280, rue Ontario Est, Montr\u00e9al", "Ad\u00e8le Fortin", "adele@bistro-ontario.example"),
		TaxRate:  14_975, OrdersPerHistoryDay: 5, OrdersPerLiveDay: 40,
	}}
	items = []Venue{{
		Location: known(bar, "34, rue Crescent, Montr\u00e9al", "Owen Clarke", "owen@bar-crescent.example"),
		TaxRate:  14_975, OrdersPerHistoryDay: 20, OrdersPerLiveDay: 60, Menu: HelpPageMenu().Named(englishNames),
	}}
	return receipts, items
}

func location(serial, name, zone, language string, staff int) clustersim.Location {
	l := clustersim.Location{
		Serial: serial, Key: "key-" + serial + "-5f1c9a", TradeName: name, Zone: zone, Language: language,
	}
	// Names that stand nowhere else, so that a search for leaks finds them.
	for i, person := range []string{"Maxime Tremblay-Okafor", "Oc\u00e9ane Desjardins", "Liam O'Donnell", "Fatoumata Gagnon", "Zo\u00e9 Nguyen-Roy", "Mathis Pelletier"} {
		id := staff + i + 1
		l.Employees = append(l.Employees, clustersim.Employee{
			ID: wire.Text(strconv.Itoa(id)), Name: wire.Text(person), Active: i != 5,
			Email: wire.Text("staff" + strconv.Itoa(id) + "@example.com"), Phone: wire.Text("514555" + strconv.Itoa(1000+id)),
		})
	}
	return l
}

// zone loads the venue's zone; it panics when it is unknown, as New does.
func (v *Venue) zone() *time.Location {
	zone, err := time.LoadLocation(v.Location.Zone)
	if err != nil {
		panic("traffic: " + err.Error())
	}
	return zone
}
