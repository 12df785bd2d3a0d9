package ledger

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Overview is how all connections are, for metrics.
type Overview struct {
	// Connections are all but those that are disconnected.
	Connections []Standing `json:"connections"`
	// Granted and Voided count permits of all credentials since PostgreSQL last
	// lost them in a crash, Resting the credentials that rest now.
	Granted int64 `json:"granted"`
	Voided  int64 `json:"voided"`
	Resting int   `json:"resting"`
	// At is when it was asked, business time.
	At time.Time `json:"-"`
}

// Standing is how one connection is.
type Standing struct {
	Connection string               `json:"connection"`
	Partner    string               `json:"partner"`
	State      work.ConnectionState `json:"state"`
	// Since is the last successful run or, before the first, when it was
	// connected; business time.
	Since    time.Time `json:"since"`
	Failures int       `json:"failures"` // runs failed in a row
	Code     work.Code `json:"code"`     // of the last failure
	// Documents that are wanted and not sent, by lane, and since when the
	// longest-waiting one of each is wanted, business time.
	Live        int       `json:"live"`
	History     int       `json:"history"`
	LiveFrom    time.Time `json:"live_from"`
	HistoryFrom time.Time `json:"history_from"`
	// Uncertain documents had an attempt of unknown effect, Unconfirmed ones
	// were sent and not read back yet; of these, Overdue ones should have been
	// read back overdueAfter ago.
	Uncertain   int `json:"uncertain"`
	Unconfirmed int `json:"unconfirmed"`
	Overdue     int `json:"overdue"`
	// Records that were put aside and wait for a person, by kind.
	BadOrders    int `json:"bad_orders"`
	BadDocuments int `json:"bad_documents"`
}

// overdueAfter is more than the hour that lies between two runs at night.
const overdueAfter = 90 * time.Minute

// Overview asks about all connections at once. It looks at what waits only,
// through partial indexes, so that its cost follows the backlog and not what
// was ever delivered.
func (s *Store) Overview(ctx context.Context) (Overview, error) {
	rows, err := selectJSON[Overview](ctx, s.db, `
		WITH waiting AS (
			SELECT connection,
				count(*) FILTER (WHERE lane = 0) AS live, count(*) FILTER (WHERE lane = 1) AS history,
				min(wanted_at) FILTER (WHERE lane = 0) AS live_from, min(wanted_at) FILTER (WHERE lane = 1) AS history_from,
				count(*) FILTER (WHERE ambiguous OR lease_until <= clock_timestamp()) AS uncertain
			FROM documents WHERE due GROUP BY connection
		), unread AS (
			SELECT connection, count(*) AS unconfirmed,
				count(*) FILTER (WHERE confirm_at < clock_timestamp() - $2::float8 * interval '1 second') AS overdue
			FROM documents WHERE confirm_at IS NOT NULL GROUP BY connection
		), aside AS (
			SELECT connection, count(*) FILTER (WHERE kind = 'order') AS bad_orders, count(*) FILTER (WHERE kind = 'document') AS bad_documents
			FROM quarantine WHERE status = 'open' GROUP BY connection
		), standing AS (
			SELECT c.id AS connection, c.partner, c.state, coalesce(c.last_success_at, c.connected_at) AS since,
				c.failures, c.last_failure_code AS code,
				coalesce(w.live, 0) AS live, coalesce(w.history, 0) AS history, w.live_from, w.history_from,
				coalesce(w.uncertain, 0) AS uncertain, coalesce(u.unconfirmed, 0) AS unconfirmed, coalesce(u.overdue, 0) AS overdue,
				coalesce(a.bad_orders, 0) AS bad_orders, coalesce(a.bad_documents, 0) AS bad_documents
			FROM connections c
				LEFT JOIN waiting w ON w.connection = c.id
				LEFT JOIN unread u ON u.connection = c.id
				LEFT JOIN aside a ON a.connection = c.id
			WHERE c.state <> $1
		)
		SELECT json_build_object(
			'connections', (SELECT coalesce(json_agg(s ORDER BY connection), '[]') FROM standing s),
			'granted', (SELECT coalesce(sum(granted), 0) FROM permits WHERE credential NOT LIKE '%:yielding'),
			'voided', (SELECT coalesce(sum(voided), 0) FROM permits WHERE credential NOT LIKE '%:yielding'),
			'resting', (SELECT count(*) FROM permits WHERE rest_until > clock_timestamp()))`,
		string(work.Disconnected), overdueAfter.Seconds())
	if err != nil {
		return Overview{}, failed("looking at all connections", err)
	}
	rows[0].At = s.clock.Now()
	return rows[0], nil
}
