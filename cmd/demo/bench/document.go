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
		fmt.Sprintf("%d receipts, median of %d interleaved pairs, page size %d, %d venues at a time with %d requests in flight each; it took %s",
			r.o.receipts, r.o.pairs, pageSize, atOnce, inFlight, time.Since(begun).Round(time.Second)),
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
without delay and, but for "limit", with the partner's limit lifted.

- **bulk**: ` + "`LocationSync`" + ` runs on the embedded server, in a worker process, bring
  the receipts of eight venues from the till through the ledger to 7shifts, four
  venues at a time with two requests in flight each. The *bare loop* does so
  with the same clients, page size and requests in flight, a page after the
  other, and keeps nothing: no ledger, no Temporal. The *naive design* has one
  activity per receipt and no ledger: the receipts travel through the history.
  The *ceiling* is how fast the simulated 7shifts takes requests that were
  written beforehand.
- **actions** are counted from the server's histories by Temporal Cloud's price
  list: a start by a schedule is 3, every attempt of an activity 1, timers,
  signals, Updates and markers 1 each, heartbeats by how long a step took; 10 %
  are added for fairness keys.
- **limit**: two worker processes share one token for 120 s.
- **hook**: 1,000 orders are closed at 100 tills at random instants within 100 s;
  from the closing to *sent*, through the signed hook, the gateway's debouncing
  of 5 s, the triggered schedule and a whole sync run.

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
