package sevenshifts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Mapping is an external user mapping of a location: a Cluster employee and the
// 7shifts user (reference: 7shifts 5). The company path with location_id is
// used; the paths with a location are deprecated.
type Mapping struct {
	ID             int64
	ExternalUserID string
	UserID         int64
	UserActive     bool
	Created        time.Time // zero if untold, like Modified
	Modified       time.Time
	// Unreadable says that this record could not be decoded, or names nobody.
	Unreadable bool
}

// UnmarshalJSON never fails: see Unreadable.
func (m *Mapping) UnmarshalJSON(record []byte) error {
	var r struct {
		External   loose      `json:"external_user_id"`
		UserID     loose      `json:"user_id"`
		UserActive *bool      `json:"user_active"`
		Created    *time.Time `json:"created"`
		Modified   *time.Time `json:"modified"`
	}
	readable := json.Unmarshal(record, &r) == nil
	*m = Mapping{ID: idOf(record), ExternalUserID: string(r.External), Created: instant(r.Created), Modified: instant(r.Modified)}
	m.UserID, _ = strconv.ParseInt(string(r.UserID), 10, 64)
	m.UserActive = r.UserActive == nil || *r.UserActive
	m.Unreadable = !readable || m.ExternalUserID == "" || m.UserID == 0
	return nil
}

func mappingsPath(company int64, rest string) string {
	return fmt.Sprintf("/v2/company/%d/external_user_mappings%s", company, rest)
}

// byExternal is the identifier of a mapping in a path.
func byExternal(external string) string { return "/" + url.PathEscape("ext:"+external) }

func atLocation(location int64) url.Values {
	return url.Values{"location_id": {strconv.FormatInt(location, 10)}}
}

// Mappings lists the mappings of a location.
func (c *Client) Mappings(ctx context.Context, company, location int64) ([]Mapping, error) {
	query := atLocation(location)
	query.Set("limit", strconv.Itoa(maxPageSize))
	return list[Mapping](ctx, c, mappingsPath(company, ""), query)
}

// CreateMapping maps a Cluster employee to a user. An error with ErrExists in
// its chain says that the employee, or the user, is mapped already.
func (c *Client) CreateMapping(ctx context.Context, company, location int64, external string, user int64) (Mapping, error) {
	return c.writeMapping(ctx, call{
		method: http.MethodPost, path: mappingsPath(company, ""), query: atLocation(location), write: true,
		body: map[string]any{"external_user_id": external, "user_id": user},
	})
}

// UpdateMapping maps an employee to another user. An error with ErrNotFound in
// its chain says that the employee is not mapped.
func (c *Client) UpdateMapping(ctx context.Context, company, location int64, external string, user int64) (Mapping, error) {
	return c.writeMapping(ctx, call{
		method: http.MethodPut, path: mappingsPath(company, byExternal(external)), query: atLocation(location), write: true,
		body: map[string]any{"user_id": user},
	})
}

// DeleteMapping removes an employee's mapping. An error with ErrNotFound in its
// chain says that there is none.
func (c *Client) DeleteMapping(ctx context.Context, company, location int64, external string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: mappingsPath(company, byExternal(external)), query: atLocation(location), write: true})
	return err
}

func (c *Client) writeMapping(ctx context.Context, in call) (Mapping, error) {
	body, err := c.do(ctx, in)
	if err != nil {
		return Mapping{}, err
	}
	var answer struct {
		Data *Mapping `json:"data"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil:
		return Mapping{}, unreadable(err, true)
	case answer.Data == nil || answer.Data.Unreadable:
		return Mapping{}, unreadable(errors.New("no mapping"), true)
	}
	return *answer.Data, nil
}

// MaxBulk is how many mappings one bulk call takes (reference: 7shifts 5).
const MaxBulk = 100

// BulkEntry is one employee to map, with what 7shifts may match by, in its
// order: UserID; Email; first and last name with Phone; first and last name
// (reference: 7shifts 5). Empty fields do not travel. It never enters a history
// or a log.
type BulkEntry struct {
	ExternalUserID string `json:"external_user_id"`
	UserID         int64  `json:"user_id,omitempty"`
	FirstName      string `json:"first_name,omitempty"`
	LastName       string `json:"last_name,omitempty"`
	Email          string `json:"email,omitempty"`
	Phone          string `json:"phone_number,omitempty"` // digits with area code
}

// LogValue hides the person.
func (e BulkEntry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// String hides the person.
func (e BulkEntry) String() string { return "mapping of employee " + e.ExternalUserID }

// GoString hides the person.
func (e BulkEntry) GoString() string { return e.String() }

// BulkResult is what became of a bulk call's entries.
type BulkResult struct {
	Mapped     []BulkMapped
	Exceptions []BulkException
	// Unanswered are the employees of whom 7shifts said nothing.
	Unanswered []string
}

// BulkMapped is an employee who is mapped now.
type BulkMapped struct {
	ExternalUserID string
	UserID         int64
}

// BulkException is an employee who could not be mapped. The only documented
// reason is "not_found"; others are passed on as they are.
type BulkException struct {
	ExternalUserID string
	Reason         string
}

// BulkMap maps at most MaxBulk employees in one call; none makes no call. After
// an ambiguous error list the mappings: the call may have had its effect.
func (c *Client) BulkMap(ctx context.Context, company, location int64, entries []BulkEntry) (BulkResult, error) {
	switch {
	case len(entries) == 0:
		return BulkResult{}, nil
	case len(entries) > MaxBulk:
		return BulkResult{}, work.Err(work.Internal, fmt.Sprintf("%d mappings in one call; 7shifts takes %d", len(entries), MaxBulk))
	}
	body, err := c.do(ctx, call{
		method: http.MethodPost, path: fmt.Sprintf("/v2/company/%d/external_user_mappings_bulk", company), query: atLocation(location),
		body: map[string]any{"data": entries}, write: true,
	})
	if err != nil {
		return BulkResult{}, err
	}
	result, err := decodeBulk(body, entries)
	if err != nil {
		return BulkResult{}, unreadable(err, true)
	}
	return result, nil
}

// decodeBulk does not look at object, which is a text in the reference and an
// object in its guide.
func decodeBulk(body []byte, entries []BulkEntry) (BulkResult, error) {
	var answer struct {
		Data *struct {
			Mapped []struct {
				External loose `json:"external_user_id"`
				UserID   loose `json:"user_id"`
			} `json:"mapped"`
			Exceptions []struct {
				External loose `json:"external_user_id"`
				Reason   loose `json:"reason"`
			} `json:"exceptions"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return BulkResult{}, err
	}
	if answer.Data == nil {
		return BulkResult{}, errors.New("no data")
	}
	var result BulkResult
	answered := map[string]bool{}
	for _, m := range answer.Data.Mapped {
		user, err := strconv.ParseInt(string(m.UserID), 10, 64)
		if err != nil {
			return BulkResult{}, errors.New("mapped to no user")
		}
		answered[string(m.External)] = true
		result.Mapped = append(result.Mapped, BulkMapped{string(m.External), user})
	}
	for _, e := range answer.Data.Exceptions {
		answered[string(e.External)] = true
		result.Exceptions = append(result.Exceptions, BulkException{string(e.External), string(e.Reason)})
	}
	for _, e := range entries {
		if !answered[e.ExternalUserID] {
			result.Unanswered = append(result.Unanswered, e.ExternalUserID)
		}
	}
	return result, nil
}
