package delivery

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// load is what is uploaded together: documents that were claimed, and the
// packs into which their lines were put.
type load struct {
	documents []*document
	packs     []*pack
	parked    []int64   // uploads that wait for a person from now on
	deadline  time.Time // real; the last moment to begin a call
}

// document is one claimed document with the lines it lacks.
type document struct {
	claim ledger.Claim
	lines []ledger.MintLine
	// outcome is known before anything is sent, or nil.
	outcome *ledger.Outcome
	lost    bool // its attempt is no longer ours
	// what became of its lines
	accepted, refused, unsent, doubted int
	apart                              bool // some are to be tried apart from other documents
	why                                string
	problem                            *work.Error
}

// pack is one upload.
type pack struct {
	number   int64
	lines    []packed
	outcomes []partner.LineOutcome // empty: it was not sent
	problem  *work.Error
}

type packed struct {
	of   *document
	line ledger.MintLine
}

func (p *pack) partnerLines() []partner.Line {
	lines := make([]partner.Line, len(p.lines))
	for i, l := range p.lines {
		lines[i] = l.line.Line
	}
	return lines
}

// correct finds the lines that a document lacks. What is in doubt is sent once
// more as it is, so it counts as held; where that could count twice, the
// document waits for a person.
func (u *uploading) correct(l *load, c ledger.Claim, held []ledger.HeldLine) *document {
	d := &document{claim: c}
	var counted []partner.Line
	var unsent []ledger.HeldLine
	last := 0
	for _, h := range held {
		last = max(last, h.Seq)
		switch {
		case h.Refused != "" || h.State == ledger.UploadNotApplied:
		case h.State == ledger.UploadUnsent:
			unsent = append(unsent, h)
		case h.Counts():
			counted = append(counted, h.Line)
			if c.SentResend >= 0 && c.Resend != c.SentResend && u.to.RepeatsHarmless() {
				d.lines = append(d.lines, ledger.MintLine{Line: h.Line, Was: h.State})
			}
		case u.to.RepeatsHarmless():
			counted = append(counted, h.Line)
			d.lines = append(d.lines, ledger.MintLine{Line: h.Line, Was: h.State})
		default:
			l.parked = append(l.parked, h.Upload)
			d.outcome = &ledger.Outcome{ID: c.ID, Attempt: c.Attempt, Result: ledger.Uncertain}
		}
	}
	if d.outcome != nil {
		d.lines = nil
		return d
	}
	fresh, err := u.to.Correct(c.Document, counted)
	if err != nil {
		problem := asProblem(err)
		d.lines, d.outcome = nil, &ledger.Outcome{ID: c.ID, Attempt: c.Attempt, Result: ledger.Refused, Code: problem.Code, Why: problem.Error()}
		return d
	}
	for _, line := range fresh {
		if i := slices.IndexFunc(unsent, func(h ledger.HeldLine) bool { return sameContent(h.Line, line) }); i >= 0 {
			d.lines = append(d.lines, ledger.MintLine{Line: unsent[i].Line, Was: ledger.UploadUnsent})
			unsent = slices.Delete(unsent, i, i+1)
			continue
		}
		last++
		line.Document, line.Seq = c.ID, last
		d.lines = append(d.lines, ledger.MintLine{Line: line})
	}
	return d
}

func sameContent(a, b partner.Line) bool {
	return a.Item == b.Item && a.Title == b.Title && a.Quantity == b.Quantity && a.Total == b.Total &&
		a.Reverses == b.Reverses && a.Day == b.Day && a.Date.Equal(b.Date)
}

// pack puts the lines into uploads of at most so many; a document stays whole
// where it fits. With apart, documents that failed before have uploads of their
// own.
func (l *load) pack(most int, apart bool) {
	var p *pack
	for _, d := range l.documents {
		alone := apart && d.claim.Tries > 0
		for i, line := range d.lines {
			first := i == 0 && (alone || len(d.lines) <= most && p != nil && len(p.lines)+len(d.lines) > most)
			if p == nil || len(p.lines) == most || first {
				p = &pack{}
				l.packs = append(l.packs, p)
			}
			p.lines = append(p.lines, packed{d, line})
		}
		if alone {
			p = nil
		}
	}
}

func (l *load) minting() ledger.Minting {
	var m ledger.Minting
	for _, d := range l.documents {
		if len(d.lines) > 0 {
			m.Attempts = append(m.Attempts, ledger.Attempt{ID: d.claim.ID, Attempt: d.claim.Attempt})
		}
	}
	for _, p := range l.packs {
		lines := make([]ledger.MintLine, len(p.lines))
		for i, packed := range p.lines {
			lines[i] = packed.line
		}
		m.Uploads = append(m.Uploads, lines)
	}
	return m
}

// minted numbers the packs, names the lines, and drops what is no longer ours.
func (l *load) minted(m ledger.Minted, id func(document string, seq int) string) {
	for _, d := range l.documents {
		d.lost = m.Lost[d.claim.ID]
	}
	for i, p := range l.packs {
		p.number = m.Numbers[i]
		p.lines = slices.DeleteFunc(p.lines, func(l packed) bool { return l.of.lost })
		for j := range p.lines {
			p.lines[j].line.ID = id(p.lines[j].line.Document, p.lines[j].line.Seq)
		}
	}
	l.packs = slices.DeleteFunc(l.packs, func(p *pack) bool { return len(p.lines) == 0 })
}

