package words_test

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
)

// plain shows hard spaces as "~", which the eye cannot tell from others.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", "~") }

func TestDatesAndTimes(t *testing.T) {
	montreal, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	for _, c := range []struct {
		at     time.Time
		fr, en string
	}{
		{time.Date(2026, 11, 24, 14, 30, 0, 0, montreal), "24~novembre 2026, 14~h~30", "November 24, 2026, 2:30 p.m."},
		{time.Date(2026, 11, 1, 9, 0, 59, 0, montreal), "1er~novembre 2026, 9~h", "November 1, 2026, 9:00 a.m."},
		{time.Date(2026, 8, 2, 0, 5, 0, 0, montreal), "2~août 2026, 0~h~05", "August 2, 2026, 12:05 a.m."},
		{time.Date(2027, 2, 28, 12, 0, 0, 0, montreal), "28~février 2027, 12~h", "February 28, 2027, 12:00 p.m."},
		{time.Date(2026, 12, 31, 23, 59, 0, 0, montreal), "31~décembre 2026, 23~h~59", "December 31, 2026, 11:59 p.m."},
		// An instant is written in its own zone: the same one, five hours on.
		{time.Date(2026, 12, 31, 23, 59, 0, 0, montreal).UTC(), "1er~janvier 2027, 4~h~59", "January 1, 2027, 4:59 a.m."},
		// The night on which the clocks go back has this hour twice.
		{time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC).In(montreal), "1er~novembre 2026, 1~h~30", "November 1, 2026, 1:30 a.m."},
	} {
		require.Equal(t, c.fr, plain(words.French.Moment(c.at)))
		require.Equal(t, c.en, words.English.Moment(c.at))
	}
	require.Equal(t, "1er~mars 2027", plain(words.French.Day(sale.NewDay(2027, 3, 1))))
	require.Equal(t, "March 1, 2027", words.English.Day(sale.NewDay(2027, 3, 1)))
}

func TestAmountsAndNumbers(t *testing.T) {
	for _, c := range []struct {
		cents  sale.Cents
		fr, en string
	}{
		{123456, "1~234,56~$", "$1,234.56"},
		{0, "0,00~$", "$0.00"},
		{5, "0,05~$", "$0.05"},
		{99, "0,99~$", "$0.99"},
		{100000, "1~000,00~$", "$1,000.00"},
		{-123456, "-1~234,56~$", "-$1,234.56"},
		{-1, "-0,01~$", "-$0.01"},
		{123456789012, "1~234~567~890,12~$", "$1,234,567,890.12"},
		{math.MaxInt64, "92~233~720~368~547~758,07~$", "$92,233,720,368,547,758.07"},
		{math.MinInt64, "-92~233~720~368~547~758,08~$", "-$92,233,720,368,547,758.08"},
	} {
		require.Equal(t, c.fr, plain(words.French.Amount(c.cents)))
		require.Equal(t, c.en, words.English.Amount(c.cents))
	}
	require.Equal(t, "12~345", plain(words.French.Number(12345)))
	require.Equal(t, "-1,000", words.English.Number(-1000))
	require.Equal(t, "999", words.English.Number(999))
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		rate   words.Rate
		fr, en string
	}{
		{9975, "9,975~%", "9.975%"},
		{5000, "5~%", "5%"},
		{12500, "12,5~%", "12.5%"},
		{10, "0,01~%", "0.01%"},
		{0, "0~%", "0%"},
		{-250, "-0,25~%", "-0.25%"},
		{100000, "100~%", "100%"},
		{1234567890, "1~234~567,89~%", "1,234,567.89%"},
	} {
		require.Equal(t, c.fr, plain(words.French.Percent(c.rate)))
		require.Equal(t, c.en, words.English.Percent(c.rate))
	}
}

// What is written of an amount reads back as the amount, in either language.
func TestAmountsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := sale.Cents(rapid.Int64().Draw(t, "cents"))
		for _, l := range words.Langs {
			text := plain(l.Amount(c))
			digits := strings.Map(func(r rune) rune {
				if r == '-' || r >= '0' && r <= '9' {
					return r
				}
				return -1
			}, text)
			want := strings.ReplaceAll(c.String(), ".", "")
			require.Equal(t, want, digits, text)
			groups := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("-~$", r) })
			if l == words.English {
				groups = strings.Split(strings.Trim(text, "-$"), ",")
			}
			for i, g := range groups[1:] {
				require.Len(t, strings.FieldsFunc(g, func(r rune) bool { return r == ',' || r == '.' })[0], 3, "group %d of %s", i+1, text)
			}
		}
	})
}

