package traffic

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// dayMaker plays one business day at one venue.
type dayMaker struct {
	*till
	dice       *rand.Rand
	day        sale.Day
	start, end time.Time
	live, last bool
	tabs       []*tab
	tables     int
}

// till is what goes on from day to day on one till's hardware.
type till struct {
	venue    *Venue
	zone     *time.Location
	serial   string
	menus    []datedMenu
	liveFrom time.Time
	until    time.Time // the hardware's end; zero when none
	orders   int       // order ids given
}

func newTill(v *Venue, firstLive sale.Day) *till {
	t := &till{venue: v, zone: v.zone(), serial: v.Location.Serial, menus: menusOf(v)}
	t.liveFrom = startOf(firstLive, t.zone)
	if v.Replacement != nil {
		t.until = startOf(v.Replacement.Day, t.zone)
	}
	return t
}

// replaced is the venue's new hardware.
func (t *till) replaced() *till {
	next := *t
	next.serial, next.until, next.orders = t.venue.Replacement.Serial, time.Time{}, 0
	return &next
}

// nextID is the next order's id.
func (t *till) nextID() wire.Text {
	t.orders++
	return wire.Text(strconv.Itoa(firstOrderID + t.orders))
}

// firstOrderID is the id before the first order of a till: new hardware begins
// again, so that ids are re-used.
const firstOrderID = 20417

// Opening hours of the generated venues, as minutes after 11:00.
const (
	lunchFrom, lunchUntil   = 30, 180  // 11:30 to 14:00
	dinnerFrom, dinnerUntil = 360, 660 // 17:00 to 22:00
	lateFrom, lateUntil     = 660, 870 // 22:00 to 01:30
	// longest is from opening to the last edit of the evening; what opens
	// later than this before the day's end is moved forward.
	longest = 3*time.Hour + 10*time.Minute
)

// opening is when the next guests come: lunch, dinner or late.
func (g *dayMaker) opening() time.Time {
	from, until := dinnerFrom, dinnerUntil
	switch roll := g.dice.IntN(100); {
	case roll < 35:
		from, until = lunchFrom, lunchUntil
	case roll >= 85:
		from, until = lateFrom, lateUntil
	}
	minute := from + g.dice.IntN(until-from)
	at := g.at(11, minute).Add(time.Duration(g.dice.IntN(60)) * time.Second)
	if latest := g.end.Add(-longest); at.After(latest) {
		return latest
	}
	return at
}

// at is a local time of the business day; hours before 05:00 are in its night.
func (g *dayMaker) at(hour, minute int) time.Time {
	y, m, d := civil(g.day)
	if hour < dayStart {
		d++
	}
	return time.Date(y, m, d, hour, minute, 0, 0, g.zone)
}

func (g *dayMaker) chance(percent int) bool { return g.dice.IntN(100) < percent }

func (g *dayMaker) minutes(from, to int) time.Duration {
	return time.Duration(from*60+g.dice.IntN((to-from)*60)) * time.Second
}

func (g *dayMaker) stay() time.Duration { return g.minutes(20, 95) }

// lateInstant is when a manager corrects what closed long ago: the next
// afternoon; after the last day soon; and never after the hardware's end.
func (g *dayMaker) lateInstant() time.Time {
	switch {
	case !g.until.IsZero() && !g.end.Before(g.until):
		return g.until.Add(-g.minutes(5, 25))
	case g.last:
		return g.end.Add(g.minutes(5, 110))
	}
	return g.end.Add(5*time.Hour + g.minutes(0, 300))
}

// seat opens an order.
func (g *dayMaker) seat(opened time.Time) *tab {
	g.tables++
	staff := g.venue.Location.Employees
	t := &tab{till: g.till, day: g.day, live: g.live}
	t.order = clustersim.Order{
		ID: g.nextID(), Number: wire.Text(strconv.Itoa(g.tables)),
		OpenedAt: wire.At(opened), BusinessDate: wire.Text(g.day.String()), Status: wire.StatusOpen,
		EmployeeID: staff[g.dice.IntN(len(staff))].ID, Guests: 1 + g.dice.IntN(6),
		Table: wire.Text("T" + strconv.Itoa(1+g.dice.IntN(40))), DiningOption: "dine_in", RevenueCenter: "salle",
		Lines: []clustersim.Line{}, Payments: []clustersim.Payment{},
	}
	switch {
	case g.chance(8):
		t.order.DiningOption, t.order.Table = "take_out", ""
	case g.chance(5):
		t.order.DiningOption, t.order.Table = "delivery", ""
	case g.chance(25):
		t.order.RevenueCenter = "bar"
	}
	if g.chance(2) {
		t.order.EmployeeID = "" // rung in by nobody, as at a kiosk
	}
	g.tabs = append(g.tabs, t)
	return t
}

// order takes orders of some items at an instant.
func (g *dayMaker) order(t *tab, at time.Time, lines int64) {
	dishes := g.menu(at).Dishes
	for range lines {
		dish := &dishes[g.dice.IntN(len(dishes))]
		choices := g.choices(dish)
		t.sell(dish.MenuItem, g.portions(dish), 0, choices...)
	}
}

