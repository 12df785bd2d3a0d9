package onboarding

import (
	"context"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Send sends one of a case's mails to whom it concerns: the venue's contact, the
// partner's support, or both. Who cannot be written to is passed over: nobody
// but they needs it.
func (r *Room) Send(ctx context.Context, in work.CaseMail) (work.MailResult, error) {
	c, err := r.Ledger.Case(ctx, in.Case)
	if err != nil {
		return work.MailResult{}, err
	}
	kind := mail.Kind(in.Kind)
	if len(readersOf[kind]) == 0 {
		return work.MailResult{}, work.Err(work.Internal, "a mail that no case sends")
	}
	if handsOver(kind) && !r.readsTill(c) {
		return work.MailResult{}, nil // there is no key for anybody
	}
	readers := 0
	for _, reader := range readersOf[kind] {
		sent, err := r.sendTo(ctx, c, kind, reader)
		if err != nil {
			return work.MailResult{Readers: readers}, err
		}
		if sent {
			readers++
		}
	}
	return work.MailResult{Readers: readers}, nil
}

// readersOf are those who get a mail. A partner's support that did not ask is no
// requester, and is not told of refusals.
var readersOf = map[mail.Kind][]link.Reader{
	mail.KindConfirmationExpired:  {link.Venue, link.Support},
	mail.KindDeclined:             {link.Venue, link.Support},
	mail.KindCancelled:            {link.Venue, link.Support},
	mail.KindInvoice:              {link.Venue},
	mail.KindPaymentReceived:      {link.Venue},
	mail.KindCredentials:          {link.Venue},
	mail.KindCredentialsToSupport: {link.Support},
	mail.KindTokenNeeded:          {link.Venue},
	mail.KindLive:                 {link.Venue},
}

func handsOver(kind mail.Kind) bool {
	return kind == mail.KindCredentials || kind == mail.KindCredentialsToSupport
}

func (r *Room) sendTo(ctx context.Context, c ledger.Case, kind mail.Kind, reader link.Reader) (bool, error) {
	key := work.LocationOnboardingID(c.ID) + "/" + string(kind)
	if handsOver(kind) || kind == mail.KindTokenNeeded {
		key += "/" + strconv.Itoa(c.Data.Round)
	}
	if reader == link.Support {
		support := r.Settings.Supports[c.Partner]
		asked := c.Data.Requester == work.PartnerSupport || kind == mail.KindCredentialsToSupport
		if support.Address == "" || !asked {
			return false, nil
		}
		message, err := r.message(ctx, c, kind, reader)
		if err != nil {
			return false, err
		}
		composed, err := r.Composer.Compose(message, support.Language)
		if err != nil {
			return false, err
		}
		return true, r.Outbox.Send(ctx, key+"/to-support", vault.NewSecret(support.Address), composed)
	}
	silent := kind == mail.KindCancelled && c.Data.AskedAt.IsZero() && c.Data.Decision == "" // it was never asked
	if c.ContactKey == "" || silent {
		return false, nil
	}
	message, err := r.message(ctx, c, kind, reader)
	if err != nil {
		return false, err
	}
	return true, r.toContact(ctx, key, c, message, Lang(c))
}

// message words a case's mail for a reader.
func (r *Room) message(ctx context.Context, c ledger.Case, kind mail.Kind, reader link.Reader) (mail.Message, error) {
	name, venue, zone := mail.Partner(c.Partner), Venue(c), r.Zone(c)
	side := map[link.Reader]mail.Reader{link.Venue: mail.ToVenue, link.Support: mail.ToRequester}[reader]
	switch kind {
	case mail.KindConfirmationExpired:
		return mail.ConfirmationExpired{Reader: side, Partner: name, Venues: []mail.Venue{venue}, Asked: c.Data.AskedAt.In(zone)}, nil
	case mail.KindDeclined:
		return mail.Declined{Reader: side, Partner: name, Venues: []mail.Venue{venue}}, nil
	case mail.KindCancelled:
		refund, err := r.toRefund(ctx, c)
		return mail.Cancelled{Reader: side, Partner: name, Venues: []mail.Venue{venue}, Refund: refund}, err
	case mail.KindInvoice:
		charge, sum, err := r.invoice(ctx, c)
		return mail.Invoice{
			Number: charge.Number, Date: charge.OpenedAt.In(zone), Partner: name, Charge: sum,
			Lines:    []mail.InvoiceLine{{Venue: venue, Amount: charge.Before}},
			HowToPay: r.Settings.Billing.HowToPay, PayLink: r.payLink(charge.Number),
		}, err
	case mail.KindPaymentReceived:
		charge, sum, err := r.invoice(ctx, c)
		return mail.PaymentReceived{Number: charge.Number, Date: charge.SettledAt.In(zone), Partner: name, Venues: []mail.Venue{venue}, Charge: sum}, err
	case mail.KindCredentials:
		handover, err := r.handover(ctx, c, reader)
		return mail.Credentials{Handover: handover}, err
	case mail.KindCredentialsToSupport:
		handover, err := r.handover(ctx, c, reader)
		return mail.CredentialsToSupport{Handover: handover}, err
	case mail.KindTokenNeeded:
		return r.tokenNeeded(c, venue)
	case mail.KindLive:
		return r.live(ctx, c, venue)
	default:
		return nil, work.Err(work.Internal, "a mail that no case sends")
	}
}

// toRefund is what a cancelled case gets back, with tax.
func (r *Room) toRefund(ctx context.Context, c ledger.Case) (sale.Cents, error) {
	charge, there, err := r.Ledger.ChargeOf(ctx, c.ID)
	if err != nil || !there || charge.State != work.ChargePaid && charge.State != work.ChargeRefunded {
		return 0, err
	}
	return charge.Total()
}

func (r *Room) tokenNeeded(c ledger.Case, venue mail.Venue) (mail.Message, error) {
	// The link's end has to be the same in every copy of the mail.
	since := c.CreatedAt
	for _, at := range []time.Time{c.Data.DecidedAt, c.Data.RoundAt} {
		if !at.IsZero() {
			since = at
		}
	}
	expires := since.Add(r.Settings.TokenFor)
	page, err := r.link(link.Token, c.ID, link.Venue, expires)
	return mail.TokenNeeded{Venue: venue, Link: page, Expires: expires.In(r.Zone(c))}, err
}

func (r *Room) live(ctx context.Context, c ledger.Case, venue mail.Venue) (mail.Message, error) {
	connection, err := r.Ledger.Connection(ctx, c.Connection())
	if err != nil {
		return nil, err
	}
	// A venue that comes back was connected long ago.
	status, err := r.StatusLink(connection.ID, link.Venue, c.Data.LiveAt)
	return mail.Live{
		Partner: mail.Partner(c.Partner), Venue: venue, Activated: c.Data.LiveAt.In(r.Zone(c)),
		HistoryFrom: connection.HistoryFrom, Status: status,
	}, err
}
