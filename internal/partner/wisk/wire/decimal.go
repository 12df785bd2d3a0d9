package wire

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
)

// Decimal is an exact decimal as it was written, such as "60", "0.5" or
// "-10.00". On the wire it is a JSON number; it is never a float.
type Decimal string

// maxDecimal bounds what a number may look like: plain, no exponent (which
// could be any size), and no more than a restaurant can sell.
var maxDecimal = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,18})?$`)

// OK tells whether it can travel.
func (d Decimal) OK() bool { return maxDecimal.MatchString(string(d)) }

// Digits counts what is written after the point.
func (d Decimal) Digits() int {
	_, fraction, _ := strings.Cut(string(d), ".")
	return len(fraction)
}

// UnmarshalJSON implements json.Unmarshaler: a JSON number and nothing else.
func (d *Decimal) UnmarshalJSON(data []byte) error {
	if !Decimal(data).OK() {
		return &json.UnmarshalTypeError{Value: "no plain number", Type: reflect.TypeFor[Decimal]()}
	}
	*d = Decimal(data)
	return nil
}

// MarshalJSON implements json.Marshaler. What is no decimal does not travel.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if !d.OK() {
		return nil, &json.UnsupportedValueError{Value: reflect.ValueOf(string(d)), Str: "no decimal"}
	}
	return []byte(d), nil
}
