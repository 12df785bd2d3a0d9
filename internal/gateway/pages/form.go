package pages

import (
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/link"
)

// A form is ours when three things agree: the browser says that our own page
// sent it (Sec-Fetch-Site, else Origin), it carries the cookie that the page set,
// and its mark was made by us for this link and that cookie.
const (
	formField  = "form"
	formCookie = "form"
	// secureCookie is the cookie's name where there is TLS: browsers let nobody
	// set it without.
	secureCookie = "__Secure-form"
	// formFor is how long a page may lie open before its form is sent, in
	// business time: a manager may have to wait for somebody until the next shift.
	formFor = 12 * time.Hour
)

// readForm reads what was sent, at most a number of bytes.
func (v *visit) readForm(most int64) error {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return refusedType
	}
	if !v.sameSite() {
		return refusedSite
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, most))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refusedSize
	}
	if err != nil {
		return refusedMalformed
	}
	if v.form, err = url.ParseQuery(string(body)); err != nil {
		return refusedMalformed
	}
	return nil
}

// sameSite tells whether the browser, where it says anything, says that our own
// page sent the form. A page without referrer makes it say that the origin is
// "null"; then Sec-Fetch-Site decides, or cookie and mark where an old browser
// does not send it.
func (v *visit) sameSite() bool {
	if site := v.r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := v.r.Header.Get("Origin")
	return origin == "" || origin == "null" || origin == v.p.origin
}

// ownForm tells whether a form is one that we gave to this browser, for this
// link, not long ago.
func (v *visit) ownForm() bool {
	made, mark, _ := strings.Cut(v.form.Get(formField), ".")
	if !v.p.o.Signer.Sealed(mark, v.formText(v.cookie(), made)) {
		return false
	}
	seconds, err := strconv.ParseInt(made, 36, 64)
	return err == nil && v.p.o.Clock.Now().Sub(time.Unix(seconds, 0)) < formFor
}

// formMark makes the mark of a form, and the cookie that it needs, which is one
// for all forms of a page.
func (v *visit) formMark() string {
	if v.given == "" {
		if v.given = v.cookie(); v.given == "" {
			v.given = rand.Text()
			v.setCookie(v.given)
		}
	}
	made := strconv.FormatInt(v.p.o.Clock.Now().Unix(), 36)
	return made + "." + v.p.o.Signer.Seal(v.formText(v.given, made))
}

func (v *visit) formText(cookie, made string) string {
	return strings.Join([]string{"form", v.token, cookie, made}, "\n")
}

func (v *visit) cookieName() string {
	if v.p.secure {
		return secureCookie
	}
	return formCookie
}

// cookie is the one that this browser has for this link, if any.
func (v *visit) cookie() string {
	c, err := v.r.Cookie(v.cookieName())
	if err != nil || len(c.Value) != len(rand.Text()) {
		return ""
	}
	return c.Value
}

// setCookie gives the browser a cookie until it is closed, for this link alone:
// pages of several links do not take each other's.
func (v *visit) setCookie(value string) {
	http.SetCookie(v.w, &http.Cookie{
		Name: v.cookieName(), Value: value, Path: link.Path(v.claims.Purpose, v.token),
		HttpOnly: true, Secure: v.p.secure, SameSite: http.SameSiteStrictMode,
	})
}

// field is what was typed into a field, without the spaces around it.
func (v *visit) field(name string) string { return strings.TrimSpace(v.form.Get(name)) }

// query is an address of this page, in this language.
func (v *visit) query(name, value string) string {
	q := url.Values{"lang": {string(v.lang)}}
	if name != "" {
		q.Set(name, value)
	}
	return "?" + q.Encode()
}
