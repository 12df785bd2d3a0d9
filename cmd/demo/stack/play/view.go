package play

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// progressOf is where one venue is.
type progressOf struct {
	Venue, To, State string
	// Read are sales read from the till, ToSend those of which the partner has
	// yet to accept the newest version. WISK cannot be read back, so there the
	// lines that it took are counted instead of what is confirmed.
	Read, ToSend, Sent, Confirmed, Lines int
	Quarantined                          int
	// Lag is how far the pull is behind, in real time.
	Lag time.Duration
	// History is how many business days are brought in, of how many.
	History, HistoryDays int
}

// counted tells a partner that counts items.
func (p progressOf) counted() bool { return p.To == work.Wisk }

// to is the partner's name as it writes it.
func (p progressOf) to() string {
	if p.counted() {
		return "WISK"
	}
	return p.To
}

// moment is what one redraw shows.
type moment struct {
	Business   time.Time // in the first venue's zone
	Day, Days  int       // the live business day, from 1; 0 before the first
	Part       float64   // of the played time, 0 to 1
	Elapsed    time.Duration
	Venues     []progressOf
	WaitingFor string
}

// view shows moments: redrawn in place on a terminal, otherwise a plain line
// every few seconds.
type view struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	drawn    int // lines on the terminal that the next redraw replaces
	last     time.Time
}

// lineEvery is seldom enough for plain lines to be read.
const lineEvery = 5 * time.Second

// say writes a line that stays, above the live part.
func (v *view) say(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	fmt.Fprintf(v.out, format+"\n", args...)
}

// show draws a moment; without a terminal only now and then.
func (v *view) show(m moment) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.terminal {
		if time.Since(v.last) >= lineEvery {
			v.last = time.Now()
			fmt.Fprintln(v.out, m.line())
		}
		return
	}
	text := m.block()
	v.erase()
	fmt.Fprint(v.out, noWrap+text+wrap) // a line that wrapped would not be erased
	v.drawn = strings.Count(text, "\n")
}

// finish leaves the last moment standing.
func (v *view) finish(m moment) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	fmt.Fprint(v.out, m.block())
}

func (v *view) erase() {
	if v.drawn > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
	}
}

// Escape sequences of every terminal since the VT100.
const (
	noWrap = "\x1b[?7l"
	wrap   = "\x1b[?7h"
)

func bar(part float64, width int) string {
	full := int(min(1, max(0, part))*float64(width) + 0.5)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "]"
}

func (m moment) head() string {
	day := "before the first day"
	if m.Day > 0 {
		day = fmt.Sprintf("day %d of %d", min(m.Day, m.Days), m.Days)
	}
	if m.Part >= 1 {
		day = "all days played"
	}
	return fmt.Sprintf("business time %s, %s, running for %d s", m.Business.Format("Mon 2 Jan 2006 15:04"), day, int(m.Elapsed.Seconds()))
}

func (m moment) block() string {
	t := table.NewWriter()
	t.SetStyle(plainTable)
	t.AppendHeader(table.Row{"venue", "to", "state", "sales read", "to send", "sent", "confirmed", "lines", "aside", "lag", "days of history"})
	for _, p := range m.Venues {
		confirmed, lines := any(p.Confirmed), any("")
		if p.counted() {
			confirmed, lines = "", p.Lines
		}
		t.AppendRow(table.Row{p.Venue, p.to(), p.State, p.Read, p.ToSend, p.Sent, confirmed, lines, p.Quarantined, lag(p.Lag),
			fmt.Sprintf("%s %d/%d", bar(share(p.History, p.HistoryDays), 10), p.History, p.HistoryDays)})
	}
	t.SetColumnConfigs(rightAligned(4, 10))
	text := fmt.Sprintf("%s %s\n%s\n", bar(m.Part, 20), m.head(), t.Render())
	if m.WaitingFor != "" {
		text += "waiting for: " + m.WaitingFor + "\n"
	}
	return text
}

func (m moment) line() string {
	parts := make([]string, len(m.Venues))
	for i, p := range m.Venues {
		there := fmt.Sprintf("%d sent, %d confirmed", p.Sent, p.Confirmed)
		if p.counted() {
			there = fmt.Sprintf("%d sent in %d lines", p.Sent, p.Lines)
		}
		parts[i] = fmt.Sprintf("%s: %d read, %d to send, %s, lag %s, history %d/%d days",
			p.Venue, p.Read, p.ToSend, there, lag(p.Lag), p.History, p.HistoryDays)
	}
	text := m.head() + " | " + strings.Join(parts, " | ")
	if m.WaitingFor != "" {
		text += " | waiting for: " + m.WaitingFor
	}
	return text
}

func lag(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
