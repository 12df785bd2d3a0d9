package program

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/export"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// exportPages bounds the pages of one business day, as a pull's are: at 200
	// orders each, far more than a venue sells.
	exportPages = 100
	// exportTries is how often a page is asked for: a long export should not
	// fail, and begin anew, for one answer that was lost.
	exportTries = 4
	// exportPause is how long it waits before it asks again, at first; doubled
	// each time, in real time.
	exportPause = 250 * time.Millisecond
	// exportRest is the longest rest, asked for by Cluster, that is waited out
	// at a terminal, in real time.
	exportRest = time.Minute
)

// tillReader reads whole business days of a till into a book.
type tillReader struct {
	till   *cluster.Client
	cred   cluster.Credential
	zone   *time.Location
	fields []cluster.DateField
	book   *export.Book
	orders int // read, those of repeated pages included
}

// read reads the days from the till. They need not be in the ledger, and the
// location need not be connected.
func (x *exporter) read(ctx context.Context) (export.Tables, error) {
	cred, err := x.credential(ctx)
	if err != nil {
		return export.Tables{}, err
	}
	if err := x.warnOfOldSerial(ctx); err != nil {
		return export.Tables{}, err
	}
	r := &tillReader{
		till: cluster.New(x.settings.cluster(x.clock()), nil), cred: cred, zone: x.zone, fields: fieldsOf(x.by),
		book: export.NewBook(export.Ask{Location: x.location.ID, Zone: x.zone, Days: x.days, ReceiptDate: x.by}),
	}
	defer r.till.Close()
	all := x.days.Days()
	for done, day := 1, x.days.First; x.days.Holds(day); done, day = done+1, day.Plus(1) {
		if err := r.day(ctx, day); err != nil {
			x.endProgress()
			return export.Tables{}, about(err, x.location.ID)
		}
		x.progress(done, all, day, r.orders)
	}
	x.endProgress()
	tables, err := r.book.Tables()
	if err != nil {
		return tables, failed(err, "send this line to the developers", "The sums are out of range.")
	}
	return tables, nil
}

// fieldsOf is by which dates the till is asked. By closing it is asked by
// opening as well: an order that should have closed and does not say when is
// found by that only, and is to be named.
func fieldsOf(by sale.ReceiptDate) []cluster.DateField {
	if by == sale.ByClosed {
		return []cluster.DateField{cluster.Closed, cluster.Opened}
	}
	return []cluster.DateField{cluster.Opened}
}

// credential opens the location's key to Cluster.
func (x *exporter) credential(ctx context.Context) (cluster.Credential, error) {
	sealed, err := x.vault(ctx)
	if err != nil {
		return cluster.Credential{}, err
	}
	key, err := sealed.Get(ctx, x.location.Secret)
	if err != nil {
		return cluster.Credential{}, about(err, x.location.ID)
	}
	return cluster.Credential{Serial: x.location.Serial, Key: key.Reveal()}, nil
}

// warnOfOldSerial says that what a replaced till sold is missing: Cluster knows
// it under the old serial number only.
func (x *exporter) warnOfOldSerial(ctx context.Context) error {
	serials, err := x.store.Serials(ctx, x.location.ID)
	if err != nil {
		return about(err, x.location.ID)
	}
	if len(serials) > 1 && x.days.First.Start(x.zone).Before(serials[0].Since) {
		x.tell("Warning: the till was replaced; until %s its serial number was %s. What that one sold is not in this export.",
			at(serials[0].Since, x.zone), serials[1].Serial)
	}
	return nil
}

// day reads one business day, by every field.
func (r *tillReader) day(ctx context.Context, day sale.Day) error {
	for _, field := range r.fields {
		q := cluster.OrdersQuery{From: day.Start(r.zone), To: day.End(r.zone), DateField: field}
		if err := r.pages(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (r *tillReader) pages(ctx context.Context, q cluster.OrdersQuery) error {
	for range exportPages {
		page, err := r.page(ctx, q)
		if err != nil {
			return err
		}
		r.orders += len(page.Orders)
		for _, o := range page.Orders {
			if o.Err != nil {
				r.book.AddBad(o.ID, o.Err.Detail)
				continue
			}
			r.book.Add(o.Sale)
		}
		if page.NextPage == "" {
			return nil
		}
		q.PageToken = page.NextPage
	}
	return work.Err(work.ClusterMalformed, "a business day has no last page")
}

// page reads a page, and asks again a few times where that may help.
func (r *tillReader) page(ctx context.Context, q cluster.OrdersQuery) (cluster.OrdersPage, error) {
	pause := exportPause
	for try := 1; ; try++ {
		page, err := r.till.Orders(ctx, r.cred, q)
		e, ok := errors.AsType[*work.Error](err)
		if err == nil || !ok || try == exportTries || !worthAsking(e) {
			return page, interrupted(ctx, err)
		}
		timer := time.NewTimer(max(pause, e.Rest))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return page, interrupted(ctx, err)
		}
		pause *= 2
	}
}

// worthAsking tells whether asking again in a moment may help; a till without
// internet has none in a moment either.
func worthAsking(e *work.Error) bool {
	switch e.Kind() {
	case work.Transient:
		return e.Code != work.ClusterOffline
	case work.Limited:
		return e.Rest <= exportRest
	default:
		return false
	}
}

// interrupted says so where a person stopped the export.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return failed(err, "the same command again", "Interrupted: nothing was exported.")
	}
	return err
}

// progress tells how far the reading is: on a terminal in one line that is
// drawn anew, elsewhere in a line a day.
func (x *exporter) progress(done, all int, day sale.Day, orders int) {
	if terminalOut(x.err) {
		_, _ = fmt.Fprintf(x.err, "\r\x1b[2K%s %s, %d of %s, %s read", bar(done, all), day, done, plural(all, "day"), plural(orders, "order"))
		return
	}
	x.tell("%s read, %d of %s, %s so far", day, done, plural(all, "day"), plural(orders, "order"))
}

// endProgress leaves the line that progress draws.
func (x *exporter) endProgress() {
	if terminalOut(x.err) {
		x.tell("")
	}
}
