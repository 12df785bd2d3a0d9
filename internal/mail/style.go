package mail

// Mail programs drop style sheets, so each element carries its own. Colours
// keep a contrast of at least 4.5 to 1 (WCAG AA); sizes are readable on a
// phone without zooming.
const (
	ink    = "color:#1f2328;"
	accent = "#0b5394"
	line   = "#d5dae1"

	heading      = `<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:700;` + ink + `">`
	paragraphTag = `<p style="margin:0 0 16px;` + ink + `">`
	remarkBox    = `<p style="margin:0 0 16px;padding:10px 14px;border-left:4px solid ` + accent + `;background-color:#eef4fb;` + ink + `">`
	listItem     = `<li style="margin:0 0 8px;` + ink + `">`
	strongTag    = `<strong style="font-weight:700">`
	codeTag      = `<code style="font-family:Consolas,Menlo,monospace;font-size:15px;background-color:#f0f2f5;padding:1px 3px;border-radius:3px">`

	buttonBox   = `<p style="margin:24px 0 8px">`
	buttonStyle = `display:inline-block;padding:13px 22px;background-color:` + accent + `;color:#ffffff;font-weight:700;text-decoration:none;border-radius:6px`
	linkLine    = `<p style="margin:0 0 24px;font-size:13px;line-height:1.4;color:#57606a">`

	rowLabel   = `text-align:left;font-weight:400;vertical-align:top;padding:8px 12px 8px 0;border-bottom:1px solid ` + line + `;` + ink
	rowValue   = `text-align:right;white-space:nowrap;vertical-align:top;padding:8px 0;border-bottom:1px solid ` + line + `;` + ink
	totalLabel = `text-align:left;font-weight:700;vertical-align:top;padding:8px 12px 8px 0;` + ink
	totalValue = `text-align:right;white-space:nowrap;font-weight:700;vertical-align:top;padding:8px 0;` + ink
)

type tags struct{ open, end string }

var listTags = map[sort]tags{
	item: {`<ul style="margin:0 0 16px;padding-left:24px">` + "\n", "</ul>\n"},
	step: {`<ol style="margin:0 0 16px;padding-left:24px">` + "\n", "</ol>\n"},
	row:  {`<table style="border-collapse:collapse;width:100%;margin:0 0 16px">` + "\n", "</table>\n"},
}
