package ledger

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/lib/pq/oid"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Rows of a batch travel as one array for each of their columns, in PostgreSQL's
// own binary form: it takes them as they are. Rows as JSON objects are parsed
// twice, and each value once more as what its column is: measured, that was two
// thirds of what it costs to record a page. A statement names the types:
// unnest($1::text[], $2::bigint[]) AS r(id, attempt).

// column writes an array of some type; value appends one element, or tells that
// it is null.
func column[R any](rows []R, element oid.Oid, value func(b []byte, row R) (_ []byte, null bool)) []byte {
	const head, each = 20, 24 // bytes of the array's head, and of an element, roughly
	dimensions := uint32(1)
	if len(rows) == 0 {
		dimensions = 0
	}
	b := make([]byte, 0, head+each*len(rows))
	b = binary.BigEndian.AppendUint32(b, dimensions)
	b = binary.BigEndian.AppendUint32(b, 1) // there may be nulls
	b = binary.BigEndian.AppendUint32(b, uint32(element))
	if dimensions == 0 {
		return b
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(rows)))
	b = binary.BigEndian.AppendUint32(b, 1) // the first index
	for _, row := range rows {
		at := len(b)
		b = binary.BigEndian.AppendUint32(b, 0)
		var null bool
		b, null = value(b, row)
		size := uint32(len(b) - at - 4)
		if null {
			size = ^uint32(0)
		}
		binary.BigEndian.PutUint32(b[at:], size)
	}
	return b
}

// texts is a column of type text[].
func texts[R any](rows []R, of func(R) string) []byte {
	return column(rows, oid.T_text, func(b []byte, row R) ([]byte, bool) { return append(b, of(row)...), false })
}

// jsons is a column of type json[]: what is JSON already is taken over as it is.
func jsons[R any](rows []R, of func(R) json.RawMessage) []byte {
	return column(rows, oid.T_json, func(b []byte, row R) ([]byte, bool) {
		if raw := of(row); len(raw) > 0 {
			return append(b, raw...), false
		}
		return append(b, "null"...), false
	})
}

// integers is a column of type bigint[].
func integers[R any, I int | int64](rows []R, of func(R) I) []byte {
	return column(rows, oid.T_int8, func(b []byte, row R) ([]byte, bool) {
		return binary.BigEndian.AppendUint64(b, uint64(of(row))), false
	})
}

// positives is a column of type bigint[] in which 0 is null.
func positives[R any](rows []R, of func(R) int) []byte {
	return column(rows, oid.T_int8, func(b []byte, row R) ([]byte, bool) {
		n := of(row)
		if n == 0 {
			return b, true
		}
		return binary.BigEndian.AppendUint64(b, uint64(n)), false
	})
}

// booleans is a column of type boolean[].
func booleans[R any](rows []R, of func(R) bool) []byte {
	return column(rows, oid.T_bool, func(b []byte, row R) ([]byte, bool) {
		if of(row) {
			return append(b, 1), false
		}
		return append(b, 0), false
	})
}

// instants is a column of type timestamptz[].
func instants[R any](rows []R, of func(R) time.Time) []byte {
	return column(rows, oid.T_timestamptz, func(b []byte, row R) ([]byte, bool) {
		return binary.BigEndian.AppendUint64(b, uint64(micros(of(row)).UnixMicro()-epoch.UnixMicro())), false
	})
}

// days is a column of type date[].
func days[R any](rows []R, of func(R) sale.Day) []byte {
	first := sale.DayOf(epoch.Add(sale.DayStartHour*time.Hour), time.UTC)
	return column(rows, oid.T_date, func(b []byte, row R) ([]byte, bool) {
		return binary.BigEndian.AppendUint32(b, uint32(int32(first.DaysUntil(of(row))))), false
	})
}

// epoch is from when PostgreSQL counts.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
