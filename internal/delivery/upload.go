package delivery

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// firstLoad is how many documents are claimed at first; then as many as
	// fill the uploads that may be on their way at once.
	firstLoad = 64
	// uploadFailures is how many uploads may fail one after the other before
	// the step takes the partner to be sick: each is a whole batch.
	uploadFailures = 2
)

// book is what uploading needs of the ledger.
type book interface {
	Claim(ctx context.Context, connection string, due ledger.Due, n int, lease time.Duration) ([]ledger.Claim, error)
	Lines(ctx context.Context, connection string, documents []string) (map[string][]ledger.HeldLine, error)
	Titles(ctx context.Context, location string, codes []string) (map[string]string, error)
	MintUploads(ctx context.Context, connection string, m ledger.Minting) (ledger.Minted, error)
	SettleUploads(ctx context.Context, connection string, ends []ledger.UploadEnd) error
	Settle(ctx context.Context, connection string, outcomes []ledger.Outcome) (int, error)
}

// uploading is one Deliver to a partner that adds up lines. The intent, which
// lines and in which upload, is written before each call.
type uploading struct {
	*delivery
	book   book
	to     partner.Additive
	target partner.Connection
	// uploads is the session, opened when there is something to send.
	uploads partner.Uploads
}

// upload delivers to a partner that adds up lines; see Deliver.
func (e *Engine) upload(ctx context.Context, d *delivery, to partner.Additive) (Result, error) {
	target, err := d.c.ForPartner()
	if err != nil {
		return d.done, err
	}
	u := &uploading{delivery: d, book: e.Ledger, to: to, target: target}
	d.size, d.rules = firstLoad, to.Rules()
	return u.run(ctx)
}

// run sends load after load. While one is on its way the one before is settled
// and the next prepared, so that the partner never waits for the ledger.
func (u *uploading) run(ctx context.Context) (Result, error) {
	var verdict *work.Error
	var ended *load
	now, err := u.prepare(ctx)
	for err == nil && verdict == nil && now != nil {
		var next *load
		var beside sync.WaitGroup
		settling := ended
		beside.Go(func() {
			if err = u.settleLoad(ctx, settling); err == nil {
				next, err = u.prepare(ctx)
			}
		})
		verdict = u.send(ctx, now)
		beside.Wait()
		ended, now = now, next
	}
	err = cmp.Or(u.settleLoad(ctx, ended), u.settleLoad(ctx, now), err) // now was not sent
	switch {
	case err != nil || verdict != nil:
		return rest(u.done, verdict, err)
	case u.budget.spent():
		u.done.More = true
		return u.done, nil
	}
	return u.done, u.nothingWent()
}

