package pages_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/words"
)

// pageWithin is how long a page may take in a browser on a busy machine.
const pageWithin = 30 * time.Second

// browsers are the names under which a browser that chromedp can drive is
// installed.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell"}

// browser is a person's browser on the pages.
type browser struct {
	*served
	ctx    context.Context
	name   string // of its pictures
	lang   words.Lang
	shots  int
	mu     sync.Mutex
	warned []string // by the browser: what the policy forbade, above all
}

// startBrowser starts a browser, or skips the test where none is installed.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	found := ""
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			found = path
			break
		}
	}
	if found == "" {
		t.Skip("pages in a real browser: none is installed (Debian: apt-get install chromium fonts-liberation)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(found),
		chromedp.NoSandbox, // root has none, and the pages are our own
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	return ctx
}

// window is a browser's window of a size, with cookies of its own.
func window(started context.Context, t *testing.T, v *served, l words.Lang, width, height int64) *browser {
	t.Helper()
	ctx, end := chromedp.NewContext(started, chromedp.WithNewBrowserContext())
	b := &browser{served: v, ctx: ctx, lang: l, name: fmt.Sprintf("%s-%d", l, width)}
	var listening sync.WaitGroup
	t.Cleanup(func() { end(); listening.Wait() })
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height)))
	messages := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Source != "network" { // answers of 4xx
				b.mu.Lock()
				b.warned = append(b.warned, m.String())
				b.mu.Unlock()
			}
		}
	})
	return b
}

// step does something that loads a page, and looks at the page.
func (b *browser) step(what string, status int64, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	a, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.shoot("failed")
		require.NoError(b.t, err, "%s; the page says:\n%s", what, b.text())
	}
	require.Equal(b.t, status, a.Status, "%s; the page says:\n%s", what, b.text())
	b.look(what)
}

// open opens a link of a mail.
func (b *browser) open(path string, parameters ...string) {
	b.t.Helper()
	b.step("open "+path, 200, chromedp.Navigate(b.url+in(b.lang, path)+strings.Join(parameters, "")))
}

// do does something that loads no page.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...), "the page says:\n%s", b.text())
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func fill(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(selector), text)
}

// asked is what a script in the page finds.
func asked[T any](b *browser, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	require.NoError(b.t, err)
	return found
}

func (b *browser) text() string {
	b.t.Helper()
	return strings.Join(strings.Fields(asked[string](b, `document.body.innerText`)), " ")
}

// says demands a text in the language of the test.
func (b *browser) says(fr, en string) {
	b.t.Helper()
	if b.lang == words.English {
		fr = en
	}
	require.Contains(b.t, b.text(), fr)
}

