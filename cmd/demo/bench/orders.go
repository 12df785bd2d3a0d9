package main

import (
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// zone of all venues of the benchmark.
const zone = "America/Toronto"

// businessDay begins the business time of the benchmark, at 05:00 in the zone;
// it is measured from the evening on.
func businessDay() time.Time { return time.Date(2026, time.November, 4, dayBegins, 0, 0, 0, time.UTC) }

// dayBegins is the hour, UTC, of businessDay; in summer a business day of the
// zone begins an hour earlier, so that days before it hold what is sold then too.
const dayBegins = 10

// evening is when the clocks of all processes start, and sellFor how long the
// venues have sold by then.
func evening() time.Time { return businessDay().Add(15 * time.Hour) }

const sellFor = 14 * time.Hour

// menu is what is eaten, price in cents.
func menu() []clustersim.MenuItem {
	return []clustersim.MenuItem{
		{ID: "11", Name: "Soupe a l'oignon", CategoryID: "entrees", Price: 975},
		{ID: "12", Name: "Steak frites", CategoryID: "plats", Price: 2895},
		{ID: "13", Name: "Tarte au sucre", CategoryID: "desserts", Price: 850},
		{ID: "14", Name: "Verre de rouge", CategoryID: "bar", Price: 1200},
	}
}

// meal is the n-th order of a till, closed at an instant: four items, one with
// a modifier, paid by card with a tip.
func meal(n int, closed time.Time) clustersim.Order {
	opened := closed.Add(-40 * time.Minute)
	o := clustersim.Order{
		ID: wire.Text(strconv.Itoa(100_000 + n)), Number: wire.Text(strconv.Itoa(n%1000 + 1)),
		OpenedAt: wire.At(opened), ClosedAt: wire.At(closed), ModifiedAt: wire.At(closed),
		BusinessDate: wire.Text(dayOf(closed)), Status: wire.StatusClosed,
		EmployeeID: wire.Text(strconv.Itoa(n%7 + 1)), Table: wire.Text(strconv.Itoa(n%30 + 1)), Guests: n%4 + 1,
		DiningOption: "dine-in", RevenueCenter: "salle",
	}
	for i, item := range menu() {
		line := clustersim.Line{
			ID: wire.Text(strconv.Itoa(i + 1)), ItemID: item.ID, Name: item.Name, CategoryID: item.CategoryID,
			Quantity: "1", UnitPrice: item.Price, Net: item.Price, Modifiers: []clustersim.Modifier{},
		}
		if i == 1 {
			line.Modifiers = append(line.Modifiers, clustersim.Modifier{ID: "91", Name: "Saignant", Quantity: "1"})
		}
		o.Lines = append(o.Lines, line)
		o.Totals.Gross += item.Price
	}
	t := &o.Totals
	t.Net, t.Tax = t.Gross, t.Gross*14_975/100_000
	t.Tip = t.Net * int64(12+n%8) / 100
	t.Total = t.Net + t.Tax + t.Tip
	o.Payments = []clustersim.Payment{{ID: "p1", Type: "visa", Amount: t.Total, Tip: t.Tip, Time: wire.At(closed)}}
	return o
}

// dayOf is the business day of a meal.
func dayOf(closed time.Time) string {
	return closed.UTC().Add(-dayBegins * time.Hour).Format(time.DateOnly)
}

// closing spreads a till's orders over the business day.
func closing(n, of int) time.Time {
	return businessDay().Add(time.Hour + time.Duration(n)*sellFor/time.Duration(of)).Truncate(time.Millisecond)
}
