package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// options are the command's settings.
type options struct {
	receipts int      // BENCH_RECEIPTS
	pairs    int      // BENCH_PAIRS
	only     []string // BENCH_ONLY
	database string   // DATABASE_URL
	root     string
}

// fullReceipts and fullPairs are what docs/performance.md is written from.
const (
	fullReceipts = 20_000
	fullPairs    = 5
)

func readOptions(environ []string) (options, error) {
	o := options{receipts: fullReceipts, pairs: fullPairs}
	var err error
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		switch {
		case value == "":
		case name == "BENCH_RECEIPTS":
			o.receipts, err = number(value)
		case name == "BENCH_PAIRS":
			o.pairs, err = number(value)
		case name == "BENCH_ONLY":
			o.only = strings.Split(value, ",")
		case name == "DATABASE_URL":
			o.database = value
		}
		if err != nil {
			return o, fmt.Errorf("%s: %w", name, err)
		}
	}
	if o.receipts < venues || o.pairs < 1 {
		return o, fmt.Errorf("BENCH_RECEIPTS is %d and BENCH_PAIRS %d; want at least %d and 1", o.receipts, o.pairs, venues)
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(benchmarks(), func(b benchmark) bool { return b.name == name }) {
			return o, fmt.Errorf("BENCH_ONLY names %q, which is no benchmark", name)
		}
	}
	if o.root, err = os.Getwd(); err != nil {
		return o, err
	}
	if _, err := os.Stat(filepath.Join(o.root, "go.work")); err != nil {
		return o, fmt.Errorf("run it from the repository's root: make bench")
	}
	return o, nil
}

func (o options) wants(name string) bool { return len(o.only) == 0 || slices.Contains(o.only, name) }

// whole tells whether every benchmark runs, and full whether at full size.
func (o options) whole() bool { return len(o.only) == 0 }
func (o options) full() bool {
	return o.whole() && o.receipts == fullReceipts && o.pairs == fullPairs
}

// number reads a setting or a child's argument.
func number(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n, nil
}
