package pages_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// forms are fields that each page would take.
var forms = map[link.Purpose][]string{
	link.Confirm: {"venue", "le-coin", "act", "confirm"},
	link.Token:   {"token", pasted, "act", "paste"},
	link.Contact: {"name", "Anne Roy", "email", "anne@example.com", "speaks", "fr", "called", "yes", "by", "lea", "note", "called the number on record"},
	link.Reveal:  {},
	link.People:  {"who.e-2", "501"},
}

func TestEveryFormIsTakenOnce(t *testing.T) {
	for purpose, fields := range forms {
		v := serve(t, nil)
		path := v.path(purpose)
		v.open(path)
		a := v.send(path, fields...)
		require.Less(t, a.status, 400, "%s: %s", purpose, a.text)
		require.Equal(t, 1, v.desk.told(), purpose)
	}
}

// What mail scanners, crawlers and other sites can make a browser do changes
// nothing, and says so on a page.
func TestNothingButOurOwnFormChangesAnything(t *testing.T) {
	for purpose, fields := range forms {
		for name, c := range map[string]struct {
			method string
			set    func(*http.Request)
			status int
			says   string // in French
		}{
			"opened":        {http.MethodGet, nil, 200, ""},
			"head":          {http.MethodHead, nil, 200, ""},
			"put":           {http.MethodPut, nil, 405, "ne s'utilise pas ainsi"},
			"patch":         {http.MethodPatch, nil, 405, "ne s'utilise pas ainsi"},
			"delete":        {http.MethodDelete, nil, 405, "ne s'utilise pas ainsi"},
			"options":       {http.MethodOptions, nil, 405, "ne s'utilise pas ainsi"},
			"no cookie":     {http.MethodPost, func(r *http.Request) { r.Header.Del("Cookie") }, 403, "vérifiez vos réponses et envoyez-les de nouveau"},
			"other cookie":  {http.MethodPost, func(r *http.Request) { r.Header.Set("Cookie", "form="+strings.Repeat("A", 26)) }, 403, "permettez les témoins"},
			"short cookie":  {http.MethodPost, func(r *http.Request) { r.Header.Set("Cookie", "form=A") }, 403, "permettez les témoins"},
			"cross-site":    {http.MethodPost, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "ne vient pas de notre page"},
			"same-site":     {http.MethodPost, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403, "ne vient pas de notre page"},
			"typed address": {http.MethodPost, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, 403, "ne vient pas de notre page"},
			"other origin, old browser": {http.MethodPost, func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "https://evil.example")
			}, 403, "ne vient pas de notre page"},
			"json":      {http.MethodPost, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 415, "ne peut pas être lue"},
			"multipart": {http.MethodPost, func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }, 415, "ne peut pas être lue"},
			"text":      {http.MethodPost, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415, "ne peut pas être lue"},
			"no type":   {http.MethodPost, func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "ne peut pas être lue"},
			"half an escape": {http.MethodPost, func(r *http.Request) {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader("a=%4")), 4
			}, 400, "ne peut pas être lue"},
		} {
			v := serve(t, nil)
			path := v.path(purpose)
			v.open(path)
			values := v.fill(fields...)
			jar := v.client.Jar
			if strings.Contains(name, "cookie") {
				v.client.Jar = nil
			}
			a := v.do(c.method, path, values.Encode(), c.set)
			v.client.Jar = jar
			require.Equal(t, c.status, a.status, "%s, %s: %s", purpose, name, a.text)
			require.Contains(t, a.text, c.says, "%s, %s", purpose, name)
			require.Zero(t, v.desk.told(), "%s, %s", purpose, name)
			if c.status == 405 {
				require.Equal(t, "GET, HEAD, POST", a.header.Get("Allow"))
			}
		}
	}
}

// A form that lay too long, or is another link's, is shown again with what was
// typed, and can then be sent.
func TestAnOldFormIsShownAgain(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Contact)
	v.open(path)
	v.clock.add(13 * time.Hour)
	a := v.send(path, forms[link.Contact]...)
	require.Equal(t, http.StatusForbidden, a.status)
	require.Contains(t, a.text, "Rien n'a été enregistré")
	require.Contains(t, a.body, `value="anne@example.com"`)
	require.Contains(t, a.body, "called the number on record</textarea>")
	require.Zero(t, v.desk.told())
	a = v.send(path, forms[link.Contact]...)
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, 1, v.desk.told())
}

// What was typed for a token is not shown again, whatever went wrong.
func TestAnOldFormDoesNotShowItsToken(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Token)
	v.open(path)
	v.clock.add(13 * time.Hour)
	a := v.send(path, forms[link.Token]...)
	require.Equal(t, http.StatusForbidden, a.status)
	require.NotContains(t, a.body, pasted)
}