// wide finds what is wider than the window.
const wide = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
	.map(e => e.tagName + " " + e.className + " " + e.innerText.slice(0, 40))`

// small finds what a thumb would miss (WCAG 2.5.8 wants 24 pixels).
const small = `[...document.querySelectorAll("a, button, select, input:not([type=hidden]), textarea")]
	.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.height < 22 && !e.closest("p, li"))
	.map(([e, r]) => e.outerHTML.slice(0, 80) + " " + r.height)`

// pale finds text whose contrast with what is behind it is below 4.5 to 1 (WCAG
// 1.4.3).
const pale = `(() => {
	const parts = c => (c.match(/[\d.]+/g) ?? []).map(Number);
	const light = c => { const [r, g, b] = parts(c).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; const p = parts(c); if (p.length === 3 || p[3] === 1) return c; } return "rgb(255,255,255)"; };
	return [...document.querySelectorAll("body *")].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => {
		const [a, b] = [light(getComputedStyle(e).color), light(behind(e))]; return [e, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
	}).filter(([e, c]) => !(c >= 4.5)).map(([e, c]) => e.tagName + " " + e.className + " " + c.toFixed(2));
})()`

// seen is what a page looks like in a browser.
type seen struct {
	Wide   []string `json:"wide"`
	Small  []string `json:"small"`
	Pale   []string `json:"pale"`
	Margin string   `json:"margin"`
	Lang   string   `json:"lang"`
}

const looks = "({wide: " + wide + ", small: " + small + ", pale: " + pale + `,
	margin: getComputedStyle(document.body).margin, lang: document.documentElement.lang})`

// look is what is demanded of every page in a browser.
func (b *browser) look(what string) {
	b.t.Helper()
	found := asked[seen](b, looks)
	assert.Empty(b.t, found.Wide, "%s: wider than the window", what)
	assert.Empty(b.t, found.Small, "%s: too small to hit", what)
	assert.Empty(b.t, found.Pale, "%s: too pale to read", what)
	assert.Equal(b.t, "0px", found.Margin, "%s: the style is not applied", what)
	assert.Equal(b.t, b.lang.Tag(), found.Lang, what)
}

// shoot writes a picture of the whole page into the folder SHOTS.
func (b *browser) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(b.t, err)
	require.NoError(b.t, os.MkdirAll(dir, 0o755))
	b.shots++
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%02d-%s.png", b.name, b.shots, name)), picture, 0o644))
}

// A manager's way through the pages, at a desk and on a phone, in both
// languages, without any script.
func TestThePagesInARealBrowser(t *testing.T) {
	started := startBrowser(t)
	for _, l := range words.Langs {
		for _, size := range [][2]int64{{1280, 900}, {360, 740}} {
			t.Run(fmt.Sprintf("%s at %d", l, size[0]), func(t *testing.T) {
				b := window(started, t, serve(t, nil), l, size[0], size[1])
				b.confirm()
				b.token()
				b.contact()
				b.reveal()
				b.people()
				b.status()
				b.refused()
				b.mu.Lock()
				defer b.mu.Unlock()
				require.Empty(t, b.warned)
			})
		}
	}
}

func (b *browser) confirm() {
	b.t.Helper()
	b.open(b.path(link.Confirm))
	b.shoot("confirm")
	b.step("confirm", 200, click("#v1 button"))
	b.says("Votre réponse est enregistrée", "Your answer is recorded")
	b.shoot("confirmed")
	b.step("ask to decline", 200, click("#v2 a"))
	b.shoot("decline")
	b.do(click("label[for=reason-privacy]"))
	b.step("decline", 200, click("main button"))
	b.says("Refusé le", "Declined on")
	b.shoot("declined")
	require.Len(b.t, b.desk.decisions, 2)
}

func (b *browser) token() {
	b.t.Helper()
	path := b.path(link.Token)
	b.open(path)
	b.shoot("token")
	b.do(fill("#token", "not-the-right-one"))
	b.step("paste a wrong one", 422, click("main button"))
	b.says("Il vous reste 2 essais", "You have 2 tries left")
	require.Equal(b.t, "problems", asked[string](b, `document.activeElement.className`), "a reader of the screen begins at what is wrong")
	require.Empty(b.t, asked[string](b, `document.querySelector("#token").value`))
	b.shoot("token-wrong")
	b.do(fill("#token", pasted))
	b.step("paste the token", 200, click("main button"))
	b.shoot("token-choose")
	b.do(click("label[for=location-1]"), click("label[for=receipt-closed]"), click("label[for=workday]"))
	b.step("choose", 200, click("main button"))
	b.says("Relié à", "Connected to")
	b.shoot("token-done")
	require.Len(b.t, b.desk.choices, 1)
}

func (b *browser) contact() {
	b.t.Helper()
	b.open(b.path(link.Contact))
	b.shoot("contact")
	b.do(fill("#name", "Anne Roy"), fill("#email", "anne.roy@example.com"), click("label[for=called]"), fill("#by", "Lea Nope"), fill("#note", "number on record"))
	b.step("enter a wrong handle", 422, click("main button"))
	b.shoot("contact-wrong")
	b.do(chromedp.SetValue(chromedp.CSS("#by"), "lea"))
	b.step("enter the contact", 200, click("main button"))
	b.says("Contact entré par lea", "Contact entered by lea")
	b.shoot("contact-done")
	require.Len(b.t, b.desk.contacts, 1)
}

func (b *browser) reveal() {
	b.t.Helper()
	path := b.path(link.Reveal)
	b.open(path)
	b.shoot("reveal")
	b.step("show the key", 200, click("main button"))
	require.Contains(b.t, b.text(), apiKey)
	b.shoot("revealed")
	b.do(click("#key"))
	require.Equal(b.t, apiKey, asked[string](b, `getSelection().toString().trim()`), "a click selects the key")
	b.open(path)
	b.says("La clé a déjà été affichée", "The key was shown already")
	b.shoot("reveal-opened")
}

func (b *browser) people() {
	b.t.Helper()
	b.open(b.path(link.People))
	b.shoot("people")
	b.do(chromedp.SetValue(chromedp.CSS("#person-1"), "501"), chromedp.SetValue(chromedp.CSS("#person-2"), "501"))
	b.step("one for two", 422, click("main button"))
	b.shoot("people-twice")
	b.do(chromedp.SetValue(chromedp.CSS("#person-1"), "502"), chromedp.SetValue(chromedp.CSS("#person-3"), "ignore"))
	b.step("save", 200, click("main button"))
	b.says("Vous avez répondu pour tout le monde", "You have answered for everybody")
	b.shoot("people-saved")
	require.Len(b.t, b.desk.answers, 1)
}

func (b *browser) status() {
	b.t.Helper()
	b.open(b.path(link.Status))
	b.says("42 %", "42%")
	b.shoot("status")
	for _, s := range otherScenes {
		if s.name == "status, WISK on its way" {
			b.desk.change(s.set)
		}
	}
	b.open(b.path(link.Status))
	b.shoot("status-waiting")
}

func (b *browser) refused() {
	b.t.Helper()
	b.step("an expired link", 410, chromedp.Navigate(b.url+in(b.lang, b.pathOf(link.Claims{Purpose: link.Confirm, Expires: november}))))
	b.says("Ce lien a expiré", "This link has expired")
	b.shoot("expired")
}
