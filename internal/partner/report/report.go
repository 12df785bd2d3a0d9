// Package report is the daily sales report: one mail per business day with what
// was sold of each item, as a table. WISK reads it (reference: WISK 3); a day
// that changes later is sent again as a whole, with its revision.
package report

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Config holds the settings of the report. Start from Defaults.
type Config struct {
	// Format is CSV or XLSX.
	Format string
	// Columns are the headers of code, title, quantity and net sales.
	Columns [4]string
	// Delimiter separates the cells of a CSV.
	Delimiter rune
	// ModifierPrefix goes before a modifier's id where it is an item of its own.
	ModifierPrefix string
}

// The formats.
const (
	CSV  = "csv"
	XLSX = "xlsx"
)

// Defaults are what WISK's pages describe; the spelling of the headers, the
// delimiter and the encoding are assumed (reference: WISK 3).
func Defaults() Config {
	return Config{Format: CSV, Columns: [4]string{"POS Code", "Item Name", "Quantity Sold", "Net Sales"}, Delimiter: ','}
}

// Partner makes the reports. It is not one that stands in the registry alone:
// it serves the days of a connection that another partner does not.
type Partner struct {
	cfg   Config
	clock clock.Clock
	post  Post
}

// Post sends a report. Errors are *work.Error; sent again under the same key it
// is the same mail.
type Post interface {
	Send(ctx context.Context, r Report) error
}

// Report is one business day's report on its way.
type Report struct {
	Connection string
	Day        sale.Day
	Revision   int    // from 1
	Hash       string // of the content
	File       File
}

// File is the table.
type File struct {
	Name string // tells venue and day
	Type string // MIME
	Data []byte
}

// New makes the partner; a nil post refuses to send.
func New(cfg Config, c clock.Clock, post Post) *Partner {
	return &Partner{cfg: cfg, clock: c, post: post}
}

// day is what a report says: the body of its document.
type day struct {
	Day  sale.Day `json:"day"`
	Rows []row    `json:"rows"`
}

// row is one item of a day.
type row struct {
	Code     string     `json:"code"`
	Title    string     `json:"title"`
	Quantity string     `json:"quantity"` // exact decimal
	Net      sale.Cents `json:"net"`
}

// Whole implements partner.WholeDays.
func (p *Partner) Whole(c partner.Connection, day sale.Day) bool {
	return c.Settings.Routes.At(day, "") == partner.RouteReport
}

// documentID is that of a business day's report.
func documentID(day sale.Day) string { return "report-" + day.String() }

// TranslateDay implements partner.WholeDays: one document for the day, once it
// is over. A day that lost all its sales is reported once more, empty.
func (p *Partner) TranslateDay(on sale.Day, sales []sale.Sale, known []string, c partner.Connection) ([]partner.Document, error) {
	if len(known) == 0 && p.clock.Now().Before(on.Plus(1).Start(c.Zone)) {
		return nil, nil
	}
	report := day{Day: on, Rows: []row{}}
	sums := map[string]*sum{}
	rules := items.Rules{Mode: c.Settings.Modifiers.At(on, items.Off), Prefix: p.cfg.ModifierPrefix}
	for _, s := range sales {
		if s.Status == sale.Open {
			continue // it comes with the revision after it has closed
		}
		sold, err := items.Of(s, rules)
		if err != nil {
			continue // a bad record is quarantined where it is read
		}
		if err := add(sums, sold); err != nil {
			return nil, work.Errf(work.OrderImplausible, err, "the sales of %s are out of range", on)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(sums)) {
		if r := sums[code]; !r.quantity.IsZero() || r.net != 0 {
			report.Rows = append(report.Rows, row{Code: code, Title: r.title, Quantity: r.quantity.String(), Net: r.net})
		}
	}
	if len(report.Rows) == 0 && len(known) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(report)
	if err != nil {
		return nil, work.Errf(work.Internal, err, "a day's report could not be written as JSON")
	}
	return []partner.Document{{
		ID: documentID(on), Date: on.Plus(1).Start(c.Zone).UTC(), Day: on, Body: body, Hash: sale.Hash(body),
	}}, nil
}

// sum is what was sold of one code.
type sum struct {
	title    string
	quantity decimal.Decimal
	net      sale.Cents
}

func add(sums map[string]*sum, sold []items.Item) error {
	for _, one := range sold {
		s := sums[one.Code]
		if s == nil {
			s = &sum{}
			sums[one.Code] = s
		}
		quantity, err := decimal.NewFromString(one.Quantity)
		if err != nil {
			return err
		}
		s.title, s.quantity = cmp.Or(one.Title, s.title), s.quantity.Add(quantity)
		if s.net, err = s.net.Add(one.Total); err != nil {
			return err
		}
	}
	return nil
}

// Open makes a session that sends a connection's reports.
func (p *Partner) Open(c partner.Connection) partner.Session {
	return &session{partner: p, connection: c}
}

type session struct {
	partner    *Partner
	connection partner.Connection
}

// Send implements partner.Session: the whole day, with the revision that
// follows those that were accepted.
func (s *session) Send(ctx context.Context, d partner.Delivery) (string, error) {
	if s.partner.post == nil {
		return "", work.Err(work.NotSetUp, "reports are sent by mail")
	}
	var report day
	if err := json.Unmarshal(d.Body, &report); err != nil {
		return "", work.Errf(work.Internal, err, "a day's report cannot be read")
	}
	file, err := s.partner.cfg.file(s.connection.ID, report)
	if err != nil {
		return "", err
	}
	return "", s.partner.post.Send(ctx, Report{
		Connection: s.connection.ID, Day: report.Day, Revision: d.Versions + 1, Hash: d.Hash, File: file,
	})
}

// ReadBack implements partner.Session: what was mailed cannot be read.
func (s *session) ReadBack(_ context.Context, sent []partner.SentDocument) (map[string]partner.Verdict, error) {
	verdicts := make(map[string]partner.Verdict, len(sent))
	for _, d := range sent {
		verdicts[d.ID] = partner.Unverifiable
	}
	return verdicts, nil
}
