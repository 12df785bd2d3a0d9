package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
)

//go:embed templates/*.html templates/style.css phrases/*.txt
var files embed.FS

// templates are the pages' names, each a file of templates/.
var templates = []string{"confirm", "decline", "token", "contact", "reveal", "revealed", "status", "people", "refused"}

// wording makes pages in each language.
type wording struct {
	phrases *words.Catalogue
	pages   map[words.Lang]map[string]*template.Template
	style   template.CSS
	policy  string
}

// theWording is read once per process: it is the same for all.
var theWording = sync.OnceValues(newWording)

func newWording() (*wording, error) {
	phrases, err := fs.Sub(files, "phrases")
	if err != nil {
		return nil, err
	}
	w := &wording{pages: map[words.Lang]map[string]*template.Template{}}
	if w.phrases, err = words.ReadCatalogue(phrases); err != nil {
		return nil, err
	}
	style, err := files.ReadFile("templates/style.css")
	if err != nil {
		return nil, err
	}
	w.style, w.policy = template.CSS(style), policyFor(style) //nolint:gosec // our own file
	for _, l := range words.Langs {
		w.pages[l] = map[string]*template.Template{}
		for _, name := range templates {
			page, err := template.New("layout.html").Funcs(w.verbs(l)).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("pages: %w", err)
			}
			w.pages[l][name] = page
		}
	}
	return w, nil
}

// policyFor lets a page have its own style and send its forms to us, and nothing
// else: no script, no picture, no frame, nothing from elsewhere.
func policyFor(style []byte) string {
	sum := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// verbs are what templates can say, in a language.
func (w *wording) verbs(l words.Lang) template.FuncMap {
	return template.FuncMap{
		"say":     func(key string, args ...any) (string, error) { return w.phrases.Say(l, key, args...) },
		"count":   func(key string, n int) (string, error) { return w.phrases.Count(l, key, n) },
		"one":     func(n int) bool { return l.One(int64(n)) },
		"moment":  func(t time.Time) string { return l.Moment(t) },
		"day":     func(d sale.Day) string { return l.Day(d) },
		"amount":  func(c sale.Cents) string { return l.Amount(c) },
		"percent": func(r words.Rate) string { return l.Percent(r) },
		"reveal":  func(s vault.Secret) string { return s.Reveal() },
	}
}

// view is what a template is given.
type view struct {
	v    *visit
	Page any // the page's own
	// Lang is for links and forms, Tag for lang attributes.
	Lang, Tag string
	Other     otherLang
	Style     template.CSS
	// House is who we are, Support whom to write to.
	House, Support string
	Problems       []problem
}

// otherLang leads to the page in the other language; without Query there is no
// such way.
type otherLang struct{ Tag, Query string }

// Form is the mark that every form carries.
func (x view) Form() string { return x.v.formMark() }

// Action is where every form is sent: this page, in this language.
func (x view) Action() string { return x.v.query("", "") }

// Query is an address of this page with a parameter.
func (x view) Query(name, value string) string { return x.v.query(name, value) }

// Problem is what is wrong with a field, or empty.
func (x view) Problem(field string) string {
	for _, p := range x.Problems {
		if p.Field == field {
			return p.Text
		}
	}
	return ""
}

// Typed is what was typed into a field before the page was shown again.
func (x view) Typed(field string) string { return x.v.field(field) }

// With hands a part of a page its own things beside the whole.
func (x view) With(part any) view {
	x.Page = part
	return x
}

// show writes a page.
func (v *visit) show(name string, page any) error {
	x := view{
		v: v, Page: page, Lang: string(v.lang), Tag: v.lang.Tag(), Style: v.p.words.style, House: v.p.o.House, Support: v.p.o.Support,
		Problems: v.problems,
	}
	for _, l := range words.Langs {
		if l != v.lang && !v.stay {
			x.Other = otherLang{l.Tag(), v.otherQuery(l)}
		}
	}
	var made bytes.Buffer
	if err := v.p.words.pages[v.lang][name].Execute(&made, x); err != nil {
		return fmt.Errorf("page %s in %q: %w", name, string(v.lang), err)
	}
	v.headers()
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.lang.Tag())
	v.w.WriteHeader(v.status)
	_, _ = made.WriteTo(v.w) // the reader is gone: nobody to tell
	return nil
}

// headers are those that a page has beside the gateway's strict ones.
func (v *visit) headers() {
	h := v.w.Header()
	h.Set("Content-Security-Policy", v.p.words.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
}

// otherQuery is this page's address in another language.
func (v *visit) otherQuery(l words.Lang) string {
	q, given := url.Values{"lang": {string(l)}}, v.r.URL.Query()
	for _, name := range keptParameters {
		if value := given.Get(name); value != "" {
			q.Set(name, value)
		}
	}
	return "?" + q.Encode()
}

// say is a phrase in the visit's language. A key that is not there is found by
// a test; here it shows as itself.
func (v *visit) say(key string, args ...any) string {
	text, err := v.p.words.phrases.Say(v.lang, key, args...)
	if err != nil {
		return key
	}
	return text
}
