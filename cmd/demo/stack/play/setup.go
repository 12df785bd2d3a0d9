package play

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// setUpVenues brings all venues to their partners: by onboarding, or with the
// verbs for it where a size says so. A second start finds what was done.
func (d *Demo) setUpVenues(ctx context.Context) error {
	if d.o.Size.ByVerbs {
		if err := d.connectVenues(ctx); err != nil {
			return err
		}
		return d.connectSites(ctx)
	}
	return d.onboard(ctx)
}

const (
	// onboardWithin bounds all onboardings, in real time, on a machine that is
	// busy.
	onboardWithin = 6 * time.Minute
	// stageEvery is how often it is looked who has to act.
	stageEvery = 200 * time.Millisecond
	// triesAtOnce is how often in a row people try what does not work, a second
	// later each time: a page or a verb of a process that is just started again.
	triesAtOnce = 30
)

// people are all those around clusterbridge: the venues' managers, WISK's
// support, Cluster's admin and our operator. Who has to act stands in the
// ledger, so that a second start goes on where the first one was.
type people struct {
	*Demo
	visitor visitor
	guests  []guest
	told    map[string]bool
	// failed counts the failures in a row, by guest.
	failed map[string]int
	// reached are the stages at which somebody acted.
	reached map[work.Stage]bool
}

// onboard asks for all venues, and then acts as people do until each of them is
// connected, has declined or is waited for. Business time runs meanwhile.
func (d *Demo) onboard(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, onboardWithin)
	defer cancel()
	p := &people{Demo: d, guests: d.sims.guests(), told: map[string]bool{}, failed: map[string]int{}, reached: map[work.Stage]bool{}}
	cases, err := d.store.Cases(ctx, true)
	if err != nil {
		return err
	}
	if len(p.toCome(cases)) == 0 {
		return nil
	}
	var why error
	if p.visitor, why = newVisitor(ctx, d.o.NoBrowser); why != nil {
		d.view.say("%v; pages are clicked by plain HTTP instead", why)
	}
	defer p.visitor.close()
	d.view.say("The venues are set up by onboarding, from %s on, business time; pages are clicked by %s.",
		d.shownTime(d.calendar.Now()), p.visitor.what())
	if err := p.ask(ctx); err != nil {
		return err
	}
	for {
		open, err := p.act(ctx)
		if err != nil || len(open) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not set up within %v: %s: %w", onboardWithin, strings.Join(open, ", "), ctx.Err())
		case <-time.After(stageEvery):
		}
	}
}

// shownTime is business time as the story has it.
func (d *Demo) shownTime(at time.Time) string {
	return at.In(d.sims.venues[0].zone()).Format("Mon 2 Jan 15:04")
}

// tell tells a part of the story once.
func (p *people) tell(g guest, format string, args ...any) {
	line := fmt.Sprintf("  %s, %s: ", g.Name, g.to()) + fmt.Sprintf(format, args...)
	if !p.told[line] {
		p.told[line] = true
		p.view.say("%s", line)
	}
}

// toCome are the names of the guests that somebody still has to act for.
func (p *people) toCome(cases []ledger.Case) (names []string) {
	for _, g := range p.guests {
		if c, begun := g.caseOf(cases); !begun || !settled(g, c) {
			names = append(names, g.Name)
		}
	}
	return names
}

// settled tells whether setting up has nothing more to do: the first run of a
// connection comes by itself.
func settled(g guest, c ledger.Case) bool {
	switch g.Answer {
	case joins:
		return c.Outcome == work.WentLive || (c.Outcome == "" && c.Data.Stage == work.StageFirstRun)
	case declines:
		return c.Outcome == work.Declined
	default:
		return c.Data.Stage == work.StageConfirmation && !c.Data.AskedAt.IsZero()
	}
}

// act does what each guest's case waits for; open are those that are not
// settled.
func (p *people) act(ctx context.Context) (open []string, err error) {
	cases, err := p.store.Cases(ctx, true)
	if err != nil {
		return nil, err
	}
	for _, g := range p.guests {
		c, begun := g.caseOf(cases)
		if !begun || settled(g, c) {
			continue
		}
		if c.Outcome != "" {
			return nil, fmt.Errorf("the onboarding of %s ended as %s", g.Name, c.Outcome)
		}
		if err := p.try(ctx, g, c); err != nil {
			return nil, fmt.Errorf("%s, stage %s: %w", g.Name, c.Data.Stage, err)
		}
	}
	return p.toCome(cases), nil
}

