package ledger_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// BenchmarkDelivery is the ledger's share of a receipt's way: pages of 500
// recorded, then claimed and settled by 64.
func BenchmarkDelivery(b *testing.B) {
	h := open(b)
	const page, batch = 500, 64
	var pages [][]ledger.Snapshot
	for n := 0; n < b.N; n += page {
		var p []ledger.Snapshot
		for i := n; i < min(n+page, b.N); i++ {
			s := order(time.Duration(i).String(), sale.Cents(i), 1)
			for range 4 {
				s.Lines = append(s.Lines, sale.Line{ID: "1", ItemID: "17", Name: "Poutine", Quantity: "1"})
			}
			s.OpenedAt = s.OpenedAt.Add(time.Duration(i) * time.Second)
			p = append(p, ledger.Snapshot{Sale: s, ReadBegan: at(1)})
		}
		pages = append(pages, p)
	}
	b.ResetTimer()
	began := time.Now()
	for _, p := range pages {
		_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Snapshots: p}, receipts)
		require.NoError(b, err)
	}
	recorded := time.Since(began)
	var claiming, settling time.Duration
	for {
		start := time.Now()
		claims, err := h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.Live}, batch, time.Minute)
		require.NoError(b, err)
		claiming += time.Since(start)
		if len(claims) == 0 {
			break
		}
		outcomes := make([]ledger.Outcome, len(claims))
		for i, c := range claims {
			outcomes[i] = ledger.Outcome{ID: c.ID, Attempt: c.Attempt, Result: ledger.Accepted, Verifiable: true, Settle: time.Minute}
		}
		start = time.Now()
		_, err = h.Settle(h.ctx, marcel, outcomes)
		require.NoError(b, err)
		settling += time.Since(start)
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
	b.ReportMetric(per(recorded), "µs/record")
	b.ReportMetric(per(claiming), "µs/claim")
	b.ReportMetric(per(settling), "µs/settle")
}

// BenchmarkUploads is the ledger's share of the way of a document with four
// lines: minted and settled by uploads of 500 lines.
func BenchmarkUploads(b *testing.B) {
	h := open(b)
	const page, batch, each = 200, 125, 4
	for n := 0; n < b.N; n += page {
		var p []ledger.Snapshot
		for i := n; i < min(n+page, b.N); i++ {
			s := order(strconv.Itoa(i), sale.Cents(i), 1)
			s.OpenedAt = s.OpenedAt.Add(time.Duration(i) * time.Second)
			p = append(p, ledger.Snapshot{Sale: s, ReadBegan: at(1)})
		}
		_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Snapshots: p}, receipts)
		require.NoError(b, err)
	}
	b.ResetTimer()
	var claiming, minting, settlingLines, settling time.Duration
	timed := func(sum *time.Duration, f func() error) {
		began := time.Now()
		require.NoError(b, f())
		*sum += time.Since(began)
	}
	for {
		var claims []ledger.Claim
		timed(&claiming, func() (err error) {
			claims, err = h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.Live}, batch, time.Minute)
			return err
		})
		if len(claims) == 0 {
			break
		}
		var m ledger.Minting
		var lines []ledger.MintLine
		outcomes := make([]ledger.Outcome, len(claims))
		for i, c := range claims {
			m.Attempts = append(m.Attempts, ledger.Attempt{ID: c.ID, Attempt: c.Attempt})
			outcomes[i] = ledger.Outcome{ID: c.ID, Attempt: c.Attempt, Result: ledger.Accepted}
			for seq := range each {
				lines = append(lines, ledger.MintLine{Line: partner.Line{
					Document: c.ID, Seq: seq + 1, Date: c.Date, Day: c.Day, Item: strconv.Itoa(seq), Title: "Poutine", Quantity: "1", Total: 1250,
				}})
			}
		}
		m.Uploads = append(m.Uploads, lines)
		var minted ledger.Minted
		timed(&minting, func() (err error) {
			minted, err = h.MintUploads(h.ctx, marcel, m)
			return err
		})
		timed(&settlingLines, func() error {
			return h.SettleUploads(h.ctx, marcel, []ledger.UploadEnd{{Number: minted.Numbers[0], State: ledger.UploadAccepted}})
		})
		timed(&settling, func() error {
			_, err := h.Settle(h.ctx, marcel, outcomes)
			return err
		})
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
	b.ReportMetric(per(claiming), "µs/claim")
	b.ReportMetric(per(minting), "µs/mint")
	b.ReportMetric(per(settlingLines), "µs/settle-lines")
	b.ReportMetric(per(settling), "µs/settle")
}
