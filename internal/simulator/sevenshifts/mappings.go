package sevenshiftssim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// mappingKey is a mapping's identity: an external id is unique per location
// (reference: 7shifts 5).
type mappingKey struct {
	Location int64
	External string
}

// mapping is an external user mapping. The JSON is that of the state file.
type mapping struct {
	ID          int64      `json:"id"`
	Key         mappingKey `json:"key"`
	UserID      int64      `json:"user_id"`
	Application string     `json:"application"`
	Created     time.Time  `json:"created"`
	Modified    time.Time  `json:"modified"`
}

// mappingsOf lists the mappings that fit, by id. The caller holds s.mu.
func (s *Sim) mappingsOf(fits func(mapping) bool) []mapping {
	return sortedBy(s.staff.mappings, fits, func(m mapping) int64 { return m.ID })
}

// put maps an external id to a user, in place of whom it had. The caller holds
// s.mu.
func (s *Sim) put(k mappingKey, user int64, application string) mapping {
	m := s.staff.mappings[k]
	m.Key, m.UserID, m.Application = k, user, cmp.Or(m.Application, application)
	m.ID = s.staff.id(m.ID)
	m.Created, m.Modified = s.dated(m.Created)
	s.do(event{Mapped: &m})
	return m
}

// MapByHand maps an external id as a manager does in 7shifts' own pages,
// whatever was there.
func (s *Sim) MapByHand(location int64, external string, user int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(mappingKey{location, external}, user, byHand)
}

// UnmapByHand removes a mapping, or the mark that an external id is ignored,
// as a manager does.
func (s *Sim) UnmapByHand(location int64, external string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do(event{Unmapped: &mappingKey{location, external}})
}

// IgnoreByHand marks an external id as ignored, as a manager does for ghost
// profiles. The API shows it like one that is not mapped (reference: 7shifts
// 5); mapping it takes the mark away (assumed).
func (s *Sim) IgnoreByHand(location int64, external string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do(event{Ignored: &mappingKey{location, external}})
}

// Mappings tells who is mapped to whom at a location: user ids by external id.
func (s *Sim) Mappings(location int64) map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := map[string]int64{}
	for k, m := range s.staff.mappings {
		if k.Location == location {
			users[k.External] = m.UserID
		}
	}
	return users
}

// The names of what made a mapping.
const (
	byAPI  = "cluster"
	byHand = "7shifts"
)

const maxMappingsPage = 100 // reference: 7shifts 2

// listMappings is GET /v2/company/{company}/external_user_mappings (reference:
// 7shifts 5).
func (s *Sim) listMappings(r request) answer {
	p := readParams(r, "location_id", "user_id", "external_user_id", "modified_since", "cursor", "limit")
	location, user, since := p.chosen("location_id"), p.chosen("user_id"), p.since()
	limit, external := int(p.number("limit", maxMappingsPage, 1, maxMappingsPage)), p.query.Get("external_user_id")
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.mappingsOf(func(m mapping) bool {
		return s.locations[m.Key.Location].CompanyID == r.company && is(location, m.Key.Location) && is(user, m.UserID) &&
			(external == "" || m.Key.External == external) && !m.Modified.Before(since)
	})
	return paged(s, p, "external_user_mappings", limit, found, func(m mapping) int64 { return m.ID }, s.showMapping)
}

func (s *Sim) showMapping(m mapping) map[string]any {
	return map[string]any{
		"id": m.ID, "user_id": m.UserID, "external_user_id": m.Key.External, "company_id": s.locations[m.Key.Location].CompanyID,
		"location_id": m.Key.Location, "application_name": m.Application, "user_active": !s.staff.users[m.UserID].Inactive,
		"created": s.instant(m.Created), "modified": s.instant(m.Modified),
	}
}

func (s *Sim) answerMapping(status int, m mapping) answer {
	return answer{status: status, body: map[string]any{"object": "external_user_mapping", "data": s.showMapping(m)}}
}

// mappingBody is that of a create or an update.
type mappingBody struct {
	UserID   *int64  `json:"user_id"`
	External *string `json:"external_user_id"`
}

// readBody reads a JSON object strictly.
func readBody(r request, into any) *answer {
	if r.Header.Get("Content-Type") != "application/json" || kit.Strict(r.body, into) != nil {
		a := refuse(http.StatusUnprocessableEntity, "invalid_json", "", "Body must be a JSON object of known fields")
		return &a
	}
	return nil
}

func unfit(param, title string) answer {
	return refuse(http.StatusUnprocessableEntity, "validation_error", param, title)
}