// doublePercent and halvesPercent are how often a choice is ordered twice over,
// and a dish in half portions, where they can be.
const (
	doublePercent = 15
	halvesPercent = 40
)

// choices are what is tapped along with a dish, in the order of the taps.
func (g *dayMaker) choices(dish *Dish) []clustersim.Modifier {
	taps := dish.Least
	if dish.Most > dish.Least {
		taps += g.dice.IntN(dish.Most - dish.Least + 1)
	}
	list := make([]clustersim.Modifier, 0, taps)
	for range taps {
		c := dish.Choices[g.dice.IntN(len(dish.Choices))]
		m := clustersim.Modifier{ID: c.ID, Name: c.Name, Quantity: "1", Price: c.Price}
		if dish.Doubles && g.chance(doublePercent) {
			m.Quantity = "2"
		}
		list = append(list, m)
	}
	return list
}

// portions is how much of a dish is ordered: one to three, or half of one less.
func (g *dayMaker) portions(dish *Dish) decimal.Decimal {
	n := decimal.NewFromInt(1 + g.dice.Int64N(3))
	if dish.Halves && g.chance(halvesPercent) {
		n = n.Sub(half)
	}
	return n
}

var (
	one  = decimal.NewFromInt(1)
	half = decimal.New(5, -1)
)

// meal plays an order from opening to payment.
func (g *dayMaker) meal(opened time.Time, stay time.Duration) *tab {
	t := g.seat(opened)
	g.order(t, opened, 1+g.dice.Int64N(3))
	t.show(opened)
	if g.chance(50) {
		g.order(t, opened.Add(stay/2), 1)
		t.show(opened.Add(stay / 2))
	}
	for _, f := range []struct {
		percent int
		mark    Mark
	}{{10, Discount}, {4, Comp}, {6, AutoGratuity}, {3, ServiceCharge}, {2, GiftCard}} {
		if g.chance(f.percent) {
			g.feature(t, f.mark, opened.Add(stay))
		}
	}
	g.settle(t, opened.Add(stay), "")
	return t
}

// feature adds one of the things that partners' rules care about at an instant.
func (g *dayMaker) feature(t *tab, m Mark, at time.Time) {
	switch m {
	case Discount:
		dishes := g.menu(at).Dishes
		item := dishes[g.dice.IntN(len(dishes))].MenuItem
		t.sell(item, one, item.Price*(10+g.dice.Int64N(41))/100)
		t.mark(Discount)
	case Comp:
		t.comp(t.owed.net * (10 + g.dice.Int64N(40)) / 100)
	case AutoGratuity:
		t.order.Guests = 8 + g.dice.IntN(8)
		t.gratuity(t.owed.net * 18 / 100)
	case ServiceCharge:
		t.order.Totals.ServiceCharge += t.owed.net * 3 / 100
		t.mark(ServiceCharge)
	case GiftCard:
		card := g.menu(at).GiftCard
		card.Price = 2500 * (1 + g.dice.Int64N(4))
		t.sell(card, one, 0)
		t.mark(GiftCard)
	default: // CashTip and the like happen at payment
	}
}

// settle pays and closes an order; CashTip forces a tip in cash.
func (g *dayMaker) settle(t *tab, at time.Time, m Mark) {
	due := t.due()
	switch {
	case m == CashTip:
		t.pay(wire.PaymentCash, due, g.tipOf(t), at)
	case m != AutoGratuity && g.chance(15):
		t.pay(wire.PaymentCash, due, 0, at)
	case g.chance(12): // two people share the bill
		t.pay(g.card(), due/2, g.tipOf(t)/2, at.Add(-time.Minute))
		t.pay(g.card(), due-due/2, g.tipOf(t)/2, at)
		t.mark(SharedBill)
	case g.chance(3):
		t.pay("gift_card", due, 0, at)
	default:
		t.pay(g.card(), due, g.tipOf(t), at)
	}
	t.close(at)
}

func (g *dayMaker) card() string { return cards[g.dice.IntN(len(cards))] }

// tipOf is 12 to 22 % of the net, at least a cent.
func (g *dayMaker) tipOf(t *tab) int64 { return max(1, t.owed.net*(12+g.dice.Int64N(11))/100) }

// handOver gives the order to another employee.
func (g *dayMaker) handOver(t *tab) {
	staff := g.venue.Location.Employees
	i := slices.IndexFunc(staff, func(e clustersim.Employee) bool { return e.ID == t.order.EmployeeID })
	t.order.EmployeeID = staff[(i+1)%len(staff)].ID
}

// editLate corrects a closed order: a forgotten tip, a comp or the server.
func (g *dayMaker) editLate(t *tab, at time.Time) {
	switch g.dice.IntN(3) {
	case 0:
		t.tip(g.tipOf(t))
	case 1:
		t.comp(max(1, t.owed.net*g.dice.Int64N(30)/100))
	default:
		g.handOver(t)
	}
	t.mark(LateEdit)
	t.show(at)
}
