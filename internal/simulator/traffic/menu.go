package traffic

import (
	"slices"
	"strconv"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

const giftCategory = "gift-cards"

var cards = []string{"visa", "mastercard", "amex", "interac"}

func isCard(kind string) bool { return slices.Contains(cards, kind) }

// soldItems is how many items of the menu are food and drink; the one after
// them is the gift card.
const soldItems = 10

// menu is the same at every venue: no item's price is so small that a part of
// it rounds to nothing.
var menu = clustersim.Menu{
	Categories: []clustersim.MenuCategory{{ID: "food", Name: "Cuisine"}, {ID: "drinks", Name: "Boissons"}, {ID: giftCategory, Name: "Cartes-cadeaux"}},
	Items: []clustersim.MenuItem{
		{ID: "1001", Name: "Poutine classique", CategoryID: "food", Price: 1295},
		{ID: "1002", Name: "Smoked meat", CategoryID: "food", Price: 1895},
		{ID: "1003", Name: "Tourti\u00e8re", CategoryID: "food", Price: 2150},
		{ID: "1004", Name: "Tartare de saumon", CategoryID: "food", Price: 2475},
		{ID: "1005", Name: "Salade C\u00e9sar", CategoryID: "food", Price: 1625},
		{ID: "1006", Name: "Pouding ch\u00f4meur", CategoryID: "food", Price: 950},
		{ID: "2001", Name: "Soda can", CategoryID: "drinks", Price: 375},
		{ID: "2002", Name: "Tito's", CategoryID: "drinks", Price: 1050},
		{ID: "2003", Name: "Tanqueray", CategoryID: "drinks", Price: 1125},
		{ID: "2004", Name: "Blonde 20 oz", CategoryID: "drinks", Price: 899},
		{ID: "9001", Name: "Carte-cadeau", CategoryID: giftCategory, Price: 2500},
	},
	Modifiers: []clustersim.MenuModifier{
		{ID: "m1", Name: "Cola"}, {ID: "m2", Name: "Tonic", Price: 150}, {ID: "m3", Name: "Cranberry", Price: 200}, {ID: "m4", Name: "No ice"},
	},
}

// DemoVenues are three venues in two zones.
func DemoVenues() []Venue {
	return []Venue{
		{Location: location("CL-40711", "Chez Marcel", "America/Toronto", "fr", 100), TaxRate: 14_975, OrdersPerHistoryDay: 6, OrdersPerLiveDay: 45},
		{Location: location("CL-40988", "Caf\u00e9 Beaubien", "America/Toronto", "fr", 200), TaxRate: 14_975, OrdersPerHistoryDay: 5, OrdersPerLiveDay: 40},
		{Location: location("CL-51203", "Harbour and Rye", "America/Halifax", "en", 300), TaxRate: 14_000, OrdersPerHistoryDay: 5, OrdersPerLiveDay: 40},
	}
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
