package program

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type connectionVerb struct {
	Set connectionSetVerb `cmd:"" help:"Change a choice."`
}

type connectionSetVerb struct {
	ReceiptDate receiptDateVerb `cmd:"" help:"Date receipts by when the order was opened or closed, as Cluster is set."`
	Modifiers   modifiersVerb   `cmd:"" help:"How modifiers become items at WISK, from a business day on."`
	Route       routeVerb       `cmd:"" help:"On which way sales reach WISK, from a business day on."`
	PayPeriod   payPeriodVerb   `cmd:"" help:"How often the venue pays (7shifts)."`
	Slices      slicesVerb      `cmd:"" help:"Bring in history as sums of five minutes (7shifts)."`
}

type payPeriodVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	Cadence    string `arg:"" help:"${enum}." enum:"weekly,biweekly,semi_monthly,monthly"`
	Anchor     string `help:"A day on which a period begins." required:"" placeholder:"DAY"`
	act
}

func (payPeriodVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run says how often the venue pays.
func (v *payPeriodVerb) Run(ctx context.Context, d *desk) error {
	return d.change(ctx, work.ChangeInput{Connection: v.Connection, Change: work.ChangePayPeriod, Value: v.Cadence, From: v.Anchor},
		"pay period "+v.Cadence, v.act)
}

type slicesVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	Value      string `arg:"" help:"${enum}." enum:"on,off"`
	act
}

func (slicesVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run has history travel as sums. They carry no tips and no employee, so they
// end before the previous pay period.
func (v *slicesVerb) Run(ctx context.Context, d *desk) error {
	return d.change(ctx, work.ChangeInput{Connection: v.Connection, Change: work.ChangeSlices, Value: v.Value}, "slices "+v.Value, v.act)
}

type receiptDateVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	Date       string `arg:"" help:"${enum}." enum:"opened,closed"`
	Yes        bool   `help:"Do it although sales move to other days."`
	act
}

func (receiptDateVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run changes the receipt date after it has said which days move (complaint 6).
func (v *receiptDateVerb) Run(ctx context.Context, d *desk) error {
	c, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	wanted := sale.ReceiptDate(v.Date)
	if c.Settings.ReceiptDate == wanted {
		d.say("%s dates receipts by the %s time already.", c.ID, v.Date)
		return nil
	}
	moves, err := d.movesOf(ctx, c, wanted)
	if err != nil {
		return about(err, c.ID)
	}
	d.say("%s", moves.words(wanted))
	if len(moves.days) > 0 && !v.Yes {
		return usage("Nothing was changed.", fmt.Sprintf("clusterbridge connection set receipt-date %s %s --yes", c.ID, v.Date))
	}
	return d.change(ctx, work.ChangeInput{Connection: c.ID, Change: work.ChangeReceiptDate, Value: v.Date}, "receipt date by "+v.Date, v.act)
}

// moves are the sales that a change of the receipt date takes to another
// business day.
type moves struct {
	sales int
	open  int // sales not closed yet, which "closed" holds back
	days  []sale.Day
}

// movesOf reads every business day of the connection, a query each.
func (d *desk) movesOf(ctx context.Context, c ledger.Connection, wanted sale.ReceiptDate) (moves, error) {
	zone, err := loadZone(c.Location.Zone)
	if err != nil {
		return moves{}, err
	}
	touched := map[sale.Day]bool{}
	var m moves
	last := sale.DayOf(d.clock().Now(), zone).Plus(1)
	for day := c.HistoryFrom; !last.Before(day); day = day.Plus(1) {
		sales, err := d.store.SalesOfDay(ctx, c.ID, day)
		if err != nil {
			return m, err
		}
		for _, s := range sales {
			before, had := c.Settings.ReceiptDate.Date(s)
			after, has := wanted.Date(s)
			if had && !has && s.Status == sale.Open {
				m.open++
			}
			from, to := sale.DayOf(before, zone), sale.DayOf(after, zone)
			if !had || !has || from == to {
				continue
			}
			m.sales++
			touched[from], touched[to] = true, true
		}
	}
	for day := range touched {
		m.days = append(m.days, day)
	}
	slices.SortFunc(m.days, func(a, b sale.Day) int { return b.DaysUntil(a) })
	return m, nil
}

func (m moves) words(wanted sale.ReceiptDate) string {
	var b strings.Builder
	if len(m.days) == 0 {
		b.WriteString("No sale moves to another business day.")
	} else {
		const listed = 14 // days that fit a glance
		names := make([]string, 0, listed)
		for _, day := range m.days[:min(listed, len(m.days))] {
			names = append(names, day.String())
		}
		fmt.Fprintf(&b, "Warning: %s to another business day. The totals of %s change at the partner:\n  %s",
			moved(m.sales), plural(len(m.days), "day"), strings.Join(names, ", "))
		if more := len(m.days) - listed; more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
		b.WriteString("\nReports and pay periods that were closed on them no longer match.")
	}
	if wanted == sale.ByClosed {
		fmt.Fprintf(&b, "\nFrom now on an order is sent when it closes; %s waiting for that.", are(m.open, "open order"))
	}
	return b.String()
}

func moved(n int) string {
	if n == 1 {
		return "1 sale moves"
	}
	return fmt.Sprintf("%d sales move", n)
}

func are(n int, one string) string {
	if n == 1 {
		return "1 " + one + " is"
	}
	return plural(n, one) + " are"
}

// stateWords is a connection's state as people read it.
func stateWords(s work.ConnectionState) string { return strings.ReplaceAll(string(s), "_", " ") }

// zoneOf is the location's zone; UTC when it is unknown on this machine, so
// that something can still be printed.
func zoneOf(l ledger.Location) *time.Location {
	zone, err := time.LoadLocation(l.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}
