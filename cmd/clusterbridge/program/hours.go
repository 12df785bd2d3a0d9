package program

import (
	"fmt"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
)

// weekdays are the words of opening hours, Monday first as people say them.
var weekdays = []struct {
	word string
	day  time.Weekday
}{
	{"mon", time.Monday}, {"tue", time.Tuesday}, {"wed", time.Wednesday}, {"thu", time.Thursday},
	{"fri", time.Friday}, {"sat", time.Saturday}, {"sun", time.Sunday},
}

// parseHours reads opening hours such as "mon-fri 11:00-23:00, sat 10:00-02:00,
// sun closed", in the venue's local time. Days that are not named are closed;
// nothing at all means that the hours are not known.
func parseHours(s string) (ledger.Hours, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	hours := ledger.Hours{}
	for _, part := range strings.Split(s, ",") {
		words := strings.Fields(strings.ToLower(part))
		const wanted = 2 // the days and the time
		if len(words) != wanted {
			return nil, wrongHours(part)
		}
		days, ok := dayWords(words[0])
		if !ok {
			return nil, wrongHours(part)
		}
		span, open, ok := spanWords(words[1])
		if !ok {
			return nil, wrongHours(part)
		}
		for _, day := range days {
			delete(hours, day)
			if open {
				hours[day] = span
			}
		}
	}
	return hours, nil
}

func wrongHours(part string) error {
	return usage(fmt.Sprintf("The hours %q make no sense.", strings.TrimSpace(part)), `write them as --hours "mon-fri 11:00-23:00, sat 10:00-02:00, sun closed"`)
}

// dayWords reads "mon" or "mon-fri"; a range may run over the weekend.
func dayWords(s string) ([]time.Weekday, bool) {
	first, last, ranged := strings.Cut(s, "-")
	from := weekdayAt(first)
	to := from
	if ranged {
		to = weekdayAt(last)
	}
	if from < 0 || to < 0 {
		return nil, false
	}
	var days []time.Weekday
	for i := from; ; i = (i + 1) % len(weekdays) {
		days = append(days, weekdays[i].day)
		if i == to {
			return days, true
		}
	}
}

func weekdayAt(word string) int {
	for i, w := range weekdays {
		if w.word == word {
			return i
		}
	}
	return -1
}

// spanWords reads "11:00-23:00" or "closed".
func spanWords(s string) (span ledger.Span, open, ok bool) {
	if s == "closed" {
		return span, false, true
	}
	from, to, _ := strings.Cut(s, "-")
	for _, t := range []string{from, to} {
		if _, err := time.Parse("15:04", t); err != nil || len(t) != len("15:04") {
			return span, false, false
		}
	}
	return ledger.Span{Open: from, Close: to}, from != to, from != to
}
