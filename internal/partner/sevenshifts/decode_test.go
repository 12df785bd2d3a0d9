package sevenshifts

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

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

func FuzzPeople(f *testing.F) {
	f.Add([]byte(`{"id":11,"first_name":"Léa","last_name":null,"mobile_number":5145550101,"active":true}`))
	f.Add([]byte(`{"id":85452022,"user_id":555,"role_id":2583,"clocked_in":"2021-11-26T15:12:00+00:00","clocked_out":null,"tips":0,"breaks":[{"in":null}]}`))
	f.Add([]byte(`{"id":1,"user_id":"6","external_user_id":5,"user_active":false,"created":null}`))
	f.Add([]byte(`{"data":{"mapped":[{"external_user_id":"e1","user_id":5}],"exceptions":[{"external_user_id":7,"reason":"not_found"}]}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		var u User
		require.NoError(t, json.Unmarshal(body, &u))
		require.True(t, u.Unreadable || u.ID != 0 || string(bytes.TrimSpace(body)) == "null")
		var p TimePunch
		require.NoError(t, json.Unmarshal(body, &p))
		require.True(t, p.Unreadable || !p.ClockedIn.IsZero() || p.UserID != 0 || string(bytes.TrimSpace(body)) == "null")
		var m Mapping
		require.NoError(t, json.Unmarshal(body, &m))
		result, err := decodeBulk(body, []BulkEntry{{ExternalUserID: "e1"}})
		if err == nil {
			require.LessOrEqual(t, len(result.Unanswered), 1)
		}
	})
}

func TestOneUnreadablePersonDoesNotStopTheRest(t *testing.T) {
	client := NewClient(Defaults(), "t", roundTrip(func(r *http.Request) string {
		switch {
		case strings.HasSuffix(r.URL.Path, "/time_punches"):
			return `{"data":[{"id":1,"user_id":5,"clocked_in":"yesterday"},"nonsense",{"id":2,"user_id":5,"role_id":null,"clocked_in":"2021-01-01T00:00:00.000Z","clocked_out":null,"tips":null}]}`
		case strings.HasSuffix(r.URL.Path, "/external_user_mappings"):
			return `{"data":[{"id":1,"user_id":null,"external_user_id":"e1"},{"id":2,"user_id":"6","external_user_id":7,"user_active":false}]}`
		case r.URL.Query().Get("status") == "active":
			return `{"data":[{"id":5,"active":1},{"id":6,"first_name":"A","mobile_number":5145550101,"active":true},{"id":7,"active":true},[]]}`
		}
		return `{"data":[{"id":7,"active":false}]}`
	}))
	users, err := client.Users(t.Context(), 42, 501)
	require.NoError(t, err)
	require.Equal(t, []User{{ID: 5, Unreadable: true}, {ID: 6, FirstName: "A", MobileNumber: "5145550101", Active: true}, {ID: 7}, {Unreadable: true}}, users)
	punches, err := client.TimePunches(t.Context(), 42, PunchQuery{})
	require.NoError(t, err)
	require.Equal(t, []TimePunch{
		{ID: 1, UserID: 5, Unreadable: true}, {Unreadable: true}, {ID: 2, UserID: 5, ClockedIn: time.Date(2021, time.January, 1, 0, 0, 0, 0, time.UTC)},
	}, punches)
	mappings, err := client.Mappings(t.Context(), 42, 501)
	require.NoError(t, err)
	require.Equal(t, []Mapping{{ID: 1, ExternalUserID: "e1", UserActive: true, Unreadable: true}, {ID: 2, ExternalUserID: "7", UserID: 6}}, mappings)
}

func TestWhatABulkAnswerLeavesOut(t *testing.T) {
	entries := []BulkEntry{{ExternalUserID: "e1"}, {ExternalUserID: "e2"}, {ExternalUserID: "e3"}}
	result, err := decodeBulk([]byte(`{"object":{"type":"external_user_mappings"},"data":{"mapped":[{"external_user_id":"e1","user_id":"5"}],"exceptions":[{"external_user_id":"e2","reason":"moon phase"}]}}`), entries)
	require.NoError(t, err)
	require.Equal(t, BulkResult{Mapped: []BulkMapped{{"e1", 5}}, Exceptions: []BulkException{{"e2", "moon phase"}}, Unanswered: []string{"e3"}}, result)
	for _, bad := range []string{`{}`, `[]`, `{"data":{"mapped":[{"external_user_id":"e1","user_id":null}]}}`} {
		_, err := decodeBulk([]byte(bad), entries)
		require.Error(t, err, bad)
	}
}
