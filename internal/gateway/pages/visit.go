package pages

import (
	"context"
	"net/http"
	"net/url"

	"golang.org/x/text/language"

	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/words"
)

// visit is one request for a page.
type visit struct {
	p      *Pages
	w      http.ResponseWriter
	r      *http.Request
	lang   words.Lang
	token  string // the link's
	claims link.Claims
	face   face
	// form is what was sent; empty when a page is only opened.
	form url.Values
	// given is the cookie that the forms of the page are made for.
	given string
	// stay: the page cannot be opened again in the other language, as it tells
	// something once.
	stay     bool
	status   int
	problems []problem
}

// problem is what is wrong with a form, and the id of the field to mend it in;
// without one it is about the whole.
type problem struct{ Field, Text string }

func (p *Pages) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{p: p, w: w, r: r, lang: langOf(r), token: r.PathValue("token"), form: url.Values{}, status: http.StatusOK}
}

// get opens a page. It changes nothing: mail scanners open links as well.
func (v *visit) get(purpose link.Purpose, f face) error {
	if err := v.enter(purpose, f); err != nil {
		return err
	}
	return f.show(v)
}

// post takes a page's form.
func (v *visit) post(purpose link.Purpose, f face) error {
	if err := v.enter(purpose, f); err != nil {
		return err
	}
	if !v.p.sent.Allow(v.key()) {
		return refusedTooMany
	}
	if err := v.readForm(f.most); err != nil {
		return err
	}
	if !v.ownForm() {
		return v.again(http.StatusForbidden, problem{Text: v.say("form.old")})
	}
	return f.take(v)
}

// enter reads the link.
func (v *visit) enter(purpose link.Purpose, f face) error {
	claims, err := v.p.o.Signer.Verify(purpose, v.token, v.p.o.Clock.Now())
	if err != nil {
		return err
	}
	v.claims, v.face = claims, f
	if !v.p.opened.Allow(v.key()) {
		return refusedTooMany
	}
	return nil
}

// key is what a link's limits count by: links to the same thing share them,
// whenever they were made.
func (v *visit) key() string {
	return string(v.claims.Purpose) + "\n" + v.claims.Subject + "\n" + string(v.claims.Reader)
}

// desk bounds what the desk may take. A form is taken whole, also when whoever
// sent it is gone.
func (v *visit) desk() (context.Context, context.CancelFunc) {
	ctx := v.r.Context()
	if v.r.Method == http.MethodPost {
		ctx = context.WithoutCancel(ctx)
	}
	return context.WithTimeout(ctx, deskWithin)
}

// again shows the page once more, with what is wrong and what was typed.
func (v *visit) again(status int, problems ...problem) error {
	v.status, v.problems = status, append(v.problems, problems...)
	return v.face.show(v)
}

// back leads from a taken form to the page (303), so that loading it again sends
// nothing again.
func (v *visit) back(fragment string, query url.Values) error {
	if query == nil {
		query = url.Values{}
	}
	query.Set("lang", string(v.lang))
	to := "?" + query.Encode()
	if fragment != "" {
		to += "#" + fragment
	}
	// A relative address stays right behind any proxy.
	v.w.Header().Set("Location", to)
	v.headers()
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// languages are in the order of words.Langs: the first is the default.
var languages = language.NewMatcher([]language.Tag{language.CanadianFrench, language.MustParse("en-CA")})

// langOf is the language that a link or form names, else the one that the
// browser prefers, else French.
func langOf(r *http.Request) words.Lang {
	if l, err := words.Parse(r.URL.Query().Get("lang")); err == nil {
		return l
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return words.French
	}
	_, at, sure := languages.Match(tags...)
	if sure == language.No {
		return words.French
	}
	return words.Langs[at]
}
