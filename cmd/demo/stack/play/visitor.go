package play

import (
	"context"
	"os/exec"
	"strings"
)

// visitor opens pages and clicks as a person does: in a real browser where one
// is installed, otherwise by plain HTTP, following the same forms. It is not for
// use by several at once.
type visitor interface {
	// what says in words how it goes about it.
	what() string
	open(ctx context.Context, address string) error
	// has tells whether the page shows an element.
	has(ctx context.Context, e element) (bool, error)
	// text is what an element says.
	text(ctx context.Context, e element) (string, error)
	// write puts a text into a field.
	write(ctx context.Context, e element, text string) error
	// choose ticks a box or picks one of several.
	choose(ctx context.Context, e element) error
	// press follows a link, or sends the form that a button belongs to, and waits
	// for the page that comes.
	press(ctx context.Context, e element) error
	close()
}

// element names the first element of a page with this tag, and what else is
// given of it.
type element struct{ Tag, ID, Name, Value, Class string }

// css is the element as browsers select it.
func (e element) css() string {
	text := e.Tag
	for _, part := range []struct{ name, value string }{{"id", e.ID}, {"name", e.Name}, {"value", e.Value}, {"class", e.Class}} {
		if part.value != "" {
			text += `[` + part.name + `="` + strings.ReplaceAll(part.value, `"`, `\"`) + `"]`
		}
	}
	return text
}

// browsers are the names under which a browser that can be driven is installed.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell"}

// newVisitor is a visitor with a real browser, unless there is none or none is
// wanted; why says that one was found that does not start.
func newVisitor(ctx context.Context, noBrowser bool) (v visitor, why error) {
	for _, name := range browsers {
		path, err := exec.LookPath(name)
		if noBrowser || err != nil {
			continue
		}
		if v, why = newBrowserVisitor(ctx, path); why == nil {
			return v, nil
		}
	}
	return newPlainVisitor(), why
}
