package partner

import "github.com/clustersystems/clusterbridge/internal/sale"

// WholeDays is a partner that, for some business days, wants documents of the
// day's sales together instead of one per sale. Translate then gives none for a
// sale of such a day, and its error if it is a bad record.
type WholeDays interface {
	// Whole tells whether a business day is such a day.
	Whole(c Connection, day sale.Day) bool
	// TranslateDay says what the partner should hold of a day, given all its
	// sales and the ids of the day's documents that were marked before: those
	// that nothing is owed for any more have to come again, emptied. Sales that
	// are bad records are passed over.
	TranslateDay(day sale.Day, sales []sale.Sale, known []string, c Connection) ([]Document, error)
}