// settleLoad writes what became of a load: first of its lines, then of its
// documents, so that a line whose end is known is never in doubt.
func (u *uploading) settleLoad(ctx context.Context, l *load) error {
	if l == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	if err := u.book.SettleUploads(ctx, u.c.ID, u.ends(l)); err != nil {
		return err
	}
	var outcomes []ledger.Outcome
	for _, d := range l.documents {
		if !d.lost {
			outcomes = append(outcomes, u.documentOutcome(d))
		}
	}
	settled, err := u.book.Settle(ctx, u.c.ID, outcomes)
	if err != nil {
		return err
	}
	if settled < len(outcomes) {
		u.engine.Log.WarnContext(ctx, "outcomes came after their lease", "connection", u.c.ID, "late", len(outcomes)-settled)
	}
	counts := count(outcomes)
	for _, d := range l.documents {
		counts.Lines += d.accepted
	}
	u.done.Counts = u.done.Counts.Plus(counts)
	return nil
}

// ends tells the ledger how the uploads ended, and their documents how their
// lines did.
func (u *uploading) ends(l *load) []ledger.UploadEnd {
	var ends []ledger.UploadEnd
	for _, p := range l.packs {
		ends = append(ends, u.packEnd(p))
	}
	for _, number := range slices.Compact(slices.Sorted(slices.Values(l.parked))) {
		ends = append(ends, ledger.UploadEnd{Number: number, State: ledger.UploadUncertain})
	}
	return ends
}

// packEnd is how an upload ended: what holds for most of its lines, and the
// exceptions. Of lines that the partner counts already nothing is written.
func (u *uploading) packEnd(p *pack) ledger.UploadEnd {
	states := map[ledger.UploadState]int{ledger.UploadUnsent: 0}
	each := make([]ledger.LineEnd, 0, len(p.lines))
	for i, packed := range p.lines {
		state, refused := u.lineEnd(p, i)
		if packed.line.Settled() {
			continue
		}
		states[state]++
		each = append(each, ledger.LineEnd{Document: packed.line.Document, Seq: packed.line.Seq, State: state, Refused: refused})
	}
	end := ledger.UploadEnd{Number: p.number, State: mostCommon(states)}
	for _, line := range each {
		if line.State != end.State || line.Refused != "" {
			end.Exceptions = append(end.Exceptions, line)
		}
	}
	return end
}

// lineEnd is what is known of one line of a pack, and why it was refused. A
// refused line stays with the upload that it was in. One that had been in doubt
// stays in doubt: that it is refused now says nothing of the first time.
func (u *uploading) lineEnd(p *pack, i int) (state ledger.UploadState, refused string) {
	of, line := p.lines[i].of, p.lines[i].line
	of.problem = cmp.Or(of.problem, p.problem)
	outcome := partner.LineOutcome{Result: partner.LineUnsent}
	if len(p.outcomes) > 0 {
		outcome = p.outcomes[i]
	}
	switch outcome.Result {
	case partner.LineAccepted:
		of.accepted++
		return ledger.UploadAccepted, ""
	case partner.LineRefused:
		of.refused++
		of.why = outcome.Why
		if line.Was == ledger.UploadIntended {
			return ledger.UploadIntended, ""
		}
		return ledger.UploadAccepted, cmp.Or(outcome.Why, string(work.DocumentRefused))
	case partner.LineInDoubt:
		of.doubted++
		if !u.to.RepeatsHarmless() {
			return ledger.UploadUncertain, ""
		}
		return ledger.UploadIntended, ""
	case partner.LineUnsent:
	}
	of.unsent++
	of.apart = of.apart || outcome.Apart
	if line.Was == ledger.UploadIntended {
		return ledger.UploadIntended, "" // this time it was not sent; the time before it may have been
	}
	return ledger.UploadUnsent, ""
}

func mostCommon(states map[ledger.UploadState]int) ledger.UploadState {
	order := slices.Sorted(maps.Keys(states))
	return slices.MaxFunc(order, func(a, b ledger.UploadState) int { return cmp.Compare(states[a], states[b]) })
}

// documentOutcome is what the ends of its lines say of a document.
func (u *uploading) documentOutcome(d *document) ledger.Outcome {
	o := ledger.Outcome{ID: d.claim.ID, Attempt: d.claim.Attempt, Ambiguous: d.accepted+d.doubted > 0}
	switch {
	case d.outcome != nil:
		return *d.outcome
	case d.doubted > 0 && !u.to.RepeatsHarmless():
		o.Result = ledger.Uncertain
	case d.doubted > 0:
		o.Result, o.RetryIn = ledger.Failed, u.engine.backOff(d.claim.Tries)
	case d.refused > 0:
		o.Result, o.Code, o.Why = ledger.Refused, work.DocumentRefused, work.Err(work.DocumentRefused, d.why).Error()
	case d.apart:
		o.Result = ledger.Failed // at once, in an upload of its own
	case d.unsent > 0 && d.problem != nil && d.problem.Kind() == work.Transient:
		o.Result, o.RetryIn = ledger.Failed, u.engine.backOff(d.claim.Tries)
	case d.unsent > 0:
		o.Result = ledger.NotSent
	default:
		o.Result, o.Ambiguous = ledger.Accepted, false
	}
	return o
}
