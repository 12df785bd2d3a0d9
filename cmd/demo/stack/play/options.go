// Package play is the demo: it starts all that clusterbridge needs on one
// machine, connects three venues with the program's own verbs, plays business
// days on a calendar of its own, shows it happening, and compares what the
// tills planned with what 7shifts answers.
package play

import (
	"fmt"
	"io"
	"os"
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
	// Break makes something go wrong on purpose: "lose-one" makes the simulated
	// 7shifts lose one receipt for good.
	Break string
	// TemporalAddress and DatabaseURL are used instead of the embedded ones.
	TemporalAddress, Namespace, DatabaseURL string
	// Program is the command line that runs clusterbridge.
	Program []string
	Environ []string
	Out     io.Writer
	// Terminal lets the live view redraw in place.
	Terminal bool
	WebUI    bool
	Size     Size
}

// BreakLoseOne is the one break there is.
const BreakLoseOne = "lose-one"

// Size is how much is played.
type Size struct {
	Seed             uint64
	HistoryDays      int // business days before the connection
	OrdersPerPastDay int // per venue
	LiveDays         int
	OrdersPerLiveDay int // per venue
	// OneCompany lets all venues share a company of 7shifts, and so a token.
	OneCompany bool
	Speed      float64 // business seconds per real second
	Minimum    Minimum
	// Vanished orders are deleted at the till without a trace.
	Vanished int
	// Patience is how long, in real time, the demo waits after the last business
	// day until all is sent and confirmed.
	Patience time.Duration
}

// Minimum is what a run has to reach to count as a success; zero asks nothing.
type Minimum struct{ Venues, Zones, Orders, LateEdits, OfEach int }

// Full is the demo as people see it. At 9 requests a second and token, some
// 600 requests per venue take a minute, so the three days are played in about
// as long.
var Full = Size{
	Seed: 20261103, HistoryDays: 90, OrdersPerPastDay: 4, LiveDays: 3, OrdersPerLiveDay: 56, Speed: 4200,
	Minimum:  Minimum{Venues: 3, Zones: 2, Orders: 1500, LateEdits: 60, OfEach: 10},
	Patience: 3 * time.Minute,
}

// Small is a quick look at the same: one live day, and a few days of history
// around the night on which the clocks go back.
var Small = Size{
	Seed: 20261104, HistoryDays: 5, OrdersPerPastDay: 3, LiveDays: 1, OrdersPerLiveDay: 24, Speed: 4200,
	Minimum: Minimum{Venues: 3, Zones: 2, LateEdits: 6, OfEach: 1}, Patience: time.Minute,
}

// spareDays are brought in beyond the planned history: a connection is made
// within seconds, which are hours of business time, so that on a slow machine
// it falls on a later day.
const spareDays = 3

// firstLive is the first business day that is played live. The night of
// 1 November 2026, on which the clocks go back, lies in the history before it.
var firstLive = sale.NewDay(2026, time.November, 3)

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
		Environ: environ, WebUI: true, Size: Full,
	}
	if o.State == "" {
		o.State = ".demo"
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Break != "" && o.Break != BreakLoseOne {
		return o, fmt.Errorf("BREAK is %q; want nothing or %s", o.Break, BreakLoseOne)
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
