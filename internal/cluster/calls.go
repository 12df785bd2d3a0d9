package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// call asks the till's API, which changes nothing. Errors: those of caller.do,
// with ClusterKeyRefused (401), ClusterNotActivated (403), ClusterNoSerial (404)
// and ClusterOffline (503).
func (c *Client) call(ctx context.Context, cred Credential, path string, request, answer any) error {
	return c.caller.do(ctx, exchange{path: path, key: cred.Key, request: request, answer: answer})
}

// Ping is what the till says of itself.
type Ping struct {
	Online bool
	Serial string
	// PosTime is the till's clock, with its own offset kept.
	PosTime time.Time
}

// Ping asks whether the till is up and the credential good (reference: Cluster
// section 1, /ping-pos). Besides the errors of every call, a till that answers
// not to be online is ClusterOffline.
func (c *Client) Ping(ctx context.Context, cred Credential) (Ping, error) {
	var answer wire.Ping
	if err := c.call(ctx, cred, wire.PathPing, wire.SerialRequest{Serial: cred.Serial}, &answer); err != nil {
		return Ping{}, err
	}
	if answer.PosTime.Bad || answer.PosTime.IsZero() {
		return Ping{}, work.Err(work.ClusterMalformed, wire.PathPing+": posTime is no instant with an offset")
	}
	p := Ping{Online: answer.Online, Serial: string(answer.Serial), PosTime: answer.PosTime.Time}
	if !p.Online {
		return p, work.Err(work.ClusterOffline, "")
	}
	return p, nil
}

// DateField is the instant of an order by which Orders filters.
type DateField string

// The three filters. Modified is assumed, with a fallback: ErrNoModifiedFilter.
const (
	Opened   DateField = wire.DateOpened
	Closed   DateField = wire.DateClosed
	Modified DateField = wire.DateModified
)

// OrdersQuery asks for the orders whose DateField is from From (included) to
// To (excluded). PageToken is empty for the first page; for the others
// everything else stays the same.
type OrdersQuery struct {
	From, To  time.Time
	DateField DateField
	PageToken string
}

// OrdersPage is one page. NextPage is empty on the last. AsOf is the relay's
// clock, zero when it does not tell.
type OrdersPage struct {
	Orders   []Order
	NextPage string
	AsOf     time.Time
}

// Order is one record of a page: a Sale, or with Err set a bad record; one bad
// record never stops the rest.
type Order struct {
	Sale sale.Sale
	// ReceivedAt is when the relay learned this version, zero when not told.
	ReceivedAt time.Time
	// Err is OrderMalformed or OrderImplausible.
	Err *work.Error
	// ID is the Sale's id; of a bad record the best that could be read,
	// otherwise "<serial>-unreadable-" and a hash of the text.
	ID string
	// Raw is the record as it came, valid UTF-8, at most MaxRaw bytes.
	Raw []byte
}

// Orders reads one page of orders. A relay without the filter Modified gives
// ErrNoModifiedFilter.
func (c *Client) Orders(ctx context.Context, cred Credential, q OrdersQuery) (OrdersPage, error) {
	if q.DateField == Modified && !c.cfg.OrdersByModified {
		return OrdersPage{}, noModifiedFilter()
	}
	request := wire.OrdersRequest{
		Serial: cred.Serial, From: wire.At(q.From.UTC()), To: wire.At(q.To.UTC()),
		DateField: string(q.DateField), PageToken: q.PageToken, Limit: c.cfg.PageSize,
	}
	var answer wire.Orders[json.RawMessage]
	if err := c.call(ctx, cred, wire.PathOrders, request, &answer); err != nil {
		if r, ok := errors.AsType[*refusal](err); ok && q.DateField == Modified && r.code == wire.CodeDateField {
			return OrdersPage{}, noModifiedFilter()
		}
		return OrdersPage{}, err
	}
	if string(answer.NextPage) == q.PageToken && q.PageToken != "" {
		return OrdersPage{}, work.Err(work.ClusterMalformed, wire.PathOrders+": the next page is the same page")
	}
	return c.page(cred.Serial, answer)
}

