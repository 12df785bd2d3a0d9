// Package play is the demo: it starts all that clusterbridge needs on one
// machine, onboards venues to 7shifts and WISK as the people around them would,
// plays business days on a calendar of its own, shows it happening, kills the
// worker in the middle, and compares what the tills planned with what 7shifts
// and WISK answer.
package play

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Options say what is played and where.
type Options struct {
	// State is the folder that holds everything; it is made when missing.
	State string
	// Exit leaves after the table instead of waiting for Ctrl-C.
	Exit bool
	// Break makes something go wrong on purpose; see BreakLoseOne and
	// BreakLoseItem.
	Break string
	// TemporalAddress and DatabaseURL are used instead of the embedded ones.
	TemporalAddress, Namespace, DatabaseURL string
	// Program is the command line that runs clusterbridge.
	Program []string
	Environ []string
	// Settings are further settings of clusterbridge's processes, NAME=value.
	Settings []string
	Out      io.Writer
	// Terminal lets the live view redraw in place.
	Terminal bool
	WebUI    bool
	// NoBrowser clicks on pages by plain HTTP, also where a browser is installed.
	NoBrowser bool
	// Disturb is called before the first act of people at a stage of an
	// onboarding, and may kill what it likes; nil is nothing.
	Disturb func(ctx context.Context, d *Demo, stage string) error
	Size    Size
}

// The breaks: the simulated 7shifts loses one receipt for good, or the simulated
// WISK forgets one line that it has accepted.
const (
	BreakLoseOne  = "lose-one"
	BreakLoseItem = "lose-item"
)

// Size is how much is played.
type Size struct {
	Seed             uint64
	HistoryDays      int // business days before the connection
	OrdersPerPastDay int // per venue
	LiveDays         int
	OrdersPerLiveDay int // per venue
	// OneCompany lets all venues share a company of 7shifts, and so a token.
	OneCompany bool
	// ByVerbs connects the venues by location add and connect, within seconds,
	// and lets nobody be onboarded: for tests of what comes after.
	ByVerbs bool
	Speed   float64 // business seconds per real second
	Minimum Minimum
	// Vanished orders are deleted at the till without a trace.
	Vanished int
	// Patience is how long, in real time, the demo waits after the last business
	// day until all is sent and confirmed.
	Patience time.Duration
	// Wisk is what is played for WISK beside it; the zero value is nothing.
	Wisk WiskSize
}

// WiskSize is how much is played at sites whose sales go to WISK, item by item.
type WiskSize struct {
	Sites int // up to three; the first two share one venue of WISK
	// HistoryMonths are brought in by the connections. HistoryDays are planned
	// before the first live day; all of these months where zero.
	HistoryMonths, HistoryDays int
	OrdersPerPastDay           int // per site
	OrdersPerLiveDay           int
	// Corrections is how many orders of history managers correct on each live
	// day, per site, and CorrectionDays how far back.
	Corrections, CorrectionDays int
	// KillAt is the part of all sites' business days of history after which the
	// worker is killed with SIGKILL; 0 is never.
	KillAt float64
	// NoHistory connects without bringing history in.
	NoHistory bool
	Minimum   WiskMinimum
}

// WiskMinimum is what a run has to reach: orders of all venues, 7shifts' too;
// orders of each mode of modifiers; calendar months of history; orders of
// history that managers corrected, those of them while history was still being
// brought in, and those that were uploaded anew; findings for people.
type WiskMinimum struct{ AllOrders, OrdersPerMode, Months, Corrected, Meanwhile, Anew, Findings int }

// Minimum is what a run has to reach to count as a success; zero asks nothing.
type Minimum struct{ Venues, Zones, Orders, LateEdits, OfEach int }

