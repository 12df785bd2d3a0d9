package sevenshiftssim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// listPools is GET /v2/company/{company}/tip_pool_settings (reference: 7shifts
// 9): no pages.
func (s *Sim) listPools(r request) answer {
	p := readParams(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := s.poolsRefused(); refused != nil {
		return *refused
	}
	if p.refused != nil {
		return *p.refused
	}
	shown := []map[string]any{}
	for _, pool := range s.sortedPools(func(pool TipPool) bool { return pool.CompanyID == r.company }) {
		shown = append(shown, showPool(pool))
	}
	return answer{status: http.StatusOK, body: map[string]any{"data": shown}}
}

func (s *Sim) sortedPools(fits func(TipPool) bool) []TipPool {
	pools := slices.SortedFunc(maps.Values(s.staff.pools), func(a, b TipPool) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UUID, b.UUID))
	})
	return slices.DeleteFunc(pools, func(p TipPool) bool { return !fits(p) })
}

func showPool(p TipPool) map[string]any {
	stakes, sources := []map[string]any{}, []map[string]any{}
	for _, st := range p.Stakes {
		kind := "CONTRIBUTION"
		if st.Receives {
			kind = "DISTRIBUTION"
		}
		stakes = append(stakes, map[string]any{
			"tip_pool_settings_uuid": p.UUID, "stakeholder_type": kind, "stakeholder_subtype": "ROLE", "role_id": st.RoleID,
			"department_id": nil, "stake_amount": st.Amount, "contribution_method": "PERCENT_TIPS",
		})
	}
	for _, source := range p.Sources {
		sources = append(sources, map[string]any{"tip_pool_settings_uuid": p.UUID, "source": source})
	}
	return map[string]any{
		"uuid": p.UUID, "company_id": p.CompanyID, "location_id": p.LocationID, "name": p.Name, "enabled": !p.Disabled, "day_part_uuids": []string{},
		"contribution_type": "POS_PERCENT_TIPS_AND_SALES", "distribution_type": p.Distribution, "sales_tip_percentage": p.UnassignedPercent,
		"tip_pool_stakeholders": stakes, "tip_pool_contributions": sources,
		"tip_pool_cadence_settings": map[string]any{"tip_pool_settings_uuid": p.UUID, "cadence_type": p.Cadence, "period_start_date": nil},
	}
}

// poolReport is what both reports are made of: each enabled pool, day by day.
type poolReport struct {
	location location
	dates    []string
	pools    []TipPool
	days     map[string]map[string]poolDay // by date and pool
}

// report reads the query of a report and computes it. The caller holds s.mu.
func (s *Sim) report(r request) (poolReport, *answer) {
	if refused := s.poolsRefused(); refused != nil {
		return poolReport{}, refused
	}
	p := readParams(r, "start_date", "end_date", "tip_pool_uuid", "day_part_uuid")
	id, _ := strconv.ParseInt(r.PathValue("location"), 10, 64)
	l, ok := s.locations[id]
	wanted := p.query.Get("tip_pool_uuid")
	if _, known := s.staff.pools[wanted]; !ok || l.CompanyID != r.company || (wanted != "" && !known) || p.query.Get("day_part_uuid") != "" {
		a := refuse(http.StatusNotFound, "invalid_id", "", "Not found")
		return poolReport{}, &a
	}
	rep := poolReport{location: l, days: map[string]map[string]poolDay{}}
	rep.dates = p.dates(p.date("start_date"), p.date("end_date"), reportDays, "end_date")
	if p.refused != nil {
		return poolReport{}, p.refused
	}
	rep.pools = s.sortedPools(func(pool TipPool) bool {
		return pool.LocationID == l.ID && !pool.Disabled && (wanted == "" || pool.UUID == wanted)
	})
	rows := s.poolRows(l, rep.dates[0], rep.dates[len(rep.dates)-1])
	for _, date := range rep.dates {
		rep.days[date] = map[string]poolDay{}
		for _, pool := range rep.pools {
			rep.days[date][pool.UUID] = s.poolDay(pool, l, date, rows)
		}
	}
	return rep, nil
}

