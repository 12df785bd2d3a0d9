package play

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	// browserWithin bounds a browser's start, and pageWithin what it does on a
	// page, on a machine that is busy.
	browserWithin = 30 * time.Second
	pageWithin    = 20 * time.Second
)

// browserVisitor clicks in a real browser.
type browserVisitor struct {
	ctx context.Context // the browser's
	end func()
}

// newBrowserVisitor starts a browser, which ends with the context at the latest.
func newBrowserVisitor(ctx context.Context, path string) (*browserVisitor, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("disable-dev-shm-usage", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root has none, and the pages are our own
	}
	allocated, endAll := chromedp.NewExecAllocator(ctx, options...)
	tab, endTab := chromedp.NewContext(allocated)
	v := &browserVisitor{ctx: tab, end: func() { endTab(); endAll() }}
	// The first use starts the browser, on the context without a bound.
	late := time.AfterFunc(browserWithin, v.end)
	err := chromedp.Do(tab, chromedp.Navigate("about:blank"))
	if !late.Stop() && err == nil {
		err = context.DeadlineExceeded
	}
	if err != nil {
		v.end()
		return nil, fmt.Errorf("the browser %s does not start: %w", path, err)
	}
	return v, nil
}

func (v *browserVisitor) what() string { return "a real browser" }

func (v *browserVisitor) close() { v.end() }

// bound is the browser's context for one act of somebody.
func (v *browserVisitor) bound(ctx context.Context) (context.Context, func()) {
	bound, cancel := context.WithTimeout(v.ctx, pageWithin)
	stop := context.AfterFunc(ctx, cancel)
	return bound, func() { stop(); cancel() }
}

// loads does something that loads a page, which has to be a good one.
func (v *browserVisitor) loads(ctx context.Context, what string, step chromedp.Action[chromedp.Void]) error {
	bound, done := v.bound(ctx)
	defer done()
	answer, err := chromedp.RunResponse(bound, step)
	if err != nil {
		return fmt.Errorf("%s in the browser: %w", what, err)
	}
	if answer != nil && answer.Status >= 400 {
		page, _ := chromedp.Run(bound, chromedp.Evaluate[string](`document.body.innerText`)) // as far as it can be told
		return fmt.Errorf("%s in the browser: HTTP %d: %.300s", what, answer.Status, strings.Join(strings.Fields(page), " "))
	}
	return nil
}

func (v *browserVisitor) open(ctx context.Context, address string) error {
	return v.loads(ctx, "opening a page", chromedp.Navigate(address))
}

func (v *browserVisitor) press(ctx context.Context, e element) error {
	return v.loads(ctx, "clicking "+e.css(), chromedp.Click(chromedp.CSS(e.css())))
}

func (v *browserVisitor) has(ctx context.Context, e element) (bool, error) {
	bound, done := v.bound(ctx)
	defer done()
	return chromedp.Run(bound, chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%q) !== null`, e.css())))
}

func (v *browserVisitor) text(ctx context.Context, e element) (string, error) {
	bound, done := v.bound(ctx)
	defer done()
	text, err := chromedp.Run(bound, chromedp.Text(chromedp.CSS(e.css())))
	return strings.TrimSpace(text), err
}

func (v *browserVisitor) write(ctx context.Context, e element, text string) error {
	return v.does(ctx, chromedp.SendKeys(chromedp.CSS(e.css()), text))
}

func (v *browserVisitor) choose(ctx context.Context, e element) error {
	return v.does(ctx, chromedp.Click(chromedp.CSS(e.css())))
}

func (v *browserVisitor) does(ctx context.Context, step chromedp.Action[chromedp.Void]) error {
	bound, done := v.bound(ctx)
	defer done()
	return chromedp.Do(bound, step)
}
