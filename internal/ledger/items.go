package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Item is a code under which a location sold something, with one of its titles.
type Item struct {
	Code      string    `json:"code"`
	Title     string    `json:"title"`
	FirstDay  sale.Day  `json:"first_day"`
	LastDay   sale.Day  `json:"last_day"`
	FirstSeen time.Time `json:"first_seen"` // business time
}

// goneFor is after how many business days without a sale a code that comes back
// with another title is taken for another product, and not for a renamed one.
const goneFor = 14

// noteItems adds what was seen to what is known, and finds what people should
// look at: a code with another title before or after it, a code that another
// location of the same integration sells as something else, and, once a
// connection's history is in, new codes. One that is renamed during the history
// is known from the later days on.
const noteItems = `
	WITH seen AS (
		SELECT * FROM json_to_recordset($2::json) AS s(code text, title text, first_day date, last_day date, nth integer)
	), before AS (
		SELECT s.code, s.title, s.first_day, s.last_day,
			o.title AS other, o.first_day AS other_first, o.last_day AS other_last
		FROM seen s
		LEFT JOIN LATERAL (
			SELECT i.title, i.first_day, i.last_day FROM items i WHERE i.location = $1 AND i.code = s.code AND i.title <> s.title
			UNION ALL -- it may be renamed within one page
			SELECT p.title, p.first_day, p.last_day FROM seen p
			WHERE p.code = s.code AND p.title <> s.title AND (p.first_day, p.nth) < (s.first_day, s.nth)
			ORDER BY last_day DESC LIMIT 1
		) o ON true
		WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.location = $1 AND i.code = s.code AND i.title = s.title)
	), noted AS (
		INSERT INTO items AS i (location, code, title, first_day, last_day, first_seen)
		SELECT $1, code, title, first_day, last_day, $3::timestamptz FROM seen ORDER BY code, title
		ON CONFLICT (location, code, title) DO UPDATE SET
			first_day = least(i.first_day, excluded.first_day), last_day = greatest(i.last_day, excluded.last_day)
		WHERE i.first_day > excluded.first_day OR i.last_day < excluded.last_day
	), elsewhere AS (
		SELECT DISTINCT ON (b.code) b.code, b.title, b.first_day, i.title AS other, i.location
		FROM before b
		JOIN items i ON i.code = b.code AND i.location <> $1 AND i.title <> b.title
		JOIN connections c ON c.location_id = i.location AND c.settings->>'integration' = $4 AND c.partner = $5
		WHERE $4 <> ''
		ORDER BY b.code, i.last_day DESC
	)
	SELECT json_build_object('kind', kind, 'subject', code, 'day', day, 'detail', detail) FROM (
		SELECT CASE WHEN greatest(first_day, other_first) - least(last_day, other_last) > $6 THEN 'item_reused' ELSE 'item_renamed' END AS kind,
			code, greatest(first_day, other_first) AS day,
			CASE WHEN first_day >= other_first
				THEN json_build_object('before', other, 'after', title) ELSE json_build_object('before', title, 'after', other) END AS detail
		FROM before WHERE other IS NOT NULL
		UNION ALL
		SELECT 'item_new', code, first_day, json_build_object('after', title) FROM before WHERE other IS NULL AND $7
		UNION ALL
		SELECT 'item_conflict', code, first_day, json_build_object('before', other, 'after', title, 'location', location) FROM elsewhere
	) f ORDER BY kind, code`

type seenItem struct {
	Code     string   `json:"code"`
	Title    string   `json:"title"`
	FirstDay sale.Day `json:"first_day"`
	LastDay  sale.Day `json:"last_day"`
	Nth      int      `json:"nth"` // title of the page, which is in the order of sales
}

// NoteItems keeps what a connection's location sold and tells what people should
// know of it: these are findings of the connection from now on.
func (s *Store) NoteItems(ctx context.Context, c Connection, seen []partner.ItemSeen) (int, error) {
	rows := make([]seenItem, 0, len(seen))
	at := map[[2]string]int{}
	for _, i := range seen {
		row := seenItem{clip(i.Code, maxID), clip(i.Title, maxID), i.Day, i.Day, len(rows)}
		key := [2]string{row.Code, row.Title}
		if n, twice := at[key]; twice {
			if i.Day.Before(rows[n].FirstDay) {
				rows[n].FirstDay = i.Day
			}
			if rows[n].LastDay.Before(i.Day) {
				rows[n].LastDay = i.Day
			}
			continue
		}
		at[key] = len(rows)
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	given, err := asJSON(rows)
	if err != nil {
		return 0, err
	}
	found, err := selectJSON[NewFinding](ctx, s.often, noteItems,
		c.LocationID, given, s.clock.Now(), c.Settings.Integration, c.PartnerName, goneFor, c.HistoryDone)
	if err != nil {
		return 0, failed("noting items", err)
	}
	return len(found), s.Find(ctx, c.ID, found)
}

// Items are what a location sold, by code and the day since which it has a
// title.
func (s *Store) Items(ctx context.Context, location string) ([]Item, error) {
	list, err := selectJSON[Item](ctx, s.db, `
		SELECT to_json(i) FROM items i WHERE i.location = $1 ORDER BY i.code, i.first_day, i.title`, location)
	return list, failed("listing items", err)
}

// Titles are the newest titles of some codes at a location, by code.
func (s *Store) Titles(ctx context.Context, location string, codes []string) (map[string]string, error) {
	rows, err := selectJSON[Item](ctx, s.often, `
		SELECT to_json(i) FROM unnest($2::text[]) AS c(code) CROSS JOIN LATERAL (
			SELECT * FROM items i WHERE i.location = $1 AND i.code = c.code ORDER BY i.last_day DESC, i.first_day DESC LIMIT 1
		) i`, location, textArray(codes))
	if err != nil {
		return nil, failed("reading items' titles", err)
	}
	titles := make(map[string]string, len(rows))
	for _, r := range rows {
		titles[r.Code] = r.Title
	}
	return titles, nil
}

// NewFinding is something that people should know.
type NewFinding struct {
	Kind    string          `json:"kind"`
	Subject string          `json:"subject"`
	Day     sale.Day        `json:"day"`
	Detail  json.RawMessage `json:"detail"`
}
