package traffic

import clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"

// HelpPageMenu is the menu of WISK's help page on Cluster, in French: a can of
// soda with its flavours, and two spirits that share their mixers, priced and
// free; beside them what is sold in half portions and what nobody changes.
func HelpPageMenu() Menu {
	soda := drink("2001", "Canette de soda", 375, []clustersim.MenuModifier{
		{ID: "m11", Name: "Cola"}, {ID: "m12", Name: "Orange"}, {ID: "m13", Name: "Gingembre"}, noIce,
	})
	soda.Most = 2
	mixers := []clustersim.MenuModifier{
		{ID: "m1", Name: "Jus de canneberge", Price: 200}, {ID: "m2", Name: "Jus d'orange", Price: 150},
		{ID: "m3", Name: "Tonic", Price: 125}, {ID: "m4", Name: "Eau p\u00e9tillante"}, noIce,
	}
	poutine := food("1001", "Poutine classique", 1290)
	poutine.Choices = []clustersim.MenuModifier{{ID: "m21", Name: "Extra fromage", Price: 250}, {ID: "m22", Name: "Sauce \u00e0 part"}}
	poutine.Most, poutine.Halves = 2, true
	wine := food("2010", "Vin rouge, le litre", 3600)
	wine.CategoryID, wine.Halves = "drinks", true
	return Menu{
		GiftCard: giftCard,
		Dishes: []Dish{
			soda, spirit("2002", "Vodka Tito's", 1050, mixers), spirit("2003", "Gin Tanqueray", 1125, mixers),
			wine, poutine, food("1002", "Smoked meat", 1895), food("1006", "Pouding ch\u00f4meur", 950),
		},
	}
}

// noIce has an id with a hyphen, as some tills write them.
var noIce = clustersim.MenuModifier{ID: "m-5", Name: "Sans glace"}

func spirit(id, name string, price int64, mixers []clustersim.MenuModifier) Dish {
	d := drink(id, name, price, mixers)
	d.Least, d.Most, d.Doubles = 0, 3, true
	return d
}

// englishNames are what another venue calls some of it.
var englishNames = map[string]string{
	"2001": "Soda can", "2002": "Tito's Vodka", "2010": "Red wine, litre", "1006": "Pudding ch\u00f4meur",
	"m1": "Cranberry juice", "m2": "Orange juice", "m4": "Sparkling water", "m-5": "No ice",
}
