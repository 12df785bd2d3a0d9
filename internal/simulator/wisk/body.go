package wisksim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
)

// content is what a line says, read: two lines with equal content say the
// same, however they are written.
type content struct {
	date            time.Time
	plu, title      string
	quantity, total decimal.Decimal
}

func (c content) same(d content) bool {
	return c.date.Equal(d.date) && c.plu == d.plu && c.title == d.title && c.quantity.Equal(d.quantity) && c.total.Equal(d.total)
}

// given is one line of an upload. Its fault is empty when it is good; formed
// tells that its form is, whatever else WISK has against it.
type given struct {
	line    wire.Line
	content content
	fault   string
	formed  bool
}

// What a client must never send, whether it is refused or taken silently.
const (
	zeroQuantity  = "a line of quantity 0 arrived"
	noOffset      = "a date without an offset arrived"
	longTotal     = "a total with more than 2 decimals arrived"
	longQuantity  = "a quantity with more than 9 decimals arrived"
	otherContent  = "an id came again with other content"
	wrongTypeWord = "wrong type"
)

// parse reads an upload's body strictly: a JSON array of lines and nothing
// else. Lines at fault are among the lines; the refusal is nil unless the body
// as a whole is none. noted are the violations that were seen.
func parse(mediaType string, body []byte, w Switches) (lines []given, noted []string, refused *answer) {
	bad := func(status int, code, message string) ([]given, []string, *answer) {
		a := refuse(status, code, message)
		return nil, nil, &a
	}
	if mediaType != "application/json" {
		return bad(http.StatusBadRequest, wire.CodeBadRequest, "Content-Type must be application/json")
	}
	var elements []json.RawMessage
	if json.Unmarshal(body, &elements) != nil || elements == nil {
		return bad(http.StatusBadRequest, wire.CodeBadRequest, "The body must be a JSON array of lines")
	}
	switch {
	case len(elements) == 0:
		return bad(http.StatusBadRequest, wire.CodeBadRequest, "There are no lines")
	case w.MaxLines > 0 && len(elements) > w.MaxLines:
		return bad(w.TooMany, wire.CodeTooMany, fmt.Sprintf("At most %d lines in one call", w.MaxLines))
	}
	for _, element := range elements {
		l, violations := parseLine(element, w)
		lines, noted = append(lines, l), append(noted, violations...)
	}
	return lines, noted, nil
}

// parseLine reads one line; what could be read of one at fault stays, so that
// it can be named.
func parseLine(element json.RawMessage, w Switches) (given, []string) {
	var g given
	var fields map[string]json.RawMessage
	if json.Unmarshal(element, &fields) != nil || fields == nil {
		g.fault = wire.LineMalformed
		return g, nil
	}
	targets := map[string]any{
		wire.FieldID: &g.line.ID, wire.FieldDate: &g.line.Date, wire.FieldPLU: &g.line.PLU,
		wire.FieldTitle: &g.line.Title, wire.FieldQuantity: &g.line.Quantity, wire.FieldTotal: &g.line.Total,
	}
	blame := func(field, why string) {
		if g.fault == "" {
			g.fault = field + ": " + why
		}
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		raw, ok := fields[name]
		switch {
		case !ok:
			blame(name, "missing")
		case bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, targets[name]) != nil:
			blame(name, wrongTypeWord)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if targets[name] == nil {
			blame(name, "unknown field")
		}
	}
	if g.fault != "" {
		return g, nil
	}
	noted := g.check(w, blame)
	g.formed = g.fault == ""
	return g, noted
}

// check reads a line whose types are right and blames impossible values.
func (g *given) check(w Switches, blame func(field, why string)) (noted []string) {
	for _, text := range []struct{ field, value string }{{wire.FieldID, g.line.ID}, {wire.FieldPLU, g.line.PLU}, {wire.FieldTitle, g.line.Title}} {
		if strings.TrimSpace(text.value) == "" {
			blame(text.field, "empty")
		}
	}
	var offset bool
	var err error
	if g.content, offset, err = readLine(g.line); err != nil {
		blame(wire.FieldDate, "no ISO 8601 date-time")
		return nil
	}
	if !offset {
		noted = append(noted, noOffset)
		if w.RequireOffset {
			blame(wire.FieldDate, "no offset")
		}
	}
	if g.content.quantity.IsZero() {
		noted = append(noted, zeroQuantity)
		blame(wire.FieldQuantity, "zero")
	}
	for _, number := range []struct {
		field, what string
		value       wire.Decimal
		most        int
	}{
		{wire.FieldQuantity, longQuantity, g.line.Quantity, wire.QuantityDigits},
		{wire.FieldTotal, longTotal, g.line.Total, wire.TotalDigits},
	} {
		if number.value.Digits() > number.most {
			noted = append(noted, number.what)
			if w.RefuseLongNumbers {
				blame(number.field, "too many decimals")
			}
		}
	}
	return noted
}

// readLine reads what a line says; a date without an offset (assumed: refused)
// is read as UTC.
func readLine(l wire.Line) (c content, offset bool, err error) {
	c = content{plu: l.PLU, title: l.Title}
	offset = true
	if c.date, err = time.Parse(time.RFC3339Nano, l.Date); err != nil {
		offset = false
		c.date, err = time.Parse("2006-01-02T15:04:05.999999999", l.Date)
	}
	if err != nil {
		return c, false, fmt.Errorf("date: %w", err)
	}
	if c.quantity, err = decimal.NewFromString(string(l.Quantity)); err != nil {
		return c, offset, fmt.Errorf("quantity: %w", err)
	}
	if c.total, err = decimal.NewFromString(string(l.Total)); err != nil {
		return c, offset, fmt.Errorf("total: %w", err)
	}
	return c, offset, nil
}
