package program

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// calm is the style of all tables: columns by space, one line under the header.
var calm = table.Style{
	Name: "calm",
	Box: table.BoxStyle{
		MiddleHorizontal: "-", MiddleSeparator: "-", PaddingRight: "  ", UnfinishedRow: "~",
	},
	Format:  table.FormatOptions{Header: text.FormatDefault, Footer: text.FormatDefault},
	Options: table.Options{SeparateHeader: true, SeparateRows: false},
}

// newTable makes a table.
func newTable(w io.Writer, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(calm)
	t.AppendHeader(header)
	return t
}

// printJSON writes a value for other programs.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// indented sets a text off from the sentences around it.
func indented(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ")
}
