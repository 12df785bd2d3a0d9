// Package kit is what the stand-ins of partners share: planned faults, the
// account of requests, the state file and the look of their pages. It knows
// no partner.
package kit

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"time"
)

// Duration is a time.Duration that is written as text, such as "150ms".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// MaxSteering bounds what is read of a request that steers a simulator.
const MaxSteering = 1 << 20

// Body reads what a request that steers a simulator holds.
func Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, MaxSteering))
}

// Strict reads one JSON value without unknown fields and with nothing after it.
func Strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("one JSON value, please")
	}
	return nil
}

// Read is Body and Strict.
func Read(w http.ResponseWriter, r *http.Request, into any) error {
	data, err := Body(w, r)
	if err != nil {
		return err
	}
	return Strict(data, into)
}

// Write answers with indented JSON.
func Write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // a client that has left is no problem of ours
}

// Workday is the date of the local day, from 05:00 to 05:00, in which an
// instant falls: the simulators' own reckoning, not package sale's.
func Workday(t time.Time, zone *time.Location) string {
	const begins = 5
	local := t.In(zone)
	year, month, day := local.Date()
	if local.Hour() < begins {
		day--
	}
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

//go:embed style.css
var style string

// Style is the look of the simulators' pages; a page sets its own --accent.
func Style() template.CSS {
	return template.CSS(style) //nolint:gosec // ours, embedded
}

// Show executes a page's template and answers with it.
func Show(w http.ResponseWriter, t *template.Template, name string, status int, v any) {
	var page bytes.Buffer
	if err := t.ExecuteTemplate(&page, name, v); err != nil {
		http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}
