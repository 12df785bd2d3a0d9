package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"net/mail"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

//go:embed templates/*.txt templates/layout.html phrases/*.txt
var files embed.FS

// House is who writes. Its settings are named in brackets.
type House struct {
	// Name signs the mails [CLUSTERBRIDGE_MAIL_HOUSE_NAME, "Cluster POS"].
	Name string
	// Address is our postal address, on one line, which Canada's law on
	// electronic messages wants in every mail [CLUSTERBRIDGE_MAIL_HOUSE_ADDRESS].
	Address string
	// Support is whom readers ask [CLUSTERBRIDGE_SUPPORT_ADDRESS,
	// "support@clusterpos.com"].
	Support string
}

// Composer words mails. It is safe for use by many goroutines.
type Composer struct {
	house   House
	phrases *words.Catalogue
	letters map[words.Lang]map[Kind]letter
	layout  *htmltemplate.Template
}

// letter is a message's text in one language, ready to be filled in.
type letter struct {
	subject, text *template.Template
	html          *htmltemplate.Template
}

// NewComposer reads all texts. Its error names the file that is wrong.
func NewComposer(h House) (*Composer, error) {
	if h.Name == "" || h.Address == "" {
		return nil, errors.New("mail: the house's name or address is missing")
	}
	if _, err := mail.ParseAddress(h.Support); err != nil {
		return nil, errors.New("mail: the support's address is no mail address")
	}
	phrases, err := fs.Sub(files, "phrases")
	if err != nil {
		return nil, err
	}
	c := &Composer{house: h, letters: map[words.Lang]map[Kind]letter{}}
	if c.phrases, err = words.ReadCatalogue(phrases); err != nil {
		return nil, err
	}
	if c.layout, err = htmltemplate.ParseFS(files, "templates/layout.html"); err != nil {
		return nil, err
	}
	for _, l := range words.Langs {
		c.letters[l] = map[Kind]letter{}
		for _, k := range Kinds {
			name := fmt.Sprintf("templates/%s.%s.txt", k, l)
			if c.letters[l][k], err = c.read(name, l); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return c, nil
}

func (c *Composer) read(name string, l words.Lang) (letter, error) {
	file, err := files.ReadFile(name)
	if err != nil {
		return letter{}, err
	}
	s, err := readSource(l, string(file))
	if err != nil {
		return letter{}, err
	}
	verbs := c.verbs(l)
	var out letter
	if out.subject, err = template.New(name).Funcs(verbs).Parse(s.subject); err != nil {
		return letter{}, err
	}
	if out.text, err = template.New(name).Funcs(verbs).Parse(s.text); err != nil {
		return letter{}, err
	}
	out.html, err = htmltemplate.New(name).Funcs(verbs).Parse(s.html)
	return out, err
}

// verbs are what templates can say, in a language.
func (c *Composer) verbs(l words.Lang) template.FuncMap {
	return template.FuncMap{
		"say":     func(key string, args ...any) (string, error) { return c.phrases.Say(l, key, args...) },
		"count":   func(key string, n int) (string, error) { return c.phrases.Count(l, key, n) },
		"one":     func(n int) bool { return l.One(int64(n)) },
		"date":    func(t time.Time) string { return l.Date(t) },
		"moment":  func(t time.Time) string { return l.Moment(t) },
		"day":     func(d sale.Day) string { return l.Day(d) },
		"amount":  func(a sale.Cents) string { return l.Amount(a) },
		"percent": func(r words.Rate) string { return l.Percent(r) },
		"in":      func(b Bilingual) string { return b.In(l) },
		"reveal":  func(s vault.Secret) string { return s.Reveal() },
		"support": func() string { return c.house.Support },
		"venues":  func(all []Venue) string { return l.List(names(all)) },
		"few":     func(all []Venue) (string, error) { return c.few(l, all) },
	}
}

func names(venues []Venue) []string {
	out := make([]string, len(venues))
	for i, v := range venues {
		out[i] = v.Name
	}
	return out
}

// fewVenues is how many venues a subject names; a request may have 50.
const fewVenues = 2

// few names some venues and counts the others.
func (c *Composer) few(l words.Lang, venues []Venue) (string, error) {
	all := names(venues)
	if len(all) <= fewVenues {
		return l.List(all), nil
	}
	others, err := c.phrases.Count(l, "others", len(all)-fewVenues)
	return l.List(append(all[:fewVenues], others)), err
}

// Compose words a message in a language; given several, in each of them, one
// after the other in one mail. It is a pure function of what it is given.
// Errors are *work.Error: BadInput names what is missing or not fit for a mail.
func (c *Composer) Compose(m Message, langs ...words.Lang) (Composed, error) {
	if len(langs) == 0 || !slices.Contains(Kinds, m.Kind()) {
		return Composed{}, work.Err(work.Internal, "a mail of no language or kind")
	}
	m, err := tidy(m)
	if err != nil {
		return Composed{}, err
	}
	out := Composed{Kind: m.Kind(), Langs: langs}
	if a, ok := m.(interface{ attachments() []Attachment }); ok {
		out.Attachments = a.attachments()
	}
	page := pageView{House: c.house}
	var subjects, texts, footers []string
	for _, l := range langs {
		part, err := c.part(m, l)
		if err != nil {
			return Composed{}, work.Errf(work.Internal, err, "wording mail %s in %q", m.Kind(), string(l))
		}
		subjects, texts = append(subjects, part.subject), append(texts, part.text)
		footers = append(footers, wrap(part.pageView.Footer)...)
		page.Parts = append(page.Parts, part.pageView)
	}
	if err := c.notes(langs, page.Parts, texts); err != nil {
		return Composed{}, work.Errf(work.Internal, err, "wording mail %s", m.Kind())
	}
	out.Subject = strings.Join(subjects, " / ")
	footers = append(footers, c.house.Name, c.house.Address)
	out.Text = strings.Join(texts, textRule) + textSignature + strings.Join(footers, "\n") + "\n"
	page.Title, page.Lang = out.Subject, langs[0].Tag()
	out.HTML, err = run(c.layout, page)
	if err != nil {
		return Composed{}, work.Errf(work.Internal, err, "laying out mail %s", m.Kind())
	}
	return out, nil
}

type pageView struct {
	House House
	Title string
	Lang  string // of the whole
	Parts []partView
}

type partView struct {
	Lang   string
	Body   htmltemplate.HTML
	Footer string
	// Below tells, in the language that follows, that it follows; empty in the
	// last part.
	Below, BelowLang string
}

type part struct {
	pageView      partView
	subject, text string
}

func (c *Composer) part(m Message, l words.Lang) (part, error) {
	from := c.letters[l][m.Kind()]
	subject, err := run(from.subject, m)
	if err != nil {
		return part{}, err
	}
	text, err := run(from.text, m)
	if err != nil {
		return part{}, err
	}
	body, err := run(from.html, m)
	if err != nil {
		return part{}, err
	}
	footer, err := c.phrases.Say(l, "layout.footer", c.house.Name, c.house.Support)
	if err != nil {
		return part{}, err
	}
	return part{
		subject: strings.Join(strings.Fields(subject), " "),
		text:    finish(text),
		//nolint:gosec // the output of html/template
		pageView: partView{Lang: l.Tag(), Body: htmltemplate.HTML(body), Footer: footer},
	}, nil
}

// notes says at the top, to those who read the other language, that theirs
// follows.
func (c *Composer) notes(langs []words.Lang, parts []partView, texts []string) error {
	for i, l := range langs[1:] {
		note, err := c.phrases.Say(l, "layout.below")
		if err != nil {
			return err
		}
		parts[i].Below, parts[i].BelowLang = note, l.Tag()
		texts[i] = note + "\n\n" + texts[i]
	}
	return nil
}

func run(t interface {
	Execute(w io.Writer, data any) error
}, data any) (string, error) {
	var b bytes.Buffer
	err := t.Execute(&b, data)
	return b.String(), err
}
