package wisk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func connection(mode string) partner.Connection {
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		panic(err)
	}
	c := partner.Connection{ID: "wisk:chez-marcel", Zone: zone, Settings: partner.Settings{ReceiptDate: sale.ByOpened}}
	if mode != "" {
		c.Settings.Modifiers = partner.Choices{{From: sale.NewDay(2026, 11, 1), Value: mode}}
	}
	return c
}

// evening is a closed sale of some lines; its totals are those of the lines.
func evening(lines ...sale.Line) sale.Sale {
	s := sale.Sale{
		ID: "A1-7", OrderID: "7", Status: sale.Closed, Lines: lines,
		OpenedAt: time.Date(2026, 11, 5, 1, 30, 0, 500, time.UTC), ClosedAt: time.Date(2026, 11, 5, 3, 0, 0, 0, time.UTC),
	}
	for _, l := range lines {
		if !l.Voided {
			s.Totals.Gross += l.Net + l.Discount
			s.Totals.Discount += l.Discount
		}
	}
	s.Totals.Net = s.Totals.Gross - s.Totals.Discount
	return s
}

func can(modifiers ...sale.Modifier) sale.Line {
	l := sale.Line{ItemID: "2001", Name: "Canette de soda", Quantity: "1", UnitPrice: 375, Net: 375, Modifiers: modifiers}
	for _, m := range modifiers {
		l.Net += m.Price
	}
	return l
}

func vodka(quantity string, net sale.Cents, modifiers ...sale.Modifier) sale.Line {
	return sale.Line{ItemID: "2002", Name: "Tito's", Quantity: quantity, UnitPrice: 1050, Net: net, Modifiers: modifiers}
}

var (
	cola      = sale.Modifier{ID: "m1", Name: "Cola", Quantity: "1"}
	orange    = sale.Modifier{ID: "m2", Name: "Orange", Quantity: "1"}
	cranberry = sale.Modifier{ID: "m3", Name: "Jus de canneberge", Quantity: "1", Price: 200}
	noIce     = sale.Modifier{ID: "m4", Name: "Sans glace", Quantity: "1"}
)

func translated(t require.TestingT, s sale.Sale, c partner.Connection) []items.Item {
	documents, err := New(Defaults()).Translate(s, c, true)
	require.NoError(t, err)
	require.Len(t, documents, 1)
	var w wanted
	require.NoError(t, json.Unmarshal(documents[0].Body, &w))
	return w.Items
}

// The examples of WISK's help page: flavours of a soda, and spirits with mixers.
func TestTheHelpPagesMenu(t *testing.T) {
	s := evening(can(cola), can(orange), vodka("2", 2500, noIce, cranberry), vodka("1", 1250, cranberry, noIce))
	require.Equal(t, []items.Item{
		sold("2001", "Canette de soda", "2", 750),
		sold("2002", "Tito's", "3", 3750),
	}, translated(t, s, connection(items.Off)), "one line with the base item, priced modifiers included")
	require.Equal(t, []items.Item{
		sold("2001-m1", "Canette de soda + Cola", "1", 375),
		sold("2001-m2", "Canette de soda + Orange", "1", 375),
		sold("2002-m3-m4", "Tito's + Jus de canneberge + Sans glace", "3", 3750),
	}, translated(t, s, connection(items.Include)), "the same item whatever order they were tapped in")
	require.Equal(t, []items.Item{
		sold("2001", "Canette de soda", "2", 750),
		sold("2002", "Tito's", "3", 3150),
		sold("m1", "Cola", "1", 0),
		sold("m2", "Orange", "1", 0),
		sold("m3", "Jus de canneberge", "3", 600),
		sold("m4", "Sans glace", "3", 0),
	}, translated(t, s, connection(items.Separate)), "the base line keeps its price")
	require.Equal(t, translated(t, s, connection(items.Off)), translated(t, s, connection("")), "off unless chosen")
}

func TestModifiersAddUpHoweverTheyAreTapped(t *testing.T) {
	twice := can(cola, cola)
	counted := can(sale.Modifier{ID: "m1", Name: "Cola", Quantity: "2"})
	for _, mode := range items.Modes {
		require.Equal(t, translated(t, evening(twice), connection(mode)), translated(t, evening(counted), connection(mode)), mode)
	}
	require.Equal(t, "2001-m1x2", translated(t, evening(twice), connection(items.Include))[0].Code)
	plain, dashed := can(sale.Modifier{ID: "a"}, sale.Modifier{ID: "b"}), can(sale.Modifier{ID: "a-b"})
	require.NotEqual(t, translated(t, evening(plain), connection(items.Include))[0].Code,
		translated(t, evening(dashed), connection(items.Include))[0].Code, "different choices are different items")
}

