package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// file writes a day's table. Codes and titles stand as the till has them: it is
// a program that reads them, and keys its items by them. The day stands in its name, since nothing else of
// the file tells it (assumed; reference: WISK 3).
func (c Config) file(connection string, report day) (File, error) {
	_, location, _ := strings.Cut(connection, ":")
	name := location + " " + report.Day.String()
	if c.Format == XLSX {
		data, err := c.xlsx(report)
		return File{Name: name + ".xlsx", Type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Data: data}, err
	}
	data, err := c.csv(report)
	return File{Name: name + ".csv", Type: "text/csv", Data: data}, err
}

func (c Config) csv(report day) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = c.Delimiter, true
	lines := [][]string{c.Columns[:]}
	for _, r := range report.Rows {
		lines = append(lines, []string{r.Code, r.Title, r.Quantity, r.Net.String()})
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, work.Errf(work.Internal, err, "a report could not be written as CSV")
	}
	return b.Bytes(), nil
}

const sheet = "Sales"

// xlsx writes codes and titles as texts, quantities and amounts as numbers.
func (c Config) xlsx(report day) (data []byte, err error) {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	put := func(column string, line int, value any) {
		if err == nil {
			err = f.SetCellValue(sheet, column+strconv.Itoa(line), value)
		}
	}
	number := func(column string, line int, text string) {
		if err == nil {
			err = f.SetCellDefault(sheet, column+strconv.Itoa(line), text) // as it is written: never a float of ours
		}
	}
	if err = f.SetSheetName(f.GetSheetName(0), sheet); err != nil {
		return nil, work.Errf(work.Internal, err, "a report could not be written as XLSX")
	}
	for i, column := range []string{"A", "B", "C", "D"} {
		put(column, 1, c.Columns[i])
	}
	for i, r := range report.Rows {
		put("A", i+2, r.Code)
		put("B", i+2, r.Title)
		number("C", i+2, r.Quantity)
		number("D", i+2, r.Net.String())
	}
	if err != nil {
		return nil, work.Errf(work.Internal, err, "a report could not be written as XLSX")
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, work.Errf(work.Internal, err, "a report could not be written as XLSX")
	}
	return b.Bytes(), nil
}
