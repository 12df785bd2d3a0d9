package sevenshifts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Complaint 23: the company's id is read from the token's own answers.
func TestReadingTheAccount(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	who, err := w.client.WhoAmI(ctx)
	require.NoError(t, err)
	require.Contains(t, who.CompanyIDs, int64(company))
	companies, err := w.client.Companies(ctx)
	require.NoError(t, err)
	require.Len(t, companies, 1, "since 31 October 2026 a token reaches only its own company")
	require.Equal(t, "Chez Marcel inc.", companies[0].Name)
	locations, err := w.client.Locations(ctx, company)
	require.NoError(t, err)
	require.Len(t, locations, 2)
	zone, err := locations[0].Zone()
	require.NoError(t, err)
	require.Equal(t, "America/Toronto", zone.String())
	// Complaint 21.
	_, err = locations[1].Zone()
	require.ErrorContains(t, err, `"America/toronto"`)
}

// Complaints 3, 7 and 38: 7shifts' two reports disagree by day.
func TestReportsDisagreeByDay(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	require.NoError(t, w.send(t, document(t, "A1-7", 8500), false, false)) // 23:00 local, 04:00 UTC the next day
	third, fourth := sale.NewDay(2026, time.November, 3), sale.NewDay(2026, time.November, 4)
	summary, err := w.client.Summary(ctx, company, place, third, fourth)
	require.NoError(t, err)
	require.Equal(t, sevenshifts.StatusTotals{}, summary[0].Closed)
	require.Equal(t, sevenshifts.StatusTotals{Receipts: 1, Net: 8500, Gross: 10000, Tips: 2500, Discounts: 1500}, summary[1].Closed)
	daily, err := w.client.DailySales(ctx, place, third, fourth)
	require.NoError(t, err)
	require.Equal(t, sevenshifts.DailySales{Date: "2026-11-03", ActualSales: 8500}, daily[0])
	require.Zero(t, daily[1].ActualSales)
}

func TestEveryFailureHasItsCode(t *testing.T) {
	type fault = sevenshiftssim.Fault
	status := func(n int) *fault { return &fault{Kind: sevenshiftssim.FaultStatus, Status: n} }
	cases := map[string]struct {
		fault     *fault
		switches  func(*sevenshiftssim.Switches)
		code      work.Code
		ambiguous bool
	}{
		"token refused":          {switches: func(s *sevenshiftssim.Switches) { s.TokenRefused = true }, code: work.PartnerToken},
		"plan too low":           {switches: func(s *sevenshiftssim.Switches) { s.PlanRefused = true }, code: work.PartnerPlan},
		"payment required":       {fault: status(402), code: work.PartnerPlan},
		"unprocessable":          {fault: status(422), code: work.DocumentRefused},
		"too many requests":      {fault: status(429), code: work.PartnerLimited},
		"server error":           {fault: status(500), code: work.PartnerUnreachable, ambiguous: true},
		"gateway timeout":        {fault: status(504), code: work.PartnerUnreachable, ambiguous: true},
		"dropped":                {fault: &fault{Kind: sevenshiftssim.FaultDrop}, code: work.PartnerUnreachable, ambiguous: true},
		"committed, then silent": {fault: &fault{Kind: sevenshiftssim.FaultCommitTimeout}, code: work.PartnerUnreachable, ambiguous: true},
		"a megabyte of garbage":  {fault: &fault{Kind: sevenshiftssim.FaultGarbage}, code: work.PartnerMalformed, ambiguous: true},
		"half an answer":         {fault: &fault{Kind: sevenshiftssim.FaultCommitTruncate}, code: work.PartnerUnreachable, ambiguous: true},
	}
	for name, c := range cases {
		for _, legacy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, legacy errors %t", name, legacy), func(t *testing.T) {
				w := newWorld(t, func(s *sevenshiftssim.Switches) {
					s.LegacyErrors = legacy
					if c.switches != nil {
						c.switches(s)
					}
				})
				if c.fault != nil {
					w.fault(t, *c.fault)
				}
				if c.fault != nil && c.fault.Kind == sevenshiftssim.FaultCommitTimeout {
					cfg := w.config
					cfg.Timeout = 50 * time.Millisecond
					transport := &http.Transport{}
					defer transport.CloseIdleConnections()
					w.session = sevenshifts.New(cfg, clock.Fixed(now)).Open(connection(t), secret, transport)
				}
				e := failure(t, w.send(t, document(t, "A1-7", 8500), false, false))
				require.Equal(t, c.code, e.Code)
				require.Equal(t, c.ambiguous, e.Ambiguous)
				require.NotContains(t, e.Error(), secret)
				require.NotContains(t, e.Error(), "8500")
			})
		}
	}
}

