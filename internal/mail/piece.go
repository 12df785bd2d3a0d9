package mail

import (
	"errors"
	"fmt"
	"html"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/words"
)

// compile makes both templates of a piece.
func (p piece) compile(l words.Lang) (text, markup string, err error) {
	if p.sort == row || p.sort == total || p.sort == button {
		label, value, ok := strings.Cut(p.line, " | ")
		if !ok {
			return "", "", errors.New(`want two parts, with " | " between`)
		}
		return p.compilePair(l, strings.TrimSpace(label), strings.TrimSpace(value))
	}
	text, markup, err = inline(p.line)
	if err != nil {
		return "", "", err
	}
	switch p.sort {
	case item:
		return "- " + text + "\n", listItem + markup + "</li>\n", nil
	case step:
		return numberHere + " " + text + "\n", listItem + markup + "</li>\n", nil
	case title:
		return text + "\n\n", heading + markup + "</h1>\n", nil
	case remark:
		return text + "\n\n", remarkBox + markup + "</p>\n", nil
	default:
		return text + "\n\n", paragraphTag + markup + "</p>\n", nil
	}
}

func (p piece) compilePair(l words.Lang, label, value string) (text, markup string, err error) {
	labelText, labelHTML, err := inline(label)
	if err != nil {
		return "", "", err
	}
	valueText, valueHTML, err := inline(value)
	if err != nil {
		return "", "", err
	}
	colon := l.Typeset(" :")
	if l == words.English {
		colon = ":"
	}
	switch p.sort {
	case button:
		return labelText + colon + "\n" + value + "\n\n",
			buttonBox + `<a href="` + value + `" style="` + buttonStyle + `">` + labelHTML + "</a></p>\n" +
				linkLine + valueHTML + "</p>\n", nil
	case total:
		return "  " + labelText + colon + " " + valueText + "\n",
			`<tr><th scope="row" style="` + totalLabel + `">` + labelHTML + `</th><td style="` + totalValue + `">` + valueHTML + "</td></tr>\n", nil
	default:
		return "  " + labelText + colon + " " + valueText + "\n",
			`<tr><th scope="row" style="` + rowLabel + `">` + labelHTML + `</th><td style="` + rowValue + `">` + valueHTML + "</td></tr>\n", nil
	}
}

// inline compiles strong and fixed-width parts. Actions pass as they are; all
// else is text, and escaped for HTML.
func inline(line string) (text, markup string, err error) {
	var open []string
	var t, m strings.Builder
	plain := func(s string) {
		for s != "" {
			i := strings.IndexAny(s, "*`")
			switch {
			case i < 0:
				i = len(s)
				fallthrough
			case i > 0:
				t.WriteString(s[:i])
				m.WriteString(html.EscapeString(s[:i]))
				s = s[i:]
			case strings.HasPrefix(s, "**"):
				m.WriteString(toggle(&open, "**", strongTag, "</strong>"))
				s = s[2:]
			case s[0] == '`':
				m.WriteString(toggle(&open, "`", codeTag, "</code>"))
				s = s[1:]
			default: // a single star is a star
				t.WriteString("*")
				m.WriteString("*")
				s = s[1:]
			}
		}
	}
	rest := line
	for {
		at := action.FindStringIndex(rest)
		if at == nil {
			plain(rest)
			break
		}
		plain(rest[:at[0]])
		t.WriteString(rest[at[0]:at[1]])
		m.WriteString(rest[at[0]:at[1]])
		rest = rest[at[1]:]
	}
	if len(open) > 0 {
		return "", "", fmt.Errorf("%s does not end", open[0])
	}
	return t.String(), m.String(), nil
}

// toggle opens or closes an inline tag.
func toggle(open *[]string, sign, tag, end string) string {
	if n := len(*open); n > 0 && (*open)[n-1] == sign {
		*open = (*open)[:n-1]
		return end
	}
	*open = append(*open, sign)
	return tag
}