func TestPluralAndLists(t *testing.T) {
	require.True(t, words.French.One(0))
	require.False(t, words.English.One(0))
	for _, l := range words.Langs {
		require.True(t, l.One(1))
		require.True(t, l.One(-1))
		require.False(t, l.One(2))
	}
	require.Equal(t, "a, b et c", words.French.List([]string{"a", "b", "c"}))
	require.Equal(t, "a and b", words.English.List([]string{"a", "b"}))
	require.Equal(t, "a", words.English.List([]string{"a"}))
	require.Empty(t, words.English.List(nil))
}

func TestFrenchSpacesDoNotBreak(t *testing.T) {
	require.Equal(t, "Ouvrez «~Intégrations~»~: 5~%, nº~7 et 3~$, de 5~h à 5~h!", plain(words.French.Typeset("Ouvrez « Intégrations » : 5 %, nº 7 et 3 $, de 5 h à 5 h!")))
	require.Equal(t, "Open : 5 %", words.English.Typeset("Open : 5 %"))
}

func TestOnlyTwoLanguages(t *testing.T) {
	for _, l := range words.Langs {
		got, err := words.Parse(string(l))
		require.NoError(t, err)
		require.Equal(t, l, got)
	}
	for _, s := range []string{"", "FR", "fr-CA", "de"} {
		_, err := words.Parse(s)
		require.Error(t, err, s)
	}
	require.Equal(t, "fr-CA", words.French.Tag())
}

func catalogue(t *testing.T, fr, en string) *words.Catalogue {
	t.Helper()
	c, err := words.ReadCatalogue(fstest.MapFS{"fr.txt": {Data: []byte(fr)}, "en.txt": {Data: []byte(en)}})
	require.NoError(t, err)
	return c
}

func TestPhrases(t *testing.T) {
	c := catalogue(t,
		"# commentaire\n\nask = Écrire : {1}, {0}\nstaff.one = {n} employé\nstaff.other = {n} employés\n",
		"ask = Write to {0}: {1}\nstaff.one = {n} employee\nstaff.other = {n} employees\n")
	said, err := c.Say(words.French, "ask", "a", 2)
	require.NoError(t, err)
	require.Equal(t, "Écrire~: 2, a", plain(said))
	// An argument that looks like a placeholder is not one.
	said, err = c.Say(words.English, "ask", "{1}", "x")
	require.NoError(t, err)
	require.Equal(t, "Write to {1}: x", said)
	for n, want := range map[int]string{0: "0 employé", 1: "1 employé", 2: "2 employés", 1200: "1~200 employés"} {
		said, err = c.Count(words.French, "staff", n)
		require.NoError(t, err)
		require.Equal(t, want, plain(said))
	}
	said, err = c.Count(words.English, "staff", 0)
	require.NoError(t, err)
	require.Equal(t, "0 employees", said)
	_, err = c.Say(words.English, "nothing")
	require.ErrorContains(t, err, "nothing")
	_, err = c.Say(words.English, "ask", "a")
	require.ErrorContains(t, err, "2 arguments")
}

func TestMalformedCataloguesAreRefused(t *testing.T) {
	for _, fr := range []string{"no equals sign", "Bad Key = x", "a = x\na = y", "a = "} {
		_, err := words.ReadCatalogue(fstest.MapFS{"fr.txt": {Data: []byte(fr)}, "en.txt": {}})
		require.Error(t, err, fr)
	}
	_, err := words.ReadCatalogue(fstest.MapFS{"fr.txt": {}})
	require.Error(t, err)
}

func TestEveryProblemOfACatalogueIsSaid(t *testing.T) {
	c := catalogue(t,
		"only.fr = x\nargs = {0}\nunused = x\nn.one = {n}\nn.other = {n}\ncause.a = x\n",
		"only-en = x\nargs = {0} {1}\nunused = x\nn.one = one\nn.other = {n}\ncause.a = x\n")
	problems, err := c.Problems(fstest.MapFS{
		"page.html":   {Data: []byte(`{{say "only.fr"}} {{say "args" .A}} {{count "n" .N}} {{say (print "cause." .C)}} {{say "absent"}}`)},
		"page.go":     {Data: []byte(`c.Say(l, "only-en")`)},
		"a_test.go":   {Data: []byte(`c.Say(l, "unused")`)},
		"folder/b.go": {Data: []byte(`c.Count(l, "missing", 3)`)},
	})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		`only.fr: there is none in "en"`,
		`only-en: there is none in "fr"`,
		"args: its arguments are not the same in all languages",
		"unused: nobody uses it",
		"absent: is used and not there",
		"missing.one: is used and not there",
		"missing.other: is used and not there",
	}, problems)
}