// prepare claims documents, finds the lines that are missing, and mints them.
// None are left to send when it returns nothing.
func (u *uploading) prepare(ctx context.Context) (*load, error) {
	at := time.Now() //nolint:forbidigo // a real duration is measured
	for !u.budget.spent() {
		claims, err := u.book.Claim(ctx, u.c.ID, u.due, min(u.size, u.budget.Documents), u.engine.claimLease())
		u.budget.Documents -= len(claims)
		if err != nil || len(claims) == 0 {
			return nil, err
		}
		l := &load{deadline: at.Add(min(sendWithin, u.engine.claimLease()/2))}
		if err := u.fill(ctx, l, claims); err != nil {
			return nil, u.engine.giveBackTo(ctx, u.book, u.c.ID, claims, err)
		}
		u.resizeLoad(l)
		if len(l.packs) > 0 {
			return l, nil
		}
		// Nothing to send: what is held is what is wanted, or waits for a person.
		if err := u.settleLoad(ctx, l); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// fill corrects the claimed documents and mints what is missing.
func (u *uploading) fill(ctx context.Context, l *load, claims []ledger.Claim) error {
	var known []string
	for _, c := range claims {
		if c.Attempt > 1 { // lines are minted by attempts
			known = append(known, c.ID)
		}
	}
	held := map[string][]ledger.HeldLine{}
	if len(known) > 0 {
		var err error
		if held, err = u.book.Lines(ctx, u.c.ID, known); err != nil {
			return err
		}
	}
	for _, c := range claims {
		l.documents = append(l.documents, u.correct(l, c, held[c.ID]))
	}
	l.pack(u.to.LinesAtOnce(), !u.to.RepeatsHarmless())
	if len(l.packs) == 0 {
		return nil
	}
	if u.due.Lane == ledger.History {
		if err := u.retitle(ctx, l); err != nil {
			return err
		}
	}
	if u.uploads == nil {
		if err := u.openUploads(ctx); err != nil {
			return err
		}
	}
	minted, err := u.book.MintUploads(ctx, u.c.ID, l.minting())
	if err != nil {
		return err
	}
	l.minted(minted, func(document string, seq int) string { return u.to.LineID(u.target, document, seq) })
	return nil
}

// retitle gives lines of history the title that their item has by now: the
// partner names an item as the last line does that it was sent.
func (u *uploading) retitle(ctx context.Context, l *load) error {
	var codes []string
	for _, p := range l.packs {
		for _, packed := range p.lines {
			codes = append(codes, packed.line.Item)
		}
	}
	slices.Sort(codes)
	titles, err := u.book.Titles(ctx, u.c.LocationID, slices.Compact(codes))
	if err != nil {
		return err
	}
	for _, p := range l.packs {
		for i := range p.lines {
			line := &p.lines[i].line
			if title := titles[line.Item]; title != "" && line.Was == "" {
				line.Title = title
			}
		}
	}
	return nil
}

func (u *uploading) openUploads(ctx context.Context) error {
	token, transport, err := u.engine.gate(ctx, u.c, u.rules, u.due.Lane)
	if err != nil {
		return err
	}
	u.uploads = u.to.OpenUploads(u.target, token.Reveal(), transport)
	return nil
}

// resizeLoad claims as many documents as fill the uploads that may fly at once.
func (u *uploading) resizeLoad(l *load) {
	lines := 0
	for _, p := range l.packs {
		lines += len(p.lines)
	}
	want := u.to.LinesAtOnce() * max(u.rules.InFlight, 1)
	if lines == 0 {
		u.size = min(u.size*2, maxBatch)
		return
	}
	u.size = min(max(want*len(l.documents)/lines, minBatch), maxLoad)
}

// maxLoad bounds the documents of a load, as a step is bounded.
const maxLoad = 500

// send uploads the packs of a load, several at once. The verdict is what ends
// the step.
func (u *uploading) send(ctx context.Context, l *load) *work.Error {
	// A call that was begun is not torn off when the step is told to stop.
	calls := context.WithoutCancel(ctx)
	var flying sync.WaitGroup
	var mu sync.Mutex
	next, verdict := 0, (*work.Error)(nil)
	take := func() *pack {
		mu.Lock()
		defer mu.Unlock()
		late := time.Now().After(l.deadline) //nolint:forbidigo // a real duration is measured
		if next == len(l.packs) || verdict != nil || late || ctx.Err() != nil || u.budget.stopped() {
			return nil
		}
		next++
		return l.packs[next-1]
	}
	for range min(max(u.rules.InFlight, 1), len(l.packs)) {
		flying.Go(func() {
			for p := take(); p != nil; p = take() {
				var err error
				p.outcomes, err = u.uploads.Upload(calls, p.partnerLines(), l.deadline)
				mu.Lock()
				verdict = u.judge(verdict, p, err)
				mu.Unlock()
			}
		})
	}
	flying.Wait()
	return verdict
}

// judge decides what the end of one upload says about the partner as a whole.
func (u *uploading) judge(before *work.Error, p *pack, err error) *work.Error {
	if err == nil {
		u.failures = 0
		return before
	}
	p.problem = asProblem(err)
	switch p.problem.Kind() {
	case work.BadRecord:
		return before
	case work.Transient, work.Bug:
		u.last = p.problem
		if u.failures++; u.failures < uploadFailures {
			return before
		}
	case work.Limited, work.Refused:
	}
	if before == nil || before.Kind() == work.Limited || before.Kind() == work.Transient {
		return p.problem
	}
	return before
}
