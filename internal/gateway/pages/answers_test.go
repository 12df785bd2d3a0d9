package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/words"
)

func TestVenuesAreConfirmedAndDeclinedEachByItself(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Confirm)
	v.open(path)
	a := v.send(path, "venue", "chez-marcel", "act", "confirm")
	require.Contains(t, a.header.Get("Location"), "#v1", "back to the venue's place on the page")
	a = v.follow(path, a)
	require.Contains(t, a.text, "Votre réponse est enregistrée. Confirmé le")
	require.Contains(t, a.text, "Confirmé le 24 novembre 2026, 14 h 30")
	require.Equal(t, 1, strings.Count(a.body, `value="confirm"`), "the other still waits")

	v.open(path + "?lang=en&decline=le-coin")
	require.Zero(t, len(v.desk.decisions)-1, "to ask for the second page is no answer")
	a = v.send(in(words.English, path), "venue", "le-coin", "act", "decline", "reason", "privacy")
	a = v.follow(path, a)
	require.Contains(t, a.text, "Declined on November 24, 2026")
	require.NotContains(t, a.body, `value="confirm"`)
	require.Equal(t, []pages.Decision{{Venue: "chez-marcel", Yes: true}, {Venue: "le-coin", Reason: pages.Privacy}}, v.desk.decisions)
}

func TestDecliningNeedsNoReason(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Confirm)
	for _, reason := range append([]pages.Reason{pages.NoReason}, pages.Reasons...) {
		v.desk.change(func(d *desk) { d.confirmation.Venues[1].State = pages.Open })
		page := v.open(path + "?decline=le-coin")
		require.Contains(t, page.body, `value="`+string(reason)+`"`)
		require.Equal(t, http.StatusSeeOther, v.send(path, "venue", "le-coin", "act", "decline", "reason", string(reason)).status)
		require.Equal(t, reason, v.desk.decisions[len(v.desk.decisions)-1].Reason)
	}
}

func TestAnAnswerStands(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Confirm)
	v.open(path)
	first := v.fill("venue", "le-coin", "act", "confirm").Encode()
	require.Equal(t, http.StatusSeeOther, v.do(http.MethodPost, path, first, nil).status)
	a := v.do(http.MethodPost, path, first, nil)
	require.Equal(t, http.StatusSeeOther, a.status, "the same button twice is no matter")
	require.Contains(t, v.follow(path, a).text, "Confirmé le")

	v.desk.change(func(d *desk) { d.confirmation.Venues[0].State, d.confirmation.Venues[0].At = pages.Declined, d.now() })
	a = v.send(in(words.English, path), "venue", "chez-marcel", "act", "confirm")
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.text, "Chez Marcel & Filles: an answer had been given before")
	require.Contains(t, a.body, `href="#v1"`)
	require.Contains(t, a.text, "Declined on")
}

func TestConfirmTakesOnlyWhatItOffers(t *testing.T) {
	for name, fields := range map[string][]string{
		"no venue":       {"act", "confirm"},
		"another venue":  {"act", "confirm", "venue", "elsewhere"},
		"no act":         {"venue", "le-coin"},
		"another act":    {"venue", "le-coin", "act", "delete"},
		"another reason": {"venue", "le-coin", "act", "decline", "reason", "because I say so"},
	} {
		v := serve(t, nil)
		path := v.path(link.Confirm)
		v.open(path)
		a := v.send(path, fields...)
		require.Equal(t, http.StatusBadRequest, a.status, name)
		require.Contains(t, a.text, "Rien n'a été enregistré", name)
		require.Zero(t, v.desk.told(), name)
	}
	// A reason beside a yes is none.
	v := serve(t, nil)
	path := v.path(link.Confirm)
	v.open(path)
	v.send(path, "venue", "le-coin", "act", "confirm", "reason", "cost")
	require.Equal(t, []pages.Decision{{Venue: "le-coin", Yes: true}}, v.desk.decisions)
}

func TestTheKeyIsShownOnceToEachReader(t *testing.T) {
	for reader, how := range map[link.Reader]string{link.Venue: "Pour le faire vous-même : « Paramètres du lieu › Intégrations POS › Ajouter une intégration POS »", link.Support: "Entrez la clé et le numéro de série dans le compte de l'établissement"} {
		v := serve(t, nil)
		path := v.pathOf(link.Claims{Purpose: link.Reveal, Reader: reader})
		a := v.open(path)
		require.NotContains(t, a.body, apiKey)
		form := v.fill().Encode()
		a = v.do(http.MethodPost, path, form, nil)
		require.Equal(t, http.StatusOK, a.status)
		require.Contains(t, a.text, "Numéro de série A1B2C3D4 Clé API "+apiKey)
		require.Contains(t, a.text, "elle ne s'affichera plus")
		require.Contains(t, a.text, how)
		require.Contains(t, a.text, "sélectionnez Cluster")
		require.NotContains(t, a.body, "lang=en", "to change the language would lose the key")
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))

		a = v.do(http.MethodPost, path, form, nil) // the page loaded again
		require.Equal(t, http.StatusSeeOther, a.status)
		a = v.follow(path, a)
		require.Contains(t, a.text, "La clé a déjà été affichée, le 24 novembre 2026, 14 h 30")
		require.NotContains(t, a.body, apiKey)
		require.NotContains(t, v.logged.String(), apiKey)
		require.Equal(t, reader, v.desk.reveals[0])
	}
}

