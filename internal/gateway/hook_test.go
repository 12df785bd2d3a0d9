package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestAChangedOrderStartsTheSyncOfItsTillOnly(t *testing.T) {
	s := newLedger(t)
	require.NoError(t, s.AddLocation(t.Context(), ledger.Location{ID: "la-banquise", TradeName: "La Banquise", Zone: "America/Toronto", Language: "fr", Serial: "B2"}, lea))
	_, err := s.Connect(t.Context(), ledger.NewConnection{Partner: work.SevenShifts, LocationID: "la-banquise", CompanyID: 8, PartnerLocationID: 80}, lea)
	require.NoError(t, err)
	v := serve(t, s, nil)

	a := v.hook(change(serial, "1001"), secret, november)
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	require.Equal(t, marcel, v.triggers.wait(t))
	require.Equal(t, http.StatusAccepted, v.hook(change(serial, "1002"), older, november).status, "while a secret is replaced both are good")
	v.stop()
	require.Equal(t, []string{marcel, marcel}, v.triggers.all(), "the second waits for the interval; stopping starts it")
}

func TestAnUnknownTillIsAnsweredLikeAKnownOne(t *testing.T) {
	v := serve(t, newLedger(t), nil)
	known, unknown := v.hook(change(serial, "1"), secret, november), v.hook(change("Z9", "1"), secret, november)
	require.Equal(t, known.status, unknown.status)
	require.Equal(t, known.body, unknown.body)
	v.stop()
	require.Equal(t, []string{marcel}, v.triggers.all())
}

func TestAPausedConnectionIsNotStarted(t *testing.T) {
	s := newLedger(t)
	_, err := s.DB().Exec(`UPDATE connections SET state = 'paused'`)
	require.NoError(t, err)
	v := serve(t, s, nil)
	require.Equal(t, http.StatusAccepted, v.hook(change(serial, "1"), secret, november).status)
	v.stop()
	require.Empty(t, v.triggers.all())
}

func TestARefusedHookDoesNothing(t *testing.T) {
	v := serve(t, newLedger(t), nil)
	good := change(serial, "1")
	signed := func(body string, set func(h http.Header)) reply {
		return v.do(http.MethodPost, v.url+PathOrderChanged, body, func(r *http.Request) {
			SignRequest(r, secret, november, []byte(good))
			set(r.Header)
		})
	}
	for name, c := range map[string]struct {
		got    reply
		status int
	}{
		"unsigned":          {v.do(http.MethodPost, v.url+PathOrderChanged, good, nil), 401},
		"another secret":    {v.hook(good, "somebody else's secret, long enough", november), 401},
		"another body":      {signed(change(serial, "2"), func(http.Header) {}), 401},
		"another timestamp": {signed(good, func(h http.Header) { h.Set(HeaderTimestamp, "1793718001") }), 401},
		"no hexadecimal":    {signed(good, func(h http.Header) { h.Set(HeaderSignature, "zz") }), 401},
		"cut signature":     {signed(good, func(h http.Header) { h.Set(HeaderSignature, h.Get(HeaderSignature)[:32]) }), 401},
		"old":               {v.hook(good, secret, november.Add(-5*time.Minute-time.Second)), 401},
		"from the future":   {v.hook(good, secret, november.Add(5*time.Minute+10*time.Second)), 401},
		"signed without a time": {signed(good, func(h http.Header) {
			h.Set(HeaderTimestamp, "")
			h.Set(HeaderSignature, Sign(secret, "", []byte(good)))
		}), 401},
		"signed nonsense": {v.hook(`{"serial":7}`, secret, november), 400},
		"no serial":       {v.hook(`{"orderId":"1"}`, secret, november), 400},
		"oversized":       {v.hook(strings.Repeat(" ", maxHook)+good, secret, november), 413},
		"no JSON":         {signed(good, func(h http.Header) { h.Set("Content-Type", "text/plain") }), 415},
		"another method":  {v.do(http.MethodGet, v.url+PathOrderChanged, "", nil), 405},
	} {
		require.Equal(t, c.status, c.got.status, name)
		require.NotContains(t, c.got.body, serial, name)
	}
	v.stop()
	require.Empty(t, v.triggers.all())
}

func TestAReplayIsRefusedByEveryGateway(t *testing.T) {
	s := newLedger(t)
	one, two := serve(t, s, nil), serve(t, s, nil)
	body := change(serial, "1")
	require.Equal(t, http.StatusAccepted, one.hook(body, secret, november).status)
	require.Equal(t, http.StatusConflict, one.hook(body, secret, november).status)
	require.Equal(t, http.StatusConflict, two.hook(body, secret, november).status)
	upper := two.do(http.MethodPost, two.url+PathOrderChanged, body, func(r *http.Request) {
		SignRequest(r, secret, november, []byte(body))
		r.Header.Set(HeaderSignature, strings.ToUpper(r.Header.Get(HeaderSignature)))
	})
	require.Equal(t, http.StatusConflict, upper.status, "the same signature in other letters")
	require.Equal(t, http.StatusAccepted, two.hook(body, secret, november.Add(time.Second)).status, "the same order changed again")
	one.stop()
	two.stop()
	require.Equal(t, []string{marcel}, one.triggers.all())
	require.Equal(t, []string{marcel}, two.triggers.all())
}

func TestSignaturesAreForgottenOnlyWhenTooOld(t *testing.T) {
	seen := SeenTogether(newLedger(t).DB())
	ctx := t.Context()
	first := func(signature string, keep time.Duration) bool {
		f, err := seen.First(ctx, []byte(signature), keep)
		require.NoError(t, err)
		return f
	}
	require.True(t, first("kept", time.Hour))
	require.True(t, first("over", -time.Second))
	require.NoError(t, seen.Forget(ctx))
	require.False(t, first("kept", time.Hour))
	require.True(t, first("over", time.Hour))
}

func TestAHookMayComeAgainWhenTheLedgerWasAway(t *testing.T) {
	s := newLedger(t)
	v := serve(t, s, nil)
	away := func(yes bool) {
		from, to := "hook_seen", "hook_away"
		if !yes {
			from, to = to, from
		}
		s.DB().MustExec("ALTER TABLE " + from + " RENAME TO " + to)
	}
	body := change(serial, "1")
	away(true)
	require.Equal(t, http.StatusServiceUnavailable, v.hook(body, secret, november).status)
	away(false)
	require.Equal(t, http.StatusAccepted, v.hook(body, secret, november).status)
	require.Equal(t, marcel, v.triggers.wait(t))
}

func FuzzDecodeOrderChanged(f *testing.F) {
	for _, seed := range []string{
		change(serial, "1"), `{"serial":"A1","orderId":"1","more":[1]}`, `{"serial":"A\u00001","orderId":"1"}`,
		`{}`, `null`, `[]`, `"`, `{"serial":"A1","orderId":"1"}{}`, `{"SERIAL":"a","orderid":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := decodeOrderChanged(body)
		if err != nil {
			require.Equal(t, orderChanged{}, o)
			return
		}
		require.True(t, json.Valid(body))
		require.True(t, plain(o.Serial, maxSerial) && plain(o.OrderID, maxOrderID))
		require.False(t, bytes.ContainsAny([]byte(o.Serial+o.OrderID), "\x00\n\r"))
		again, err := decodeOrderChanged([]byte(change(o.Serial, o.OrderID)))
		require.NoError(t, err)
		require.Equal(t, o, again)
	})
}
