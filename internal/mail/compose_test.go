package mail_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var (
	href     = regexp.MustCompile(`href="([^"]*)"`)
	tag      = regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*?>`)
	leftover = regexp.MustCompile(`<no value>|ZgotmplZ|\{\{|\}\}|%!|\x01|\*\*|map\[|\[secret\]|\.\.|,,| ,`)
)

func TestEveryMailIsWhole(t *testing.T) {
	c := composer(t)
	for _, s := range samples(t) {
		for _, l := range words.Langs {
			got, err := c.Compose(s.message, l)
			require.NoError(t, err)
			name := s.name + "." + string(l)
			if s.link != "" {
				assert.Contains(t, got.Text, "\n"+string(s.link)+"\n", "%s: the link stands on a line of its own", name)
				assert.Contains(t, got.HTML, `href="`+strings.ReplaceAll(string(s.link), "&", "&amp;")+`"`, name)
			}
			for _, text := range []string{got.Subject, got.Text, got.HTML} {
				assert.NotRegexp(t, leftover, strings.ReplaceAll(text, string(s.link), ""), name)
				assert.True(t, utf8.ValidString(text), name)
			}
			for line := range strings.Lines(got.Text) {
				if !strings.HasPrefix(line, "http") {
					assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 72, "%s: %s", name, line)
				}
			}
			assert.Contains(t, got.HTML, `<html lang="`+l.Tag()+`">`, name)
			assert.Contains(t, got.HTML, house.Support, name)
			assert.Contains(t, got.HTML, house.Address, name)
			assert.NotRegexp(t, `(?i)<img|<script|<link|<iframe|<form|<style|src=|url\(|@import|http-equiv`, got.HTML, "%s: nothing is loaded", name)
			for _, m := range href.FindAllStringSubmatch(got.HTML, -1) {
				assert.True(t, strings.HasPrefix(m[1], "https://bridge.example.com/"), "%s: %s", name, m[1])
			}
			requireBalanced(t, name, got.HTML)
			again, err := c.Compose(s.message, l)
			require.NoError(t, err)
			assert.Equal(t, got, again, "the same in, the same out")
		}
	}
}

func requireBalanced(t *testing.T, name, markup string) {
	t.Helper()
	var open []string
	for _, m := range tag.FindAllStringSubmatch(markup, -1) {
		switch {
		case m[2] == "meta" || m[2] == "hr":
		case m[1] == "":
			open = append(open, m[2])
		default:
			require.NotEmpty(t, open, name)
			require.Equal(t, open[len(open)-1], m[2], name)
			open = open[:len(open)-1]
		}
	}
	require.Empty(t, open, name)
}

// What the other language would say, in words that are no words of this one.
var foreign = map[words.Lang][]string{
	words.French:  strings.Fields("the and you your of is are was with for this these not from until please link has have it its we our by which who when sales venue till fee request until only after before nothing employee receipt tips november december"),
	words.English: strings.Fields("le la les des du vous votre vos pour est sont avec dans nous notre une cette ces et ou qui ne pas aux ventes caisse frais lien demande jusqu rien employé facture pourboires novembre décembre établissement"),
}

var (
	guillemets = regexp.MustCompile(`«[^»]*»|“[^”]*”`)
	ownWords   = regexp.MustCompile(`https?://\S+|\S+@\S+|Chez Marcel\s+&\s+Filles|Le Coin\s+<Gourmand>|12,\s+rue\s+Principale,|3400,\s+boulevard\s+Saint-Laurent,|400,\s+boulevard\s+De\s+Maisonneuve\s+Ouest,|POS\s+Code,\s+Item\s+Name,\s+Quantity\s+Sold,\s+Net\s+Sales`)
)

func TestNothingIsLeftInTheOtherLanguage(t *testing.T) {
	c := composer(t)
	for _, s := range samples(t) {
		for _, l := range words.Langs {
			got, err := c.Compose(s.message, l)
			require.NoError(t, err)
			text := got.Subject + "\n" + got.Text
			text = ownWords.ReplaceAllString(guillemets.ReplaceAllString(text, ""), "")
			said := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
			for _, word := range foreign[l] {
				assert.NotContains(t, said, word, "%s.%s", s.name, l)
			}
		}
	}
}

func TestNoTranslationIsMissing(t *testing.T) {
	phrases, err := words.ReadCatalogue(os.DirFS("phrases"))
	require.NoError(t, err)
	problems, err := phrases.Problems(os.DirFS("."))
	require.NoError(t, err)
	require.Empty(t, problems)

	var want []string
	for _, k := range mail.Kinds {
		for _, l := range words.Langs {
			want = append(want, fmt.Sprintf("templates/%s.%s.txt", k, l))
		}
	}
	held, err := filepath.Glob("templates/*.txt")
	require.NoError(t, err)
	require.ElementsMatch(t, want, held)
}

// Both languages say the same things: the same data, under the same conditions.
func TestBothLanguagesSayTheSame(t *testing.T) {
	actions := regexp.MustCompile(`\{\{[^{}]*\}\}`)
	for _, k := range mail.Kinds {
		said := map[words.Lang][]string{}
		for _, l := range words.Langs {
			text, err := os.ReadFile(fmt.Sprintf("templates/%s.%s.txt", k, l))
			require.NoError(t, err)
			for _, a := range actions.FindAllString(string(text), -1) {
				if !strings.Contains(a, "one ") && a != "{{else}}" && a != "{{end}}" {
					said[l] = append(said[l], a)
				}
			}
		}
		slices.Sort(said[words.French])
		slices.Sort(said[words.English])
		require.Equal(t, said[words.French], said[words.English], k)
	}
}

// Whatever can call a connection off is explained by name, but for what only the
// team can put right.
func TestEveryRefusalIsExplained(t *testing.T) {
	c := composer(t)
	off := func(code work.Code) string {
		got, err := c.Compose(mail.CalledOff{Partner: work.SevenShifts, Venue: marcel, Code: code, Since: november.In(zone(t))}, words.French)
		require.NoError(t, err)
		return got.Text
	}
	teams := []work.Code{work.MailRefused, work.ClusterOfficeKey, work.TillForeign, work.ZonesDiffer, work.StillThere, work.NotSetUp}
	for code, p := range work.Problems {
		if p.Kind == work.Refused && !slices.Contains(teams, code) {
			require.NotEqual(t, off(work.Internal), off(code), code)
		}
	}
}

func TestTheConfirmationSpeaksBothLanguages(t *testing.T) {
	c := composer(t)
	request := sampleOf(t, "confirmation-request")
	got, err := c.Compose(request, words.French, words.English)
	require.NoError(t, err)
	french, err := c.Compose(request, words.French)
	require.NoError(t, err)
	english, err := c.Compose(request, words.English)
	require.NoError(t, err)
	require.Equal(t, french.Subject+" / "+english.Subject, got.Subject)
	require.True(t, strings.HasPrefix(got.Text, "The English text follows below.\n"), got.Text)
	require.Equal(t, 2, strings.Count(got.Text, string(page)))
	require.Less(t, strings.Index(got.Text, "Bonjour"), strings.Index(got.Text, "Hello"))
	require.Equal(t, 1, strings.Count(got.Text, "\n-- \n"))
	require.Contains(t, got.HTML, `<html lang="fr-CA">`)
	require.Contains(t, got.HTML, `<div lang="en-CA">`)
	require.Contains(t, got.HTML, `<p lang="en-CA"`)
	requireBalanced(t, "both", got.HTML)
}

func TestARequestOfFiftyVenues(t *testing.T) {
	var venues []mail.Venue
	for i := range 50 {
		venues = append(venues, mail.Venue{Name: "Bistro " + strconv.Itoa(i+1), Address: strconv.Itoa(i+1) + ", rue Principale"})
	}
	got, err := composer(t).Compose(mail.RequestAcknowledged{Partner: work.Wisk, Venues: venues, Reference: "R-1"}, words.French)
	require.NoError(t, err)
	require.Equal(t, "Demande R-1 bien reçue (WISK) : Bistro 1, Bistro 2 et 48 autres", got.Subject)
	require.Equal(t, 50, strings.Count(got.Text, "\n- Bistro "))
}

// A restaurant can call itself what it likes: it does not write our mails.
func TestNamesDoNotWriteMails(t *testing.T) {
	c := composer(t)
	for _, name := range []string{
		"Bistro\n\nCliquez ici:\nhttps://evil.example/", "Bistro\r\nBcc: evil@example.com", "{{.Ended}} {{reveal .}}", "**Bistro** `x` => | {{.Link}}",
		`<a href="https://evil.example/">Bistro</a><script>alert(1)</script>`, "Bistro\u202e\u2028\u200b\x00\x01", "=?utf-8?q?Bistro?=", strings.Repeat("très long ", 100),
	} {
		got, err := c.Compose(mail.Offboarded{Partner: work.Wisk, Venue: mail.Venue{Name: name, Address: "x"}, Ended: november.In(zone(t))}, words.English)
		require.NoError(t, err)
		plain, err := c.Compose(mail.Offboarded{Partner: work.Wisk, Venue: mail.Venue{Name: "Bistro", Address: "x"}, Ended: november.In(zone(t))}, words.English)
		require.NoError(t, err)
		require.Equal(t, strings.Count(plain.Text, "\n\n"), strings.Count(got.Text, "\n\n"), "%q makes paragraphs:\n%s", name, got.Text)
		require.Len(t, tag.FindAllString(got.HTML, -1), len(tag.FindAllString(plain.HTML, -1)), "%q makes elements:\n%s", name, got.HTML)
		require.NotContains(t, got.Text+got.HTML+got.Subject, "://evil", "%q makes a link", name)
		require.NotContains(t, got.Subject, "=?")
		require.NotRegexp(t, "[\x00\x01\u202e\u2028\u200b\r]", got.Text+got.HTML+got.Subject)
		require.Less(t, utf8.RuneCountInString(got.Subject), 200)
	}
}

func TestWhatIsGivenIsNotChanged(t *testing.T) {
	venues := []mail.Venue{{Name: "a\nb", Address: "x"}}
	_, err := composer(t).Compose(mail.Declined{Reader: mail.ToVenue, Partner: work.Wisk, Venues: venues}, words.French)
	require.NoError(t, err)
	require.Equal(t, "a\nb", venues[0].Name)
}

// Each field that is not optional is missed by its name.
func TestNothingMayBeMissing(t *testing.T) {
	c := composer(t)
	for _, s := range samples(t) {
		v := reflect.ValueOf(s.message)
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if kind := field.Type.Kind(); kind == reflect.Int || kind == reflect.Int64 || kind == reflect.Bool {
				continue // nought is a number
			}
			spoilt := reflect.New(v.Type()).Elem()
			spoilt.Set(v)
			spoilt.Field(i).SetZero()
			_, err := c.Compose(spoilt.Interface().(mail.Message), words.French)
			if field.Tag.Get("mail") == "optional" || field.Type == reflect.TypeFor[mail.Charge]() && strings.HasPrefix(s.name, "confirmation") {
				continue
			}
			if v.Field(i).IsZero() && field.Type.Kind() != reflect.Struct {
				continue // this face of the message lacks it
			}
			require.Error(t, err, "%s without %s", s.name, field.Name)
			require.Equal(t, work.Bug, work.KindOf(err))
			require.ErrorContains(t, err, string(s.message.Kind()))
		}
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	c, z := composer(t), zone(t)
	live := mail.Live{Partner: work.SevenShifts, Venue: marcel, Activated: november.In(z), HistoryFrom: sale.NewDay(2026, 8, 1)}
	attention := mail.PeopleAttention{Venue: marcel, Count: 1, Link: page, Expires: november.In(z)}
	report := sampleOf(t, "daily-report").(mail.DailyReport)
	linked := func(l mail.Link) mail.Message { a := attention; a.Link = l; return a }
	charged := func(f func(*mail.Charge)) mail.Message {
		r := sampleOf(t, "confirmation-request").(mail.ConfirmationRequest)
		f(&r.Fee)
		return r
	}
	filed := func(f func(*mail.Attachment)) mail.Message {
		r := report
		f(&r.File)
		return r
	}
	for name, m := range map[string]mail.Message{
		"partner":     mail.Live{Partner: "8shifts", Venue: live.Venue, Activated: live.Activated, HistoryFrom: live.HistoryFrom},
		"UTC":         mail.Live{Partner: live.Partner, Venue: live.Venue, Activated: november, HistoryFrom: live.HistoryFrom},
		"blank name":  mail.Live{Partner: live.Partner, Venue: mail.Venue{Name: " \u200b\n", Address: "x"}, Activated: live.Activated, HistoryFrom: live.HistoryFrom},
		"reader":      mail.Declined{Reader: "nobody", Partner: work.Wisk, Venues: []mail.Venue{marcel}},
		"nobody":      mail.PeopleAttention{Venue: marcel, Link: page, Expires: november.In(z)},
		"plain http":  linked("http://bridge.example.com/"),
		"javascript":  linked("javascript:alert(1)"),
		"data":        linked("data:text/html,x"),
		"with a user": linked("https://bridge.example.com@evil.example/"),
		"with breaks": linked("https://bridge.example.com/\nBcc:x"),
		"with quotes": linked(`https://bridge.example.com/"onclick="x`),
		"no host":     linked("https:///x"),
		"long":        linked(mail.Link("https://bridge.example.com/" + strings.Repeat("x", 2000))),
		"sum":         charged(func(f *mail.Charge) { f.Total++ }),
		"wrap":        charged(func(f *mail.Charge) { f.Before, f.GST = math.MaxInt64, math.MaxInt64 }),
		"negative":    charged(func(f *mail.Charge) { f.Before, f.Total = -1, f.GST+f.QST-1 }),
		"unnumbered":  charged(func(f *mail.Charge) { f.GSTNumber = "" }),
		"both":        mail.Credentials{Handover: mail.Handover{Venues: []mail.VenueCredential{{Venue: marcel, Serial: "A1"}}}},
		"no end":      mail.Credentials{Handover: mail.Handover{Venues: []mail.VenueCredential{{Venue: marcel, Serial: "A1", Reveal: page}}}},
		"causes":      mail.TipsReadiness{Venue: marcel, From: sale.NewDay(2026, 1, 1), To: sale.NewDay(2026, 1, 2), Unassigned: 1, Link: page},
		"paid":        mail.PaymentReceived{Number: "1", Date: november.In(z), Partner: work.Wisk, Venues: []mail.Venue{marcel}},
		"file path":   filed(func(a *mail.Attachment) { a.Name = "../x.csv" }),
		"file break":  filed(func(a *mail.Attachment) { a.Name = "x\r\n.csv" }),
		"file type":   filed(func(a *mail.Attachment) { a.Type = "text/html" }),
		"file size":   filed(func(a *mail.Attachment) { a.Data = make([]byte, 6<<20) }),
		"empty file":  filed(func(a *mail.Attachment) { a.Data = nil }),
	} {
		_, err := c.Compose(m, words.French)
		require.Error(t, err, name)
		require.Equal(t, work.Bug, work.KindOf(err), name)
	}
	_, err := c.Compose(linked("http://127.0.0.1:8080/c/x"), words.French)
	require.NoError(t, err, "this machine needs no encryption")
	_, err = c.Compose(live)
	require.Error(t, err, "no language")
	report.Revision = 0
	_, err = c.Compose(report, words.French)
	require.Error(t, err)
}

// A composed mail may hold a key.
func TestAMailNeverPrints(t *testing.T) {
	c, err := composer(t).Compose(sampleOf(t, "credentials-inline"), words.French)
	require.NoError(t, err)
	require.Contains(t, c.Text, apiKey)
	require.Contains(t, c.HTML, apiKey)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("mail", "mail", c)
	text, err := json.Marshal(c)
	require.Error(t, err)
	for _, printed := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %q", c, c, c, c), fmt.Sprintf("%v", []mail.Composed{c}), log.String(), string(text)} {
		require.NotContains(t, printed, apiKey)
	}
	require.Contains(t, fmt.Sprint(c), "credentials")
}

func TestTheHouseHasToSayWhoItIs(t *testing.T) {
	for _, h := range []mail.House{
		{Address: house.Address, Support: house.Support},
		{Name: house.Name, Support: house.Support},
		{Name: house.Name, Address: house.Address, Support: "nobody"},
	} {
		_, err := mail.NewComposer(h)
		require.Error(t, err)
	}
}

func TestProjectionsAreOneToTwoWeeksAhead(t *testing.T) {
	l := mail.Live{Activated: time.Date(2026, 10, 30, 9, 0, 0, 0, zone(t))}
	require.Equal(t, "6 novembre 2026", strings.ReplaceAll(words.French.Date(l.ProjectionsFrom()), "\u00a0", " "))
	require.Equal(t, "13 novembre 2026", strings.ReplaceAll(words.French.Date(l.ProjectionsBy()), "\u00a0", " "))
}

// Every pair of colours that stands one upon the other has WCAG's contrast for
// text, 4.5 to 1.
func TestContrast(t *testing.T) {
	style, err := os.ReadFile("style.go")
	require.NoError(t, err)
	layout, err := os.ReadFile("templates/layout.html")
	require.NoError(t, err)
	for _, pair := range [][2]string{
		{"#1f2328", "#ffffff"}, {"#1f2328", "#eef4fb"}, {"#1f2328", "#f0f2f5"}, {"#57606a", "#ffffff"}, {"#57606a", "#f3f4f6"},
		{"#ffffff", "#0b5394"}, {"#0b5394", "#f3f4f6"},
	} {
		for _, colour := range pair {
			require.Contains(t, string(style)+string(layout), colour, "not used any more")
		}
		a, b := luminance(t, pair[0]), luminance(t, pair[1])
		require.GreaterOrEqual(t, (math.Max(a, b)+0.05)/(math.Min(a, b)+0.05), 4.5, "%v", pair)
	}
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	value, err := strconv.ParseUint(colour[1:], 16, 32)
	require.NoError(t, err)
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(value>>(16-8*i)&0xff) / 255
		if c <= 0.03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
