// Package words writes dates, times, amounts, numbers and fixed phrases for the
// people outside the team: in French as it is written in Quebec (fr-CA), and in
// Canadian English (en-CA). Mails and the gateway's pages share it, so that one
// amount never looks like two. It is pure.
//
// golang.org/x/text does not do this: it has no dates at all, writes currencies
// without their place in the line, and separates French thousands with a space
// that many mail programs show as a box. What is needed are two languages,
// exactly.
package words

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Lang is a language in which people outside the team are addressed.
type Lang string

// The two languages; venues speak French unless they say otherwise.
const (
	French  Lang = "fr"
	English Lang = "en"
)

// Langs are all languages, the default first.
var Langs = []Lang{French, English}

// nbsp keeps a number with its unit, and a French colon with its word.
const nbsp = "\u00a0"

// Parse reads "fr" or "en"; anything else is no language of ours.
func Parse(s string) (Lang, error) {
	for _, l := range Langs {
		if s == string(l) {
			return l, nil
		}
	}
	return "", fmt.Errorf("language %q: want fr or en", s)
}

// Tag is the language as BCP 47 has it, for lang attributes and headers.
func (l Lang) Tag() string { return string(l) + "-CA" }

var months = map[Lang][12]string{
	French: {
		"janvier", "février", "mars", "avril", "mai", "juin",
		"juillet", "août", "septembre", "octobre", "novembre", "décembre",
	},
	English: {
		"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December",
	},
}

// Date writes the date of an instant in its own zone, without an article:
// "24 novembre 2026" (the first is "1er novembre 2026"), "November 24, 2026".
func (l Lang) Date(t time.Time) string {
	year, month, day := t.Date()
	if l == English {
		return fmt.Sprintf("%s %d, %d", months[English][month-1], day, year)
	}
	first := ""
	if day == 1 {
		first = "er"
	}
	return fmt.Sprintf("%d%s%s%s %d", day, first, nbsp, months[French][month-1], year)
}

// Day writes a business day, as Date does.
func (l Lang) Day(d sale.Day) string { return l.Date(d.Start(time.UTC)) }

// Time writes the time of day of an instant in its own zone: "14 h 30", "14 h",
// "14 h 05"; "2:30 p.m.", "2:00 p.m.".
func (l Lang) Time(t time.Time) string {
	hour, minute, _ := t.Clock()
	if l == English {
		half := "a.m."
		if hour >= 12 {
			half = "p.m."
		}
		return fmt.Sprintf("%d:%02d %s", (hour+11)%12+1, minute, half)
	}
	if minute == 0 {
		return fmt.Sprintf("%d%sh", hour, nbsp)
	}
	return fmt.Sprintf("%d%sh%s%02d", hour, nbsp, nbsp, minute)
}

// Moment writes date and time of an instant in its own zone:
// "24 novembre 2026, 14 h 30"; "November 24, 2026, 2:30 p.m.".
func (l Lang) Moment(t time.Time) string { return l.Date(t) + ", " + l.Time(t) }

// Number writes a whole number with its thousands apart: "1 234"; "1,234".
func (l Lang) Number(n int64) string {
	sign, u := "", uint64(n)
	if n < 0 {
		sign, u = "-", -uint64(n)
	}
	return sign + l.grouped(u)
}

func (l Lang) grouped(u uint64) string {
	separator := nbsp
	if l == English {
		separator = ","
	}
	digits := strconv.FormatUint(u, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return digits
}

// Amount writes dollars and cents: "1 234,56 $"; "$1,234.56".
func (l Lang) Amount(c sale.Cents) string {
	sign, u := "", uint64(c)
	if c < 0 {
		sign, u = "-", -uint64(c)
	}
	whole, cents := l.grouped(u/100), fmt.Sprintf("%02d", u%100)
	if l == English {
		return sign + "$" + whole + "." + cents
	}
	return sign + whole + "," + cents + nbsp + "$"
}

// Rate is a share in thousandths of a percent, so that Quebec's sales tax
// (9.975 %) is a whole number: 9975.
type Rate int64

// Percent writes a share with the decimals it has: "9,975 %", "5 %"; "9.975%",
// "5%".
func (l Lang) Percent(r Rate) string {
	sign, u := "", uint64(r)
	if r < 0 {
		sign, u = "-", -uint64(r)
	}
	point, unit := ",", nbsp+"%"
	if l == English {
		point, unit = ".", "%"
	}
	text := sign + l.grouped(u/1000)
	if decimals := strings.TrimRight(fmt.Sprintf("%03d", u%1000), "0"); decimals != "" {
		text += point + decimals
	}
	return text + unit
}

// One tells whether a count takes the singular: 0 and 1 in French, 1 in
// English; as do the numbers below zero.
func (l Lang) One(n int64) bool {
	if n < 0 {
		n = -n
	}
	return n == 1 || n == 0 && l == French
}

// List joins items: "a, b et c"; "a, b and c".
func (l Lang) List(items []string) string {
	and := " et "
	if l == English {
		and = " and "
	}
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + and + items[last]
}

var frenchSpaces = strings.NewReplacer(" :", nbsp+":", "« ", "«"+nbsp, " »", nbsp+"»", " $", nbsp+"$", " %", nbsp+"%", "nº ", "nº"+nbsp)

var frenchHours = regexp.MustCompile(`(\d) h\b`)

// Typeset gives a text the spaces that must not break. In French those are
// before a colon, inside guillemets and beside units, where writers type an
// ordinary one; in English there are none.
func (l Lang) Typeset(text string) string {
	if l != French {
		return text
	}
	return frenchHours.ReplaceAllString(frenchSpaces.Replace(text), "${1}"+nbsp+"h")
}
