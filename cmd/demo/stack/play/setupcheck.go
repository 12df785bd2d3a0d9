package play

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// guestResult is what became of a venue that was asked.
type guestResult struct {
	Guest guest
	Stage string
	// Mails to its contact, all but the copies, and reminders among them.
	Mails, Reminders int
	Good             bool
}

// guestsWithin bounds what the check waits for: the mail after a first good run,
// and the first reminder.
const guestsWithin = 40 * time.Second

// checkGuests looks what became of all venues that were asked, in the ledger and
// in the mailbox.
func (d *Demo) checkGuests(ctx context.Context, r *Report) error {
	if d.sims.box == nil {
		return nil
	}
	late := time.After(guestsWithin)
	for waiting := true; waiting; {
		cases, err := d.store.Cases(ctx, true)
		if err != nil {
			return err
		}
		r.Guests = nil
		for _, g := range d.sims.guests() {
			r.Guests = append(r.Guests, d.guestResult(g, cases))
		}
		if !slices.ContainsFunc(r.Guests, func(g guestResult) bool { return !g.Good }) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			waiting = false
		case <-time.After(lookEvery):
		}
	}
	for _, v := range d.sims.box.Violations() {
		r.Violations = append(r.Violations, fmt.Sprintf("%s (%d times)", v.What, v.Times))
	}
	r.Violations = append(r.Violations, d.sims.tooManyKeys()...)
	return nil
}

func (d *Demo) guestResult(g guest, cases []ledger.Case) guestResult {
	r := guestResult{Guest: g, Stage: "not asked"}
	for _, m := range d.sims.box.Mails(string(g.Contact.Email)) {
		if m.Copy > 1 || !strings.Contains(inOneLine(m.Text), g.Name) {
			continue
		}
		r.Mails++
		if strings.HasPrefix(m.Subject, "Reminder:") || strings.HasPrefix(m.Subject, "Rappel :") {
			r.Reminders++
		}
	}
	c, begun := g.caseOf(cases)
	if !begun {
		return r
	}
	if r.Stage = string(c.Data.Stage); c.Outcome != "" {
		r.Stage = string(c.Outcome)
	}
	switch g.Answer {
	case joins:
		r.Good = c.Outcome == work.WentLive
	case declines:
		r.Good = c.Outcome == work.Declined && c.Data.DecidedBy == work.ByVenue
	case waits:
		r.Good = c.Outcome == "" && c.Data.Stage == work.StageConfirmation && r.Reminders > 0
	}
	return r
}

// tooManyKeys tells of which tills a holder has more than one key that opens.
func (s *simulators) tooManyKeys() (violations []string) {
	type holder struct{ serial, partner string }
	active := map[holder]int{}
	for _, k := range s.tills.State().Office.Keys {
		if k.Revoked.IsZero() {
			active[holder{k.Serial, k.Partner}]++
		}
	}
	for h, n := range active {
		if n > 1 {
			violations = append(violations, fmt.Sprintf("%d keys of %s open the till %s", n, h.partner, h.serial))
		}
	}
	return violations
}

// printGuests writes how the venues came to their partners.
func printGuests(w io.Writer, list []guestResult) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\nHow the venues came to their partners, by the ledger and the mailbox:\n\n")
	t := table.NewWriter()
	t.SetStyle(plainTable)
	t.AppendHeader(table.Row{"venue", "to", "asked from", "wanted", "now", "mails", "reminders", ""})
	for _, r := range list {
		verdict := ""
		if !r.Good {
			verdict = "NOT AS WANTED"
		}
		t.AppendRow(table.Row{r.Guest.Name, r.Guest.to(), r.Guest.From, r.Guest.Answer, r.Stage, r.Mails, r.Reminders, verdict})
	}
	t.SetColumnConfigs(rightAligned(6, 7))
	fmt.Fprintf(w, "%s\n\n", t.Render())
}

// inOneLine is a text without its line breaks.
func inOneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