func TestAFormIsOfOneLink(t *testing.T) {
	v := serve(t, nil)
	one, other := v.path(link.Confirm), v.pathOf(link.Claims{Purpose: link.Confirm, Subject: "wisk:another"})
	cookie, _, _ := strings.Cut(v.open(other).header.Get("Set-Cookie"), ";")
	stranger := v.fill(forms[link.Confirm]...)
	a := v.do(http.MethodPost, one, stranger.Encode(), func(r *http.Request) { r.Header.Set("Cookie", cookie) })
	require.Equal(t, http.StatusForbidden, a.status, "with its cookie and its mark, but for another link")
	v.forgetCookies()
	v.open(other)
	stranger = v.fill(forms[link.Confirm]...)
	v.open(one)
	own := v.fill(forms[link.Confirm]...)
	require.Equal(t, http.StatusForbidden, v.do(http.MethodPost, one, stranger.Encode(), nil).status)
	require.Zero(t, v.desk.told())
	require.Equal(t, http.StatusSeeOther, v.do(http.MethodPost, one, own.Encode(), nil).status, "two links at a time do not disturb each other")
	// Nor is a mark good under another link's cookie.
	v.forgetCookies()
	v.open(one)
	require.Equal(t, http.StatusForbidden, v.do(http.MethodPost, one, own.Encode(), nil).status)
	require.Equal(t, 1, v.desk.told())
}

// A form that was sent once is good again only while its link is.
func TestAFormIsNoGoodAfterItsLink(t *testing.T) {
	v := serve(t, nil)
	path := v.pathOf(link.Claims{Purpose: link.Confirm, Expires: november.Add(time.Hour)})
	v.open(path)
	v.clock.add(time.Hour)
	a := v.send(path, forms[link.Confirm]...)
	require.Equal(t, http.StatusGone, a.status)
	require.Contains(t, a.text, "Ce lien a expiré")
	require.Zero(t, v.desk.told())
}

// Old browsers say nothing, or that the origin is ours or, as our page makes
// them, null.
func TestOldBrowsersCanAnswer(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Confirm)
	for i, origin := range []string{"", "null", v.url} {
		v.open(path)
		a := v.do(http.MethodPost, path, v.fill("venue", "le-coin", "act", "confirm").Encode(), func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Del("Origin")
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
		})
		require.Equal(t, http.StatusSeeOther, a.status, origin)
		require.Equal(t, i+1, v.desk.told())
	}
}

func TestLinksThatAreNotGood(t *testing.T) {
	v := serve(t, nil)
	stranger, err := link.New("the secret of somebody else, who guesses")
	require.NoError(t, err)
	forged, err := stranger.Sign(link.Claims{Purpose: link.Confirm, Subject: "wisk:20261124-7f3a", Expires: november.Add(time.Hour)})
	require.NoError(t, err)
	expired := v.pathOf(link.Claims{Purpose: link.Confirm, Expires: november})
	good := v.path(link.Confirm)
	for name, c := range map[string]struct {
		path   string
		status int
		fr, en string
	}{
		"forged":          {link.Path(link.Confirm, forged), 404, "Ce lien n'est pas valable", "This link is not valid"},
		"nonsense":        {"/confirm/x", 404, "Ce lien n'est pas valable", "This link is not valid"},
		"cut":             {good[:len(good)-3], 404, "Ce lien n'est pas valable", "This link is not valid"},
		"another purpose": {strings.Replace(v.path(link.Status), "/status/", "/confirm/", 1), 404, "Ce lien n'est pas valable", "This link is not valid"},
		"expired":         {expired, 410, "Ce lien a expiré", "This link has expired"},
	} {
		for l, says := range map[words.Lang]string{words.French: c.fr, words.English: c.en} {
			a := v.open(in(l, c.path))
			require.Equal(t, c.status, a.status, name)
			require.Contains(t, a.text, says, name)
			require.Contains(t, a.text, support, name)
			require.Empty(t, a.header.Values("Set-Cookie"), name)
			a = v.do(http.MethodPost, in(l, c.path), v.fill(forms[link.Confirm]...).Encode(), nil)
			require.Equal(t, c.status, a.status, name)
		}
	}
	require.Empty(t, v.desk.subjects, "the desk is not even asked")
	require.NotContains(t, v.logged.String(), strings.TrimPrefix(good, "/confirm/"), "the log holds no link")
}

