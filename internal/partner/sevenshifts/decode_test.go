package sevenshifts

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func FuzzAccepted(f *testing.F) {
	for _, s := range []string{`{"uuid":"a"}`, `{"data":{"uuid":"a"}}`, `{"object":"receipt_processed","data":{"uuid":null,"receipt_id":null}}`, `[]`, `null`, `{"uuid":7}`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ref, err := decodeAccepted(body)
		if err != nil {
			require.Empty(t, ref)
		}
	})
}

func FuzzReceipts(f *testing.F) {
	f.Add([]byte(`{"data":[{"uuid":"u","receipt_id":"r","receipt_date":"2022-12-31T21:00:43+00:00","net_total":517,"tips":0,"status":"closed"}],"meta":{"cursor":{"next":"x"}}}`))
	f.Add([]byte(`{"data":[{"id":7,"receipt_id":8,"receipt_date":"2021-01-01T00:00:00.000Z","net_total":1,"tip_details":[{"type":"total","value":1}]},{},null,7]}`))
	f.Add([]byte(`{"data":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		held, _, err := decodeReceipts(body)
		if err != nil {
			require.Nil(t, held)
		}
		for _, h := range held {
			if !h.Unreadable {
				require.NotEmpty(t, h.Status)
			}
			_ = Receipt{}.equals(h)
		}
	})
}

func FuzzProblem(f *testing.F) {
	f.Add(400, []byte(`{"type":"x","title":"Bad Request","status":400,"detail":"net_total 8500 of Lea","code":7,"param":"net_total"}`))
	f.Add(422, []byte(`{"status":"error","message":"location_id is required","error":"missing_parameter"}`))
	f.Add(500, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 300 || status > 599 {
			return
		}
		e := refusal(partner.Answer{Status: status, Body: body}, true)
		require.Contains(t, work.Problems, e.Code)
		require.LessOrEqual(t, len(e.Detail), 300)
		require.NotContains(t, e.Detail, "@")
	})
}

func TestOneUnreadableRecordDoesNotStopTheRest(t *testing.T) {
	held, next, err := decodeReceipts([]byte(`{"data":[
		{"uuid":"u1","receipt_id":"r1","receipt_date":"2026-11-04T04:00:00+00:00","net_total":517},
		{"uuid":"u2","receipt_id":"r2","receipt_date":"yesterday","net_total":517},
		"nonsense"],"meta":{"cursor":{"next":null}}}`))
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, held, 3)
	require.Equal(t, Closed, held[0].Status)
	require.True(t, held[1].Unreadable)
	require.Equal(t, "r2", held[1].ReceiptID)
	require.True(t, held[2].Unreadable)
}

func TestFreeTextOfProblemsNeverReachesADetail(t *testing.T) {
	for name, body := range map[string]string{
		"problem": `{"title":"Validation failed","detail":"8500 by Lea lea@example.com","param":"net_total","code":1203}`,
		"legacy":  `{"status":"error","message":"8500 by Lea","error":"validation_error"}`,
		"titled":  `{"title":"Amount 8500 of Lea refused"}`,
	} {
		e := refusal(partner.Answer{Status: http.StatusBadRequest, Body: []byte(body)}, true)
		require.Equal(t, work.DocumentRefused, e.Code, name)
		require.NotContains(t, e.Detail, "8500", name)
		require.NotContains(t, e.Detail, "Lea", name)
	}
	e := refusal(partner.Answer{Status: http.StatusBadRequest, Body: []byte(`{"title":"Validation failed","param":"net_total","code":1203}`)}, true)
	require.Equal(t, "HTTP 400: Validation failed, code 1203, field net_total", e.Detail)
}

func TestAListingThatRunsInCirclesEnds(t *testing.T) {
	requests := 0
	client := NewClient(Defaults(), "t", roundTrip(func(*http.Request) string {
		requests++
		return `{"data":[],"meta":{"cursor":{"next":"again"}}}`
	}))
	var last error
	for _, err := range client.ListReceipts(t.Context(), 1, ListQuery{LocationID: 1}) {
		last = err
	}
	require.ErrorContains(t, last, "does not end")
	require.Equal(t, maxPages, requests)
}

type roundTrip func(*http.Request) string

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	w := strings.NewReader(f(r))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: readCloser{w}, Request: r}, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