func TestWhatIsNotUploaded(t *testing.T) {
	gift := sale.Line{ItemID: "9001", Name: "Carte-cadeau", Quantity: "1", Net: 5000, GiftCard: true}
	voided := vodka("9", 9450)
	voided.Voided = true
	s := evening(can(), gift, voided)
	s.Totals.ServiceCharge, s.Totals.Tax, s.Totals.Tip, s.Totals.AutoGratuity = 300, 56, 900, 100
	require.Equal(t, []items.Item{sold("2001", "Canette de soda", "1", 375)}, translated(t, s, connection("")))

	for name, change := range map[string]func(*sale.Sale){
		"voided": func(s *sale.Sale) { s.Status = sale.Voided }, "merged away": func(s *sale.Sale) { s.MergedInto = "A1-8" },
	} {
		gone := evening(can())
		change(&gone)
		require.Empty(t, translated(t, gone, connection("")), name)
		documents, err := New(Defaults()).Translate(gone, connection(""), false)
		require.NoError(t, err)
		require.Empty(t, documents, "%s before WISK heard of it", name)
	}
}

func TestOpenOrdersWaitUntilTheyClose(t *testing.T) {
	s := evening(can())
	s.Status, s.ClosedAt = sale.Open, time.Time{}
	documents, err := New(Defaults()).Translate(s, connection(""), false)
	require.NoError(t, err)
	require.Empty(t, documents)
	require.Len(t, translated(t, s, connection("")), 1, "a re-opened one is kept in step")
	cfg := Defaults()
	cfg.OpenOrders = true
	documents, err = New(cfg).Translate(s, connection(""), false)
	require.NoError(t, err)
	require.Len(t, documents, 1)
}

func TestDaysOfAnotherRouteOweNothing(t *testing.T) {
	c := connection("")
	c.Settings.Routes = partner.Choices{{From: sale.NewDay(2026, 11, 4), Value: partner.RoutePull}, {From: sale.NewDay(2026, 11, 5), Value: partner.RouteUpload}}
	s := evening(can()) // business day 4 November in Montreal
	documents, err := New(Defaults()).Translate(s, c, false)
	require.NoError(t, err)
	require.Empty(t, documents)
	s.OpenedAt = s.OpenedAt.Add(24 * time.Hour)
	documents, err = New(Defaults()).Translate(s, c, false)
	require.NoError(t, err)
	require.Len(t, documents, 1)
	require.Equal(t, "2026-11-05", documents[0].Day.String())
}

// A changed mode holds from its first business day on.
func TestEarlierDaysKeepTheirMode(t *testing.T) {
	c := connection(items.Off)
	c.Settings.Modifiers = c.Settings.Modifiers.With(sale.NewDay(2026, 11, 5), items.Include)
	s := evening(can(cola))
	require.Equal(t, "2001", translated(t, s, c)[0].Code)
	s.OpenedAt = s.OpenedAt.Add(24 * time.Hour)
	require.Equal(t, "2001-m1", translated(t, s, c)[0].Code)
}

func TestRefundsThatCannotBeSetOff(t *testing.T) {
	back := can()
	back.Quantity, back.Net = "-1", -300
	require.Equal(t, []items.Item{sold("2001", "Canette de soda", "1", 375), sold("2001", "Canette de soda", "-1", -300)},
		translated(t, evening(can(), back), connection("")), "never quantity 0 with a total")
	back.Net = -375
	require.Empty(t, translated(t, evening(can(), back), connection("")))
	require.Equal(t, []items.Item{sold("2001", "Canette de soda", "1", 375)}, translated(t, evening(can(), can(), back), connection("")))
}

func TestContradictionsAreBadRecords(t *testing.T) {
	for name, change := range map[string]func(*sale.Sale){
		"net without lines":        func(s *sale.Sale) { s.Lines = nil },
		"a price without quantity": func(s *sale.Sale) { s.Lines[0].Quantity = "0" },
		"no number":                func(s *sale.Sale) { s.Lines[0].Quantity = "1e9" },
		"finer than WISK takes":    func(s *sale.Sale) { s.Lines[0].Quantity = "0.1234567891" },
		"a net that is none":       func(s *sale.Sale) { s.Totals.Net++ },
	} {
		s := evening(can(cola))
		change(&s)
		_, err := New(Defaults()).Translate(s, connection(items.Include), true)
		require.Equal(t, work.BadRecord, work.KindOf(err), name)
		require.NotContains(t, err.Error(), "375", name)
	}
	s := evening(sale.Line{Quantity: "1", Net: 500})
	require.Equal(t, []items.Item{sold(items.Unknown, items.Unknown, "1", 500)}, translated(t, s, connection("")), "unknown items never block sales")
}

