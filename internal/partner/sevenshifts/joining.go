package sevenshifts

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var _ partner.TokenTaker = (*Partner)(nil)

const (
	// latelyDays is how far back receipts of other integrations are looked for:
	// a venue that is open has some within a week.
	latelyDays = 7
	// latelyMost ends the looking: one foreign receipt among so many is enough.
	latelyMost = 3 * maxPageSize
)

// Places implements partner.TokenTaker. The companies of a token are asked one
// after the other, since most have one.
func (p *Partner) Places(ctx context.Context, token string, transport http.RoundTripper) ([]partner.Place, error) {
	client := NewClient(p.cfg, token, transport)
	if _, err := client.WhoAmI(ctx); err != nil {
		return nil, err
	}
	companies, err := client.Companies(ctx)
	if err != nil {
		return nil, err
	}
	var places []partner.Place
	for _, company := range companies {
		locations, err := client.Locations(ctx, company.ID)
		if err != nil {
			return nil, err
		}
		for _, l := range locations {
			if !l.Deleted {
				places = append(places, partner.Place{Company: company.ID, ID: l.ID, Name: l.Name, City: l.City, Zone: l.Timezone})
			}
		}
	}
	if len(places) == 0 {
		return nil, work.Err(work.PartnerPlan, "the token sees no location")
	}
	return places, nil
}

// Lately implements partner.TokenTaker: the ids of receipts that bear a date of
// the last days, from any integration.
func (p *Partner) Lately(ctx context.Context, token string, at partner.Place, transport http.RoundTripper) ([]string, error) {
	now := p.clock.Now()
	query := ListQuery{LocationID: at.ID, From: now.AddDate(0, 0, -latelyDays), To: now.Add(24 * time.Hour)}
	var ids []string
	for r, err := range NewClient(p.cfg, token, transport).ListReceipts(ctx, at.Company, query) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, r.ReceiptID)
		if len(ids) >= latelyMost {
			break
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