func TestARefusedDocumentIsNamedByItsField(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.client.CreateReceipt(context.Background(), company, sevenshifts.Receipt{
		ReceiptID: "A1-7", LocationID: place, ReceiptDate: now, Status: sevenshifts.Closed, NetTotal: -1500, TipDetails: []sevenshifts.TipDetail{},
	})
	e := failure(t, err)
	require.Equal(t, work.DocumentRefused, e.Code)
	require.Contains(t, e.Detail, "field net_total")
	require.NotContains(t, e.Detail, "1500")
}

func TestWhatConcernsTheWholeConnectionIsNoBadRecord(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	r := sevenshifts.Receipt{ReceiptID: "A1-7", LocationID: 999, ReceiptDate: now, Status: sevenshifts.Closed, TipDetails: []sevenshifts.TipDetail{}}
	_, err := w.client.CreateReceipt(ctx, company, r)
	require.Equal(t, work.PartnerNotFound, failure(t, err).Code, "a location of somebody else")
	_, err = w.client.CreateReceipt(ctx, 99, r)
	require.Equal(t, work.PartnerNotFound, failure(t, err).Code, "a company that does not exist")
	_, err = w.client.CreateReceipt(ctx, 43, r)
	require.Equal(t, work.PartnerPlan, failure(t, err).Code, "another company, after 31 October 2026")
	cfg := w.config
	cfg.APIVersion = "1999-01-01"
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	_, err = sevenshifts.NewClient(cfg, secret, transport).CreateReceipt(ctx, company, r)
	require.Equal(t, work.PartnerRefused, failure(t, err).Code)
	for _, err := range w.client.ListReceipts(ctx, company, sevenshifts.ListQuery{LocationID: place, From: now.AddDate(0, 0, -91)}) {
		require.Equal(t, work.PartnerRefused, failure(t, err).Code, "further back than 90 days")
	}
}

func TestOAuthTokensNameTheCompany(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	w.sim.AddToken(sevenshiftssim.Token{Value: "oauth", Companies: []int64{company}, OAuth: true})
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	_, err := sevenshifts.NewClient(w.config, "oauth", transport).Locations(ctx, company)
	require.Equal(t, work.PartnerRefused, failure(t, err).Code)
	w.config.CompanyGUID = "guid-42"
	_, err = sevenshifts.NewClient(w.config, "oauth", transport).Locations(ctx, company)
	require.NoError(t, err)
}

func TestALimitStatesItsRest(t *testing.T) {
	for _, stated := range []bool{true, false} {
		w := newWorld(t, func(s *sevenshiftssim.Switches) { s.PerSecond, s.RetryAfter = 1, stated })
		_, err := w.client.WhoAmI(context.Background())
		require.NoError(t, err)
		_, err = w.client.WhoAmI(context.Background())
		e := failure(t, err)
		require.Equal(t, work.PartnerLimited, e.Code)
		if stated {
			require.InDelta(t, 60, e.Rest.Seconds(), 1)
		} else {
			require.Zero(t, e.Rest)
		}
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheTransportsOwnRefusalPassesUnchanged(t *testing.T) {
	limited := &work.Error{Code: work.PartnerLimited, Rest: 7 * time.Second}
	client := sevenshifts.NewClient(sevenshifts.Defaults(), secret, transportFunc(func(*http.Request) (*http.Response, error) { return nil, limited }))
	_, err := client.CreateReceipt(context.Background(), company, sevenshifts.Receipt{})
	require.Same(t, limited, failure(t, err))
}

func TestWhatNeverLeftIsNotAmbiguous(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // nobody listens on its address any more
	cfg := sevenshifts.Defaults()
	cfg.BaseURL = server.URL
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	_, err := sevenshifts.NewClient(cfg, secret, transport).CreateReceipt(context.Background(), company, sevenshifts.Receipt{})
	e := failure(t, err)
	require.Equal(t, work.PartnerUnreachable, e.Code)
	require.False(t, e.Ambiguous)
}

func TestTheTokenNeverFollowsARedirect(t *testing.T) {
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	cfg := sevenshifts.Defaults()
	cfg.BaseURL = server.URL
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	_, err := sevenshifts.NewClient(cfg, secret, transport).WhoAmI(context.Background())
	require.Equal(t, work.PartnerMalformed, failure(t, err).Code)
	require.False(t, reached)
}

// Invariant 1: no way of printing shows the token. The check is proven able to
// fail on a struct that does show it.
func TestTheTokenIsNeverPrinted(t *testing.T) {
	w := newWorld(t, func(s *sevenshiftssim.Switches) { s.TokenRefused = true })
	_, err := w.client.WhoAmI(context.Background())
	require.Error(t, err)
	printed := func(v any) string {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		return log.String() + fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v)
	}
	require.Contains(t, printed(struct{ T string }{secret}), secret)
	for _, v := range []any{w.client, *w.client, &w.client, w.session, err, errors.Unwrap(err), sevenshifts.New(w.config, clock.Real())} {
		require.NotContains(t, printed(v), secret, "%T", v)
	}
}