func noModifiedFilter() error {
	return work.Errf(work.ClusterRefused, ErrNoModifiedFilter, "no filter by modification")
}

func (c *Client) page(serial string, answer wire.Orders[json.RawMessage]) (OrdersPage, error) {
	if answer.Orders == nil || answer.AsOf.Bad {
		return OrdersPage{}, work.Err(work.ClusterMalformed, wire.PathOrders+": orders or asOf cannot be read")
	}
	page := OrdersPage{NextPage: string(answer.NextPage), AsOf: answer.AsOf.Time.UTC()}
	latest := page.AsOf
	if latest.IsZero() {
		latest = c.cfg.Clock.Now()
	}
	latest = latest.Add(MaxAhead)
	page.Orders = make([]Order, len(answer.Orders))
	for i, raw := range answer.Orders {
		page.Orders[i] = c.decodeOrder(serial, raw, latest)
	}
	return page, nil
}

// DayTotals are the till's own sums over the orders opened on a business day
// that are neither voided nor merged away. Net still holds gift cards sold,
// Tips are those of every payment.
type DayTotals struct {
	Day                                                 sale.Day
	Count                                               int
	Gross, Discounts, Comps, Net, Tax, Tips, Gratuities sale.Cents
	AsOf                                                time.Time // zero when not told
}

// DayTotals reads the till's own sums of a business day.
func (c *Client) DayTotals(ctx context.Context, cred Credential, day sale.Day) (DayTotals, error) {
	var t wire.DayTotals
	request := wire.DayTotalsRequest{Serial: cred.Serial, BusinessDate: day.String()}
	if err := c.call(ctx, cred, wire.PathDayTotals, request, &t); err != nil {
		return DayTotals{}, err
	}
	if string(t.BusinessDate) != day.String() || t.AsOf.Bad {
		return DayTotals{}, work.Err(work.ClusterMalformed, wire.PathDayTotals+": not the business day that was asked for")
	}
	return DayTotals{
		Day: day, Count: t.Count, Gross: sale.Cents(t.Gross), Discounts: sale.Cents(t.Discounts),
		Comps: sale.Cents(t.Comps), Net: sale.Cents(t.Net), Tax: sale.Cents(t.Tax),
		Tips: sale.Cents(t.Tips), Gratuities: sale.Cents(t.Gratuities), AsOf: t.AsOf.Time.UTC(),
	}, nil
}

// Employee is a person at the till. Email and Phone are empty where the relay
// does not tell them. It never enters a history or a log.
type Employee struct {
	ID     string
	Name   string
	Active bool
	Email  string
	Phone  string
}

// LogValue hides the person.
func (e Employee) LogValue() slog.Value { return slog.StringValue("employee " + e.ID) }

// Employees lists the location's employees.
func (c *Client) Employees(ctx context.Context, cred Credential) ([]Employee, error) {
	var answer wire.Employees
	if err := c.call(ctx, cred, wire.PathEmployees, wire.SerialRequest{Serial: cred.Serial}, &answer); err != nil {
		return nil, err
	}
	employees := make([]Employee, 0, len(answer.Employees))
	for _, e := range answer.Employees {
		if e.ID == "" {
			return nil, work.Err(work.ClusterMalformed, wire.PathEmployees+": an employee without id")
		}
		employees = append(employees, Employee{
			ID: string(e.ID), Name: strings.TrimSpace(string(e.Name)), Active: e.Active,
			Email: strings.TrimSpace(string(e.Email)), Phone: strings.TrimSpace(string(e.Phone)),
		})
	}
	return employees, nil
}

// Menu is what can be ordered at a location (shape assumed).
type Menu = wire.Menu

// Menu reads the location's items, modifiers and categories.
func (c *Client) Menu(ctx context.Context, cred Credential) (Menu, error) {
	var menu Menu
	err := c.call(ctx, cred, wire.PathMenu, wire.SerialRequest{Serial: cred.Serial}, &menu)
	return menu, err
}
