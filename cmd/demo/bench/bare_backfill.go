package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// bareBackfill does the least that brings history over: the business days of
// each venue, newest first and several at once; of each day page after page,
// which is translated and sent as a backfill sends it. No ledger, no Temporal.
func bareBackfill(args []string) error {
	t, c, err := readTask(args)
	if err != nil {
		return err
	}
	begun := time.Now()
	var all atomic.Int64
	err = t.Scene.each(func(_ int, v venue) error {
		b := newBare(t, v, c)
		return inParallel(t.Scene.Days, t.Days, func(i int) error {
			n, err := b.day(context.Background(), today().Plus(-1-i))
			all.Add(int64(n))
			return err
		})
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(took{int(all.Load()), time.Since(begun)})
}

// day brings one business day over and tells how many receipts, or lines, that
// were.
func (b *bare) day(ctx context.Context, day sale.Day) (int, error) {
	var orders []cluster.Order
	for token, more := "", true; more; {
		page, err := b.till.Orders(ctx, b.cred, cluster.OrdersQuery{
			From: day.Start(b.to.Zone), To: day.End(b.to.Zone), DateField: cluster.Opened, PageToken: token,
		})
		if err != nil {
			return 0, err
		}
		orders = append(orders, page.Orders...)
		token, more = page.NextPage, page.NextPage != ""
	}
	return b.deliver(ctx, orders)
}

// deliver sends receipts one by one and lines by uploads, several at once.
func (b *bare) deliver(ctx context.Context, orders []cluster.Order) (int, error) {
	to, additive := b.partner.(partner.Additive)
	if !additive {
		return len(orders), b.sendAll(ctx, orders)
	}
	lines, err := b.lines(to, orders)
	if err != nil {
		return 0, err
	}
	uploads := slices.Collect(slices.Chunk(lines, b.task.Lines))
	return len(lines), inParallel(len(uploads), b.task.Flying, func(i int) error {
		const patience = time.Minute // the client's own timeout is shorter
		_, err := b.uploads.Upload(ctx, uploads[i], time.Now().Add(patience))
		return err
	})
}

// lines are those of orders that WISK knows nothing of yet.
func (b *bare) lines(to partner.Additive, orders []cluster.Order) ([]partner.Line, error) {
	var all []partner.Line
	for _, o := range orders {
		documents, err := b.translate(o)
		if err != nil {
			return nil, err
		}
		for _, d := range documents {
			fresh, err := to.Correct(d, nil)
			if err != nil {
				return nil, err
			}
			for i := range fresh {
				fresh[i].Seq = i + 1
				fresh[i].ID = to.LineID(b.to, d.ID, fresh[i].Seq)
			}
			all = append(all, fresh...)
		}
	}
	return all, nil
}
