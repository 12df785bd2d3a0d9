package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const billing = "a secret of the billing system's, long"

// office notes what the gateway passed on, and answers with an error when it has
// one.
type office struct {
	mu    sync.Mutex
	asked map[string]work.OnboardingInput
	paid  []Payment
	times int
	err   error
}

func (o *office) Ask(_ context.Context, request string, in work.OnboardingInput) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.times++
	if o.err == nil {
		o.asked[request] = in
	}
	return o.err
}

func (o *office) Paid(_ context.Context, p Payment) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.times++
	if o.err == nil {
		o.paid = append(o.paid, p)
	}
	return o.err
}

func (o *office) fails(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *office) passedOn() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.times
}

// takes serves a gateway that takes requests and payments.
func takes(t *testing.T) (*served, *office) {
	o := &office{asked: map[string]work.OnboardingInput{}}
	v := serve(t, newLedger(t), func(options *Options) {
		options.Requests, options.BillingSecrets = o, []string{billing}
	})
	return v, o
}

// ask posts a request as Cluster does, signed at an instant with a secret.
func (v *served) ask(body, with string, at time.Time) reply {
	return v.do(http.MethodPost, v.url+PathRequests, body, func(r *http.Request) { SignRequest(r, with, at, []byte(body)) })
}

// pay posts a payment as the billing system does.
func (v *served) pay(body, with string, at time.Time) reply {
	return v.do(http.MethodPost, v.url+PathPayments, body, func(r *http.Request) { signBilling(r, with, at, body) })
}

func signBilling(r *http.Request, with string, at time.Time, body string) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set(HeaderBillingTimestamp, timestamp)
	r.Header.Set(HeaderBillingSignature, Sign(with, timestamp, []byte(body)))
}

const (
	oneVenue = `{"tradeName":"Chez Marcel","address":"12, rue Principale, Montréal"}`
	asking   = `{"requestId":"req-7","partner":"7shifts","requester":"venue_admin","venues":[{"tradeName":"Chez Marcel","address":"12, rue Principale, Montréal","language":"fr","serial":"A1"}]}`
	paying   = `{"paymentId":"pay-1187","invoice":"CB-WISK-R-2026-1","kind":"payment","amountCents":17246,"currency":"CAD","at":"2026-11-03T14:04:05Z"}`
)

func TestASignedRequestIsPassedOn(t *testing.T) {
	v, o := takes(t)
	for _, with := range []string{secret, older} {
		a := v.ask(asking, with, november)
		require.Equal(t, http.StatusAccepted, a.status, a.body)
	}
	want := work.OnboardingInput{
		Partner: work.SevenShifts, Requester: work.VenueAdmin, By: work.ByGateway, Note: "signed request",
		Venues: []work.VenueInput{{TradeName: "Chez Marcel", Address: "12, rue Principale, Montréal", Language: "fr", Serial: "A1"}},
	}
	require.Equal(t, map[string]work.OnboardingInput{"req-7": want}, o.asked)

	a := v.ask(`{"requestId":"req-8","partner":"wisk","requester":"partner_support","venues":[`+oneVenue+`,`+oneVenue+`]}`, secret, november)
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	require.Len(t, o.asked["req-8"].Venues, 2)
	require.NotContains(t, v.logged.String(), "Chez Marcel", "bodies are not logged")
}

// The sender who lost an answer sends the same once more, and has to be told that
// it was taken; that it happens once is the desk's.
func TestARequestOrPaymentThatComesAgainIsAnsweredAlike(t *testing.T) {
	v, o := takes(t)
	for range 2 {
		require.Equal(t, http.StatusAccepted, v.ask(asking, secret, november).status)
		require.Equal(t, http.StatusAccepted, v.pay(paying, billing, november).status)
	}
	require.Len(t, o.asked, 1)
	require.Len(t, o.paid, 2)
	require.Equal(t, o.paid[0], o.paid[1])
	// What was seen on its way is of no use later, nor for another purpose.
	require.Equal(t, http.StatusUnauthorized, v.ask(asking, secret, november.Add(-6*time.Minute)).status)
	require.Equal(t, http.StatusUnauthorized, v.pay(paying, billing, november.Add(-6*time.Minute)).status)
	before := o.passedOn()
	require.Equal(t, http.StatusBadRequest, v.ask(change(serial, "1"), secret, november).status, "a hook's body and signature")
	require.Equal(t, http.StatusBadRequest, v.hook(asking, secret, november).status)
	require.Equal(t, http.StatusUnauthorized, v.pay(paying, secret, november).status, "Cluster's secret tells of no payment")
	require.Equal(t, http.StatusUnauthorized, v.ask(asking, billing, november).status)
	require.Equal(t, before, o.passedOn())
}

