package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

const uuid = "0f4a2c1e-5b0d-4d0c-9b64-3f1d7c2e9a10"

// deliver has documents accepted by the partner, each with its reference, and
// read back after an hour.
func deliver(t *testing.T, s *ledger.Store, refs ...string) {
	t.Helper()
	ctx := t.Context()
	c, err := s.Connection(ctx, marcel)
	require.NoError(t, err)
	got, err := s.AcquireLease(ctx, marcel, "run", forLong)
	require.NoError(t, err)
	require.True(t, got)
	page := ledger.Page{Lane: ledger.Live, ReadBegan: november}
	for i := range refs {
		id := string(rune('1' + i))
		page.Snapshots = append(page.Snapshots, ledger.Snapshot{ReadBegan: november, Sale: sale.Sale{
			ID: "A1-" + id, OrderID: id, Serial: serial, Status: sale.Closed, OpenedAt: november, ModifiedAt: november,
		}})
	}
	_, err = s.RecordPage(ctx, c, "run", page, func(x sale.Sale, _ bool) ([]partner.Document, error) {
		return []partner.Document{{ID: x.ID, SaleID: x.ID, Date: x.OpenedAt, Day: sale.NewDay(2026, 11, 3), Body: json.RawMessage(`{}`), Hash: x.ID}}, nil
	})
	require.NoError(t, err)
	claims, err := s.Claim(ctx, marcel, ledger.Due{Lane: ledger.Live}, len(refs), forLong)
	require.NoError(t, err)
	require.Len(t, claims, len(refs))
	var ends []ledger.Outcome
	for i, claim := range claims {
		ends = append(ends, ledger.Outcome{ID: claim.ID, Attempt: claim.Attempt, Result: ledger.Accepted, Ref: refs[i], Settle: time.Hour, Verifiable: true})
	}
	n, err := s.Settle(ctx, marcel, ends)
	require.NoError(t, err)
	require.Equal(t, len(refs), n)
}

// tables is everything that the ledger holds, but when documents are read back.
func tables(t *testing.T, s *ledger.Store) (all string) {
	t.Helper()
	for _, table := range []string{"documents", "sales", "connections", "locations", "quarantine", "journal", "rereads", "secrets"} {
		var rows string
		require.NoError(t, s.DB().Get(&rows, `SELECT coalesce(jsonb_agg(to_jsonb(x) - 'confirm_at' ORDER BY to_jsonb(x)::text)::text, '') FROM `+table+` x`))
		all += table + rows + "\n"
	}
	return all
}

func TestAFailedReceiptIsReadBackAndNothingElseHappens(t *testing.T) {
	s := newLedger(t)
	deliver(t, s, uuid, "6d1ab0aa-0000-4000-8000-000000000001")
	v := serve(t, s, nil)
	before := tables(t, s)
	due := func() []string {
		var ids []string
		sent, err := s.DueForReadBack(t.Context(), marcel, 10)
		require.NoError(t, err)
		for _, d := range sent {
			ids = append(ids, d.ID)
		}
		return ids
	}
	require.Empty(t, due())

	said := func(method, body string) string {
		a := v.do(method, v.url+PathReceiptFailed, body, nil)
		require.Equal(t, http.StatusOK, a.status)
		return a.body
	}
	nothing := said(http.MethodPut, `{"uuid":"00000000-0000-4000-8000-000000000000","message":"x"}`)
	require.Equal(t, nothing, said(http.MethodPut, `not JSON`))
	require.Equal(t, nothing, said(http.MethodPost, `{"uuid":"","message":"x"}`))
	require.Equal(t, nothing, said(http.MethodPost, `{"uuid":"' OR true --","message":"x"}`))
	require.Empty(t, due())

	require.Equal(t, nothing, said(http.MethodPut, `{"uuid":"`+uuid+`","message":"Marie Tremblay (marie@example.com) owes 1234.56\nfor it"}`))
	require.Equal(t, []string{"A1-1"}, due())
	require.Equal(t, nothing, said(http.MethodPost, `{"uuid":"`+uuid+`","message":"again"}`))
	require.Equal(t, before, tables(t, s), "nothing but the time of the read-back changed")
	v.stop()
	require.Empty(t, v.triggers.all())
	require.Contains(t, v.logged.String(), `"message":"~ ~ ~ owes ####.## for it"`)
	for _, private := range []string{"Tremblay", "marie@", "1234", uuid} {
		require.NotContains(t, v.logged.String(), private)
	}
}

func TestWhatIsToBeSentAgainIsLeftAlone(t *testing.T) {
	s := newLedger(t)
	deliver(t, s, uuid)
	s.DB().MustExec(`UPDATE documents SET resend = resend + 1`)
	n, err := s.ReadBackSoon(t.Context(), "7shifts", uuid)
	require.NoError(t, err)
	require.Zero(t, n)
	s.DB().MustExec(`UPDATE documents SET resend = resend - 1`)
	n, err = s.ReadBackSoon(t.Context(), "wisk", uuid)
	require.NoError(t, err)
	require.Zero(t, n, "another partner's reference")
	n, err = s.ReadBackSoon(t.Context(), "7shifts", uuid)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestFailureCallbacksAreBounded(t *testing.T) {
	v := serve(t, newLedger(t), func(o *Options) { o.TrustedProxies = loopback() })
	require.Equal(t, 413, v.do(http.MethodPut, v.url+PathReceiptFailed, strings.Repeat(" ", maxHook+1), nil).status)
	require.Equal(t, 405, v.do(http.MethodDelete, v.url+PathReceiptFailed, "", nil).status)
	from := func(remote string) int {
		return v.do(http.MethodPut, v.url+PathReceiptFailed, `{}`, func(r *http.Request) { r.Header.Set("X-Forwarded-For", remote) }).status
	}
	limited := 0
	for range 2 * receiptPace.Burst {
		if from("192.0.2.1") == http.StatusTooManyRequests {
			limited++
		}
	}
	require.Positive(t, limited)
	require.Equal(t, http.StatusOK, from("192.0.2.2"), "another remote is not limited")
}
