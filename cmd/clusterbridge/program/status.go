package program

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type statusVerb struct {
	Connection string `arg:"" optional:"" help:"Connection, such as 7shifts:chez-marcel; none means all."`
	JSON       bool   `help:"As JSON: a list, also for one connection."`
}

func (statusVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run tells how connections are.
func (v *statusVerb) Run(ctx context.Context, d *desk) error {
	all, err := d.standings(ctx, v.Connection)
	if err != nil {
		return err
	}
	switch {
	case v.JSON:
		return printJSON(d.out, all)
	case len(all) == 0:
		d.say("There are no connections yet.\nNext: clusterbridge location add, then clusterbridge connect 7shifts")
	case v.Connection != "":
		d.say("%s", all[0].inFull())
	default:
		d.printStandings(all)
	}
	return nil
}

// Standing is how a connection is, as `status --json` writes it. Instants are
// business time in the venue's zone.
type Standing struct {
	Connection string               `json:"connection"`
	TradeName  string               `json:"tradeName"`
	Zone       string               `json:"zone"`
	State      work.ConnectionState `json:"state"`
	Since      time.Time            `json:"since"`
	Why        string               `json:"why,omitempty"`
	WhatToDo   string               `json:"whatToDo,omitempty"`

	LastSuccess time.Time `json:"lastSuccess,omitzero"`
	LastRun     time.Time `json:"lastRun,omitzero"`
	// LagSeconds is how far the partner may be behind the till: the age of the
	// last whole pull, or of the oldest live document that is not sent.
	LagSeconds int64 `json:"lagSeconds"`
	Late       bool  `json:"late"`

	ReceiptDate         sale.ReceiptDate `json:"receiptDate"`
	WaitingForFirstSale bool             `json:"waitingForFirstSale"`
	FirstSale           time.Time        `json:"firstSale,omitzero"`
	// Projections are 7shifts'.
	Projections Projections `json:"projections,omitzero"`
	// Route and Modifiers are today's choices of a connection to WISK.
	Route     string `json:"route,omitempty"`
	Modifiers string `json:"modifiers,omitempty"`
	// Findings are open: things that people should look at.
	Findings  int             `json:"findings"`
	History   HistoryProgress `json:"history"`
	Documents ledger.Backlog  `json:"documents"`
	// Quarantined counts the records put aside, orders and documents.
	Quarantined int `json:"quarantined"`
}

// Projections is when 7shifts' sales projections are expected: 1 to 2 weeks
// after activation, for up to four weeks ahead (7shifts' help page on Cluster
// POS).
type Projections struct {
	Earliest sale.Day `json:"earliest"`
	Latest   sale.Day `json:"latest"`
	Until    sale.Day `json:"until"`
}

// HistoryProgress is how far the days before the connection are.
type HistoryProgress struct {
	From sale.Day `json:"from"`
	Done bool     `json:"done"`
	Left int      `json:"left"` // documents of history still to be sent
}

// The partner's own words on projections, in days.
const (
	projectionsEarliest = 7
	projectionsLatest   = 14
	projectionsAhead    = 28
)

func (d *desk) standings(ctx context.Context, one string) ([]Standing, error) {
	var connections []ledger.Connection
	if one != "" {
		c, err := d.connection(ctx, one)
		if err != nil {
			return nil, err
		}
		connections = append(connections, c)
	} else {
		store, err := d.ledger(ctx)
		if err != nil {
			return nil, err
		}
		if connections, err = store.Connections(ctx); err != nil {
			return nil, about(err, "")
		}
	}
	all := make([]Standing, 0, len(connections))
	for _, c := range connections {
		backlog, err := d.store.Backlog(ctx, c.ID)
		if err != nil {
			return nil, about(err, c.ID)
		}
		aside, err := d.store.Quarantine(ctx, c.ID, false)
		if err != nil {
			return nil, about(err, c.ID)
		}
		s := stand(c, backlog, d.clock().Now(), d.settings.lateAfter())
		s.Quarantined = len(aside)
		found, err := d.store.Findings(ctx, c.ID, false)
		if err != nil {
			return nil, about(err, c.ID)
		}
		s.Findings = len(found)
		all = append(all, s)
	}
	return all, nil
}

// lateAfter is the lag from which a connection is called late: three sync runs
// at the venue's quietest, when they are an hour apart, so that nothing is
// alarming that will pass by itself (complaint 5). On a clock of its own, as in
// demos, hours pass in a second and nothing is ever late.
func (s Settings) lateAfter() time.Duration {
	const runs = 3
	switch {
	case s.Clock != "":
		return math.MaxInt64
	case s.SyncEvery > 0:
		return runs * s.SyncEvery
	default:
		return runs * time.Hour
	}
}

// stand puts together how a connection is at a business instant.
func stand(c ledger.Connection, b ledger.Backlog, now time.Time, lateAfter time.Duration) Standing {
	zone := zoneOf(c.Location)
	s := Standing{
		Connection: c.ID, TradeName: c.Location.TradeName, Zone: c.Location.Zone,
		State: c.State, Since: c.StateSince.In(zone),
		LastSuccess: local(c.LastSuccessAt, zone), LastRun: local(c.LastRunAt, zone),
		ReceiptDate: c.Settings.ReceiptDate, WaitingForFirstSale: c.FirstSaleAt.IsZero(), FirstSale: local(c.FirstSaleAt, zone),
		History:   HistoryProgress{From: c.HistoryFrom, Done: c.HistoryDone && b.History == 0, Left: b.History},
		Documents: b,
	}
	s.Why, s.WhatToDo = reasonOf(c)
	activated, today := sale.DayOf(c.ConnectedAt, zone), sale.DayOf(now, zone)
	switch c.PartnerName {
	case work.SevenShifts:
		s.Projections = Projections{Earliest: activated.Plus(projectionsEarliest), Latest: activated.Plus(projectionsLatest), Until: today.Plus(projectionsAhead)}
	case work.Wisk:
		s.Route, s.Modifiers = c.Settings.Routes.At(today, partner.RouteUpload), c.Settings.Modifiers.At(today, items.Off)
	}
	lag := now.Sub(c.Watermark)
	if c.Watermark.IsZero() {
		lag = now.Sub(c.ConnectedAt)
	}
	if b.Live > 0 && !b.OldestWanted.IsZero() && b.History == 0 {
		lag = max(lag, now.Sub(b.OldestWanted))
	}
	s.LagSeconds = int64(max(0, lag) / time.Second)
	s.Late = c.State.Live() && lag > lateAfter
	return s
}

func local(t time.Time, zone *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}

// reasonOf says why a connection is not simply healthy, and what a person does.
func reasonOf(c ledger.Connection) (why, next string) {
	why, _, _ = strings.Cut(c.StateWhy, " Next: ")
	code := c.StateCode
	if c.State == work.Failing || (c.State == work.Initializing && c.Failures > 0) {
		why, _, _ = strings.Cut(c.LastFailureWhy, " Next: ")
		code = c.LastFailureCode
	}
	if _, known := work.Problems[code]; known {
		_, next, _ = strings.Cut(work.Err(code, "").Sentence(c.ID), " Next: ")
		if why == "" {
			why = work.Problems[code].Title
		}
	}
	switch c.State {
	case work.Paused:
		said := "A person paused it"
		if why != "" && why != unsaid {
			said += ": " + why
		}
		return said + ".", "clusterbridge resume " + c.ID
	case work.CalledOff:
		return why, strings.TrimSpace(next + " Then: clusterbridge resume " + c.ID)
	case work.Healthy:
		return "", ""
	default:
		return why, next
	}
}

func (d *desk) printStandings(all []Standing) {
	t := newTable(d.out, "connection", "state", "since", "last success", "lag", "to send", "to confirm", "aside", "history")
	for _, s := range all {
		t.AppendRow([]any{
			s.Connection, stateWords(s.State), minute(s.Since), minute(s.LastSuccess), s.lag(),
			s.Documents.Live, s.Documents.Unconfirmed, s.Quarantined, s.History.words(),
		})
	}
	t.Render()
	for _, s := range all {
		for _, note := range s.notes() {
			d.say("\n%s: %s", s.Connection, note)
		}
	}
}

func minute(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02 15:04")
}

func (s Standing) lag() string {
	text := span(time.Duration(s.LagSeconds) * time.Second)
	if s.Late {
		text += " (late)"
	}
	return text
}

func (h HistoryProgress) words() string {
	switch {
	case h.Done:
		return "done"
	case h.Left > 0:
		return fmt.Sprintf("%d to send", h.Left)
	default:
		return "not done"
	}
}

// notes are the sentences that a person should read on a connection.
func (s Standing) notes() []string {
	var notes []string
	if s.Why != "" {
		notes = append(notes, s.Why)
	}
	if s.WhatToDo != "" {
		notes = append(notes, "Next: "+s.WhatToDo)
	}
	if s.WaitingForFirstSale && s.State.Live() {
		notes = append(notes, "It waits for its first sale.")
	}
	if n := s.Quarantined; n > 0 {
		notes = append(notes, fmt.Sprintf("%s put aside. Next: clusterbridge quarantine list %s", are(n, "record"), s.Connection))
	}
	if n := s.Documents.Parked; n > 0 {
		notes = append(notes, fmt.Sprintf("%s in doubt and not sent again. Next: clusterbridge uncertain list %s", are(n, "sale"), s.Connection))
	}
	if n := s.Findings; n > 0 {
		notes = append(notes, fmt.Sprintf("%s to be looked at. Next: clusterbridge findings list %s", are(n, "finding"), s.Connection))
	}
	return notes
}

// inFull tells everything on one connection.
func (s Standing) inFull() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("Connection", "%s, %s (%s)", s.Connection, s.TradeName, s.Zone)
	line("State", "%s since %s", stateWords(s.State), minute(s.Since))
	for _, note := range s.notes() {
		line("", "%s", note)
	}
	line("Last success", "%s; last run %s", minute(s.LastSuccess), minute(s.LastRun))
	line("Lag", "%s", s.lag())
	line("First sale", "%s", map[bool]string{true: "none sent yet", false: minute(s.FirstSale)}[s.WaitingForFirstSale])
	line("Dated", "by when the order was %s", s.ReceiptDate)
	line("History", "from %s: %s", s.History.From, s.History.words())
	if s.Projections != (Projections{}) {
		line("Projections", "in 7shifts expected between %s and %s, then up to %s", s.Projections.Earliest, s.Projections.Latest, s.Projections.Until)
	}
	if s.Route != "" {
		line("Route", "%s, modifiers %s", s.Route, s.Modifiers)
	}
	n := s.Documents
	line("Documents", "%d in all, %d sent, %d confirmed, %d sent but not verifiable", n.Total, n.Sent, n.Confirmed, n.Unverifiable)
	line("", "%d live and %d of history to send, %d to confirm, %d of uncertain outcome", n.Live, n.History, n.Unconfirmed, n.Uncertain)
	return strings.TrimRight(b.String(), "\n")
}
