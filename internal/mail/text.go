package mail

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// textWidth is where lines of the text part are broken: what old mail
	// programs and quoted replies show without breaking them again.
	textWidth = 72
	// numberHere stands for a step's number until the template has run, as only
	// then it is known which steps there are. No data holds it: see tidy.
	numberHere = "\x01"
	// textRule parts languages, and textSignature the footer, which mail
	// programs know by its "-- " and may show in grey.
	textRule      = "\n\n----------------------------------------\n\n"
	textSignature = "\n\n-- \n"
)

// finish makes the text part of what its template gave: steps are numbered,
// lines broken, and blocks one empty line apart.
func finish(raw string) string {
	var out []string
	number := 0
	for line := range strings.Lines(raw) {
		line = strings.TrimRight(line, " \n")
		if line == "" {
			if len(out) > 0 && out[len(out)-1] != "" {
				out = append(out, "")
			}
			number = 0
			continue
		}
		if rest, ok := strings.CutPrefix(line, numberHere); ok {
			number++
			line = strconv.Itoa(number) + "." + rest
		}
		out = append(out, wrap(line)...)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// wrap breaks a line at spaces, never inside a word, so that links stay whole.
// The lines of an item stand below its text.
func wrap(line string) []string {
	indent := hanging(line)
	words := strings.Split(strings.TrimLeft(line, " "), " ")
	lead := line[:len(line)-len(strings.TrimLeft(line, " "))]
	lines, current := []string(nil), lead+words[0]
	for _, word := range words[1:] {
		if utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) > textWidth {
			lines = append(lines, current)
			current = indent + word
			continue
		}
		current += " " + word
	}
	return append(lines, current)
}

// hanging is the indent of a line's continuation.
func hanging(line string) string {
	if strings.HasPrefix(line, "- ") {
		return "  "
	}
	if strings.HasPrefix(line, "  ") {
		return "    "
	}
	if sign := stepSign.FindString(line); sign != "" {
		return strings.Repeat(" ", len(sign))
	}
	return ""
}
