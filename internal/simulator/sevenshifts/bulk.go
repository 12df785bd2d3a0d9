package sevenshiftssim

import (
	"net/http"
	"strings"
	"unicode"
)

// maxBulk is how many mappings one call of the bulk endpoint takes (reference:
// 7shifts 5).
const maxBulk = 100

// bulkEntry is one person to map, with whatever is known to match by.
type bulkEntry struct {
	External string  `json:"external_user_id"`
	UserID   *int64  `json:"user_id"`
	First    *string `json:"first_name"`
	Last     *string `json:"last_name"`
	Email    *string `json:"email"`
	Phone    *string `json:"phone_number"`
}

// check names the first field with an impossible value.
func (e bulkEntry) check() (param, title string) {
	switch {
	case e.External == "":
		return "external_user_id", "Required field is missing"
	case e.Phone != nil && (*e.Phone == "" || strings.ContainsFunc(*e.Phone, func(r rune) bool { return r < '0' || r > '9' })):
		return "phone_number", "Digits only"
	case e.Phone != nil && (e.First == nil || e.Last == nil):
		return "phone_number", "First and last name are required with it"
	}
	return "", ""
}

// The reasons of exceptions. Only the first is documented; the others are given
// with the switch BulkReasons.
const (
	notFound      = "not_found"
	alreadyMapped = "already_mapped"
	ambiguous     = "ambiguous"
	inactive      = "inactive"
)

// mapBulk is POST /v2/company/{company}/external_user_mappings_bulk. All
// entries are done in their order; one that cannot be done is an exception and
// stops no other.
func (s *Sim) mapBulk(r request) answer {
	var body struct {
		Data *[]bulkEntry `json:"data"`
	}
	if refused := readBody(r, &body); refused != nil {
		return *refused
	}
	p := readParams(r, "location_id")
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.location(p, r.token, r.company)
	switch {
	case p.refused != nil:
		return *p.refused
	case body.Data == nil:
		return unfit("data", "Required field is missing")
	case len(*body.Data) > maxBulk:
		return unfit("data", "At most 100 mappings")
	}
	for _, e := range *body.Data {
		if param, title := e.check(); param != "" {
			return unfit(param, title)
		}
	}
	mapped, exceptions := []map[string]any{}, []map[string]any{}
	users := s.inBulk(l)
	for _, e := range *body.Data {
		user, reason := s.mapEntry(l, users, e)
		if reason != "" {
			exceptions = append(exceptions, map[string]any{"external_user_id": e.External, "reason": s.reason(reason)})
			continue
		}
		mapped = append(mapped, map[string]any{"external_user_id": e.External, "user_id": user})
	}
	var object any = "external_user_mappings"
	if s.switches.ObjectAsType {
		object = map[string]any{"type": object}
	}
	return answer{status: http.StatusOK, body: map[string]any{
		"object": object, "data": map[string]any{"mapped": mapped, "exceptions": exceptions},
	}}
}

func (s *Sim) reason(reason string) string {
	if s.switches.BulkReasons {
		return reason
	}
	return notFound
}

// mapEntry maps one person, or tells why not. The caller holds s.mu.
func (s *Sim) mapEntry(l location, users []User, e bulkEntry) (user int64, reason string) {
	u, reason := s.matched(users, e)
	if reason != "" {
		return 0, reason
	}
	k := mappingKey{l.ID, e.External}
	held, exists := s.staff.mappings[k]
	switch {
	case exists && held.UserID == u.ID && !s.switches.BulkReasons:
		return u.ID, "" // the same again is no exception (assumed)
	case exists && (held.UserID == u.ID || !s.switches.BulkOverwrites), s.taken(k, u.ID):
		return 0, alreadyMapped
	}
	s.put(k, u.ID, byAPI)
	return u.ID, ""
}

// matched finds the user by the documented criteria, in their order: user id;
// full e-mail; first and last name with mobile phone; exact first and last
// name. One that finds nobody, or several, leaves it to the next (assumed).
func (s *Sim) matched(users []User, e bulkEntry) (found User, reason string) {
	reason = notFound
	for _, fits := range e.criteria() {
		var these []User
		for _, u := range users {
			switch {
			case !fits(u):
			case u.Inactive && !s.switches.InactiveMappable:
				if reason == notFound {
					reason = inactive
				}
			default:
				these = append(these, u)
			}
		}
		switch {
		case len(these) == 1, len(these) > 1 && s.switches.BulkPicksFirst:
			return these[0], ""
		case len(these) > 1:
			reason = ambiguous
		}
	}
	return User{}, reason
}

// criteria are those for which the entry has the fields.
func (e bulkEntry) criteria() []func(User) bool {
	var all []func(User) bool
	if e.UserID != nil {
		all = append(all, func(u User) bool { return u.ID == *e.UserID })
	}
	if e.Email != nil && *e.Email != "" {
		all = append(all, func(u User) bool { return strings.EqualFold(u.Email, *e.Email) })
	}
	if e.First == nil || e.Last == nil {
		return all
	}
	named := func(u User) bool { return u.FirstName == *e.First && u.LastName == *e.Last }
	if e.Phone != nil {
		all = append(all, func(u User) bool { return named(u) && nationalNumber(u.MobileNumber) == nationalNumber(*e.Phone) })
	}
	return append(all, named)
}

// nationalNumber is a number in digits without the country code 1.
func nationalNumber(typed string) string {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, typed)
	if len(digits) == 11 {
		return strings.TrimPrefix(digits, "1")
	}
	return digits
}