// try lets somebody act, and lets pass what can be tried again.
func (p *people) try(ctx context.Context, g guest, c ledger.Case) error {
	if p.o.Disturb != nil && !p.reached[c.Data.Stage] {
		p.reached[c.Data.Stage] = true
		if err := p.o.Disturb(ctx, p.Demo, string(c.Data.Stage)); err != nil {
			return err
		}
	}
	err := p.next(ctx, g, c)
	if err == nil {
		p.failed[g.Name] = 0
		return nil
	}
	if p.failed[g.Name]++; p.failed[g.Name] >= triesAtOnce || ctx.Err() != nil {
		return err
	}
	if p.failed[g.Name] == 1 {
		p.view.say("  %s, %s: %v; tried again", g.Name, g.to(), err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
	return nil
}

// next is what somebody does at a case's stage.
func (p *people) next(ctx context.Context, g guest, c ledger.Case) error {
	switch c.Data.Stage {
	case work.StageConfirmation:
		return p.answer(ctx, g, c)
	case work.StagePayment:
		return p.pay(ctx, c)
	case work.StageActivation:
		return p.waitForCluster(g, c)
	case work.StageEntry:
		return p.enter(ctx, g, c)
	case work.StageToken, work.StageLocation:
		return p.handToken(ctx, g)
	default:
		return nil // nobody has to act
	}
}

// waitForCluster waits as everybody does: the days pass by themselves. Only when
// all have passed, since this machine was slow, Cluster is asked to hurry:
// business time is real time then.
func (p *people) waitForCluster(g guest, c ledger.Case) error {
	p.tell(g, "waits for Cluster to activate API access, since %s", p.shownTime(c.Data.Since))
	if p.calendar.Now().After(p.until) {
		p.tell(g, "all days have passed, so Cluster is asked to activate it at once")
		p.sims.tills.SetActivated(g.Serial, true)
	}
	return nil
}

// verb runs a verb as an operator does, and shows its first line.
func (p *people) verb(ctx context.Context, args ...string) error {
	said, err := runVerb(ctx, p.o.Program, p.environ(), args...)
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(said, "\n")
	p.view.say("$ %s\n  %s", shown(args), first)
	return nil
}

// ask begins all requests, once: by the verb, on Cluster's page, and on the form
// of WISK's support.
func (p *people) ask(ctx context.Context) error {
	for _, partner := range []string{work.SevenShifts, work.Wisk} {
		args := []string{"onboard", "--partner", partner, "--request", "demo", "--note", "asked by telephone"}
		if partner == work.Wisk {
			args = append(args, "--route", "upload")
		}
		none := len(args)
		for _, g := range p.from(fromOperator, partner) {
			args = append(args, "--venue", strings.Join([]string{g.Name, g.Address, g.Language}, "; "))
		}
		if len(args) == none {
			continue
		}
		if err := p.once(ctx, "ask "+partner, partner == work.SevenShifts, args); err != nil {
			return err
		}
	}
	for _, g := range p.from(fromIntegrations, work.SevenShifts) {
		if err := p.firstTime("grant "+g.Name, func() error { return p.grant(ctx, g) }); err != nil {
			return err
		}
	}
	if venues := p.from(fromSupport, work.Wisk); len(venues) > 0 {
		return p.firstTime("support's form", func() error { return p.fillForm(ctx, venues) })
	}
	return nil
}

func (p *people) from(from origin, partner string) []guest {
	return slices.DeleteFunc(slices.Clone(p.guests), func(g guest) bool { return g.From != from || g.Partner != partner })
}

// firstTime does something unless an earlier start did.
func (d *Demo) firstTime(name string, do func() error) error {
	if slices.Contains(d.saved.Done, name) {
		return nil
	}
	if err := do(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saved.Done = append(d.saved.Done, name)
	return d.folder.save(d.saved)
}
