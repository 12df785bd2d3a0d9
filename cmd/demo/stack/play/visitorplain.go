package play

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// maxPage bounds a page that is read.
const maxPage = 1 << 20

// plainVisitor follows links and forms by plain HTTP, with cookies and hidden
// fields, as a browser without scripts would.
type plainVisitor struct {
	client *http.Client
	at     *url.URL
	page   *html.Node
	typed  map[*html.Node]string // by field
}

func newPlainVisitor() *plainVisitor {
	jar, _ := cookiejar.New(nil) // fails never
	return &plainVisitor{client: &http.Client{Jar: jar, Timeout: pageWithin}}
}

func (v *plainVisitor) what() string { return "plain HTTP" }

func (v *plainVisitor) close() { v.client.CloseIdleConnections() }

func (v *plainVisitor) open(ctx context.Context, address string) error {
	return v.loads(ctx, http.MethodGet, address, nil)
}

// loads asks for a page, relative to the one that is open.
func (v *plainVisitor) loads(ctx context.Context, method, address string, form url.Values) error {
	target, err := url.Parse(address)
	if err != nil {
		return err
	}
	if v.at != nil {
		target = v.at.ResolveReference(target)
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", target.Scheme+"://"+target.Host)
	}
	res, err := v.client.Do(req)
	if err != nil {
		return fmt.Errorf("a page by plain HTTP: %w", err)
	}
	defer res.Body.Close()
	page, err := html.Parse(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return fmt.Errorf("a page by plain HTTP: %w", err)
	}
	v.at, v.page, v.typed = res.Request.URL, page, map[*html.Node]string{}
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("a page by plain HTTP: %s: %.300s", res.Status, wordsIn(page))
	}
	return nil
}

func (v *plainVisitor) has(_ context.Context, e element) (bool, error) { return v.find(e) != nil, nil }

func (v *plainVisitor) text(_ context.Context, e element) (string, error) {
	n := v.find(e)
	if n == nil {
		return "", fmt.Errorf("the page has no %s", e.css())
	}
	return wordsIn(n), nil
}

func (v *plainVisitor) write(_ context.Context, e element, text string) error {
	return v.put(e, text)
}

func (v *plainVisitor) choose(_ context.Context, e element) error {
	n := v.find(e)
	if n == nil {
		return fmt.Errorf("the page has no %s", e.css())
	}
	return v.put(e, valueOf(n))
}

func (v *plainVisitor) put(e element, value string) error {
	n := v.find(e)
	if n == nil || hasAttr(n, "disabled") {
		return fmt.Errorf("the page has no %s that takes anything", e.css())
	}
	v.typed[n] = value
	return nil
}

func (v *plainVisitor) press(ctx context.Context, e element) error {
	n := v.find(e)
	switch {
	case n == nil || hasAttr(n, "disabled"):
		return fmt.Errorf("the page has no %s to click", e.css())
	case n.Data == "a":
		return v.loads(ctx, http.MethodGet, attr(n, "href"), nil)
	}
	form := n
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	if form == nil {
		return fmt.Errorf("the button %s is in no form", e.css())
	}
	values := v.fields(form)
	if name := attr(n, "name"); name != "" {
		values.Add(name, attr(n, "value"))
	}
	if strings.EqualFold(attr(form, "method"), "post") {
		return v.loads(ctx, http.MethodPost, attr(form, "action"), values)
	}
	return v.loads(ctx, http.MethodGet, attr(form, "action")+"?"+values.Encode(), nil)
}

// fields are what a form sends.
func (v *plainVisitor) fields(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		if n.Type != html.ElementNode || name == "" || hasAttr(n, "disabled") {
			continue
		}
		typed, touched := v.typed[n]
		switch {
		case n.Data == "select":
			values.Add(name, v.selected(n))
		case n.Data != "input" && n.Data != "textarea":
		case slices.Contains([]string{"radio", "checkbox"}, attr(n, "type")):
			if touched || (hasAttr(n, "checked") && !v.another(form, n)) {
				values.Add(name, valueOf(n))
			}
		case touched:
			values.Add(name, typed)
		default:
			values.Add(name, attr(n, "value"))
		}
	}
	return values
}

// another tells whether another one of a group was picked.
func (v *plainVisitor) another(form, of *html.Node) bool {
	for n := range form.Descendants() {
		if _, touched := v.typed[n]; touched && n != of && attr(of, "type") == "radio" && attr(n, "name") == attr(of, "name") {
			return true
		}
	}
	return false
}

// selected is the choice of a list, the first one unless another is.
func (v *plainVisitor) selected(list *html.Node) string {
	first, found := "", false
	for n := range list.Descendants() {
		if n.Data != "option" {
			continue
		}
		if _, touched := v.typed[n]; touched || hasAttr(n, "selected") {
			return valueOf(n)
		}
		if !found {
			first, found = valueOf(n), true
		}
	}
	return first
}

func (v *plainVisitor) find(e element) *html.Node {
	if v.page == nil {
		return nil
	}
	for n := range v.page.Descendants() {
		if n.Type == html.ElementNode && e.fits(n) {
			return n
		}
	}
	return nil
}

func (e element) fits(n *html.Node) bool {
	given := map[string]string{"id": e.ID, "name": e.Name, "value": e.Value, "class": e.Class}
	for name, value := range given {
		if value != "" && attr(n, name) != value {
			return false
		}
	}
	return e.Tag == "" || n.Data == e.Tag
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// valueOf is what an element stands for: its value, or its text where an option
// states none; a box without a value is "on".
func valueOf(n *html.Node) string {
	switch {
	case hasAttr(n, "value"):
		return attr(n, "value")
	case n.Data == "option":
		return wordsIn(n)
	}
	return "on"
}

// wordsIn is the text in an element.
func wordsIn(n *html.Node) string {
	var words []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			words = append(words, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(words, " ")
}
