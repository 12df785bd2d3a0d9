package link

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	secret = "a secret of the tests, long enough"
	older  = "the secret before, just as long as"
)

var november = time.Date(2026, 11, 24, 14, 30, 0, 0, time.UTC)

func signer(t require.TestingT, secrets ...string) *Signer {
	s, err := New(secrets...)
	require.NoError(t, err)
	return s
}

func sign(t require.TestingT, s *Signer, c Claims) string {
	token, err := s.Sign(c)
	require.NoError(t, err)
	return token
}

func claims() Claims {
	return Claims{Purpose: Reveal, Subject: "wisk:20261124-7f3a", Reader: Support, Expires: november.Add(72 * time.Hour)}
}

// anyClaims draws claims that a token can hold.
func anyClaims() *rapid.Generator[Claims] {
	return rapid.Custom(func(t *rapid.T) Claims {
		return Claims{
			Purpose: rapid.SampledFrom(Purposes).Draw(t, "purpose"),
			Reader:  rapid.SampledFrom(readers).Draw(t, "reader"),
			Subject: rapid.StringMatching(`[a-z0-9][a-z0-9:._-]{0,65}`).Draw(t, "subject"),
			Expires: time.Unix(rapid.Int64Range(1, mostSeconds).Draw(t, "expires"), 0).UTC(),
		}
	})
}

func TestALinkSaysWhatWasSigned(t *testing.T) {
	s := signer(t, secret)
	rapid.Check(t, func(t *rapid.T) {
		c := anyClaims().Draw(t, "claims")
		token := sign(t, s, c)
		require.Equal(t, token, sign(t, s, c), "the same link in every copy of a mail")
		require.Less(t, len(token), 120)
		require.Equal(t, token, url.PathEscape(token))
		require.NotContains(t, "-_", token[len(token)-1:], "mail programs would leave it out")
		got, err := s.Verify(c.Purpose, token, c.Expires.Add(-time.Nanosecond))
		require.NoError(t, err)
		require.Equal(t, c, got)
		_, err = s.Verify(c.Purpose, token, c.Expires)
		require.ErrorIs(t, err, ErrExpired)
		for _, other := range Purposes {
			if other != c.Purpose {
				_, err = s.Verify(other, token, c.Expires)
				require.ErrorIs(t, err, ErrPurpose)
			}
		}
	})
}

func TestTwoLinksThatDifferInAnythingDiffer(t *testing.T) {
	s := signer(t, secret)
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyClaims().Draw(t, "a"), anyClaims().Draw(t, "b")
		if a != b {
			require.NotEqual(t, sign(t, s, a), sign(t, s, b))
		}
	})
}

// Whoever changes anything in a token has none.
func TestAChangedLinkIsForged(t *testing.T) {
	s := signer(t, secret)
	rapid.Check(t, func(t *rapid.T) {
		c := anyClaims().Draw(t, "claims")
		token := sign(t, s, c)
		changed := []byte(token)
		at := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
		changed[at] = rapid.SampledFrom([]byte("ABCabc019-_=.~ \x00\xff")).Draw(t, "to")
		if string(changed) != token {
			_, err := s.Verify(c.Purpose, string(changed), november)
			require.ErrorIs(t, err, ErrForged, "%q", changed)
		}
		cut := rapid.IntRange(0, len(token)-1).Draw(t, "cut")
		for _, other := range []string{token[:cut], token[cut+1:], token + token[:1], token + "A", token + "=", token + "\n", " " + token} {
			_, err := s.Verify(c.Purpose, other, november)
			require.ErrorIs(t, err, ErrForged, "%q", other)
		}
	})
}

func TestSecretsAreReplacedWithoutLosingALink(t *testing.T) {
	before, between, after := signer(t, older), signer(t, secret, older), signer(t, secret)
	old, fresh := sign(t, before, claims()), sign(t, between, claims())
	require.Equal(t, fresh, sign(t, after, claims()))
	for name, c := range map[string]struct {
		by    *Signer
		token string
		want  error
	}{
		"old, before":        {before, old, nil},
		"old, between":       {between, old, nil},
		"old, after":         {after, old, ErrForged},
		"new, between":       {between, fresh, nil},
		"new, after":         {after, fresh, nil},
		"new, before":        {before, fresh, ErrForged},
		"new, by both turns": {signer(t, older, secret), fresh, nil},
	} {
		_, err := c.by.Verify(Reveal, c.token, november)
		require.ErrorIs(t, err, c.want, name)
		require.Equal(t, c.want == nil, c.by.Sealed(between.Seal("x"), "x") && c.token == fresh || c.by.Sealed(before.Seal("x"), "x") && c.token == old, name)
	}
}

