package work

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Validator is an input that can tell what is wrong with it.
type Validator interface{ Validate() error }

// DecodeStrict reads what a person typed: an object with exactly the fields of
// v (a pointer to a struct). A misspelled, extra or missing field is an error
// that names it; fields marked omitempty or omitzero may be left out. If v is a
// Validator it is asked last.
func DecodeStrict(data []byte, v any) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return Err(BadInput, "want one JSON object, "+example(v))
	}
	known, required := fields(reflect.TypeOf(v).Elem())
	// In order, so that a replay names the same field.
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			return Err(BadInput, fmt.Sprintf("unknown field %q; known are %s", clip(name), strings.Join(known, ", ")))
		}
	}
	for _, name := range required {
		if raw, ok := given[name]; !ok || bytes.Equal(raw, []byte("null")) {
			return Err(BadInput, fmt.Sprintf("field %q is missing; %s", name, example(v)))
		}
	}
	if err := json.Unmarshal(data, v); err != nil {
		if t, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // json returns it bare
			return Err(BadInput, fmt.Sprintf("field %q cannot be a %s", t.Field, t.Value))
		}
		return Err(BadInput, "a field has a value of the wrong form")
	}
	return validate(v)
}

// DecodeLenient reads what a program of another version wrote: unknown fields
// are passed over, missing ones are zero.
func DecodeLenient(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return Err(BadInput, "want one JSON object, "+example(v))
	}
	return validate(v)
}

func validate(v any) error {
	if c, ok := v.(Validator); ok {
		return c.Validate()
	}
	return nil
}

func fields(t reflect.Type) (known, required []string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		known = append(known, name)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	return known, required
}

func example(v any) string {
	_, required := fields(reflect.TypeOf(v).Elem())
	quoted := make([]string, len(required))
	for i, name := range required {
		quoted[i] = `"` + name + `": …`
	}
	return "such as {" + strings.Join(quoted, ", ") + "}"
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
