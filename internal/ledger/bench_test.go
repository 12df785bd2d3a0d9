package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
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
		claims, err := h.Claim(h.ctx, marcel, ledger.Live, nil, batch, time.Minute)
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
