package play

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// wiskReader reads over HTTP what the simulated WISK counts, as a stranger
// would. The real one shows it to people only.
type wiskReader struct {
	base   string
	client *http.Client
}

// readWiskWait is for the listing of half a year's lines.
const readWiskWait = 30 * time.Second

func newWiskReader(base string) *wiskReader {
	return &wiskReader{base: base, client: &http.Client{Timeout: readWiskWait}}
}

// lines are all lines of a venue, with the business days of its zone.
func (r *wiskReader) lines(ctx context.Context, v wiskVenue, zone *time.Location) ([]heldLine, error) {
	var answer []struct {
		At   time.Time `json:"at"`
		Line struct {
			ID       string          `json:"id"`
			Date     time.Time       `json:"date"`
			PLU      string          `json:"plu_number"`
			Quantity decimal.Decimal `json:"quantity"`
			Total    decimal.Decimal `json:"total"`
		} `json:"line"`
	}
	if err := r.get(ctx, "/_sim/lines", v, &answer); err != nil {
		return nil, err
	}
	list := make([]heldLine, len(answer))
	for i, a := range answer {
		list[i] = heldLine{a.Line.ID, a.At, dayItem{sale.DayOf(a.Line.Date, zone), a.Line.PLU}, itemSum{a.Line.Quantity, a.Line.Total}}
	}
	return list, nil
}

// sums are the sums that WISK itself makes per business day and item, with
// nothing that comes to zero.
func (r *wiskReader) sums(ctx context.Context, v wiskVenue) (itemSums, error) {
	type item struct {
		PLU      string          `json:"plu_number"`
		Quantity decimal.Decimal `json:"quantity"`
		Total    decimal.Decimal `json:"total"`
	}
	var answer []struct {
		Day    sale.Day `json:"day"`
		Items  []item   `json:"items"`
		Hidden []item   `json:"hidden"`
	}
	if err := r.get(ctx, "/_sim/sales", v, &answer); err != nil {
		return nil, err
	}
	all := itemSums{}
	for _, day := range answer {
		if len(day.Hidden) > 0 {
			return nil, fmt.Errorf("WISK hides %d items of %s on %s", len(day.Hidden), v.Name, day.Day)
		}
		for _, i := range day.Items {
			if s := (itemSum{i.Quantity, i.Total}); !s.equal(itemSum{}) {
				all.add(dayItem{day.Day, i.PLU}, s)
			}
		}
	}
	return all, nil
}

func (r *wiskReader) get(ctx context.Context, path string, v wiskVenue, answer any) error {
	at := r.base + path + "?" + url.Values{"venue": {v.identifier()}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	res, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("reading WISK: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("reading WISK's %s: %s", path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading WISK's %s: %w", path, err)
	}
	return nil
}

// ofSite are the lines that were uploaded for a site.
func ofSite(s site, lines []heldLine) []heldLine {
	var list []heldLine
	for _, l := range lines {
		if strings.HasPrefix(l.ID, s.linePrefix()) {
			list = append(list, l)
		}
	}
	return list
}
