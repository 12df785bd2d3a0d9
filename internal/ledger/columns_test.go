package ledger

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// columnRow has a value of each type that travels as a column.
type columnRow struct {
	Text     string
	JSON     json.RawMessage
	Integer  int64
	Positive int
	Yes      bool
	At       time.Time
	Day      sale.Day
}

// What PostgreSQL reads in a column is what it would read in a text.
func TestColumnsArriveAsTheyAre(t *testing.T) {
	db, err := connect(postgres.ForTest(t), statementTimeout)
	require.NoError(t, err)
	defer db.Close()
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		return parsed
	}
	rows := []columnRow{
		{Text: "Chez Marcel", JSON: json.RawMessage(`{"a": [1, "é\n\"x\""]}`), Integer: 42, Positive: 7, Yes: true, At: at("2026-11-03T10:20:30.123456Z"), Day: sale.NewDay(2026, 11, 3)},
		{Text: `{"quoted",NULL\}`, JSON: nil, Integer: math.MinInt64, Positive: 0, At: at("1999-12-31T23:59:59.9999995Z"), Day: sale.NewDay(1999, 12, 31)},
		{Text: "", JSON: json.RawMessage("null"), Integer: -1, Positive: 1, At: time.Time{}, Day: sale.NewDay(1, 1, 1)},
		{Text: "\u00e9t\u00e9 \U0001f37a", JSON: json.RawMessage("1"), Integer: math.MaxInt64, Positive: 2, At: at("9999-12-30T23:00:00.0000004-02:00"), Day: sale.NewDay(9999, 12, 31)},
	}
	for n := range len(rows) + 1 {
		some := rows[:n]
		var same, all int
		require.NoError(t, db.QueryRow(`
			SELECT count(*) FILTER (WHERE
				c.text = r.text AND c.json::text = coalesce(r.json, 'null') AND c.integer = r.integer
				AND c.positive IS NOT DISTINCT FROM nullif(r.positive, 0) AND c.yes = r.yes
				AND c.at = r.at AND c.day = r.day), count(*)
			FROM unnest($1::text[], $2::json[], $3::bigint[], $4::bigint[], $5::boolean[], $6::timestamptz[], $7::date[])
				WITH ORDINALITY AS c(text, json, integer, positive, yes, at, day, n)
			JOIN (SELECT row_number() OVER () AS n, x->>'Text' AS text, nullif(x->>'Raw', '') AS json, (x->>'Integer')::bigint AS integer,
				(x->>'Positive')::bigint AS positive, (x->>'Yes')::boolean AS yes,
				(x->>'At')::timestamptz AS at, (x->>'Day')::date AS day FROM json_array_elements($8::json) x) r USING (n)`,
			texts(some, func(r columnRow) string { return r.Text }),
			jsons(some, func(r columnRow) json.RawMessage { return r.JSON }),
			integers(some, func(r columnRow) int64 { return r.Integer }),
			positives(some, func(r columnRow) int { return r.Positive }),
			booleans(some, func(r columnRow) bool { return r.Yes }),
			instants(some, func(r columnRow) time.Time { return r.At }),
			days(some, func(r columnRow) sale.Day { return r.Day }),
			asText(t, some)).Scan(&same, &all))
		require.Equal(t, n, all)
		require.Equal(t, n, same)
	}
}

func asText(t *testing.T, rows []columnRow) string {
	t.Helper()
	type row struct {
		columnRow
		JSON bool   // hides the raw one
		Raw  string // as it is written
	}
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = row{columnRow: r, Raw: string(r.JSON)}
		out[i].At = r.At.UTC()
	}
	text, err := json.Marshal(out)
	require.NoError(t, err)
	return string(text)
}

// A text that PostgreSQL cannot hold is its error, not another text.
func TestAColumnRefusesWhatATextRefuses(t *testing.T) {
	db, err := connect(postgres.ForTest(t), statementTimeout)
	require.NoError(t, err)
	defer db.Close()
	for _, wrong := range []string{"a\x00b", "\xff"} {
		var n int
		require.Error(t, db.Get(&n, `SELECT count(*) FROM unnest($1::text[])`, texts([]string{wrong}, func(s string) string { return s })), "%q", wrong)
	}
}
