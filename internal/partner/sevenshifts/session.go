package sevenshifts

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Session delivers and reads back the receipts of one connection. It
// implements partner.Session and may be used by several goroutines at once.
type Session struct {
	client   *Client
	clock    clock.Clock
	company  int64
	location int64
	listDays int
}

var _ partner.Session = (*Session)(nil)

// String names the session without its credential.
func (s *Session) String() string { return "7shifts session" }

// GoString is String.
func (s *Session) GoString() string { return s.String() }

// LogValue is String.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Send implements partner.Session. A receipt is created when nothing was ever
// accepted, and updated from then on. After an ambiguous create it is created
// again under the same id and then updated with the same totals: whether
// 7shifts overwrites, ignores or refuses the second create, the update is what
// stays (reference: 7shifts 3.3). An update of a receipt that 7shifts does not
// know creates it.
func (s *Session) Send(ctx context.Context, d partner.Delivery) (string, error) {
	if !d.Created && !d.Ambiguous {
		// The body is what a create sends, as Translate wrote it.
		var r struct {
			ReceiptID string `json:"receipt_id"`
		}
		if err := json.Unmarshal(d.Body, &r); err != nil || r.ReceiptID != d.ID {
			return "", work.Errf(work.Internal, err, "the stored receipt %s cannot be read", d.ID)
		}
		ref, err := s.client.createReceipt(ctx, s.company, d.Body)
		if !errors.Is(err, ErrExists) {
			return ref, err
		}
	}
	r, err := readBody(d.Document)
	switch {
	case err != nil:
		return "", err
	case d.Created:
		return s.update(ctx, r)
	case d.Ambiguous:
		return s.createAgain(ctx, r)
	}
	return s.client.UpdateReceipt(ctx, s.company, r)
}

func (s *Session) update(ctx context.Context, r Receipt) (string, error) {
	ref, err := s.client.UpdateReceipt(ctx, s.company, r)
	if errors.Is(err, ErrNotFound) {
		return s.client.CreateReceipt(ctx, s.company, r)
	}
	return ref, err
}

func (s *Session) createAgain(ctx context.Context, r Receipt) (string, error) {
	created, err := s.client.CreateReceipt(ctx, s.company, r)
	accepted := err == nil
	if !accepted && !errors.Is(err, ErrExists) {
		return "", stillAmbiguous(err)
	}
	updated, err := s.client.UpdateReceipt(ctx, s.company, r)
	switch {
	case err == nil && updated != "":
		return updated, nil
	case err == nil:
		return created, nil
	case accepted && errors.Is(err, ErrNotFound):
		// Not processed yet, so it cannot have existed: the create stands.
		return created, nil
	}
	return "", stillAmbiguous(err)
}

// stillAmbiguous keeps the doubt of the first create alive: a later refusal
// for speed or a failed connection does not resolve it. A refused document is
// no longer in doubt.
func stillAmbiguous(err error) error {
	if e, ok := errors.AsType[*work.Error](err); ok && e.Kind() != work.BadRecord {
		doubtful := *e
		doubtful.Ambiguous = true
		return &doubtful
	}
	return err
}

// readBody reads the receipt that Translate wrote.
func readBody(d partner.Document) (Receipt, error) {
	var r Receipt
	if err := json.Unmarshal(d.Body, &r); err != nil || r.ReceiptID != d.ID {
		return Receipt{}, work.Errf(work.Internal, err, "the stored receipt %s cannot be read", d.ID)
	}
	return r, nil
}
