package sevenshiftssim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// identityID is that of the simulated token's person.
const identityID = 700

// whoAmI is GET /v2/whoami (reference: 7shifts 1).
func (s *Sim) whoAmI(r request) answer {
	users := []map[string]any{}
	for i, company := range r.token.Companies {
		users = append(users, map[string]any{
			"id": identityID + i + 1, "identity_id": identityID, "company_id": company, "type": "employer", "active": true,
			"first_name": "Simulated", "last_name": "Admin",
		})
	}
	return answer{status: http.StatusOK, body: map[string]any{
		"object": "whoami", "data": map[string]any{"identity_id": identityID, "users": users},
	}}
}

// listCompanies is GET /v2/companies: no pages (reference: 7shifts 2 and 6).
func (s *Sim) listCompanies(r request) answer {
	p := readParams(r, "modified_since")
	if p.refused != nil {
		return *p.refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := []map[string]any{}
	for _, c := range slices.SortedFunc(maps.Values(s.companies), func(a, b Company) int { return cmp.Compare(a.ID, b.ID) }) {
		if s.reaches(r.token, c.ID, s.switches) {
			shown = append(shown, map[string]any{
				"id": c.ID, "uuid": c.GUID, "name": c.Name, "country": "CA", "plan_id": 1, "status": "active", "start_week_on": 1,
			})
		}
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": "companies", "data": shown}}
}

// listLocations is GET /v2/company/{company}/locations (reference: 7shifts 6).
func (s *Sim) listLocations(r request) answer {
	p := readParams(r, "modified_since", "deleted", "cursor", "limit")
	limit, after := int(p.number("limit", defaultPage, 1, maxPage)), p.cursor()
	if p.refused != nil {
		return *p.refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := []map[string]any{}
	var last int64
	for _, l := range s.sortedLocations() {
		if l.CompanyID != r.company || l.ID <= after {
			continue
		}
		if len(shown) == limit {
			return s.listed("locations", shown, len(shown), p.query.Get("cursor"), last, true)
		}
		shown, last = append(shown, showLocation(l)), l.ID
	}
	return s.listed("locations", shown, len(shown), p.query.Get("cursor"), last, false)
}

// getLocation is GET /v2/company/{company}/locations/{location}.
func (s *Sim) getLocation(r request) answer {
	id, _ := strconv.ParseInt(r.PathValue("location"), 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.locations[id]
	if !ok || l.CompanyID != r.company {
		return refuse(http.StatusNotFound, "invalid_id", "location_id", "Location not found")
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": "location", "data": showLocation(l)}}
}

func (s *Sim) sortedLocations() []location {
	return slices.SortedFunc(maps.Values(s.locations), func(a, b location) int { return cmp.Compare(a.ID, b.ID) })
}

func showLocation(l location) map[string]any {
	return map[string]any{
		"id": l.ID, "company_id": l.CompanyID, "name": l.Name, "country": "CA", "city": l.City,
		"formatted_address": l.City, "timezone": l.Timezone, "deleted": false,
	}
}
