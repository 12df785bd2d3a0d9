package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// receiptFailed takes 7shifts' word that a receipt it had accepted failed.
// Anybody can say so: it only ever has the document read back, sooner than it
// would be anyway, and the answer is the same whatever was said.
func (g *Gateway) receiptFailed(w http.ResponseWriter, r *http.Request) {
	body, ok := readJSON(w, r, maxHook)
	if !ok {
		return
	}
	if g.anyReceipt.Allow() {
		ctx, cancel := context.WithTimeout(r.Context(), hookWithin)
		defer cancel()
		g.counted.receipts.WithLabelValues(g.readBack(ctx, body)).Inc()
	} else {
		g.counted.receipts.WithLabelValues("limited").Inc()
	}
	answer(w, http.StatusOK, "received")
}

// readBack has the named document read back and tells the outcome, for counting.
func (g *Gateway) readBack(ctx context.Context, body []byte) string {
	var f receiptFailed
	if err := json.Unmarshal(body, &f); err != nil || !plain(f.UUID, maxUUID) {
		return "malformed"
	}
	n, err := g.o.Ledger.ReadBackSoon(ctx, work.SevenShifts, f.UUID)
	if err != nil {
		g.o.Log.WarnContext(ctx, "a read-back could not be asked for", "problem", err.Error())
		return "unavailable"
	}
	if n == 0 {
		return "nothing_to_do"
	}
	g.o.Log.WarnContext(ctx, "7shifts says that a receipt failed; it is read back", "documents", n, "message", scrub(f.Message))
	return "read_back"
}

// maxMessage is how much of a stranger's words stand in the log: a sentence.
const maxMessage = 160

// scrub makes a stranger's words fit for the log: no digits (amounts, ids,
// phones), no words with capitals (names), no addresses, and nothing but ASCII.
func scrub(message string) string {
	var words []string
	for word := range strings.FieldsSeq(clip(message, maxMessage)) {
		words = append(words, scrubWord(word))
	}
	return strings.Join(words, " ")
}

func scrubWord(word string) string {
	const longest = 24 // longer is a token or an id, not a word
	if len(word) > longest || strings.ContainsFunc(word, unicode.IsUpper) || strings.ContainsAny(word, `@/\`) {
		return "~"
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c >= '0' && c <= '9':
			return '#'
		case c < ' ' || c > '~':
			return '?'
		default:
			return c
		}
	}, word)
}

func clip(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}
