package mail

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/words"
)

// A message's text is written once per language, in a few signs that a
// translator can keep (templates/README.md tells them), and becomes a template
// for the text and one for the HTML part. The signs are read before any data
// is put in: what a venue is called can never become one.
//
//	Subject: one line                 the first line
//	# Title
//	A paragraph. **Strong**, `fixed width`.
//	- an item of a list
//	1. a step
//	| what | how much                 a row of a table
//	|| what | how much                the row of the total
//	! a remark that stands out
//	=> What to do | {{.Link}}         a button
//	{{if ...}} {{else}} {{range ...}} {{end}} on lines of their own
//
// Blocks are parted by empty lines; the lines of a paragraph or item run on.

// source is a message's text in one language, as templates.
type source struct{ subject, text, html string }

// sort is what a line is, named by the sign that it begins with.
type sort string

const (
	title     sort = "# "
	item      sort = "- "
	step      sort = "1. "
	row       sort = "| "
	total     sort = "|| "
	remark    sort = "! "
	button    sort = "=> "
	paragraph sort = ""
)

var sorts = []sort{title, item, step, total, row, remark, button, paragraph}

var (
	controlLine = regexp.MustCompile(`^(\{\{-?\s*(if|else|end|range|with)\b[^{}]*\}\}\s*)+$`)
	action      = regexp.MustCompile(`\{\{[^{}]*\}\}`)
	stepSign    = regexp.MustCompile(`^\d+\. `)
)

// readSource compiles a message's file.
func readSource(l words.Lang, file string) (source, error) {
	first, rest, _ := strings.Cut(file, "\n")
	subject, ok := strings.CutPrefix(first, "Subject: ")
	if !ok {
		return source{}, errors.New(`the first line is not "Subject: ..."`)
	}
	out := source{subject: typeset(l, strings.TrimSpace(subject))}
	for number, lines := range paragraphs(rest) {
		text, markup, err := compile(l, lines)
		if err != nil {
			return source{}, fmt.Errorf("block %d: %w", number+1, err)
		}
		out.text += text
		out.html += markup
	}
	return out, nil
}

// typeset is the language's, kept away from the actions of templates.
func typeset(l words.Lang, line string) string {
	var b strings.Builder
	done := 0
	for _, at := range action.FindAllStringIndex(line, -1) {
		b.WriteString(l.Typeset(line[done:at[0]]) + line[at[0]:at[1]])
		done = at[1]
	}
	return b.String() + l.Typeset(line[done:])
}

// paragraphs parts lines at empty ones.
func paragraphs(text string) [][]string {
	var all [][]string
	fresh := true
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "":
			fresh = true
			continue
		case fresh:
			all = append(all, nil)
		}
		fresh = false
		all[len(all)-1] = append(all[len(all)-1], line)
	}
	return all
}

// compile makes both templates of a block.
func compile(l words.Lang, lines []string) (text, markup string, err error) {
	pieces, err := split(l, lines)
	if err != nil {
		return "", "", err
	}
	list := sort("")
	for _, p := range pieces {
		if p.control {
			text, markup = text+p.line, markup+p.line
			continue
		}
		if list == "" {
			list = p.sort
		}
		if listOf(p.sort) != listOf(list) {
			return "", "", fmt.Errorf("%q and %q stand in one block", list, p.sort)
		}
		t, m, err := p.compile(l)
		if err != nil {
			return "", "", fmt.Errorf("%q: %w", p.line, err)
		}
		text, markup = text+t, markup+m
	}
	if tag, ok := listTags[listOf(list)]; ok {
		if depth(pieces) != 0 {
			return "", "", errors.New("a list or table has control lines that do not end in it")
		}
		text, markup = text+"\n", tag.open+markup+tag.end
	}
	return text, markup, nil
}

var controlWord = regexp.MustCompile(`\{\{-?\s*(if|range|with|end)\b`)

// depth is how many control lines of a block are left open.
func depth(pieces []piece) int {
	open := 0
	for _, p := range pieces {
		if !p.control {
			continue
		}
		for _, m := range controlWord.FindAllStringSubmatch(p.line, -1) {
			if m[1] == "end" {
				open--
			} else {
				open++
			}
		}
	}
	return open
}

// listOf is the sort that opens the list to which a sort belongs; paragraph
// for those that stand alone.
func listOf(s sort) sort {
	switch s {
	case total, row:
		return row
	case item, step:
		return s
	default:
		return paragraph
	}
}

// piece is a control line, or the joined lines of one paragraph, item or row.
type piece struct {
	sort    sort
	line    string
	control bool
}

func split(l words.Lang, lines []string) ([]piece, error) {
	var pieces []piece
	for _, line := range lines {
		if controlLine.MatchString(line) {
			pieces = append(pieces, piece{line: line, control: true})
			continue
		}
		kind, rest := sortOf(line)
		rest = typeset(l, rest)
		last := len(pieces) - 1
		if kind == paragraph && last >= 0 && !pieces[last].control {
			if pieces[last].sort == row || pieces[last].sort == total || pieces[last].sort == button {
				return nil, fmt.Errorf("%q follows a row or button", line)
			}
			pieces[last].line += " " + rest
			continue
		}
		pieces = append(pieces, piece{sort: kind, line: rest})
	}
	return pieces, nil
}

func sortOf(line string) (sort, string) {
	if sign := stepSign.FindString(line); sign != "" {
		return step, line[len(sign):]
	}
	for _, s := range sorts {
		if rest, ok := strings.CutPrefix(line, string(s)); ok && s != step {
			return s, strings.TrimSpace(rest)
		}
	}
	return paragraph, strings.TrimSpace(line)
}
