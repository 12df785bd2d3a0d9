package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// A token is, in URL-safe base64 without padding:
//
//	1 byte   place of the purpose, times 16, plus place of the reader
//	5 bytes  expiry, seconds of Unix time, big-endian
//	n bytes  subject
//	16 bytes first half of the HMAC-SHA-256 of the version and all before
//	1 byte   version
//
// The version stands last: so no token ends in '-' or '_', which mail programs
// leave out when they make a link of an address.
const (
	version     = 1
	headBytes   = 6
	macBytes    = 16
	mostSeconds = 1<<40 - 1
	perPurpose  = 16
	leastBytes  = headBytes + 1 + macBytes + 1
	mostBytes   = headBytes + MaxSubject + macBytes + 1
)

const (
	// minSecret is the least length of a secret, as that of the gateway's others.
	minSecret = 32
	// The secrets sign two things, which cannot stand for each other.
	linkLabel = "clusterbridge link"
	sealLabel = "clusterbridge seal"
)

// text is the spelling of tokens and seals.
var text = base64.RawURLEncoding.Strict()

// decode refuses every spelling but the one that text gives: base64 passes over
// line breaks.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, ErrForged
	}
	return text.DecodeString(s)
}

// Signer makes and reads tokens. It is safe for use by many goroutines, and
// prints as "[signer]".
type Signer struct {
	// secrets hides them from what prints structs.
	secrets func() []string
}

// New makes a Signer of one secret or more, each of at least 32 characters. The
// first one signs; all of them verify, so that a secret is replaced by putting
// the new one before it and, once the last link it signed has expired, leaving
// the old one out.
func New(secrets ...string) (*Signer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("link: a secret is needed")
	}
	for _, s := range secrets {
		if len(s) < minSecret {
			return nil, fmt.Errorf("link: a secret has fewer than %d characters", minSecret)
		}
	}
	own := slices.Clone(secrets)
	return &Signer{secrets: func() []string { return own }}, nil
}

// Sign makes the token of claims; the same claims always give the same token,
// so that a mail that is sent again carries the same link.
func (s *Signer) Sign(c Claims) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	body := append(make([]byte, 0, mostBytes), byte(slices.Index(Purposes, c.Purpose)*perPurpose+slices.Index(readers, c.Reader)))
	seconds := c.Expires.Unix()
	for shift := 32; shift >= 0; shift -= 8 {
		body = append(body, byte(seconds>>shift)) //nolint:gosec // one byte of it
	}
	body = append(body, c.Subject...)
	body = append(body, mac(s.secrets()[0], linkLabel, body)...)
	return text.EncodeToString(append(body, version)), nil
}

// Verify reads a token that shall open a purpose at an instant of business
// time. The error is ErrForged, ErrPurpose or ErrExpired; the last two come with
// the claims, for who keeps the log.
func (s *Signer) Verify(p Purpose, token string, now time.Time) (Claims, error) {
	c, err := s.read(token)
	switch {
	case err != nil:
		return Claims{}, err
	case c.Purpose != p:
		return c, ErrPurpose
	case !now.Before(c.Expires):
		return c, ErrExpired
	}
	return c, nil
}

func (s *Signer) read(token string) (Claims, error) {
	if text.DecodedLen(len(token)) < leastBytes || text.DecodedLen(len(token)) > mostBytes {
		return Claims{}, ErrForged
	}
	raw, err := decode(token)
	if err != nil || raw[len(raw)-1] != version {
		return Claims{}, ErrForged
	}
	end := len(raw) - 1 - macBytes
	if !s.made(raw[end:len(raw)-1], linkLabel, raw[:end]) {
		return Claims{}, ErrForged
	}
	purpose, reader, seconds := int(raw[0])/perPurpose, int(raw[0])%perPurpose, int64(0)
	if purpose >= len(Purposes) || reader >= len(readers) {
		return Claims{}, ErrForged // signed by a later program
	}
	for _, b := range raw[1:headBytes] {
		seconds = seconds<<8 | int64(b)
	}
	return Claims{
		Purpose: Purposes[purpose], Reader: readers[reader], Subject: string(raw[headBytes:end]), Expires: time.Unix(seconds, 0).UTC(),
	}, nil
}

// Seal is a short mark, URL-safe, that only a holder of the secrets can make of
// some text, such as a form's of its link and cookie.
func (s *Signer) Seal(of string) string {
	return text.EncodeToString(mac(s.secrets()[0], sealLabel, []byte(of)))
}

// Sealed tells whether a mark is that of a text.
func (s *Signer) Sealed(mark, of string) bool {
	raw, err := decode(mark)
	return err == nil && s.made(raw, sealLabel, []byte(of))
}

// made tells whether a code was made with one of the secrets. All are tried,
// whatever the first ones say, so that time tells nothing about them.
func (s *Signer) made(code []byte, label string, body []byte) bool {
	good := false
	for _, secret := range s.secrets() {
		good = hmac.Equal(code, mac(secret, label, body)) || good
	}
	return good
}

func mac(secret, label string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = h.Write([]byte(label))
	_, _ = h.Write([]byte{0, version})
	_, _ = h.Write(body)
	return h.Sum(nil)[:macBytes]
}

// Format implements fmt.Formatter, for every verb.
func (s *Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[signer]") }

// LogValue implements slog.LogValuer.
func (s *Signer) LogValue() slog.Value { return slog.StringValue("[signer]") }
