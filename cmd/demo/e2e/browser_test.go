package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// pageWithin is how long a page of the Web UI may take to show something.
	pageWithin = 30 * time.Second
	// Pictures are as wide as a small laptop's window, and as high as they need.
	pageWidth  = 1440
	pageHeight = 720
	formHeight = 1100
	// maxPicture is the most bytes of a picture in the documentation.
	maxPicture = 250 << 10
)

// browsers are the names under which a browser that chromedp can drive is
// installed.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell"}

// console is the Web UI in a real browser.
type console struct {
	t         *testing.T
	ctx       context.Context
	ui        string
	namespace string
}

// browse opens a browser on the Web UI, or skips the test where none is.
func browse(t *testing.T) context.Context {
	t.Helper()
	found := ""
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			found = path
			break
		}
	}
	if found == "" {
		t.Skip("Web UI in a real browser: none is installed (Debian: apt-get install chromium fonts-liberation)")
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
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(pageWidth, pageHeight)))
	return ctx
}

// do runs steps in the page, and shows the page's text when they fail.
func (c *console) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, pageWithin)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		c.shoot("failed")
		require.NoError(c.t, err, "%s; the page says:\n%s", what, c.text())
	}
}

// open goes to a page of the namespace.
func (c *console) open(path string, query url.Values) {
	c.t.Helper()
	c.do("open "+path, chromedp.Navigate(c.ui+"/namespaces/"+c.namespace+"/"+at(path, query)))
}

// at is a page's address in its namespace.
func at(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// shows waits until the page says all of the texts, wherever lines break.
func (c *console) shows(texts ...string) {
	c.t.Helper()
	page := ""
	for begun := time.Now(); time.Since(begun) < pageWithin; time.Sleep(100 * time.Millisecond) {
		page = strings.Join(strings.Fields(c.text()), " ")
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(page, text) }) {
			return
		}
	}
	c.shoot("failed")
	require.FailNow(c.t, "the page does not say it", "%q\nbut:\n%s", texts, page)
}

// said is what the page says, its frames included: the Web UI shows summaries
// and details in frames of their own.
const said = `[document, ...[...document.querySelectorAll("iframe")].map(f => f.contentDocument)]
	.map(d => d?.body?.innerText ?? "").join("\n")`

// text is what the page says.
func (c *console) text() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, pageWithin)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](said))
	require.NoError(c.t, err)
	return text
}

// columns are what the list of workflows shows, as a person sets them once with
// the button below the list.
func (c *console) columns(names ...string) {
	c.t.Helper()
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf(`{"label":%q}`, name)
	}
	set := fmt.Sprintf(`localStorage.setItem("namespace-workflow-table-columns", JSON.stringify({%q: [%s]}))`, c.namespace, strings.Join(list, ","))
	c.do("set the columns", chromedp.Navigate(c.ui), chromedp.Evaluate[chromedp.Void](set))
}

// height sets the window's.
func (c *console) height(pixels int64) {
	c.t.Helper()
	c.do("resize", chromedp.EmulateViewport(pageWidth, pixels))
}

const startPage = "workflows/start-workflow"

// form is what a link to the start form fills in.
func form(workflow, id string) url.Values {
	return url.Values{"workflowType": {workflow}, "workflowId": {id}, "taskQueue": {work.TaskQueue}}
}

// start fills in the start form and sends it. The input is pasted, as from
// docs/inputs.
func (c *console) start(workflow, id, pasted, picture string) {
	c.t.Helper()
	c.open(startPage, form(workflow, id))
	c.shows("Task Queue is Active")
	c.do("paste the input",
		chromedp.Click(chromedp.CSS(`div[role="textbox"][aria-label="Data"]`)),
		chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(kb.Delete),
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: pasted})
			return err
		}),
	)
	if picture != "" {
		c.height(formHeight)
		c.shoot(picture)
		c.height(pageHeight)
	}
	c.do("send the form", chromedp.Click(chromedp.CSS(`[data-testid="start-workflow-button"]`)))
	c.shows("Workflow started successfully")
}

// shoot writes a picture of the page into the folder SHOTS.
func (c *console) shoot(name string) {
	c.t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, pageWithin)
	defer cancel()
	require.NoError(c.t, chromedp.Do(ctx, chromedp.Sleep(settled)))
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(c.t, err)
	require.Less(c.t, len(picture), maxPicture, name)
	require.NoError(c.t, os.MkdirAll(dir, 0o755))
	require.NoError(c.t, os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644))
}

// settled is how long a page's animations take.
const settled = time.Second
