package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// Instant is a point of time on the wire: RFC 3339 with its offset, null when
// zero. What cannot be read becomes a zero Instant with Bad set, so that the
// reader can name the field instead of losing the whole answer.
type Instant struct {
	time.Time
	Bad bool
}

// At makes an Instant.
func At(t time.Time) Instant { return Instant{Time: t} }

// UnmarshalJSON implements json.Unmarshaler; it never fails.
func (i *Instant) UnmarshalJSON(data []byte) error {
	*i = Instant{}
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	var s string
	err := json.Unmarshal(data, &s)
	if err == nil {
		i.Time, err = time.Parse(time.RFC3339Nano, s)
	}
	i.Bad = err != nil
	return nil
}

// MarshalJSON implements json.Marshaler.
func (i Instant) MarshalJSON() ([]byte, error) {
	if i.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(i.Format(time.RFC3339Nano))
}

// Text is a string; a number is taken by its digits and null as empty, since
// ids are written both ways by tills. NUL characters, which PostgreSQL cannot
// hold, are dropped.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*t = ""
		return nil
	}
	if len(data) > 0 && data[0] != '"' {
		var n json.Number
		if err := json.Unmarshal(data, &n); err != nil {
			return wrongForm[Text]("object or list")
		}
		*t = Text(n)
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*t = Text(strings.ReplaceAll(s, "\x00", ""))
	return nil
}

// Decimal is an exact decimal as it was written, a JSON number or a string,
// such as "0.5". Written, it is a number.
type Decimal string

// maxDecimal bounds what a quantity may look like: no till sells 10^15 of
// something, and an exponent could be any size.
var maxDecimal = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,9})?$`)

// UnmarshalJSON implements json.Unmarshaler.
func (d *Decimal) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	if s == "null" {
		s = ""
	}
	if s != "" && !maxDecimal.MatchString(s) {
		return wrongForm[Decimal]("no plain decimal")
	}
	*d = Decimal(s)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("0"), nil
	}
	return []byte(d), nil
}

// wrongForm is an error to which encoding/json adds the field's name.
func wrongForm[T any](found string) error {
	return &json.UnmarshalTypeError{Value: found, Type: reflect.TypeFor[T]()}
}