func TestTheStatusPageTakesNothing(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Status)
	a := v.open(path)
	require.NotContains(t, a.body, "<form")
	require.Empty(t, a.header.Values("Set-Cookie"))
	a = v.send(path)
	require.Equal(t, http.StatusMethodNotAllowed, a.status)
	require.Equal(t, "GET, HEAD", a.header.Get("Allow"))
}

func TestHugeFormsAreRefused(t *testing.T) {
	for purpose, most := range map[link.Purpose]int{link.Confirm: 16 << 10, link.Token: 16 << 10, link.Contact: 16 << 10, link.Reveal: 16 << 10, link.People: 128 << 10} {
		v := serve(t, nil)
		path := v.path(purpose)
		v.open(path)
		values := v.fill(forms[purpose]...)
		values.Set("x", strings.Repeat("x", most))
		a := v.do(http.MethodPost, path, values.Encode(), nil)
		require.Equal(t, http.StatusRequestEntityTooLarge, a.status, purpose)
		require.Contains(t, a.text, "trop longue", purpose)
		require.Zero(t, v.desk.told(), purpose)
	}
}

// What the desk answers becomes a page, at reading and at telling.
func TestWhatTheDeskCannotDoIsSaid(t *testing.T) {
	secretive := errors.New("dial postgres://user:password@host")
	for name, c := range map[string]struct {
		err    error
		status int
		fr, en string
		logged bool
	}{
		"gone":     {pages.ErrGone, 410, "Cette demande a pris fin", "This request has ended", false},
		"ledger":   {work.Errf(work.LedgerUnavailable, secretive, "asking"), 503, "Réessayez dans quelques minutes", "Try again in a few minutes", true},
		"limited":  {work.Err(work.PartnerLimited, ""), 503, "Réessayez dans quelques minutes", "Try again in a few minutes", true},
		"too slow": {context.DeadlineExceeded, 503, "Réessayez dans quelques minutes", "Try again in a few minutes", true},
		"ours":     {work.Err(work.Internal, "a state"), 500, "Une erreur de notre côté", "A fault on our side", true},
		"refused":  {work.Err(work.PartnerNotFound, ""), 500, "Une erreur de notre côté", "A fault on our side", true},
		"any":      {errors.New("any"), 500, "Une erreur de notre côté", "A fault on our side", true},
	} {
		for purpose, fields := range forms {
			v := serve(t, nil)
			path := v.path(purpose)
			v.open(path)
			v.desk.change(func(d *desk) { d.telling = c.err })
			a := v.send(in(words.English, path), fields...)
			require.Equal(t, c.status, a.status, "%s, %s: %s", name, purpose, a.text)
			require.Contains(t, a.text, c.en, name)
			v.desk.change(func(d *desk) { d.reading = c.err })
			a = v.open(path)
			require.Equal(t, c.status, a.status, name)
			require.Contains(t, a.text, c.fr, name)
			require.Equal(t, c.logged, strings.Contains(a.text, a.header.Get("X-Request-Id")), name)
			require.Equal(t, c.logged, strings.Contains(v.logged.String(), "a page failed"), name)
			require.NotContains(t, a.body+v.logged.String(), "user:")
			if c.status == 503 {
				require.NotEmpty(t, a.header.Get("Retry-After"))
			}
		}
	}
}

// One link cannot be used to wear us down, nor can one remote.
func TestLinksAndRemotesArePaced(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Token)
	v.open(path)
	var last reply
	for i := range 40 { // from an address each
		v.desk.change(func(d *desk) { d.left, d.token.State = 9, pages.TokenPaste })
		last = v.do(http.MethodPost, path, v.fill("token", "wrong-one", "act", "paste").Encode(), remote(i))
	}
	require.Equal(t, http.StatusTooManyRequests, last.status)
	require.Contains(t, last.text, "Un instant, s'il vous plaît")
	require.NotEmpty(t, last.header.Get("Retry-After"))
	require.Less(t, len(v.desk.tokens), 40)
	later := v.pathOf(link.Claims{Purpose: link.Token, Expires: november.Add(48 * time.Hour)})
	require.Equal(t, http.StatusTooManyRequests, v.do(http.MethodPost, later, "", remote(99)).status, "another link to the same thing")
	require.Equal(t, 200, v.do(http.MethodGet, v.pathOf(link.Claims{Purpose: link.Token, Subject: "7shifts:other"}), "", remote(98)).status, "another thing")

	v = serve(t, nil)
	for range 70 {
		last = v.do(http.MethodGet, "/confirm/forged", "", remote(1))
	}
	require.Equal(t, http.StatusTooManyRequests, last.status)
	require.Contains(t, last.text, "Un instant")
	require.Equal(t, 200, v.do(http.MethodGet, v.path(link.Confirm), "", remote(2)).status, "another remote")
}

