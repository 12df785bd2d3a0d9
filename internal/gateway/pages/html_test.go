package pages_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

var formMark = regexp.MustCompile(`name="form" value="([^"]+)"`)

// headers are those that every answer of a page carries.
var headers = map[string]string{
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cache-Control":                "no-store",
	"X-Robots-Tag":                 "noindex, nofollow, noarchive",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
}

var policy = regexp.MustCompile(`^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$`)

func checkHeaders(t testing.TB, a reply) {
	t.Helper()
	for name, value := range headers {
		assert.Equal(t, value, a.header.Get(name), name)
	}
	assert.Regexp(t, policy, a.header.Get("Content-Security-Policy"))
	assert.Len(t, a.header.Values("Content-Security-Policy"), 1)
	assert.NotEmpty(t, a.header.Get("X-Request-Id"))
	for _, c := range a.header.Values("Set-Cookie") {
		assert.Contains(t, c, "HttpOnly")
		assert.Contains(t, c, "SameSite=Strict")
		assert.NotContains(t, c, "Max-Age")
	}
}

// void are the elements that have no end.
var void = []string{"meta", "input", "br", "link", "img", "hr"}

// page is what checkHTML gathers.
type page struct {
	t        testing.TB
	open     []string
	ids      map[string]bool
	refs     []string // ids that are referred to
	labels   map[string]bool
	controls []string // ids of what wants a label
	counts   map[string]int
	levels   []string // of headings
	text     strings.Builder
}

// checkHTML demands what no browser does any more: balanced elements, unique
// ids, a label on every field; and that nothing comes from elsewhere or runs.
// It gives what a reader sees, in one line.
func checkHTML(t testing.TB, source string) string {
	t.Helper()
	p := &page{t: t, ids: map[string]bool{}, labels: map[string]bool{}, counts: map[string]int{}}
	require.True(t, strings.HasPrefix(source, "<!doctype html>\n<html lang=\""), source[:min(len(source), 60)])
	for z := html.NewTokenizer(strings.NewReader(source)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		p.take(kind, z.Token())
	}
	assert.Empty(t, p.open, "elements that do not end")
	for _, ref := range p.refs {
		assert.True(t, p.ids[ref], "nothing has the id %q", ref)
	}
	for _, id := range p.controls {
		assert.True(t, p.labels[id], "the field %q has no label", id)
	}
	for _, one := range []string{"h1", "main", "title", "header", "footer"} {
		assert.Equal(t, 1, p.counts[one], one)
	}
	assert.Equal(t, p.counts["fieldset"], p.counts["legend"], "a legend for each fieldset")
	for i, level := range p.levels[1:] {
		assert.LessOrEqual(t, level, string(p.levels[i][0])+string(p.levels[i][1]+1), "headings skip no level: %q", p.levels)
	}
	assert.NotContains(t, source, "ZgotmplZ", "the template refused a value")
	assert.NotContains(t, source, "%!", "a value was worded wrongly")
	text := strings.Join(strings.Fields(p.text.String()), " ")
	assert.NotContains(t, text, "..", "p.m. ends a sentence by itself")
	assert.NotRegexp(t, `\{[0-9n]\}|<no value>`, text, "an argument is missing")
	return text
}

func (p *page) take(kind html.TokenType, token html.Token) {
	switch kind {
	case html.StartTagToken, html.SelfClosingTagToken:
		p.counts[token.Data]++
		assert.NotContains(p.t, []string{"script", "img", "iframe", "object", "embed", "link", "base", "svg", "video"}, token.Data)
		if len(token.Data) == 2 && token.Data[0] == 'h' && token.Data[1] >= '1' && token.Data[1] <= '6' {
			p.levels = append(p.levels, token.Data)
		}
		p.attributes(token)
		if !slices.Contains(void, token.Data) {
			p.open = append(p.open, token.Data)
		}
	case html.EndTagToken:
		if assert.NotEmpty(p.t, p.open, "</%s> ends nothing", token.Data) {
			last := len(p.open) - 1
			assert.Equal(p.t, p.open[last], token.Data, "ends out of turn")
			p.open = p.open[:last]
		}
		p.text.WriteByte(' ')
	case html.TextToken:
		if len(p.open) == 0 || p.open[len(p.open)-1] != "style" {
			p.text.WriteString(token.Data)
		}
	default: // the doctype; there are no comments
		assert.Equal(p.t, html.DoctypeToken, kind, token.Data)
	}
}

func (p *page) attributes(token html.Token) {
	of := map[string]string{}
	for _, a := range token.Attr {
		_, twice := of[a.Key]
		assert.False(p.t, twice, "<%s> has %s twice", token.Data, a.Key)
		of[a.Key] = a.Val
		assert.False(p.t, strings.HasPrefix(a.Key, "on"), "<%s> has a handler: %s", token.Data, a.Key)
		assert.NotEqual(p.t, "style", a.Key, "the policy forbids it")
		switch a.Key {
		case "id":
			assert.False(p.t, p.ids[a.Val], "the id %q is there twice", a.Val)
			assert.Regexp(p.t, `^[A-Za-z][A-Za-z0-9_-]*$`, a.Val)
			p.ids[a.Val] = true
		case "href":
			if strings.HasPrefix(a.Val, "#") {
				p.refs = append(p.refs, a.Val[1:])
				continue
			}
			assert.Regexp(p.t, `^(\?(\w+=[\w%-]+&)*lang=(fr|en)|mailto:`+regexp.QuoteMeta(support)+`)$`, a.Val, "a link leads elsewhere")
		case "action":
			assert.Regexp(p.t, `^\?lang=(fr|en)$`, a.Val)
		case "src", "srcset", "background", "formaction", "ping":
			assert.Fail(p.t, "something is loaded or sent elsewhere", "%s=%s", a.Key, a.Val)
		case "for":
			p.labels[a.Val] = true
			p.refs = append(p.refs, a.Val)
		case "aria-describedby", "aria-labelledby":
			p.refs = append(p.refs, strings.Fields(a.Val)...)
		}
	}
	p.field(token.Data, of)
}

// field looks at what people fill in.
func (p *page) field(name string, of map[string]string) {
	switch {
	case name == "form":
		assert.Equal(p.t, "post", of["method"])
	case name == "input" && of["type"] == "hidden":
		return
	case name == "input" || name == "select" || name == "textarea":
		assert.NotEmpty(p.t, of["id"], "a %s without id: %v", name, of)
		assert.NotEmpty(p.t, of["name"], "a %s without name: %v", name, of)
		p.controls = append(p.controls, of["id"])
		switch of["type"] {
		case "radio":
			assert.Contains(p.t, p.open, "fieldset", "%q is a choice of nothing", of["id"])
			return
		case "checkbox":
			return
		}
		assert.Contains(p.t, of, "autocomplete", "say whether a browser may fill in %q", of["id"])
	}
}
