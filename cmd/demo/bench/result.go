package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
)

// result is one line of the table and of bench/latest.json.
type result struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Bound is what the value is held to, such as ">= 0.5"; empty when it is
	// only shown.
	Bound string `json:"bound"`
	OK    bool   `json:"ok"`
}

// shown is a value without a bound.
func shown(name string, value float64, unit string) result {
	return result{Name: name, Value: round(value), Unit: unit, OK: true}
}

// atLeast is a ratio.
func atLeast(name string, value, bound float64) result {
	return result{Name: name, Value: round(value), Unit: "x", Bound: fmt.Sprintf(">= %g", bound), OK: value >= bound}
}

func atMost(name string, value float64, unit string, bound float64) result {
	return result{Name: name, Value: round(value), Unit: unit, Bound: fmt.Sprintf("<= %g", bound), OK: value <= bound}
}

// round keeps three digits behind the point: more would be noise.
func round(v float64) float64 {
	const digits = 1000
	return float64(int64(v*digits+0.5)) / digits
}

// median of an odd number of values is the middle one; of an even number the
// lower of the two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// quantile by nearest rank.
func quantile(sorted []float64, q float64) float64 {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

var errMissed = errors.New("a bound is missed")

// report prints the table and writes the files; its error is errMissed when a
// bound is.
func report(w io.Writer, o options, about []string, all []result) error {
	fmt.Fprintln(w)
	for _, line := range about {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w, tableOf(all).Render())
	if o.whole() {
		if err := writeJSON(filepath.Join(o.root, "bench", "latest.json"), all); err != nil {
			return err
		}
	}
	if o.full() {
		if err := writeDocument(filepath.Join(o.root, "docs", "performance.md"), about, all); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(all, func(r result) bool { return !r.OK }) {
		return errMissed
	}
	return nil
}

func tableOf(all []result) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"What", "Value", "Unit", "Bound", ""})
	for _, r := range all {
		verdict := ""
		switch {
		case !r.OK:
			verdict = "MISSED"
		case r.Bound != "":
			verdict = "ok"
		}
		t.AppendRow(table.Row{r.Name, fmt.Sprintf("%.5g", r.Value), r.Unit, r.Bound, verdict})
	}
	return t
}

func writeJSON(file string, all []result) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // numbers for everybody
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // numbers for everybody
}
