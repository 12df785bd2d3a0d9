package partner

import (
	"context"
	"net/http"
)

// TokenTaker is a Partner whose token the venue makes and hands over.
type TokenTaker interface {
	Partner
	// Places are the locations that a token opens. Errors are *work.Error:
	// PartnerToken when it is wrong, PartnerPlan when the plan is too low or no
	// place is in sight, those of a request otherwise.
	Places(ctx context.Context, token string, transport http.RoundTripper) ([]Place, error)
	// Lately are the ids under which sales were lately written to a place, ours
	// and others', some hundreds at most: where another POS integration writes,
	// two would add up.
	Lately(ctx context.Context, token string, at Place, transport http.RoundTripper) ([]string, error)
}

// Place is a location of a partner's.
type Place struct {
	Company int64  `json:"company"`
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	City    string `json:"city,omitempty"`
	// Zone is as the partner states it, which may be no IANA zone.
	Zone string `json:"zone,omitempty"`
}

// IdentifierTaker is a Partner to which a venue is known by an identifier.
type IdentifierTaker interface {
	Partner
	// Probe tells whether the partner knows an identifier, without any effect.
	// Errors are *work.Error: PartnerToken when it does not.
	Probe(ctx context.Context, identifier string, transport http.RoundTripper) error
}