// Full is the demo as people see it. At 9 requests a second and token, some
// 600 requests per venue take a minute, so the three days are played in about
// as long.
var Full = Size{
	Seed: 20261103, HistoryDays: 90, OrdersPerPastDay: 4, LiveDays: 3, OrdersPerLiveDay: 56, Speed: 4200,
	Minimum:  Minimum{Venues: 3, Zones: 2, Orders: 1500, LateEdits: 60, OfEach: 10},
	Patience: 3 * time.Minute,
	// WISK's help page promises six months.
	Wisk: WiskSize{
		Sites: 3, HistoryMonths: 6, OrdersPerPastDay: 34, OrdersPerLiveDay: 40, Corrections: 24, CorrectionDays: 180, KillAt: 0.5,
		Minimum: WiskMinimum{AllOrders: 20000, OrdersPerMode: 5000, Months: 6, Corrected: 150, Meanwhile: 20, Anew: 20, Findings: 4},
	},
}

// Small is a quick look at the same: one live day, and a few days of history
// around the night on which the clocks go back.
var Small = Size{
	Seed: 20261104, HistoryDays: 5, OrdersPerPastDay: 3, LiveDays: 1, OrdersPerLiveDay: 24, Speed: 4200,
	Minimum: Minimum{Venues: 3, Zones: 2, LateEdits: 6, OfEach: 1}, Patience: time.Minute,
	Wisk: WiskSize{
		Sites: 3, HistoryMonths: 1, HistoryDays: 24, OrdersPerPastDay: 4, OrdersPerLiveDay: 15, Corrections: 8, CorrectionDays: 20,
		Minimum: WiskMinimum{OrdersPerMode: 50, Corrected: 6, Findings: 2},
	},
}

// spareDays are brought in beyond the planned history: a connection is made
// within seconds, which are hours of business time, so that on a slow machine
// it falls on a later day.
const spareDays = 3

// firstLive is the first business day that is played live. The night of
// 1 November 2026, on which the clocks go back, lies in the history before it.
var firstLive = sale.NewDay(2026, time.November, 3)

// setUpDays are the business days before the first live one on which the venues
// are onboarded: activation of API access alone takes one. What was sold until
// then is history, which is brought in.
const setUpDays = 2

// beforeOpening is how long before 05:00 the calendar starts.
const beforeOpening = 5 * time.Minute

// fromEnvironment reads the few options that the demo takes.
func fromEnvironment(environ []string) (Options, error) {
	env := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	o := Options{
		State: env["DEMO_STATE"], Exit: env["EXIT"] != "" && env["EXIT"] != "0", Break: env["BREAK"],
		TemporalAddress: env["TEMPORAL_ADDRESS"], Namespace: env["TEMPORAL_NAMESPACE"], DatabaseURL: env["DATABASE_URL"],
		Environ: environ, WebUI: true, NoBrowser: env["DEMO_BROWSER"] == "off", Size: Full,
	}
	if o.State == "" {
		o.State = ".demo"
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if !slices.Contains([]string{"", BreakLoseOne, BreakLoseItem}, o.Break) {
		return o, fmt.Errorf("BREAK is %q; want nothing, %s or %s", o.Break, BreakLoseOne, BreakLoseItem)
	}
	switch env["DEMO_SIZE"] {
	case "", "full":
	case "small":
		o.Size = Small
	default:
		return o, fmt.Errorf("DEMO_SIZE is %q; want full or small", env["DEMO_SIZE"])
	}
	if text := env["DEMO_SPEED"]; text != "" {
		speed, err := strconv.ParseFloat(text, 64)
		if err != nil || speed < 1 || speed > maxSpeed {
			return o, fmt.Errorf("DEMO_SPEED is %q; want business seconds per real second, 1 to %d", text, maxSpeed)
		}
		o.Size.Speed = speed
	}
	self, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("cannot find this program itself: %w", err)
	}
	o.Program = []string{self, ProgramArgument}
	return o, nil
}

// maxSpeed keeps a business day at least as long as a few sync runs.
const maxSpeed = 20000

// ProgramArgument as first argument turns the stack into clusterbridge.
const ProgramArgument = "clusterbridge"
