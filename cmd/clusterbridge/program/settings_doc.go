package program

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Setting is the description of one setting, made from its field's tags.
type Setting struct {
	Variable, Group, Text, Default, Example, Form string
	Secret                                        bool
	// FileOf is the secret that this variable names a file of.
	FileOf   string
	min, max string
	goType   reflect.Type
	index    []int
}

// Describe lists all settings in the order in which they are declared.
func Describe() []Setting {
	var all []Setting
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Settings]()) {
		if f.Tag.Get("env") == "" {
			continue
		}
		one := Setting{
			Variable: f.Tag.Get("env"), Group: f.Tag.Get("group"), Text: f.Tag.Get("desc"),
			Default: f.Tag.Get("envDefault"), Example: f.Tag.Get("example"), Form: f.Tag.Get("form"),
			Secret: f.Tag.Get("secret") == "true", min: f.Tag.Get("min"), max: f.Tag.Get("max"),
			goType: f.Type, index: f.Index,
		}
		if all = append(all, one); one.Secret {
			all = append(all, one.file())
		}
	}
	return all
}

// fileSuffix makes the variable that names a file of a secret's.
const fileSuffix = "_FILE"

// file is the setting that names a file which holds a secret.
func (f Setting) file() Setting {
	name := strings.TrimPrefix(f.Variable, ownPrefix)
	return Setting{
		Variable: f.Variable + fileSuffix, Group: f.Group, FileOf: f.Variable, goType: f.goType,
		Text:    "A file that holds " + f.Variable + ", instead of it.",
		Example: "/run/secrets/" + strings.ReplaceAll(strings.ToLower(name), "_", "-"),
	}
}

func describeField(name string) Setting {
	f, _ := reflect.TypeFor[Settings]().FieldByName(name)
	for _, s := range Describe() {
		if s.Variable == f.Tag.Get("env") {
			return s
		}
	}
	return Setting{Variable: name, goType: reflect.TypeFor[string]()}
}

// kind says in words what a value is.
func (f Setting) kind() string {
	switch f.goType {
	case reflect.TypeFor[time.Duration]():
		return "a duration such as 5m"
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[int](), reflect.TypeFor[int64]():
		return "a whole number such as " + cmp.Or(f.Default, "7")
	case reflect.TypeFor[float64]():
		return "a number such as " + cmp.Or(f.Default, "9")
	case reflect.TypeFor[[]string]():
		return "a comma separated list"
	default:
		return "a text"
	}
}

// quote shows a value in a sentence, unless it is a secret.
func (f Setting) quote(value string) string {
	const most = 60 // a line that a person can read
	if f.Secret {
		return "not of the right form (it is a secret and not shown)"
	}
	if len(value) > most {
		value = value[:most] + "..."
	}
	return strconv.Quote(value)
}

// checkBounds says which bound a number or duration breaks, or nothing.
func (f Setting) checkBounds(v reflect.Value) string {
	if f.min == "" && f.max == "" {
		return ""
	}
	value := number(fmt.Sprint(v.Interface()))
	if value < number(f.min) || value > number(f.max) {
		return fmt.Sprintf("is %v; want %s to %s.", v.Interface(), f.min, f.max)
	}
	return ""
}

// number reads a number or, as seconds, a duration.
func number(s string) float64 {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return n
	}
	d, _ := time.ParseDuration(s)
	return d.Seconds()
}

// value prints what is set; a secret's is only said to be there.
func (f Setting) value(s Settings) string {
	if f.FileOf != "" {
		return s.files[f.Variable]
	}
	v := reflect.ValueOf(s).FieldByIndex(f.index)
	switch {
	case f.Secret && v.Len() > 0:
		return "(set, not shown)"
	case f.goType == reflect.TypeFor[[]string]():
		return strings.Join(v.Interface().([]string), ",")
	case f.goType == reflect.TypeFor[time.Duration]():
		return shortDuration(v.Interface().(time.Duration))
	default:
		return fmt.Sprint(v.Interface())
	}
}

// shortDuration prints 5m instead of 5m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}

// bounds tells what a value may be, for the documentation.
func (f Setting) bounds() string {
	switch {
	case f.min != "":
		return f.min + " to " + f.max
	case strings.Contains(f.Form, "|"):
		return strings.ReplaceAll(f.Form, "|", ", ")
	default:
		return ""
	}
}

// printSettings writes the settings as they are, as a table.
func printSettings(w io.Writer, s Settings) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(calm)
	t.AppendHeader(table.Row{"setting", "value", "what it is"})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 36, WidthMaxEnforcer: text.WrapText},
		{Number: 3, WidthMax: 64, WidthMaxEnforcer: text.WrapSoft},
	})
	group := ""
	for _, f := range Describe() {
		if f.Group != group {
			if group != "" {
				t.AppendSeparator()
			}
			group = f.Group
		}
		mark := ""
		if value := f.value(s); value != f.Default && !f.Secret && value != "" && f.Default != "" {
			mark = "\n(default " + f.Default + ")"
		}
		t.AppendRow(table.Row{f.Variable, f.value(s) + mark, f.Text})
	}
	t.Render()
}

// printMarkdown writes docs/settings.md.
func printMarkdown(w io.Writer) {
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	put("# Settings\n\n")
	put("clusterbridge is set by environment variables only. Malformed values are refused at start, all at once.\n")
	put("`clusterbridge settings` shows the values in force; secrets are never printed.\n")
	put("A variable that is set but empty is not set. A secret is given by its variable or in a file, not both.\n\n")
	put("This page is written by `clusterbridge settings --markdown`; a test keeps it in step.\n")
	group := ""
	for _, f := range Describe() {
		if f.Group != group {
			group = f.Group
			put("\n## %s\n\n| variable | default | meaning |\n|---|---|---|\n", group)
		}
		meaning := f.Text
		if b := f.bounds(); b != "" {
			meaning += " Allowed: " + b + "."
		}
		if f.Example != "" {
			meaning += " Example: `" + f.Example + "`."
		}
		if f.Secret {
			meaning += " **Secret.**"
		}
		fallback := "none"
		if f.Default != "" {
			fallback = "`" + f.Default + "`"
		}
		put("| `%s` | %s | %s |\n", f.Variable, fallback, strings.ReplaceAll(meaning, "|", "\\|"))
	}
}