func TestASignedPaymentIsPassedOn(t *testing.T) {
	v, o := takes(t)
	a := v.pay(paying, billing, november)
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	want := Payment{
		ID: "pay-1187", Invoice: "CB-WISK-R-2026-1", Kind: "payment", AmountCents: 17246, Currency: "CAD",
		At: time.Date(2026, 11, 3, 14, 4, 5, 0, time.UTC),
	}
	require.Equal(t, []Payment{want}, o.paid)
	more := strings.Replace(paying, `{`, `{"ledgerAccount":"4100",`, 1)
	require.Equal(t, http.StatusAccepted, v.pay(more, billing, november).status, "a billing system may tell more")
	require.Equal(t, want, o.paid[1])
	require.NotContains(t, v.logged.String(), "17246", "no amount in the log")
}

func TestARefusedRequestDoesNothing(t *testing.T) {
	v, o := takes(t)
	with := func(old, now string) reply {
		body := strings.Replace(asking, old, now, 1)
		require.NotEqual(t, asking, body, old)
		return v.ask(body, secret, november)
	}
	many := strings.Repeat(oneVenue+",", 101)
	for name, c := range map[string]struct {
		got    reply
		status int
		said   string
	}{
		"unsigned":               {v.do(http.MethodPost, v.url+PathRequests, asking, nil), 401, "refused"},
		"another secret":         {v.ask(asking, "somebody else's secret, long enough", november), 401, "refused"},
		"another body":           {v.do(http.MethodPost, v.url+PathRequests, asking+" ", func(r *http.Request) { SignRequest(r, secret, november, []byte(asking)) }), 401, "refused"},
		"billing's headers":      {v.do(http.MethodPost, v.url+PathRequests, asking, func(r *http.Request) { signBilling(r, secret, november, asking) }), 401, "refused"},
		"old":                    {v.ask(asking, secret, november.Add(-5*time.Minute-time.Second)), 401, "refused"},
		"from the future":        {v.ask(asking, secret, november.Add(5*time.Minute+10*time.Second)), 401, "refused"},
		"unsigned nonsense":      {v.do(http.MethodPost, v.url+PathRequests, `{`, nil), 401, "refused"},
		"no object":              {v.ask(`[]`, secret, november), 400, "want one JSON object"},
		"two objects":            {v.ask(asking+asking, secret, november), 400, "want one JSON object"},
		"unknown partner":        {with(`"7shifts"`, `"toast"`), 400, "want 7shifts or wisk"},
		"unknown requester":      {with(`venue_admin`, `anybody`), 400, "requester"},
		"misspelled field":       {with(`"serial"`, `"serialNumber"`), 400, `unknown field \"serialNumber\"`},
		"a person":               {with(`"language"`, `"contactEmail":"m@example.com","language"`), 400, `unknown field \"contactEmail\"`},
		"who acts":               {with(`"partner"`, `"by":"lea","partner"`), 400, `unknown field \"by\"`},
		"an address in the name": {with(`Chez Marcel`, `m@example.com`), 400, "no mail addresses"},
		"missing field":          {with(`"tradeName":"Chez Marcel",`, ``), 400, `field \"tradeName\" is missing`},
		"no number":              {with(`req-7`, ``), 400, "request"},
		"odd number":             {with(`req-7`, `REQ 7`), 400, "request"},
		"long number":            {with(`req-7`, strings.Repeat("7", 33)), 400, "request"},
		"unknown language":       {with(`"fr"`, `"de"`), 400, "language"},
		"no venue":               {v.ask(`{"requestId":"r","partner":"wisk","requester":"partner_support","venues":[]}`, secret, november), 400, "venues"},
		"too many venues":        {v.ask(`{"requestId":"r","partner":"wisk","requester":"partner_support","venues":[`+many+oneVenue+`]}`, secret, november), 400, "venues"},
		"one till twice":         {with(`"serial":"A1"}`, `"serial":"A1"},{"tradeName":"B","address":"1, rue B","serial":"A1"}`), 400, "one serial number"},
		"oversized":              {v.ask(asking+strings.Repeat(" ", maxRequest), secret, november), 413, "too large"},
		"no JSON": {v.do(http.MethodPost, v.url+PathRequests, asking, func(r *http.Request) {
			SignRequest(r, secret, november, []byte(asking))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}), 415, "application/json"},
		"another method": {v.do(http.MethodGet, v.url+PathRequests, "", nil), 405, ""},
	} {
		require.Equal(t, c.status, c.got.status, "%s: %s", name, c.got.body)
		require.Contains(t, c.got.body, c.said, name)
	}
	require.Zero(t, o.passedOn())
}

