package program

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type historyVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	Day        string `help:"Only this business day, YYYY-MM-DD." placeholder:"DAY"`
	JSON       bool   `help:"As JSON."`
}

func (historyVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run tells a connection's story from the journal, which outlives Temporal's
// retention.
func (v *historyVerb) Run(ctx context.Context, d *desk) error {
	var day sale.Day
	if v.Day != "" {
		var err error
		if day, _, err = dayRange(v.Day, ""); err != nil {
			return err
		}
	}
	c, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	zone := zoneOf(c.Location)
	var from, to time.Time
	if !day.IsZero() {
		from, to = day.Start(zone), day.End(zone)
	}
	story, err := d.store.History(ctx, c.ID, from, to)
	if err != nil {
		return about(err, c.ID)
	}
	if v.JSON {
		return printJSON(d.out, story)
	}
	if len(story) == 0 {
		d.say("Nothing was written down on %s%s.", c.ID, onDay(day))
		return nil
	}
	d.say("%s, %s (times of %s)", c.ID, c.Location.TradeName, zone)
	for _, e := range story {
		d.say("%s  %s", at(e.At, zone), tell(e))
	}
	return nil
}

func onDay(day sale.Day) string {
	if day.IsZero() {
		return ""
	}
	return " on " + day.String()
}

// tell makes a sentence of a journal entry.
func tell(e ledger.Entry) string {
	who := e.Who
	var did string
	switch e.Act {
	case ledger.ActAddLocation:
		did = "added the location with serial number " + e.New
	case ledger.ActReplaceSerial:
		did = fmt.Sprintf("replaced the serial number %s by %s", e.Old, e.New)
	case ledger.ActSetSecret:
		did = "stored another API key of Cluster"
	case ledger.ActConnect:
		did = "connected it"
	case ledger.ActReconnect:
		did = "connected it again" + turned(e)
	case ledger.ActState:
		did = "saw it turn" + turned(e)
	case ledger.ActPause:
		did = "paused it"
	case ledger.ActResume:
		did = "resumed it" + turned(e)
	case ledger.ActReceiptDate:
		did = fmt.Sprintf("set the receipt date from %s to %s", e.Old, e.New)
	case ledger.ActResend:
		did = fmt.Sprintf("asked to send %s again: %s", daysOf(e.Old), e.New)
	case ledger.ActRelease:
		did = "released the " + e.Old
	case ledger.ActDiscard:
		did = "put aside for good the " + e.Old
	case ledger.ActExport + "hourly-sales", ledger.ActExport + "receipts":
		did = fmt.Sprintf("exported the %s of %s%s", kindWords(strings.TrimPrefix(e.Act, ledger.ActExport)), daysOf(e.New), byForce(e.Old))
	case "backfill":
		did = "started to bring in " + daysOf(e.New)
	case "backfill-done":
		did = "brought in " + e.New
	case "backfill-cancelled":
		did = "ended bringing in " + e.New + ", as asked"
	case "backfill-pause":
		did = "let the backfill rest"
	case "backfill-resume":
		did = "let the backfill go on"
	case "backfill-cancel":
		did = "asked to end the backfill"
	default:
		did = cmp.Or(tellItems(e), "did: "+e.Act+turned(e))
	}
	return who + " " + strings.TrimSpace(did) + because(e)
}

// byForce tells that an export was insisted on.
func byForce(mark string) string {
	if mark == "" {
		return ""
	}
	return ", by force"
}

// tellItems tells what was done where a partner counts items; nothing for another
// act.
func tellItems(e ledger.Entry) string {
	switch e.Act {
	case ledger.ActStatement:
		return "stated that " + e.New
	case ledger.ActModifiers, ledger.ActRoute:
		return fmt.Sprintf("set the %s: %s (before: %s)", e.Act, e.New, e.Old)
	case ledger.ActResolve:
		return fmt.Sprintf("looked into the partner for %s: %s", strings.Replace(e.Old, " uncertain", "", 1), strings.ReplaceAll(e.New, "_", " "))
	case ledger.ActSeeFinding:
		return "looked after " + strings.TrimSuffix(e.Old, " open")
	}
	return ""
}

// daysOf writes one business day once.
func daysOf(days string) string {
	if from, to, ok := strings.Cut(days, " to "); ok && from == to {
		return from
	}
	return days
}

// turned tells from what to what something changed.
func turned(e ledger.Entry) string {
	old, fresh := strings.ReplaceAll(e.Old, "_", " "), strings.ReplaceAll(e.New, "_", " ")
	switch {
	case fresh == "" || old == fresh:
		return ""
	case old == "":
		return " to " + fresh
	default:
		return " from " + old + " to " + fresh
	}
}

// reasons are the listed codes, as they end a sentence.
var reasons = map[string]string{
	"venue_asked": "because the venue asked", "partner_asked": "because the partner asked",
	"maintenance": "for maintenance", "correction": "as a correction", "test": "as a test",
}

// because tells why, from the entry's listed code and its note.
func because(e ledger.Entry) string {
	note, _, _ := strings.Cut(e.Note, " Next: ")
	note = strings.TrimSuffix(note, ".")
	if note == unsaid {
		note = ""
	}
	problem, isProblem := work.Problems[work.Code(e.Reason)]
	reason := reasons[e.Reason]
	switch {
	case isProblem && note != "":
		return ": " + note + "."
	case isProblem:
		return ": " + problem.Title
	case reason != "" && note != "":
		return ", " + reason + ": " + note + "."
	case reason != "":
		return ", " + reason + "."
	case note != "":
		return ": " + note + "."
	default:
		return "."
	}
}
