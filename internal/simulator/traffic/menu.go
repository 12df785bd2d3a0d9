package traffic

import (
	"slices"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

const giftCategory = "gift-cards"

var cards = []string{"visa", "mastercard", "amex", "interac"}

func isCard(kind string) bool { return slices.Contains(cards, kind) }

// Menu is what a venue sells.
type Menu struct {
	Dishes   []Dish
	GiftCard clustersim.MenuItem
}

// Dish is an item of a menu with what a server may tap along with it.
type Dish struct {
	clustersim.MenuItem
	// Choices are tapped from Least to Most times per line, in any order, the
	// same one again too.
	Choices     []clustersim.MenuModifier
	Least, Most int
	// Doubles: a choice is now and then ordered with quantity 2.
	Doubles bool
	// Halves: it is now and then sold in half portions. Its prices must be even,
	// since nobody knows how a till rounds half a cent.
	Halves bool
}

// The categories of every menu.
var categories = []clustersim.MenuCategory{{ID: "food", Name: "Cuisine"}, {ID: "drinks", Name: "Boissons"}, {ID: giftCategory, Name: "Cartes-cadeaux"}}

var giftCard = clustersim.MenuItem{ID: "9001", Name: "Carte-cadeau", CategoryID: giftCategory, Price: 2500}

// commonMenu is sold wherever a venue has no menu of its own: no item's price
// is so small that a part of it rounds to nothing.
var commonMenu = Menu{
	GiftCard: giftCard,
	Dishes: []Dish{
		food("1001", "Poutine classique", 1295),
		food("1002", "Smoked meat", 1895),
		food("1003", "Tourti\u00e8re", 2150),
		food("1004", "Tartare de saumon", 2475),
		food("1005", "Salade C\u00e9sar", 1625),
		food("1006", "Pouding ch\u00f4meur", 950),
		drink("2001", "Soda can", 375, commonMixers),
		drink("2002", "Tito's", 1050, commonMixers),
		drink("2003", "Tanqueray", 1125, commonMixers),
		drink("2004", "Blonde 20 oz", 899, commonMixers),
	},
}

var commonMixers = []clustersim.MenuModifier{
	{ID: "m1", Name: "Cola"}, {ID: "m2", Name: "Tonic", Price: 150}, {ID: "m3", Name: "Cranberry", Price: 200}, {ID: "m4", Name: "No ice"},
}

func food(id, name string, price int64) Dish {
	return Dish{MenuItem: clustersim.MenuItem{ID: wire.Text(id), Name: wire.Text(name), CategoryID: "food", Price: price}}
}

// drink is a drink with exactly one choice.
func drink(id, name string, price int64, choices []clustersim.MenuModifier) Dish {
	d := food(id, name, price)
	d.CategoryID, d.Choices, d.Least, d.Most = "drinks", choices, 1, 1
	return d
}

// Dish is the dish with an id. It panics when there is none: a plan is code.
func (m Menu) Dish(id string) Dish {
	i := slices.IndexFunc(m.Dishes, func(d Dish) bool { return string(d.ID) == id })
	if i < 0 {
		panic("traffic: the menu has no item " + id)
	}
	return m.Dishes[i]
}

// Named is the menu with other names under the same ids, of items and choices;
// what is not named keeps its name.
func (m Menu) Named(names map[string]string) Menu {
	name := func(id, name *wire.Text) {
		if other, ok := names[string(*id)]; ok {
			*name = wire.Text(other)
		}
	}
	m.Dishes = slices.Clone(m.Dishes)
	for i := range m.Dishes {
		d := &m.Dishes[i]
		d.Choices = slices.Clone(d.Choices)
		name(&d.ID, &d.Name)
		for j := range d.Choices {
			name(&d.Choices[j].ID, &d.Choices[j].Name)
		}
	}
	name(&m.GiftCard.ID, &m.GiftCard.Name)
	return m
}

// check panics on a menu from which nothing can be sold.
func (m Menu) check() {
	if len(m.Dishes) == 0 || m.GiftCard.ID == "" {
		panic("traffic: a menu needs dishes and a gift card")
	}
	for _, d := range m.Dishes {
		if d.Least > d.Most || d.Most > 0 && len(d.Choices) == 0 {
			panic("traffic: no choices for item " + string(d.ID))
		}
		odd := d.Price%2 != 0 || slices.ContainsFunc(d.Choices, func(m clustersim.MenuModifier) bool { return m.Price%2 != 0 })
		if d.Halves && odd {
			panic("traffic: half of item " + string(d.ID) + " has no price in cents")
		}
	}
}

// shown is the menu as the till tells it.
func (m Menu) shown() clustersim.Menu {
	shown := clustersim.Menu{Categories: categories}
	for _, d := range m.Dishes {
		shown.Items = append(shown.Items, d.MenuItem)
		for _, c := range d.Choices {
			if !slices.ContainsFunc(shown.Modifiers, func(m clustersim.MenuModifier) bool { return m.ID == c.ID }) {
				shown.Modifiers = append(shown.Modifiers, c)
			}
		}
	}
	shown.Items = append(shown.Items, m.GiftCard)
	return shown
}