// A fault of ours is a page as well, and tells nothing.
func TestAPanicIsAPage(t *testing.T) {
	v := serve(t, func(o *pages.Options, _ *gateway.Options) { o.Desk = broken{o.Desk} })
	a := v.open(in(words.English, v.path(link.Confirm)))
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Contains(t, a.text, "A fault on our side")
	require.Contains(t, a.text, a.header.Get("X-Request-Id"))
	require.NotContains(t, a.body+v.logged.String(), "a name and a key")
	require.Contains(t, v.logged.String(), "broken.Confirmation")
}

type broken struct{ pages.Desk }

func (broken) Confirmation(context.Context, string) (pages.Confirmation, error) {
	panic("a name and a key")
}

func TestThePageSpeaksTheReadersLanguage(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Confirm)
	for accept, want := range map[string]string{
		"": "fr-CA", "en": "en-CA", "en-US,en;q=0.9": "en-CA", "en-GB": "en-CA", "fr-FR,fr;q=0.9,en;q=0.8": "fr-CA", "de-DE,de;q=0.9": "fr-CA",
		"de,en;q=0.5,fr;q=0.4": "en-CA", "es, fr;q=0.5": "fr-CA", "*": "fr-CA", "nonsense;;;q=": "fr-CA",
	} {
		a := v.do(http.MethodGet, path, "", func(r *http.Request) { r.Header.Set("Accept-Language", accept) })
		require.Equal(t, want, a.header.Get("Content-Language"), "%q", accept)
		a = v.do(http.MethodGet, in(words.English, path), "", func(r *http.Request) { r.Header.Set("Accept-Language", accept) })
		require.Equal(t, "en-CA", a.header.Get("Content-Language"), "a link goes before %q", accept)
	}
	require.Equal(t, "fr-CA", v.open(path+"?lang=de").header.Get("Content-Language"))
	a := v.open(in(words.English, path))
	require.Contains(t, a.body, `action="?lang=en"`)
	a = v.send(in(words.English, path), "venue", "le-coin", "act", "confirm")
	require.Equal(t, "en-CA", v.follow(path, a).header.Get("Content-Language"), "the language is kept through a form")
}

func TestCookiesAreSafeBehindTLS(t *testing.T) {
	v := serve(t, func(o *pages.Options, _ *gateway.Options) { o.PublicURL = "https://bridge.example.com/" })
	path := v.path(link.Confirm)
	a := v.open(path)
	require.Regexp(t, `^__Secure-form=[A-Z2-7]{26}; Path=`+path+`; HttpOnly; Secure; SameSite=Strict$`, a.header.Get("Set-Cookie"))
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	a = v.do(http.MethodPost, path, v.fill(forms[link.Confirm]...).Encode(), func(r *http.Request) {
		r.Header.Set("Cookie", cookie)
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set("Origin", "https://bridge.example.com")
	})
	require.Equal(t, http.StatusSeeOther, a.status)
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	signer, err := link.New(secret)
	require.NoError(t, err)
	clock := &hands{now: november}
	good := pages.Options{Desk: newDesk(t, clock), Signer: signer, Clock: clock, Log: quiet(), PublicURL: "https://bridge.example.com", House: "Cluster POS", Support: support}
	for _, url := range []string{"https://bridge.example.com", "https://bridge.example.com/", "https://bridge.example.com:8443", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"} {
		o := good
		o.PublicURL = url
		_, err := pages.New(o)
		require.NoError(t, err, url)
	}
	for name, spoil := range map[string]func(*pages.Options){
		"no desk":          func(o *pages.Options) { o.Desk = nil },
		"no signer":        func(o *pages.Options) { o.Signer = nil },
		"no clock":         func(o *pages.Options) { o.Clock = nil },
		"no log":           func(o *pages.Options) { o.Log = nil },
		"no house":         func(o *pages.Options) { o.House = "" },
		"no support":       func(o *pages.Options) { o.Support = "support" },
		"no address":       func(o *pages.Options) { o.PublicURL = "" },
		"no TLS":           func(o *pages.Options) { o.PublicURL = "http://bridge.example.com" },
		"another scheme":   func(o *pages.Options) { o.PublicURL = "ftp://bridge.example.com" },
		"a path":           func(o *pages.Options) { o.PublicURL = "https://bridge.example.com/pages" },
		"a query":          func(o *pages.Options) { o.PublicURL = "https://bridge.example.com/?a" },
		"a name and a key": func(o *pages.Options) { o.PublicURL = "https://a:b@bridge.example.com" },
	} {
		o := good
		spoil(&o)
		_, err := pages.New(o)
		require.Error(t, err, name)
	}
}
