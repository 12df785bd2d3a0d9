package program

import (
	"strings"

	"github.com/clustersystems/clusterbridge/internal/export"
)

// The words of the setting of the sign between cells.
var delimiters = map[string]rune{"comma": ',', "semicolon": ';', "tab": '\t'}

// exportFormat is how the cells of an export are written. Load has refused
// what makes none.
func (s Settings) exportFormat() (export.Format, error) {
	f, err := export.NewFormat(s.ExportDateFormat, s.ExportTimeFormat)
	if err != nil {
		return f, err
	}
	f.Cents = s.ExportAmounts == "cents"
	f.DecimalComma = s.ExportDecimalMark == "comma"
	f.Delimiter = delimiters[s.ExportDelimiter]
	f.BOM = s.ExportBOM
	return f, nil
}

// What the forms of the template's settings should have been, or nothing when
// they are.
func hourColumn(s string) string {
	_, err := export.HourColumns([]string{s})
	return columnOr(err)
}

func receiptColumn(s string) string {
	_, err := export.ReceiptColumns([]string{s})
	return columnOr(err)
}

func columnOr(err error) string {
	if err == nil {
		return ""
	}
	return "field=Header: " + err.Error()
}

func datePattern(s string) string { return patternOr(export.CheckDate(s)) }
func timePattern(s string) string { return patternOr(export.CheckTime(s)) }

func patternOr(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), "want ")
}
