package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestATokenIsPastedAndALocationChosen(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Token)
	a := v.open(path)
	require.Regexp(t, `<input type="password" id="token" name="token" required maxlength="2048" autocomplete="off"`, a.body)
	a = v.send(path, "act", "paste", "token", "  "+pasted+"\r\n")
	a = v.follow(path, a)
	require.Equal(t, []string{pasted}, v.desk.tokens)
	require.Contains(t, a.text, "7shifts reconnaît le jeton")
	require.NotContains(t, a.body, pasted)
	require.Equal(t, 2, strings.Count(a.body, `" disabled`), "what cannot be chosen")
	require.Regexp(t, `id="receipt-opened" value="opened" required checked`, a.body, "as Cluster is set")

	a = v.send(path, "act", "choose", "location", "70", "receipt_date", "closed", "workday", "yes")
	a = v.follow(path, a)
	require.Equal(t, []pages.TokenChoice{{LocationID: 70, ReceiptDate: sale.ByClosed, Workday: true}}, v.desk.choices)
	require.Contains(t, a.text, "Relié à « Chez Marcel »")
	require.NotContains(t, v.logged.String(), pasted)
}

func TestAWrongTokenCostsATryAndIsNotShown(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Token)
	v.open(path)
	const wrong = "a-wrong-token-0815"
	for _, left := range []string{"Il vous reste 2 essais.", "Il vous reste 1 essai."} {
		a := v.send(path, "act", "paste", "token", wrong)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Contains(t, a.text, "7shifts refuse ce jeton")
		require.Contains(t, a.text, left)
		require.NotContains(t, a.body, wrong)
		require.Contains(t, a.body, `<a href="#token">`)
	}
	a := v.send(in(words.English, path), "act", "paste", "token", wrong)
	a = v.follow(path, a)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Contains(t, a.text, "Too many tokens refused")
	require.NotContains(t, v.logged.String(), wrong)
}

func TestWhatCannotBeATokenCostsNoTry(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Token)
	v.open(path)
	for given, says := range map[string]string{
		"": "Collez le jeton", "   ": "Collez le jeton", "Bearer abc": "Ce n'est pas un jeton", "clé": "Ce n'est pas un jeton",
		"a\nb": "Ce n'est pas un jeton", strings.Repeat("x", 2049): "Ce n'est pas un jeton",
	} {
		a := v.send(path, "act", "paste", "token", given)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, given)
		require.Contains(t, a.text, says, given)
	}
	require.Zero(t, v.desk.told())
}

func TestAPlanThatIsTooLowIsExplained(t *testing.T) {
	v := serve(t, nil)
	v.desk.telling = work.Err(work.PartnerPlan, "")
	path := in(words.English, v.path(link.Token))
	v.open(path)
	a := v.send(path, "act", "paste", "token", pasted)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.text, "your plan does not include this integration")
	require.NotContains(t, a.body, pasted)
}

func TestAChoiceIsCheckedFieldByField(t *testing.T) {
	good := map[string]string{"act": "choose", "location": "70", "receipt_date": "opened", "workday": "yes"}
	for name, c := range map[string]struct{ field, value, link, fr, en string }{
		"no location":      {"location", "", "location-1", "Choisissez l'établissement dans 7shifts.", "Choose the location in 7shifts."},
		"another location": {"location", "99", "location-1", "Choisissez l'établissement dans 7shifts.", "Choose the location in 7shifts."},
		"another zone":     {"location", "71", "location-1", "Choisissez l'établissement dans 7shifts.", "Choose the location in 7shifts."},
		"another POS":      {"location", "72", "location-1", "Choisissez l'établissement dans 7shifts.", "Choose the location in 7shifts."},
		"no receipt date":  {"receipt_date", "", "", "", ""}, // as Cluster is set is no answer
		"another date":     {"receipt_date", "paid", "receipt_date", "Choisissez l'heure", "Choose the time"},
		"no tick":          {"workday", "", "workday", "puis cochez la case", "then tick the box"},
	} {
		v := serve(t, nil)
		v.desk.change(func(d *desk) { d.token.State = pages.TokenChoose })
		for l, says := range map[words.Lang]string{words.French: c.fr, words.English: c.en} {
			path := in(l, v.path(link.Token))
			v.open(path)
			values := v.fill()
			for field, value := range good {
				values.Set(field, value)
			}
			values.Set(c.field, c.value)
			a := v.do(http.MethodPost, path, values.Encode(), nil)
			require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
			require.Contains(t, a.text, says, name)
			if c.link != "" {
				require.Contains(t, a.body, `<a href="#`+c.link+`">`, name)
			}
			if c.field != "location" {
				require.Regexp(t, `value="70"[^>]* checked`, a.body, "%s: what was chosen stays", name)
			}
		}
		require.Zero(t, v.desk.told(), name)
	}
}

func TestALocationThatIsTakenMeanwhileIsExplained(t *testing.T) {
	v := serve(t, nil)
	v.desk.change(func(d *desk) { d.token.State, d.telling = pages.TokenChoose, pages.ErrUnfit })
	path := v.path(link.Token)
	v.open(path)
	a := v.send(path, "act", "choose", "location", "70", "receipt_date", "opened", "workday", "yes")
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.text, "Cet établissement ne peut plus être choisi")
}

// A page of the step before leads to where the venue is now.
func TestTheStepsOfATokenCannotBeMixedUp(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.Token)
	v.open(path)
	a := v.send(path, "act", "choose", "location", "70", "receipt_date", "opened", "workday", "yes")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Contains(t, v.follow(path, a).text, "Entrez un jeton")
	require.Equal(t, http.StatusBadRequest, v.send(path, "act", "sing").status)
	require.Zero(t, v.desk.told())
	v.desk.change(func(d *desk) { d.token.State, d.telling = pages.TokenChoose, pages.ErrDone })
	v.open(path)
	a = v.send(path, "act", "choose", "location", "70", "receipt_date", "opened", "workday", "yes")
	require.Equal(t, http.StatusSeeOther, a.status, "twice the same button")
	v.desk.change(func(d *desk) { d.token.State, d.telling = pages.TokenDone, pages.ErrDone })
	a = v.send(path, "act", "paste", "token", pasted)
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.text, "La réponse a déjà été donnée")
}

// Another token can be pasted while the location is not chosen; when it is
// wrong, the field is shown again and not the locations of the first.
func TestAnotherTokenCanBePasted(t *testing.T) {
	v := serve(t, nil)
	v.desk.change(func(d *desk) { d.token.State = pages.TokenChoose })
	path := v.path(link.Token)
	require.Contains(t, v.open(path).body, `href="?another=1&amp;lang=fr"`)
	require.Contains(t, v.open(path+"?another=1").body, `href="?another=1&amp;lang=en"`, "the other language of the same page")
	a := v.send(path, "act", "paste", "token", "wrong-one")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.text, "Entrez un jeton")
}