// createMapping is POST /v2/company/{company}/external_user_mappings. The
// location is required here (assumed).
func (s *Sim) createMapping(r request) answer {
	var body mappingBody
	if refused := readBody(r, &body); refused != nil {
		return *refused
	}
	p := readParams(r, "location_id")
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.location(p, r.token, r.company)
	switch {
	case p.refused != nil:
		return unprocessable(*p.refused)
	case body.UserID == nil:
		return unfit("user_id", "Required field is missing")
	case body.External == nil || *body.External == "":
		return unfit("external_user_id", "Required field is missing")
	}
	k := mappingKey{l.ID, *body.External}
	if refused := s.unmappable(r.company, *body.UserID); refused != nil {
		return *refused
	}
	if _, exists := s.staff.mappings[k]; exists {
		return refuse(http.StatusConflict, "save_error", "external_user_id", "Mapping exists already")
	}
	if s.taken(k, *body.UserID) {
		return refuse(http.StatusConflict, "save_error", "user_id", "Mapping exists already")
	}
	return s.answerMapping(http.StatusCreated, s.put(k, *body.UserID, byAPI))
}

// unmappable refuses a user who cannot be mapped. The caller holds s.mu.
func (s *Sim) unmappable(company, user int64) *answer {
	u, ok := s.staff.users[user]
	switch {
	case !ok || u.CompanyID != company:
		a := unfit("user_id", "User not found")
		return &a
	case u.Inactive && !s.switches.InactiveMappable:
		a := unfit("user_id", "User is not active")
		return &a
	}
	return nil
}

// taken tells whether the user has another external id at the location already,
// and may not have two. The caller holds s.mu.
func (s *Sim) taken(k mappingKey, user int64) bool {
	for other, m := range s.staff.mappings {
		if s.switches.OneMappingPerUser && other.Location == k.Location && m.UserID == user && other != k {
			return true
		}
	}
	return false
}

// identified finds the mapping of a path: by user id, ext:<external id>, or
// with mail email:<address>. The caller holds s.mu.
func (s *Sim) identified(r request, mail bool) (mapping, *answer) {
	p := readParams(r, "location_id")
	l := s.location(p, r.token, r.company)
	if p.refused != nil {
		return mapping{}, p.refused
	}
	id := r.PathValue("identifier")
	fits := func(m mapping) bool { return strconv.FormatInt(m.UserID, 10) == id }
	if external, ok := strings.CutPrefix(id, "ext:"); ok {
		fits = func(m mapping) bool { return m.Key.External == external }
	} else if address, ok := strings.CutPrefix(id, "email:"); ok && mail {
		fits = func(m mapping) bool { return strings.EqualFold(s.staff.users[m.UserID].Email, address) }
	}
	found := s.mappingsOf(func(m mapping) bool { return m.Key.Location == l.ID && fits(m) })
	if len(found) == 0 {
		a := refuse(http.StatusNotFound, "invalid_id", "", "Mapping not found")
		return mapping{}, &a
	}
	return found[0], nil
}

// getMapping is GET …/external_user_mappings/{identifier}.
func (s *Sim) getMapping(r request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, refused := s.identified(r, false)
	if refused != nil {
		return *refused
	}
	return s.answerMapping(http.StatusOK, m)
}

// updateMapping is PUT …/external_user_mappings/{identifier}. It declares no
// 409: what is taken is a 422 (assumed).
func (s *Sim) updateMapping(r request) answer {
	var body mappingBody
	if refused := readBody(r, &body); refused != nil {
		return *refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, refused := s.identified(r, false)
	if refused != nil {
		return *refused
	}
	to, user := m.Key, or(body.UserID, m.UserID)
	to.External = or(body.External, to.External)
	if refused := s.unmappable(r.company, user); refused != nil {
		return *refused
	}
	_, exists := s.staff.mappings[to]
	switch {
	case to.External == "":
		return unfit("external_user_id", "Wrong length")
	case exists && to != m.Key:
		return unfit("external_user_id", "Mapping exists already")
	case user != m.UserID && s.taken(m.Key, user):
		return unfit("user_id", "Mapping exists already")
	}
	if to != m.Key {
		s.do(event{Unmapped: &m.Key})
	}
	return s.answerMapping(http.StatusOK, s.put(to, user, byAPI))
}

// deleteMapping is DELETE …/external_user_mappings/{identifier}.
func (s *Sim) deleteMapping(r request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, refused := s.identified(r, true)
	if refused != nil {
		return *refused
	}
	s.do(event{Unmapped: &m.Key})
	return answer{status: http.StatusNoContent}
}

// inBulk tells whether a user may be found by the bulk endpoint: only those of
// the location (assumed). The caller holds s.mu.
func (s *Sim) inBulk(l location) []User {
	return sortedBy(s.staff.users, func(u User) bool {
		return u.CompanyID == l.CompanyID && slices.Contains(u.Locations, l.ID)
	}, func(u User) int64 { return u.ID })
}
