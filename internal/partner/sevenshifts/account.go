package sevenshifts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// WhoAmI tells whose token it is, without names (reference: 7shifts 1).
type WhoAmI struct {
	IdentityID int64
	CompanyIDs []int64 // of the users of this identity
}

// Company is one company that the token sees (reference: 7shifts 6).
type Company struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Country string `json:"country"`
	Status  string `json:"status"` // active, trial, cancelled, delinquent, expired, unknown
}

// Location is one location of a company (reference: 7shifts 6).
type Location struct {
	ID        int64  `json:"id"`
	CompanyID int64  `json:"company_id"`
	Name      string `json:"name"`
	City      string `json:"city"`
	Address   string `json:"formatted_address"`
	Timezone  string `json:"timezone"` // as stated; see Zone
	Deleted   bool   `json:"deleted"`
}

// Zone is the location's IANA zone, or an error that says what 7shifts states
// instead (complaint 21: "America/toronto" is no zone).
func (l Location) Zone() (*time.Location, error) {
	if l.Timezone == "" || l.Timezone == "Local" {
		return nil, work.Err(work.PartnerMalformed, "7shifts states no time zone for the location")
	}
	zone, err := time.LoadLocation(l.Timezone)
	if err != nil {
		stated := []rune(l.Timezone)
		return nil, work.Errf(work.PartnerMalformed, err, "7shifts states the time zone %q, which is no IANA zone", string(stated[:min(len(stated), 40)]))
	}
	return zone, nil
}

// WhoAmI asks whose token it is.
func (c *Client) WhoAmI(ctx context.Context) (WhoAmI, error) {
	var answer struct {
		Data *struct {
			IdentityID int64 `json:"identity_id"`
			Users      []struct {
				CompanyID int64 `json:"company_id"`
			} `json:"users"`
		} `json:"data"`
	}
	if err := c.get(ctx, "/v2/whoami", nil, &answer); err != nil {
		return WhoAmI{}, err
	}
	if answer.Data == nil {
		return WhoAmI{}, unreadable(errors.New("no data"), false)
	}
	who := WhoAmI{IdentityID: answer.Data.IdentityID}
	for _, u := range answer.Data.Users {
		who.CompanyIDs = append(who.CompanyIDs, u.CompanyID)
	}
	return who, nil
}

// Companies lists the companies that the token sees; this list has no pages
// (reference: 7shifts 2).
func (c *Client) Companies(ctx context.Context) ([]Company, error) {
	return list[Company](ctx, c, "/v2/companies", nil)
}

// Locations lists all locations of a company, in pages.
func (c *Client) Locations(ctx context.Context, company int64) ([]Location, error) {
	return list[Location](ctx, c, fmt.Sprintf("/v2/company/%d/locations", company), url.Values{"limit": {"100"}})
}

// StatusTotals are the receipts of one status on one day, in cents.
type StatusTotals struct {
	Receipts  int        `json:"receipt_count"`
	Net       sale.Cents `json:"net_total"`
	Gross     sale.Cents `json:"gross_total"`
	Tips      sale.Cents `json:"tip_total"`
	Discounts sale.Cents `json:"receipt_discounts"`
}

// DaySummary is one row of the receipts summary. Its date is a date of
// 7shifts', by UTC and not by workday (assumed: reference 3.8, complaint 7),
// so it does not reconcile a business day.
type DaySummary struct {
	Date    string       `json:"date"`
	Open    StatusTotals `json:"open"`
	Closed  StatusTotals `json:"closed"`
	Voided  StatusTotals `json:"voided"`
	Deleted StatusTotals `json:"deleted"`
}

// Summary gives the totals per date, both dates inclusive: at most 31 days, at
// most 90 days back (reference: 7shifts 3.8; the plain form of the dates is
// assumed).
func (c *Client) Summary(ctx context.Context, company, location int64, from, to sale.Day) ([]DaySummary, error) {
	return list[DaySummary](ctx, c, fmt.Sprintf("/v2/company/%d/receipts_summary", company), url.Values{
		"location_id":       {strconv.FormatInt(location, 10)},
		"receipt_date[gte]": {from.String()}, "receipt_date[lte]": {to.String()},
	})
}

// DailySales is one row of daily sales and labour, by workday, in cents
// (reference: 7shifts 7).
type DailySales struct {
	Date           string      `json:"date"`
	ActualSales    sale.Cents  `json:"actual_sales"`
	ProjectedSales *sale.Cents `json:"projected_sales"` // nil: no projection yet
}

// DailySales gives actual and projected sales per day, both dates inclusive.
func (c *Client) DailySales(ctx context.Context, location int64, from, to sale.Day) ([]DailySales, error) {
	return list[DailySales](ctx, c, "/v2/reports/daily_sales_and_labor", url.Values{
		"location_id": {strconv.FormatInt(location, 10)},
		"start_date":  {from.String()}, "end_date": {to.String()},
	})
}

func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	body, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unreadable(err, false)
	}
	return nil
}

// list reads all pages; a list without a cursor is one page.
func list[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	if query == nil {
		query = url.Values{}
	}
	var all []T
	for range maxPages {
		body, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query})
		if err != nil {
			return nil, err
		}
		records, next, err := decodePage(body)
		if err != nil {
			return nil, unreadable(err, false)
		}
		for _, record := range records {
			var one T
			if err := json.Unmarshal(record, &one); err != nil {
				return nil, unreadable(err, false)
			}
			all = append(all, one)
		}
		if next == "" {
			return all, nil
		}
		query.Set("cursor", next)
	}
	return nil, work.Err(work.PartnerMalformed, "a listing does not end")
}
