package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Requests takes requests for onboardings, and what the billing system tells.
type Requests interface {
	// Ask begins an onboarding under a request's number; the same number begins
	// it once. Errors: BadInput when the request makes no sense.
	Ask(ctx context.Context, request string, in work.OnboardingInput) error
	// Paid takes a payment or refund; the same id counts once. Errors: BadInput
	// when it was told before with other contents.
	Paid(ctx context.Context, p Payment) error
}

// PathRequests is where Cluster posts requests for onboardings, and PathPayments
// where the billing system posts payments (assumed, as is all that follows).
const (
	PathRequests = "/requests"
	PathPayments = "/payments"
	// HeaderBillingTimestamp and HeaderBillingSignature are as those of Cluster's
	// hook, of the billing system.
	HeaderBillingTimestamp = "X-Billing-Timestamp"
	HeaderBillingSignature = "X-Billing-Signature"
)

// request is the body of PathRequests. It names no person.
type request struct {
	RequestID string           `json:"requestId"`
	Partner   string           `json:"partner"`
	Requester string           `json:"requester"` // venue_admin or partner_support
	Venues    []requestedVenue `json:"venues"`
}

type requestedVenue struct {
	TradeName string `json:"tradeName"`
	Address   string `json:"address"`
	Language  string `json:"language,omitempty"`
	Serial    string `json:"serial,omitempty"`
}

// Payment is the body of PathPayments.
type Payment struct {
	// ID is the payment's in the billing system.
	ID string `json:"paymentId"`
	// Invoice is the number on our invoice.
	Invoice string `json:"invoice"`
	// Kind is payment or refund.
	Kind string `json:"kind"`
	// AmountCents is with tax.
	AmountCents int64     `json:"amountCents"`
	Currency    string    `json:"currency"`
	At          time.Time `json:"at"`
}

var (
	paymentPattern  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$`)
	currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (p Payment) check() error {
	switch {
	case !paymentPattern.MatchString(p.ID), !paymentPattern.MatchString(p.Invoice), !currencyPattern.MatchString(p.Currency):
		return errors.New("an id, an invoice's number or a currency is missing or has another form")
	case p.Kind != "payment" && p.Kind != "refund", p.AmountCents <= 0, p.At.IsZero():
		return errors.New("the kind, the amount or the instant is missing or has another form")
	}
	return nil
}

const (
	// maxRequest bounds a request: a hundred venues of some 300 bytes.
	maxRequest = 64 << 10
	// askWithin bounds what a request waits for Temporal before it answers.
	askWithin = 8 * time.Second
)

// hookSign and billingSign are who signs what.
func (g *Gateway) hookSign() signedBy {
	return signedBy{HeaderTimestamp, HeaderSignature, g.o.HookSecrets}
}

func (g *Gateway) billingSign() signedBy {
	return signedBy{HeaderBillingTimestamp, HeaderBillingSignature, g.o.BillingSecrets}
}

// takeRequest begins an onboarding that was asked for in Cluster. A field that
// it does not know is refused: passed over, what was asked would not be done.
func (g *Gateway) takeRequest(w http.ResponseWriter, r *http.Request) {
	g.takeSigned(w, r, g.hookSign(), func(ctx context.Context, body []byte) error {
		var q request
		if err := work.DecodeStrict(body, &q); err != nil {
			return err
		}
		if err := work.CheckRequest(q.RequestID); err != nil {
			return err
		}
		in := work.OnboardingInput{Partner: q.Partner, Requester: q.Requester, By: work.ByGateway, Note: "signed request"}
		for _, v := range q.Venues {
			in.Venues = append(in.Venues, work.VenueInput{TradeName: v.TradeName, Address: v.Address, Language: v.Language, Serial: v.Serial})
		}
		if err := in.Validate(); err != nil {
			return err
		}
		return g.o.Requests.Ask(ctx, q.RequestID, in)
	})
}

// takePayment notes a payment that the billing system tells of. It may tell more
// than we know: all that counts here has to be there.
func (g *Gateway) takePayment(w http.ResponseWriter, r *http.Request) {
	g.takeSigned(w, r, g.billingSign(), func(ctx context.Context, body []byte) error {
		var p Payment
		if err := json.Unmarshal(body, &p); err != nil {
			return work.Err(work.BadInput, "the body is not what was agreed")
		}
		if err := p.check(); err != nil {
			return work.Err(work.BadInput, err.Error())
		}
		return g.o.Requests.Paid(ctx, p)
	})
}

// takeSigned takes a signed body and answers. The signature is not remembered:
// what is asked or paid twice under one id happens once, and an answer that was
// lost is told again.
func (g *Gateway) takeSigned(w http.ResponseWriter, r *http.Request, by signedBy, take func(context.Context, []byte) error) {
	body, ok := readJSON(w, r, maxRequest)
	if !ok {
		return
	}
	outcome, _ := g.signed(by, r.Header, body)
	if outcome == hookAccepted {
		ctx, cancel := context.WithTimeout(r.Context(), askWithin)
		defer cancel()
		err := take(ctx, body)
		switch e, typed := errors.AsType[*work.Error](err); {
		case err == nil:
		case typed && e.Code == work.BadInput:
			writeJSON(w, http.StatusBadRequest, map[string]string{"status": "malformed", "reason": e.Detail})
			return
		default:
			g.o.Log.WarnContext(ctx, "a signed request could not be taken", "path", r.URL.Path, "problem", err.Error())
			outcome = hookUnavailable
		}
	}
	a := hookAnswers[outcome]
	answer(w, a.status, a.word)
}