func TestARefusedPaymentDoesNothing(t *testing.T) {
	v, o := takes(t)
	with := func(old, now string) reply {
		body := strings.Replace(paying, old, now, 1)
		require.NotEqual(t, paying, body, old)
		return v.pay(body, billing, november)
	}
	for name, c := range map[string]struct {
		got    reply
		status int
	}{
		"unsigned":        {v.do(http.MethodPost, v.url+PathPayments, paying, nil), 401},
		"another secret":  {v.pay(paying, "somebody else's secret, long enough", november), 401},
		"hook's headers":  {v.do(http.MethodPost, v.url+PathPayments, paying, func(r *http.Request) { SignRequest(r, billing, november, []byte(paying)) }), 401},
		"another body":    {v.do(http.MethodPost, v.url+PathPayments, strings.Replace(paying, "17246", "1", 1), func(r *http.Request) { signBilling(r, billing, november, paying) }), 401},
		"old":             {v.pay(paying, billing, november.Add(-5*time.Minute-time.Second)), 401},
		"from the future": {v.pay(paying, billing, november.Add(5*time.Minute+10*time.Second)), 401},
		"nonsense":        {v.pay(`nonsense`, billing, november), 400},
		"two payments":    {v.pay(paying+paying, billing, november), 400},
		"no id":           {with(`pay-1187`, ``), 400},
		"odd id":          {with(`pay-1187`, `a b`), 400},
		"long id":         {with(`pay-1187`, strings.Repeat("1", 65)), 400},
		"no invoice":      {with(`CB-WISK-R-2026-1`, ``), 400},
		"another kind":    {with(`"kind":"payment"`, `"kind":"credit"`), 400},
		"nothing":         {with(`17246`, `0`), 400},
		"less":            {with(`17246`, `-17246`), 400},
		"dollars":         {with(`17246`, `172.46`), 400},
		"as text":         {with(`17246`, `"17246"`), 400},
		"too much":        {with(`17246`, `99999999999999999999`), 400},
		"no currency":     {with(`CAD`, ``), 400},
		"odd currency":    {with(`CAD`, `cad`), 400},
		"no instant":      {with(`,"at":"2026-11-03T14:04:05Z"`, ``), 400},
		"odd instant":     {with(`2026-11-03T14:04:05Z`, `yesterday`), 400},
		"oversized":       {v.pay(paying+strings.Repeat(" ", maxRequest), billing, november), 413},
		"another method":  {v.do(http.MethodPut, v.url+PathPayments, paying, nil), 405},
	} {
		require.Equal(t, c.status, c.got.status, "%s: %s", name, c.got.body)
		require.NotContains(t, c.got.body, "17246", name)
	}
	require.Zero(t, o.passedOn())
}

func TestWhatTheDeskSaysIsAnswered(t *testing.T) {
	v, o := takes(t)
	o.fails(work.Err(work.BadInput, "this payment was told before, with other contents"))
	for _, a := range []reply{v.ask(asking, secret, november), v.pay(paying, billing, november)} {
		require.Equal(t, http.StatusBadRequest, a.status)
		require.JSONEq(t, `{"status":"malformed","reason":"this payment was told before, with other contents"}`, a.body)
	}
	for _, err := range []error{
		work.Errf(work.LedgerUnavailable, errors.New("dial postgres://user:password@host"), "reading"), errors.New("password"), context.DeadlineExceeded,
	} {
		o.fails(err)
		for _, a := range []reply{v.ask(asking, secret, november), v.pay(paying, billing, november)} {
			require.Equal(t, http.StatusServiceUnavailable, a.status)
			require.JSONEq(t, `{"status":"try again later"}`, a.body)
		}
	}
	o.fails(nil)
	require.Equal(t, http.StatusAccepted, v.ask(asking, secret, november).status, "it may come again at once")
	require.Equal(t, http.StatusAccepted, v.pay(paying, billing, november).status)
}

func TestRequestsAndPaymentsAreServedOnlyWithTheirSecrets(t *testing.T) {
	o := &office{asked: map[string]work.OnboardingInput{}}
	status := func(change func(*Options)) (ask, pay int) {
		v := serve(t, newLedger(t), change)
		return v.ask(asking, secret, november).status, v.pay(paying, billing, november).status
	}
	ask, pay := status(nil)
	require.Equal(t, []int{404, 404}, []int{ask, pay}, "nobody takes them")
	ask, pay = status(func(options *Options) { options.Requests = o })
	require.Equal(t, []int{202, 404}, []int{ask, pay}, "no secret of the billing system's")
	ask, pay = status(func(options *Options) {
		options.Requests, options.HookSecrets, options.BillingSecrets = o, nil, []string{billing}
	})
	require.Equal(t, []int{404, 202}, []int{ask, pay}, "no secret of Cluster's")
}

func TestRequestsAndPaymentsArePaced(t *testing.T) {
	o := &office{asked: map[string]work.OnboardingInput{}}
	v := serve(t, newLedger(t), func(options *Options) {
		options.Requests, options.BillingSecrets, options.TrustedProxies = o, []string{billing}, loopback()
	})
	for _, path := range []string{PathRequests, PathPayments} {
		from := func(remote string) int {
			return v.do(http.MethodPost, v.url+path, `{}`, func(r *http.Request) { r.Header.Set("X-Forwarded-For", remote) }).status
		}
		limited := 0
		for range 2 * requestPace.Burst {
			if from("192.0.2.1") == http.StatusTooManyRequests {
				limited++
			}
		}
		require.Positive(t, limited, path)
		require.Equal(t, http.StatusUnauthorized, from("192.0.2.2"), "another remote is not limited")
	}
	require.Zero(t, o.passedOn())
}
