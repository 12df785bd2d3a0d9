package mail

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// maxString bounds one name or address in a mail, in characters: longer
	// than any on a sign, and short enough for a subject.
	maxString = 120
	// maxLink bounds a link: mail programs cut at about 2,000 characters.
	maxLink = 1500
	// maxAttachments bounds the files of a mail. Mail servers take ten megabytes
	// or more, of which base64 needs a third; a busy day's sales are some 200 KB.
	maxAttachments = 5 << 20
)

// checker is a value that knows what it must look like.
type checker interface{ check() error }

// tidy gives a message's data fit for a mail: nothing that is needed is
// missing, and names from outside hold no line breaks, no invisible characters
// and no web addresses, so that nobody writes into our mails by naming a
// restaurant cleverly. Errors are BadInput and name the field.
func tidy(m Message) (Message, error) {
	v := reflect.New(reflect.TypeOf(m)).Elem()
	v.Set(reflect.ValueOf(m))
	if err := tidyValue(v, false); err != nil {
		return nil, work.Err(work.BadInput, fmt.Sprintf("mail %s: %s", m.Kind(), err))
	}
	return v.Interface().(Message), nil
}

var errMissing = errors.New("is missing")

func tidyValue(v reflect.Value, optional bool) error {
	if hasLength(v) && v.Len() == 0 {
		if optional {
			return nil
		}
		return errMissing
	}
	switch value := v.Interface().(type) {
	case Link:
		return checkLink(value)
	case time.Time:
		return checkTime(value, optional)
	case sale.Day:
		if value.IsZero() && !optional {
			return errMissing
		}
		return nil
	case vault.Secret: // its owner's check asks whether it is there
		return nil
	case Attachment:
		return checkAttachment(value)
	case Bilingual: // a setting of ours, as long as it has to be
		if value.French == "" || value.English == "" {
			return errMissing
		}
		return nil
	}
	if err := tidyKind(v); err != nil {
		return err
	}
	if c, ok := reflect.TypeAssert[checker](v); ok {
		return c.check()
	}
	return nil
}

func tidyKind(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(Tidy(v.String()))
		if v.String() == "" {
			return errMissing
		}
	case reflect.Slice:
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		for i := range v.Len() {
			if err := tidyValue(v.Index(i), false); err != nil {
				return fmt.Errorf("%d: %w", i+1, err)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if err := tidyValue(v.Field(i), field.Tag.Get("mail") == "optional"); err != nil {
				return fmt.Errorf("%s %w", field.Name, err)
			}
		}
	default: // numbers and booleans are what they are
	}
	return nil
}

func hasLength(v reflect.Value) bool { return v.Kind() == reflect.String || v.Kind() == reflect.Slice }

// noLinks takes apart what mail programs make links of, and what they take for
// an encoded word (RFC 2047).
var noLinks = strings.NewReplacer("://", ": //", "=?", "= ?")

// Tidy makes one line of a text from outside, fit for a mail: without line
// breaks, invisible characters and web addresses, and of at most 120
// characters.
func Tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	s = noLinks.Replace(s)
	if runes := []rune(s); len(runes) > maxString {
		s = strings.TrimSpace(string(runes[:maxString-1])) + "…"
	}
	return s
}

func checkLink(l Link) error {
	u, err := url.Parse(string(l))
	switch {
	case err != nil || len(l) > maxLink || u.Host == "" || u.User != nil || strings.ContainsFunc(string(l), notForLinks):
		return errors.New("is no link")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("is no https link")
}

func notForLinks(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{}|`+"`", r) }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func checkTime(t time.Time, optional bool) error {
	switch {
	case t.IsZero() && optional:
		return nil
	case t.IsZero():
		return errMissing
	case t.Location() == time.UTC || t.Location() == time.Local:
		return errors.New("is not in the venue's zone")
	}
	return nil
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._ -]{0,120}$`)

func checkAttachment(a Attachment) error {
	switch {
	case !fileName.MatchString(a.Name):
		return errors.New("has no name that is fit for a file")
	case !slices.Contains([]string{CSV, XLSX, PDF}, a.Type):
		return errors.New("is of no type that we send")
	case len(a.Data) == 0:
		return errors.New("is empty")
	case len(a.Data) > maxAttachments:
		return fmt.Errorf("is larger than %d bytes", maxAttachments)
	}
	return nil
}