// detailedReport is GET …/locations/{location}/tip_pool_detailed_report: per
// date and pool a row for every punch, and rows of what is unassigned. Who
// clocked in without a role is named in one of these (the help page says so;
// that such a row has the fields of the others is assumed).
func (s *Sim) detailedReport(r request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	rep, refused := s.report(r)
	if refused != nil {
		return *refused
	}
	dates := []map[string]any{}
	for _, date := range rep.dates {
		pools := []map[string]any{}
		for _, pool := range rep.pools {
			day := rep.days[date][pool.UUID]
			pools = append(pools, map[string]any{
				"tip_pool_uuid": pool.UUID, "tip_pool_name": pool.Name,
				"assigned_tips": s.showLines(day.assigned), "unassigned_tips": s.showLines(day.unassigned),
			})
		}
		dates = append(dates, map[string]any{"date": date, "tip_pools": pools})
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": "tip_pool_detailed_report", "data": map[string]any{
		"location_id": rep.location.ID, "location_name": rep.location.Name, "report_rows": dates,
	}}}
}

func (s *Sim) showLines(lines []poolLine) []map[string]any {
	shown := []map[string]any{}
	for _, line := range lines {
		row := line.show()
		if p := line.punch; p.ID != 0 {
			maps.Copy(row, s.showPerson(p.UserID))
			maps.Copy(row, map[string]any{
				"time_punch_id": p.ID, "role_name": orNull(s.staff.roles[p.RoleID].Name), "department_name": orNull(s.staff.departments[p.DepartmentID].Name),
				"clocked_in": s.instant(p.In), "clocked_out": s.orNever(p.Out), "approved": p.Approved,
			})
		}
		shown = append(shown, row)
	}
	return shown
}

func (s *Sim) showPerson(user int64) map[string]any {
	u := s.staff.users[user]
	return map[string]any{"user_id": u.ID, "employee_id": u.EmployeeID, "first_name": u.FirstName, "last_name": u.LastName}
}

func (a poolSums) show() map[string]any {
	return map[string]any{
		"net_sales": a.net, "cc_tips": a.card, "cc_tips_withheld": 0, "auto_grat_tips": a.gratuity, "cash_tips": 0, "declared_tips": a.declared,
		"hours_worked": a.hours.Hours(), "tip_in": a.tipIn, "tip_out": a.tipOut,
	}
}

// summaryReport is GET …/locations/{location}/tip_pool_summary_report: per pool
// a row for every user over all dates.
func (s *Sim) summaryReport(r request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	rep, refused := s.report(r)
	if refused != nil {
		return *refused
	}
	shown := []map[string]any{}
	for _, pool := range rep.pools {
		users := map[int64]*poolSums{}
		var unassigned, total poolSums
		for _, date := range rep.dates {
			day := rep.days[date][pool.UUID]
			for _, line := range day.unassigned {
				unassigned.add(line.poolSums)
			}
			for _, line := range day.assigned {
				if users[line.punch.UserID] == nil {
					users[line.punch.UserID] = &poolSums{}
				}
				users[line.punch.UserID].add(line.poolSums)
			}
		}
		total.add(unassigned)
		assigned := []map[string]any{}
		for _, user := range slices.Sorted(maps.Keys(users)) {
			total.add(*users[user])
			row := users[user].show()
			maps.Copy(row, s.showPerson(user))
			assigned = append(assigned, row)
		}
		shown = append(shown, map[string]any{
			"tip_pool_uuid": pool.UUID, "tip_pool_name": pool.Name, "assigned_tips": assigned, "unassigned_tips": unassigned.show(),
			"total": map[string]any{"hours_worked": total.hours.Hours(), "tip_in": total.tipIn, "tip_out": total.tipOut},
		})
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": "tip_pool_summary_report", "data": shown}}
}