func TestTheKeyIsShownInEnglish(t *testing.T) {
	v := serve(t, nil)
	path := in(words.English, v.path(link.Reveal))
	v.open(path)
	a := v.send(path)
	require.Contains(t, a.text, "Serial number A1B2C3D4 API key "+apiKey)
	require.Contains(t, a.text, "choose Cluster")
}

func TestAnOperatorEntersTheContact(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Contact)
	v.open(path)
	a := v.send(path, "name", "  Anne   Roy\u200b ", "email", " anne.roy@example.com ", "speaks", "en", "called", "yes", "by", "lea", "note", "called the number on record")
	require.Contains(t, v.follow(path, a).text, "Contact entré par lea")
	require.Len(t, v.desk.contacts, 1)
	c := v.desk.contacts[0]
	require.Equal(t, []string{"Anne Roy", "anne.roy@example.com", "en", "lea", "called the number on record"}, []string{c.Name.Reveal(), c.Email.Reveal(), string(c.Lang), c.By, c.Note})
	require.NotContains(t, v.logged.String(), "anne")
	require.NotContains(t, v.logged.String(), "Anne")
}

func TestAContactIsCheckedFieldByField(t *testing.T) {
	good := map[string]string{"name": "Anne Roy", "email": "anne@example.com", "speaks": "fr", "called": "yes", "by": "lea", "note": "by telephone"}
	for name, c := range map[string]struct{ field, value, fr, en string }{
		"no name":             {"name", " \u200b", "Entrez le nom", "Enter the person's name"},
		"no e-mail":           {"email", "", "Entrez un seul courriel", "Enter one whole e-mail"},
		"two e-mails":         {"email", "a@example.com,b@example.com", "Entrez un seul courriel", "Enter one whole e-mail"},
		"a header":            {"email", "a@example.com\r\nBcc: b@example.com", "Entrez un seul courriel", "Enter one whole e-mail"},
		"no host":             {"email", "anne", "Entrez un seul courriel", "Enter one whole e-mail"},
		"another language":    {"speaks", "de", "Choisissez la langue", "Choose the language"},
		"not called":          {"called", "", "Rappelez d'abord", "Call the venue back first"},
		"no handle":           {"by", "", "Entrez votre identifiant", "Enter your staff handle"},
		"an e-mail as handle": {"by", "lea@example.com", "Entrez votre identifiant", "Enter your staff handle"},
		"no note":             {"note", " ", "Écrivez une note", "Write a note"},
		"an e-mail in it":     {"note", "wrote to a@b.ca", "Écrivez une note", "Write a note"},
		"a long note":         {"note", strings.Repeat("x", 201), "Écrivez une note", "Write a note"},
	} {
		v := serve(t, nil)
		for l, says := range map[words.Lang]string{words.French: c.fr, words.English: c.en} {
			path := in(l, v.path(link.Contact))
			v.open(path)
			values := v.fill()
			for field, value := range good {
				values.Set(field, value)
			}
			values.Set(c.field, c.value)
			a := v.do(http.MethodPost, path, values.Encode(), nil)
			require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
			require.Equal(t, 2, strings.Count(a.text, says), "%s: in the summary and at the field", name)
			require.Contains(t, a.body, `<a href="#`+c.field+`">`, name)
			require.Contains(t, a.body, `aria-invalid="true"`, name)
			if c.field != "name" {
				require.Contains(t, a.body, `value="Anne Roy"`, "%s: what was right stays", name)
			}
		}
		require.Zero(t, v.desk.told(), name)
	}
}

// A message that is not for the log or a page does not get there by being
// typed.
func TestWhatIsTypedIsOnlyText(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Contact)
	v.open(path)
	a := v.send(path, "name", `"><script>alert(1)</script>`, "note", "</textarea><script>", "by", `x" autofocus onfocus="y`)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.NotContains(t, a.body, "<script>")
	require.NotContains(t, v.logged.String(), "alert")
	values := url.Values{"lang": {`en"><script>`}, "decline": {`"><script>`}, "saved": {`"><script>`}}
	a = v.open(v.path(link.Confirm) + "?" + values.Encode())
	require.Equal(t, http.StatusOK, a.status)
	require.NotContains(t, a.body, "<script>")
}
