package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/devserver"
)

// about says what was measured, where and when: the commit, the machine, the
// versions. It names no path.
func (r *rig) about(begun time.Time) []string {
	var version string
	if err := r.store.DB().Get(&version, "SHOW server_version"); err != nil {
		version = "unknown"
	}
	version, _, _ = strings.Cut(version, " ")
	return []string{
		fmt.Sprintf("commit %s, %s, %s", commit(), begun.UTC().Format(time.DateOnly), runtime.Version()),
		fmt.Sprintf("%d cores of %s, %s/%s", runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH),
		fmt.Sprintf("Temporal %s embedded on SQLite, PostgreSQL %s", devserver.Version, version),
		fmt.Sprintf("%d receipts, median of %d interleaved pairs, page size %d, %d venues at a time with %d requests in flight each (backfills: each of %d days); it took %s",
			r.o.receipts, r.o.pairs, pageSize, atOnce, inFlight, daysAtOnce, time.Since(begun).Round(time.Second)),
	}
}

// commit is that of the tree, and whether it was changed since.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(out))
	changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	if err == nil && len(bytes.TrimSpace(changed)) > 0 {
		name += " with changes"
	}
	return name
}

// processor is the model of the first core, where the system tells it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "an unnamed processor"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unnamed processor"
}

// introduction stands above the table of docs/performance.md.
const introduction = `# Performance

Written by ` + "`make bench`" + `; do not edit. The ratios are what counts: what is compared
ran in turns on one machine, with the simulators in a process of their own,
without delay and, but for "limit" and "freshness", with the partner's limit
lifted. After every run the simulators have to hold exactly what was sold, and
must have seen nothing that should not be.

- **bulk**: ` + "`LocationSync`" + ` runs on the embedded server, in a worker process, bring
  the receipts of eight venues from the till through the ledger to 7shifts, four
  venues at a time with two requests in flight each. The *bare loop* does so
  with the same clients, page size and requests in flight, a page after the
  other, and keeps nothing: no ledger, no Temporal. The *naive design* has one
  activity per receipt and no ledger: the receipts travel through the history.
  The *ceiling* is how fast the simulated 7shifts takes requests that were
  written beforehand.
- **actions** are counted from the server's histories by Temporal Cloud's price
  list: a start by a schedule is 3, one by a person 1, every attempt of an
  activity 1, timers, signals, Updates and markers 1 each, heartbeats by how long
  a step took; 10 % are added for fairness keys.
- **limit**: two worker processes share one token for 120 s.
- **hook**: 1,000 orders are closed at 100 tills at random instants within 100 s;
  from the closing to *sent*, through the signed hook, the gateway's debouncing
  of 5 s, the triggered schedule and a whole sync run.
- **backfill**: ` + "`Backfill`" + ` workflows bring in the history of four venues at a time,
  20 business days of 250 orders each, three days of a venue at once: to 7shifts
  as receipts with two requests in flight per day, to WISK as lines, four an
  order, 500 an upload and two uploads in flight per day. The *bare loop* does so
  with the same clients, page size, translation, days at once, requests in flight
  and lines per upload, and keeps nothing. The *first synced day* is the first
  business day of a venue all of which was sent, counted from the start of its
  backfill; the median over all venues and runs.
- **freshness**: as "hook", with the program's and the partner's limit per token
  on (9 and 10 requests a second), at 75 venues of five companies with a token
  each, an order per venue and 10 s: 1.5 a second and token, two thirds of the
  quarter that history leaves to live work. First without a backfill, then while
  each token has one with far more to do than fits; that one has to have used its
  part of the limit all the while.
- **memory**: the most memory (resident set) that a worker process ever held
  while it brought in the history of four venues to each partner, one after the
  other; and another worker for ten times as many business days.

`

func writeDocument(file string, about []string, all []result) error {
	var b bytes.Buffer
	b.WriteString(introduction)
	for _, line := range about {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	fmt.Fprintf(&b, "\n%s\n", tableOf(all).RenderMarkdown())
	return os.WriteFile(file, b.Bytes(), 0o644) //nolint:gosec // a document
}
