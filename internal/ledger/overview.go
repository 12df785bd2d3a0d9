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
	// Onboardings are those that are open, by where they stand, and Mails those
	// that could not be sent, by kind and why.
	Onboardings []Queue `json:"onboardings"`
	Mails       []Queue `json:"mails"`
	// Granted and Voided count permits of all credentials since PostgreSQL last
	// lost them in a crash, Resting the credentials that rest now.
	Granted int64 `json:"granted"`
	Voided  int64 `json:"voided"`
	Resting int   `json:"resting"`
	// At is when it was asked, business time.
	At time.Time `json:"-"`
}

// Queue is how many of something wait, and since when the first of them does;
// business time.
type Queue struct {
	Partner string `json:"partner"` // of onboardings
	// What is a stage or a kind of mail, and Why who has to act or a code.
	What  string    `json:"what"`
	Why   string    `json:"why"`
	Count int       `json:"count"`
	Since time.Time `json:"since"`
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
	// Parked documents wait for a person to say whether they were applied, and
	// Findings to be looked at.
	Parked   int `json:"parked"`
	Findings int `json:"findings"`
	// Doubled says that the partner reads the till as well.
	Doubled bool `json:"doubled"`
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
		), found AS (
			SELECT connection, count(*) AS findings, bool_or(kind = $3) AS doubled FROM findings WHERE status = 'open' GROUP BY connection
		), doubt AS (
			SELECT connection, count(*) AS parked FROM documents WHERE uncertain GROUP BY connection
		), standing AS (
			SELECT c.id AS connection, c.partner, c.state, coalesce(c.last_success_at, c.connected_at) AS since,
				c.failures, c.last_failure_code AS code,
				coalesce(w.live, 0) AS live, coalesce(w.history, 0) AS history, w.live_from, w.history_from,
				coalesce(w.uncertain, 0) AS uncertain, coalesce(u.unconfirmed, 0) AS unconfirmed, coalesce(u.overdue, 0) AS overdue,
				coalesce(a.bad_orders, 0) AS bad_orders, coalesce(a.bad_documents, 0) AS bad_documents,
				coalesce(d.parked, 0) AS parked, coalesce(f.findings, 0) AS findings, coalesce(f.doubled, false) AS doubled
			FROM connections c
				LEFT JOIN waiting w ON w.connection = c.id
				LEFT JOIN unread u ON u.connection = c.id
				LEFT JOIN aside a ON a.connection = c.id
				LEFT JOIN doubt d ON d.connection = c.id
				LEFT JOIN found f ON f.connection = c.id
			WHERE c.state <> $1
		), onboarding AS (
			SELECT partner, data->>'stage' AS what, data->>'waitingFor' AS why, count(*) AS count, min(data->>'since') AS since
			FROM cases WHERE outcome = '' GROUP BY 1, 2, 3
		), mail AS (
			SELECT kind AS what, last_error AS why, count(*) AS count, min(first_at) AS since
			FROM mails WHERE state <> 'sent' AND NOT purged AND (last_error <> '' OR lease_until <= clock_timestamp()) GROUP BY 1, 2
		)
		SELECT json_build_object(
			'connections', (SELECT coalesce(json_agg(s ORDER BY connection), '[]') FROM standing s),
			'onboardings', (SELECT coalesce(json_agg(o ORDER BY what), '[]') FROM onboarding o),
			'mails', (SELECT coalesce(json_agg(m ORDER BY what), '[]') FROM mail m),
			'granted', (SELECT coalesce(sum(granted), 0) FROM permits WHERE credential NOT LIKE '%:yielding'),
			'voided', (SELECT coalesce(sum(voided), 0) FROM permits WHERE credential NOT LIKE '%:yielding'),
			'resting', (SELECT count(*) FROM permits WHERE rest_until > clock_timestamp()))`,
		string(work.Disconnected), overdueAfter.Seconds(), RouteDoubled)
	if err != nil {
		return Overview{}, failed("looking at all connections", err)
	}
	rows[0].At = s.clock.Now()
	return rows[0], nil
}
