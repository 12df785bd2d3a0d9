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
// v (a pointer to a struct), and so are the objects in its lists. A misspelled,
// extra or missing field is an error that names it; fields marked omitempty or
// omitzero may be left out. If v is a Validator it is asked last.
func DecodeStrict(data []byte, v any) error {
	if err := checkFields(data, reflect.TypeOf(v).Elem(), ""); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		if t, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // json returns it bare
			return Err(BadInput, fmt.Sprintf("field %q cannot be a %s", t.Field, t.Value))
		}
		return Err(BadInput, "a field has a value of the wrong form")
	}
	return validate(v)
}

// checkFields compares an object with the fields of a struct; where names the
// object within the whole, empty for the whole itself.
func checkFields(data []byte, t reflect.Type, where string) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return Err(BadInput, where+"want one JSON object, "+example(t))
	}
	all := fields(t)
	// In order, so that a replay names the same field.
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(all, func(f field) bool { return f.name == name }) {
			return Err(BadInput, fmt.Sprintf("%sunknown field %q; known are %s", where, clip(name), strings.Join(names(all), ", ")))
		}
	}
	for _, f := range all {
		raw, ok := given[f.name]
		if ok = ok && !bytes.Equal(raw, []byte("null")); !ok && f.required {
			return Err(BadInput, fmt.Sprintf("%sfield %q is missing; %s", where, f.name, example(t)))
		}
		if ok && f.t.Kind() == reflect.Slice && f.t.Elem().Kind() == reflect.Struct {
			if err := checkList(raw, f.t.Elem(), f.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkList(data []byte, t reflect.Type, name string) error {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return Err(BadInput, fmt.Sprintf("field %q: want a list of objects, %s", name, example(t)))
	}
	for i, one := range list {
		if err := checkFields(one, t, fmt.Sprintf("field %q, %d: ", name, i+1)); err != nil {
			return err
		}
	}
	return nil
}

// DecodeLenient reads what a program of another version wrote: unknown fields
// are passed over, missing ones are zero.
func DecodeLenient(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return Err(BadInput, "want one JSON object, "+example(reflect.TypeOf(v).Elem()))
	}
	return validate(v)
}

func validate(v any) error {
	if c, ok := v.(Validator); ok {
		return c.Validate()
	}
	return nil
}

// field is a field of an input, as JSON has it.
type field struct {
	name     string
	required bool
	t        reflect.Type
}

func fields(t reflect.Type) []field {
	var all []field
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		all = append(all, field{name, !strings.Contains(options, "omit"), f.Type})
	}
	return all
}

func names(all []field) []string {
	list := make([]string, len(all))
	for i, f := range all {
		list[i] = f.name
	}
	return list
}

func example(t reflect.Type) string {
	var quoted []string
	for _, f := range fields(t) {
		if f.required {
			quoted = append(quoted, `"`+f.name+`": …`)
		}
	}
	return "such as {" + strings.Join(quoted, ", ") + "}"
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
