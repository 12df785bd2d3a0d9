package mailboxsim

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxRows bounds the mails that the list shows, newest first.
const maxRows = 500

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("pages").Parse(pagesHTML))

type pageView struct {
	Title  string
	Now    string
	Broken []Violation
	To     string // the address that the list is about
	Mails  []Mail // newest first
	More   int    // that are not shown
	Mail   Mail
	Links  []string
}

func (s *Sim) page(title string) pageView {
	return pageView{Title: title, Now: s.clock.Now().UTC().Format("Mon 2 Jan 2006, 15:04 UTC"), Broken: s.Violations()}
}

func (s *Sim) serveList(w http.ResponseWriter, r *http.Request) {
	v := s.page("Mailbox")
	v.To = r.URL.Query().Get("to")
	v.Mails = s.Mails(v.To)
	slices.Reverse(v.Mails)
	if len(v.Mails) > maxRows {
		v.More, v.Mails = len(v.Mails)-maxRows, v.Mails[:maxRows]
	}
	render(w, "list", v)
}

func (s *Sim) serveMail(w http.ResponseWriter, r *http.Request) {
	m, ok := s.mailOf(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	v := s.page(m.Subject)
	v.Mail, v.Links = m, m.Links()
	render(w, "mail", v)
}

// serveHTML shows a mail's HTML as a mail program would: it runs nothing and
// loads nothing.
func (s *Sim) serveHTML(w http.ResponseWriter, r *http.Request) {
	m, ok := s.mailOf(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write([]byte(m.HTML))
}

func (s *Sim) serveSource(w http.ResponseWriter, r *http.Request) {
	m, ok := s.mailOf(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(m.Source)
}

// serveFile hands an attachment over, to be kept and not shown.
func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request) {
	m, ok := s.mailOf(r)
	i, err := strconv.Atoi(r.PathValue("file"))
	if !ok || err != nil || i < 0 || i >= len(m.Files) {
		http.NotFound(w, r)
		return
	}
	name := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(`"\/`, c) {
			return '_'
		}
		return c
	}, m.Files[i].Name)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(m.Files[i].Data)
}

func (s *Sim) mailOf(r *http.Request) (Mail, bool) {
	number, err := strconv.Atoi(r.PathValue("number"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || number < 1 || number > len(s.mails) {
		return Mail{}, false
	}
	return s.mails[number-1], true
}

func render(w http.ResponseWriter, name string, v pageView) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, v); err != nil {
		http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(page.Bytes())
}