// In every mode the lines add up to the sale's net without gift cards, to the
// cent, whatever is taken off; and the order of lines and taps does not matter.
func TestItemsAddUpToTheSale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSale(t)
		net, err := s.NetSales()
		require.NoError(t, err)
		for _, mode := range items.Modes {
			items := translated(t, s, connection(mode))
			require.Equal(t, net, totalOf(items), mode)
			shuffled := shuffle(t, s)
			require.Equal(t, net, totalOf(translated(t, shuffled, connection(mode))), mode)
			require.Equal(t, quantitiesOf(items), quantitiesOf(translated(t, shuffled, connection(mode))), mode)
		}
	})
}

func drawSale(t *rapid.T) sale.Sale {
	n := rapid.IntRange(1, 6).Draw(t, "lines")
	var lines []sale.Line
	for range n {
		l := sale.Line{
			ItemID:    rapid.SampledFrom([]string{"1", "2", "3", "gift"}).Draw(t, "item"),
			UnitPrice: sale.Cents(rapid.IntRange(0, 3000).Draw(t, "price")),
		}
		l.Name, l.GiftCard = "item "+l.ItemID, l.ItemID == "gift"
		quantity := rapid.SampledFrom([]int64{1, 2, 3, 5}).Draw(t, "quantity")
		l.Quantity = fmt.Sprint(quantity)
		each := l.UnitPrice
		for _, m := range rapid.SliceOfN(rapid.SampledFrom([]string{"m1", "m2", "m3"}), 0, 3).Draw(t, "taps") {
			modifier := sale.Modifier{ID: m, Name: m, Quantity: "1", Price: sale.Cents(37 * int(m[1]-'1'))}
			l.Modifiers = append(l.Modifiers, modifier)
			each += modifier.Price
		}
		l.Net = each * sale.Cents(quantity)
		l.Discount = l.Net * sale.Cents(rapid.IntRange(0, 100).Draw(t, "percent off")) / 100
		l.Net -= l.Discount
		l.Voided = rapid.IntRange(0, 9).Draw(t, "voided") == 0
		lines = append(lines, l)
	}
	s := evening(lines...)
	gift, err := s.GiftCardsSold()
	require.NoError(t, err)
	s.Totals.Comp = (s.Totals.Net - gift) * sale.Cents(rapid.IntRange(0, 100).Draw(t, "percent comp")) / 100
	s.Totals.Net -= s.Totals.Comp
	return s
}

func shuffle(t *rapid.T, s sale.Sale) sale.Sale {
	dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 1))
	s.Lines = slices.Clone(s.Lines)
	dice.Shuffle(len(s.Lines), func(i, j int) { s.Lines[i], s.Lines[j] = s.Lines[j], s.Lines[i] })
	for i, l := range s.Lines {
		l.Modifiers = slices.Clone(l.Modifiers)
		dice.Shuffle(len(l.Modifiers), func(i, j int) { l.Modifiers[i], l.Modifiers[j] = l.Modifiers[j], l.Modifiers[i] })
		s.Lines[i] = l
	}
	return s
}

func sold(code, title, quantity string, total sale.Cents) items.Item {
	return items.Item{Code: code, Title: title, Quantity: quantity, Total: total}
}

func totalOf(all []items.Item) (total sale.Cents) {
	for _, i := range all {
		total += i.Total
	}
	return total
}

func quantitiesOf(all []items.Item) string {
	var parts []string
	for _, i := range all {
		d, _ := decimal.NewFromString(i.Quantity)
		parts = append(parts, i.Code+"="+d.String())
	}
	return strings.Join(parts, " ")
}

func TestNoQuantityIsEverZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSale(t)
		if n := len(s.Lines); n > 0 { // some of it comes back
			back := s.Lines[rapid.IntRange(0, n-1).Draw(t, "back")]
			if !back.Voided {
				back.Quantity, back.Net = "-"+back.Quantity, -back.Net
				if totals := s.Totals.Net + back.Net; totals >= 0 {
					s.Lines = append(s.Lines, back)
					s.Totals.Gross, s.Totals.Net = s.Totals.Gross+back.Net, totals
				}
			}
		}
		if _, err := s.NetSales(); err != nil {
			return
		}
		documents, err := New(Defaults()).Translate(s, connection(items.Separate), true)
		if err != nil { // nothing is left that a comp could be taken off
			require.Equal(t, work.BadRecord, work.KindOf(err))
			return
		}
		lines, err := New(Defaults()).Correct(documents[0], nil)
		require.NoError(t, err)
		for _, l := range lines {
			q, err := decimal.NewFromString(l.Quantity)
			require.NoError(t, err)
			require.False(t, q.IsZero())
		}
	})
}
