package sevenshiftssim

import (
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// workday is the date of 7shifts' workday, which begins at 05:00 in the
// location's zone (reference: 7shifts 6, locations).
func workday(t time.Time, zone *time.Location) string { return kit.Workday(t, zone) }

func utcDate(t time.Time, _ *time.Location) string { return t.UTC().Format(time.DateOnly) }

// statusTotals is one status of one date in the summary.
type statusTotals struct {
	Count     int   `json:"receipt_count"`
	Net       int64 `json:"net_total"`
	Gross     int64 `json:"gross_total"`
	Tips      int64 `json:"tip_total"`
	Discounts int64 `json:"receipt_discounts"`
}

func (t *statusTotals) add(f fields) {
	t.Count++
	t.Net += *f.Net
	t.Gross += or(f.Gross, 0)
	t.Tips += or(f.Tips, 0)
	t.Discounts += or(f.Discounts, 0)
}

const (
	summaryDays = 31 // longest range of the summary; reference: 7shifts 3.8
	// reportDays is the longest range of the daily report (assumed).
	reportDays = 366
)

// dates lists the dates of a range, refusing one that is reversed or too long.
func (p *params) dates(from, to time.Time, most int, name string) []string {
	if p.refused != nil {
		return nil
	}
	if to.Before(from) || to.Sub(from) >= time.Duration(most)*24*time.Hour {
		p.refuse("validation_error", name, "Range is reversed or too long")
		return nil
	}
	var all []string
	for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
		all = append(all, d.Format(time.DateOnly))
	}
	return all
}

// summary is GET /v2/company/{company}/receipts_summary (reference: 7shifts
// 3.8).
func (s *Sim) summary(r request) answer {
	p := readParams(r, "location_id", "receipt_date[gte]", "receipt_date[lte]", "modified_since")
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.location(p, r.token, r.company)
	from, to := p.date("receipt_date[gte]"), p.date("receipt_date[lte]")
	since := p.instant("modified_since")
	s.notTooOld(p, "receipt_date[gte]", from.AddDate(0, 0, 1))
	dates := p.dates(from, to, summaryDays, "receipt_date[lte]")
	if p.refused != nil {
		return *p.refused
	}
	bucket := utcDate
	if s.switches.SummaryByWorkday {
		bucket = workday
	}
	totals := map[string]map[string]*statusTotals{}
	for _, date := range dates {
		totals[date] = map[string]*statusTotals{}
		for _, status := range statuses {
			totals[date][status] = &statusTotals{}
		}
	}
	for _, held := range s.store.order {
		day := totals[bucket(held.date(), l.zone)]
		if held.Location == l.ID && day != nil && !held.Modified.Before(since) {
			day[*held.Fields.Status].add(held.Fields)
		}
	}
	rows := []map[string]any{}
	for _, date := range dates {
		row := map[string]any{"date": date}
		for status, t := range totals[date] {
			row[status] = t
		}
		rows = append(rows, row)
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": "receipts_summary", "data": rows}}
}

// dailySales is GET /v2/reports/daily_sales_and_labor (reference: 7shifts 7).
// Open and closed receipts count as actual sales; voided and deleted ones do
// not (assumed). There is no labour here and nothing is projected.
func (s *Sim) dailySales(r request) answer {
	p := readParams(r, "location_id", "start_date", "end_date", "department_id")
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.location(p, r.token, 0)
	dates := p.dates(p.date("start_date"), p.date("end_date"), reportDays, "end_date")
	if p.refused != nil {
		return *p.refused
	}
	bucket := workday
	if s.switches.ReportsByUTC {
		bucket = utcDate
	}
	sales := map[string]int64{}
	for _, held := range s.store.order {
		if status := *held.Fields.Status; held.Location == l.ID && (status == "open" || status == "closed") {
			sales[bucket(held.date(), l.zone)] += *held.Fields.Net
		}
	}
	rows := []map[string]any{}
	for i, date := range dates {
		rows = append(rows, map[string]any{
			"id": i + 1, "date": date, "location_id": l.ID, "department_id": nil, "actual_sales": sales[date],
			"projected_sales": nil, "projected_sales_override": nil, "actual_labor_cost": 0, "projected_labor_cost": 0,
			"sales_per_labor_hour": 0.0, "labor_percent": 0.0, "actual_items": 0, "actual_labor_minutes": 0, "actual_ot_minutes": 0,
		})
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": "daily_sales_and_labor", "data": rows}}
}
