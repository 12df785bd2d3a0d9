package delivery

import (
	"fmt"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

func itemCode(i int) string { return fmt.Sprintf("i%d", i%4) }

// change does to a sale what a till may do.
func (s *scene) change(st step) {
	one := &s.sales[st.Sale]
	other := &s.sales[(st.Sale+1)%salesInPlay]
	switch st.Do {
	case "sell":
		sell(one, st.A, st.B)
	case "void line":
		if len(one.Lines) > 0 {
			l := &one.Lines[st.A%len(one.Lines)]
			l.Voided = !l.Voided
		}
	case "comp":
		one.Totals.Comp = sale.Cents(37 * st.A)
	case "discount":
		one.Totals.Discount = sale.Cents(25 * st.A)
	case "refund line":
		if len(one.Lines) > 0 {
			back := one.Lines[st.A%len(one.Lines)]
			back.Quantity, back.Net = "-"+plain(back.Quantity), -abs(back.Net)
			one.Lines = append(slices.Clone(one.Lines), back)
		}
	case "void":
		one.Status = sale.Voided
	case "restore":
		one.Status, one.MergedInto = sale.Closed, ""
	case "transfer":
		one.EmployeeID = fmt.Sprint(st.A)
	case "split":
		if n := len(one.Lines); n > 0 {
			other.Lines = append(slices.Clone(other.Lines), one.Lines[n-1])
			one.Lines = slices.Clone(one.Lines[:n-1])
		}
	case "merge":
		one.Lines = append(slices.Clone(one.Lines), other.Lines...)
		other.MergedInto = one.ID
	case "reopen":
		one.Status = sale.Open
	case "close":
		one.Status = sale.Closed
	case "move a day":
		one.OpenedAt = s.base.AddDate(0, 0, st.A-2)
	case "rename":
		for i := range one.Lines {
			one.Lines[i].Name = fmt.Sprintf("title %d", st.A)
		}
	}
	for i := range s.sales {
		tally(&s.sales[i])
	}
}

// sell adds a line, its modifiers in the order in which a server tapped them.
func sell(one *sale.Sale, a, b int) {
	l := sale.Line{ItemID: itemCode(a), Name: "item " + itemCode(a), Quantity: []string{"1", "2", "0.5", "3"}[b%4], UnitPrice: sale.Cents(100*a + 33)}
	taps := []sale.Modifier{{ID: "m1", Name: "Cola", Quantity: "1"}, {ID: "m2", Name: "Lime", Quantity: "1", Price: 51}}
	l.Modifiers = taps[:b%3]
	if a%2 == 1 {
		l.Modifiers = slices.Clone(l.Modifiers)
		slices.Reverse(l.Modifiers)
	}
	each := l.UnitPrice
	for _, m := range l.Modifiers {
		each += m.Price
	}
	l.Net = each * sale.Cents([]int{2, 4, 1, 6}[b%4]) / 2
	one.Lines = append(slices.Clone(one.Lines), l)
}

// tally writes a sale's totals, and takes back more than was sold nowhere: a
// till's net is never negative.
func tally(one *sale.Sale) {
	var net sale.Cents
	for _, l := range one.Lines {
		if !l.Voided {
			net += l.Net
		}
	}
	if net < 0 || net == 0 && one.Totals.Discount+one.Totals.Comp != 0 {
		one.Lines, net = nil, 0
	}
	t := &one.Totals
	if t.Discount+t.Comp > net || len(one.Lines) == 0 {
		t.Discount, t.Comp = 0, 0
	}
	t.Gross, t.Net = net, net-t.Discount-t.Comp
	one.ModifiedAt = one.ModifiedAt.Add(time.Second)
}

func plain(quantity string) string {
	if quantity[0] == '-' {
		return quantity[1:]
	}
	return quantity
}

func abs(c sale.Cents) sale.Cents { return max(c, -c) }