func TestSecretsAreLongEnough(t *testing.T) {
	for _, secrets := range [][]string{nil, {""}, {secret[:31]}, {secret, "short"}} {
		_, err := New(secrets...)
		require.Error(t, err, "%q", secrets)
	}
	_, err := New(strings.Repeat("s", 32))
	require.NoError(t, err)
}

// Who makes a Signer of a slice may do with the slice what he wants.
func TestASignerKeepsItsOwnSecrets(t *testing.T) {
	given := []string{secret}
	s := signer(t, given...)
	token := sign(t, s, claims())
	given[0] = older
	require.Equal(t, token, sign(t, s, claims()))
}

func TestClaimsThatNoTokenCanHoldAreRefused(t *testing.T) {
	s := signer(t, secret)
	for name, spoil := range map[string]func(*Claims){
		"no purpose":      func(c *Claims) { c.Purpose = "" },
		"another purpose": func(c *Claims) { c.Purpose = "admin" },
		"another reader":  func(c *Claims) { c.Reader = "guest" },
		"no subject":      func(c *Claims) { c.Subject = "" },
		"long subject":    func(c *Claims) { c.Subject = strings.Repeat("a", MaxSubject+1) },
		"a name":          func(c *Claims) { c.Subject = "Chez Marcel" },
		"an address":      func(c *Claims) { c.Subject = "marcel@example.com" },
		"two lines":       func(c *Claims) { c.Subject = "wisk:1\n" },
		"no expiry":       func(c *Claims) { c.Expires = time.Time{} },
		"before 1970":     func(c *Claims) { c.Expires = time.Unix(-1, 0) },
		"too late":        func(c *Claims) { c.Expires = time.Unix(mostSeconds+1, 0) },
	} {
		c := claims()
		spoil(&c)
		_, err := s.Sign(c)
		require.Error(t, err, name)
	}
}

// What a later program signs with a new purpose, reader or version is not valid
// here, and no panic.
func TestATokenOfALaterProgramIsNotValid(t *testing.T) {
	s := signer(t, secret)
	token, err := text.DecodeString(sign(t, s, claims()))
	require.NoError(t, err)
	for name, change := range map[string]func([]byte){
		"purpose": func(raw []byte) { raw[0] = byte(len(Purposes) * perPurpose) },
		"reader":  func(raw []byte) { raw[0] = byte(len(readers)) },
		"version": func(raw []byte) { raw[len(raw)-1] = version + 1 },
	} {
		raw := slices.Clone(token)
		change(raw)
		end := len(raw) - 1 - macBytes
		copy(raw[end:], mac(secret, linkLabel, raw[:end]))
		_, err = s.Verify(Reveal, text.EncodeToString(raw), november)
		require.ErrorIs(t, err, ErrForged, name)
	}
}

// The tokens of today are read tomorrow: this one lies in somebody's inbox.
func TestTokensKeepTheirForm(t *testing.T) {
	const token = "MgBrCZPod2lzazoyMDI2MTEyNC03ZjNhtTVETtDArUZ5ljiNj2wyigE"
	require.Equal(t, token, sign(t, signer(t, secret), claims()))
}

func TestASealIsOfItsText(t *testing.T) {
	s := signer(t, secret)
	seal := s.Seal("a form")
	require.Len(t, seal, 22)
	require.True(t, s.Sealed(seal, "a form"))
	require.False(t, s.Sealed(seal, "another form"))
	require.False(t, s.Sealed("", "a form"))
	require.False(t, s.Sealed(seal+"=", "a form"))
	require.False(t, s.Sealed(seal+"\n", "a form"))
	require.False(t, signer(t, older).Sealed(seal, "a form"))
	require.NotEqual(t, mac(secret, linkLabel, []byte("x")), mac(secret, sealLabel, []byte("x")), "a seal is no link")
}

func TestASignerNeverPrintsItsSecrets(t *testing.T) {
	s := signer(t, secret)
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("made", "signer", s, "in", struct{ S *Signer }{s})
	text, err := json.Marshal(struct{ S *Signer }{s})
	require.NoError(t, err)
	out.Write(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, *s)
		fmt.Fprintf(&out, verb, struct{ inner *Signer }{s})
	}
	require.NotContains(t, out.String(), secret)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", secret))
}

func FuzzVerify(f *testing.F) {
	s := signer(f, secret)
	token := sign(f, s, claims())
	f.Add(token)
	f.Add("")
	f.Add(token[:20])
	f.Add(strings.Repeat("A", 119))
	f.Fuzz(func(t *testing.T, given string) {
		c, err := s.Verify(Reveal, given, november)
		if err == nil {
			require.Equal(t, given, sign(t, s, c), "a token is what was signed, in one spelling")
		}
	})
}
