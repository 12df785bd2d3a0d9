package sevenshifts

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

const (
	// skewMargin is how far 7shifts' clock may be from ours when we ask for
	// what changed since a receipt was sent.
	skewMargin = 10 * time.Minute
	// dateMargin surrounds a window of receipt dates: 7shifts seems to read the
	// lower bound in the location's local time (reference: 7shifts 3.7).
	dateMargin = 24 * time.Hour
	// edgeMargin keeps a window clear of the 90-day bound, past which 7shifts
	// answers 400: the bound moves while a long listing is read, and fast where
	// business time runs fast.
	edgeMargin = 12 * time.Hour
	// windowGap is from where on two groups of receipts get windows of their
	// own: more than the margins of both.
	windowGap = 3 * dateMargin
)

// ReadBack implements partner.Session. One listing covers the batch: what
// changed since the earliest of them was sent, within the window of their
// dates. What it does not show is looked for once more by date alone, since an
// update that changes nothing may leave 7shifts' time of the last change as it
// was; only then is it missing. Receipts that lie further back than 7shifts
// lists are unverifiable.
func (s *Session) ReadBack(ctx context.Context, sent []partner.SentDocument) (map[string]partner.Verdict, error) {
	verdicts := make(map[string]partner.Verdict, len(sent))
	oldest := s.clock.Now().AddDate(0, 0, -s.listDays).Add(edgeMargin)
	open := make(map[string]pending, len(sent))
	for _, d := range sent {
		r, err := readBody(d.Document)
		if err != nil {
			return nil, err
		}
		if r.ReceiptDate.Before(oldest) {
			verdicts[d.ID] = partner.Unverifiable
			continue
		}
		open[d.ID] = pending{r, d.SentAt}
	}
	if err := s.look(ctx, open, verdicts, oldest, windowOf(open), true); err != nil {
		return nil, err
	}
	for _, w := range windowsOf(open) {
		if err := s.look(ctx, open, verdicts, oldest, w, false); err != nil {
			return nil, err
		}
	}
	for id, p := range open {
		verdicts[id] = partner.Missing
		if p.receipt.ReceiptDate.Before(oldest.Add(dateMargin)) {
			verdicts[id] = partner.Unverifiable // the shifted bound may hide it
		}
	}
	return verdicts, nil
}

// pending is a receipt that has no verdict yet.
type pending struct {
	receipt Receipt
	sentAt  time.Time
}

// look lists one window and gives verdicts to what it shows; it stops as soon
// as nothing is pending.
func (s *Session) look(ctx context.Context, open map[string]pending, verdicts map[string]partner.Verdict, oldest time.Time, w window, recent bool) error {
	if len(open) == 0 {
		return nil
	}
	q := ListQuery{LocationID: s.location, From: later(w.from.Add(-dateMargin), oldest), To: w.to.Add(dateMargin)}
	if recent {
		q.ModifiedSince = later(w.sent.Add(-skewMargin), oldest)
	}
	for held, err := range s.client.ListReceipts(ctx, s.company, q) {
		if err != nil {
			return err
		}
		p, asked := open[held.ReceiptID]
		if !asked {
			continue
		}
		verdicts[held.ReceiptID] = partner.Different
		if p.receipt.equals(held) {
			verdicts[held.ReceiptID] = partner.Same
		}
		delete(open, held.ReceiptID)
		if len(open) == 0 {
			return nil
		}
	}
	return nil
}

// window is a range of receipt dates and the earliest instant of sending.
type window struct{ from, to, sent time.Time }

func windowOf(open map[string]pending) window {
	var w window
	for _, p := range open {
		w = w.with(p)
	}
	return w
}

func (w window) with(p pending) window {
	date := p.receipt.ReceiptDate
	if w == (window{}) {
		return window{date, date, p.sentAt}
	}
	return window{earlier(w.from, date), later(w.to, date), earlier(w.sent, p.sentAt)}
}

// windowsOf groups receipts by date, so that a few old ones do not make a
// listing of all that lies between.
func windowsOf(open map[string]pending) []window {
	byDate := slices.SortedFunc(maps.Values(open), func(a, b pending) int {
		return a.receipt.ReceiptDate.Compare(b.receipt.ReceiptDate)
	})
	var windows []window
	for _, p := range byDate {
		last := len(windows) - 1
		if last < 0 || p.receipt.ReceiptDate.Sub(windows[last].to) > windowGap {
			windows, last = append(windows, window{}), last+1
		}
		windows[last] = windows[last].with(p)
	}
	return windows
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// equals compares all that we own and 7shifts shows. What was not sent is not
// ours; what the answer leaves out cannot be compared.
func (r Receipt) equals(h HeldReceipt) bool {
	return !h.Unreadable &&
		r.ReceiptDate.Equal(h.ReceiptDate.Truncate(time.Second)) &&
		r.Status == h.Status && r.NetTotal == h.NetTotal &&
		(h.GrossTotal == nil || r.GrossTotal == *h.GrossTotal) &&
		(h.Discounts == nil || r.TotalReceiptDiscounts == *h.Discounts) &&
		r.Tips == h.Tips && sameTips(r.TipDetails, h.TipDetails) &&
		(r.ExternalUserID == "" || r.ExternalUserID == h.EmployeeID) &&
		(r.RevenueCenter == "" || r.RevenueCenter == h.RevenueCenter)
}

// sameTips compares the sums per kind; order and zero entries do not matter.
func sameTips(a, b []TipDetail) bool {
	sums := make(map[TipType]sale.Cents)
	for _, t := range a {
		sums[t.Type] += t.Value
	}
	for _, t := range b {
		sums[t.Type] -= t.Value
	}
	for _, sum := range sums {
		if sum != 0 {
			return false
		}
	}
	return true
}
