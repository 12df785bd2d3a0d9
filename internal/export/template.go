package export

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// 7shifts' import format was not found in anything public, so what a file looks
// like is a template: which fields, in which order, under which headers and in
// which form.

// field is something that a row can show.
type field[R any] struct {
	name string
	cell func(R, Format) string
}

// hourFields are the fields of hourly sales.
var hourFields = []field[Hour]{
	{"business_day", func(h Hour, f Format) string { return f.date(h.Day.Start(time.UTC)) }},
	{"date", func(h Hour, f Format) string { return f.date(h.Start) }},
	{"hour", func(h Hour, f Format) string { return f.time(h.Start) }},
	{"end", func(h Hour, f Format) string { return f.time(h.End) }},
	{"offset", func(h Hour, _ Format) string { return offset(h.Start) }},
	{"start_utc", func(h Hour, _ Format) string { return instant(h.Start) }},
	{"net_sales", func(h Hour, f Format) string { return f.amount(h.Net) }},
	{"receipts", func(h Hour, _ Format) string { return fmt.Sprint(h.Receipts) }},
	{"location", func(h Hour, _ Format) string { return text(h.Location) }},
}

// receiptFields are the fields of receipts.
var receiptFields = []field[Receipt]{
	{"receipt_id", func(r Receipt, _ Format) string { return text(r.ID) }},
	{"business_day", func(r Receipt, f Format) string { return f.date(r.Day.Start(time.UTC)) }},
	{"date", func(r Receipt, f Format) string { return f.date(r.Date) }},
	{"time", func(r Receipt, f Format) string { return f.time(r.Date) }},
	{"offset", func(r Receipt, _ Format) string { return offset(r.Date) }},
	{"date_utc", func(r Receipt, _ Format) string { return instant(r.Date) }},
	{"status", func(r Receipt, _ Format) string { return text(r.Status) }},
	{"net", func(r Receipt, f Format) string { return f.amount(r.Net) }},
	{"gross", func(r Receipt, f Format) string { return f.amount(r.Gross) }},
	{"discounts", func(r Receipt, f Format) string { return f.amount(r.Discounts) }},
	{"card_tips", func(r Receipt, f Format) string { return f.amount(r.CardTips) }},
	{"gratuity", func(r Receipt, f Format) string { return f.amount(r.Gratuity) }},
	{"tips", func(r Receipt, f Format) string { return f.amount(r.Tips) }},
	{"employee", func(r Receipt, _ Format) string { return text(r.Employee) }},
	{"location", func(r Receipt, _ Format) string { return text(r.Location) }},
}

// Columns are the columns of a table, in their order.
type Columns[R any] struct {
	headers []string
	cells   []func(R, Format) string
}

// HourColumns reads the columns of hourly sales, each "field=Header". An error
// names the column that is wrong and the fields that there are.
func HourColumns(columns []string) (Columns[Hour], error) { return read(hourFields, columns) }

// ReceiptColumns reads the columns of receipts, each "field=Header". An error
// names the column that is wrong and the fields that there are.
func ReceiptColumns(columns []string) (Columns[Receipt], error) { return read(receiptFields, columns) }

func read[R any](known []field[R], columns []string) (Columns[R], error) {
	var c Columns[R]
	if len(columns) == 0 {
		return c, errors.New("there are no columns; the fields are " + names(known))
	}
	for _, column := range columns {
		name, header, _ := strings.Cut(column, "=")
		name, header = strings.TrimSpace(name), strings.TrimSpace(header)
		cell, ok := find(known, name)
		switch {
		case !ok:
			return c, fmt.Errorf("there is no field %q; the fields are %s", name, names(known))
		case header == "":
			return c, fmt.Errorf("the field %q has no header; write %s=Header", name, name)
		case formula(header):
			return c, fmt.Errorf("the header of %q begins as a formula does, which spreadsheets would run", name)
		}
		c.headers, c.cells = append(c.headers, header), append(c.cells, cell)
	}
	return c, nil
}

func find[R any](known []field[R], name string) (func(R, Format) string, bool) {
	for _, f := range known {
		if f.name == name {
			return f.cell, true
		}
	}
	return nil, false
}

func names[R any](known []field[R]) string {
	all := make([]string, len(known))
	for i, f := range known {
		all[i] = f.name
	}
	return strings.Join(all, ", ")
}
