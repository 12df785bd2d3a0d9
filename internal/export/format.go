package export

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Format is how cells are written and parted. Start from NewFormat.
type Format struct {
	dateLayout, timeLayout string
	// Cents writes amounts as whole cents, 1205; otherwise they are decimals,
	// 12.05.
	Cents bool
	// DecimalComma writes 12,05.
	DecimalComma bool
	// Delimiter stands between cells.
	Delimiter rune
	// BOM begins the file with the mark by which Excel knows UTF-8.
	BOM bool
}

// NewFormat writes dates and times by patterns as CheckDate and CheckTime take
// them, amounts as decimals with a point, and commas between cells.
func NewFormat(date, timeOfDay string) (Format, error) {
	if err := errors.Join(CheckDate(date), CheckTime(timeOfDay)); err != nil {
		return Format{}, err
	}
	layout := func(part string) string { return layouts[part] }
	return Format{
		dateLayout: datePart.ReplaceAllStringFunc(date, layout),
		timeLayout: timePart.ReplaceAllStringFunc(timeOfDay, layout), Delimiter: ',',
	}, nil
}

// The parts of patterns, as spreadsheets write them, and as Go does.
var (
	datePart = regexp.MustCompile(`YYYY|YY|MM?|DD?`)
	timePart = regexp.MustCompile(`HH|hh?|mm|ss|AM`)
	layouts  = map[string]string{
		"YYYY": "2006", "YY": "06", "MM": "01", "M": "1", "DD": "02", "D": "2",
		"HH": "15", "hh": "03", "h": "3", "mm": "04", "ss": "05", "AM": "PM",
	}
)

// CheckDate refuses what is no pattern of a date: YYYY or YY, MM or M, and DD
// or D, each once, with '-', '/', '.' or blanks between.
func CheckDate(pattern string) error {
	if partsOf(pattern, datePart) != "DMY" {
		return errors.New("want a pattern such as YYYY-MM-DD, MM/DD/YYYY or D.M.YY")
	}
	return nil
}

// CheckTime refuses what is no pattern of a time of day: HH, or hh or h with
// AM, then mm, with or without ss, each once.
func CheckTime(pattern string) error {
	switch partsOf(pattern, timePart) {
	case "Hm", "Hms", "Ahm", "Ahms":
		return nil
	}
	return errors.New("want a pattern such as HH:mm, HH:mm:ss or h:mm AM")
}

// partsOf are the first letters of a pattern's parts, sorted; none when it
// holds anything but parts and separators.
func partsOf(pattern string, part *regexp.Regexp) string {
	if strings.Trim(part.ReplaceAllString(pattern, ""), "-/.: ") != "" {
		return ""
	}
	var letters []byte
	for _, found := range part.FindAllString(pattern, -1) {
		letters = append(letters, found[0])
	}
	slices.Sort(letters)
	return string(letters)
}

func (f Format) date(t time.Time) string { return t.Format(f.dateLayout) }
func (f Format) time(t time.Time) string { return t.Format(f.timeLayout) }

func (f Format) amount(a sale.Cents) string {
	switch {
	case f.Cents:
		return strconv.FormatInt(int64(a), 10)
	case f.DecimalComma:
		return strings.Replace(a.String(), ".", ",", 1)
	default:
		return a.String()
	}
}

// offset tells local times apart that come twice. It begins with letters, so
// that no spreadsheet takes it for a number.
func offset(t time.Time) string { return t.Format("UTC-07:00") }

// instant is unmistakable, whatever the template.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// text is a cell whose content comes from outside. A leading sign by which
// spreadsheets know a formula is disarmed with an apostrophe, so that a till's
// free text never runs on a manager's machine.
func text(s string) string {
	if formula(s) {
		return "'" + s
	}
	return s
}

// formula tells whether a spreadsheet might take a text for a formula; some
// also know the wide forms of the signs.
func formula(s string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " "))
	return strings.ContainsRune("=+-@\t\r\n＝＋－＠", first)
}

// bom is the byte order mark in UTF-8.
const bom = "\ufeff"

// Write writes a table as CSV: a line of headers, and one a row. Cells that
// hold the delimiter, quotes or line breaks are quoted.
func Write[R any](w io.Writer, columns Columns[R], f Format, rows []R) error {
	if f.BOM {
		if _, err := io.WriteString(w, bom); err != nil {
			return fmt.Errorf("writing the mark of UTF-8: %w", err)
		}
	}
	out := csv.NewWriter(w)
	out.Comma = f.Delimiter
	if err := out.Write(columns.headers); err != nil {
		return fmt.Errorf("writing the headers: %w", err)
	}
	cells := make([]string, len(columns.cells))
	for _, row := range rows {
		for i, cell := range columns.cells {
			cells[i] = cell(row, f)
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("writing a row: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}
