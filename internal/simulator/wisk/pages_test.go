package wisksim_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

func TestPages(t *testing.T) {
	s := newStand(t, wisksim.Options{})
	status, _ := s.upload(
		with(line("1"), func(l *wire.Line) { l.Title = "<script>" }),
		with(line("2"), func(l *wire.Line) { l.PLU, l.Title = "a/b?c", "Mojito" }),
	)
	require.Equal(t, 200, status)
	require.NoError(t, s.sim.ArchiveItem(marcel, "4"))
	for path, wants := range map[string][]string{
		"/":                                {"Chez Marcel", "1 rue Rachel", "21.50", `href="/venues/v-marcel/days/2026-11-03"`},
		"/venues/v-marcel":                 {"Tue 3 Nov 2026", "1 line, 1 item<"},
		"/venues/v-marcel/days/2026-11-03": {"&lt;script&gt;</a> (archived)", "upload", `href="/venues/v-marcel/days/2026-11-03/items/a%2Fb%3Fc"`},
		"/venues/v-marcel/days/2026-11-04": {"No sales on this day"},
		"/venues/v-marcel/days/2026-11-03/items/a%2Fb%3Fc": {"18:00:00 EST", "Mojito", "upload"},
		"/venues/v-marcel/days/2026-11-04/items/4":         {"No lines of this item"},
		"/venues/v-marcel/items":                           {"Not mapped", "Archived", "Restore"},
		"/venues/v-marcel/settings": {
			`lang="fr"`, "Param&egrave;tres du lieu", "Int&eacute;grations POS", "Ajouter une int&eacute;gration POS", "Type de point de vente",
			"Cl&eacute; API", "Num&eacute;ro de s&eacute;rie", "Inclure les modificateurs", "Importer les modificateurs en tant qu&rsquo;articles POS distincts", "Enregistrer",
		},
	} {
		status, page := s.do(http.MethodGet, path, "")
		require.Equal(t, 200, status, path)
		for _, want := range wants {
			require.Contains(t, page, want, path)
		}
		require.NotContains(t, page, "<script", path)
	}
	for _, path := range []string{
		"/venues/v-nobody", "/venues/v-nobody/settings", "/venues/v-nobody/items", "/venues/v-marcel/days/yesterday",
		"/venues/v-marcel/days/2026-11-03/items/9", "/favicon.ico",
	} {
		status, _ := s.do(http.MethodGet, path, "")
		require.Equal(t, 404, status, path)
	}
	_, _ = s.upload(with(line("1"), func(l *wire.Line) { l.Total = "1" }))
	_, page := s.do(http.MethodGet, "/", "")
	require.Contains(t, page, "This must not happen")
}

// form sends a form as a browser does, and follows where it leads.
func (s *stand) form(path string, values url.Values) (int, string) {
	s.Helper()
	res, err := s.client.PostForm(s.url+path, values)
	require.NoError(s, err)
	defer res.Body.Close()
	var page strings.Builder
	_, err = io.Copy(&page, res.Body)
	require.NoError(s, err)
	return res.StatusCode, page.String()
}

func TestAPersonMapsAndArchivesOnThePage(t *testing.T) {
	s := newStand(t, wisksim.Options{})
	_, _ = s.upload(line("1"))
	status, page := s.form("/venues/v-marcel/items", url.Values{"plu": {"4"}, "act": {"map"}, "to": {"gin"}})
	require.Equal(t, 200, status)
	require.Contains(t, page, "Mapped</span> gin")
	_, _ = s.upload(with(line("2"), func(l *wire.Line) { l.Title = "Negroni" }))
	_, page = s.do(http.MethodGet, "/venues/v-marcel/items", "")
	require.Contains(t, page, "Needs Review")
	require.Contains(t, page, "2 names: Martini, Negroni")
	_, page = s.form("/venues/v-marcel/items", url.Values{"plu": {"4"}, "act": {"archive"}})
	require.Contains(t, page, "Restore")
	status, _ = s.form("/venues/v-marcel/items", url.Values{"plu": {"9"}, "act": {"archive"}})
	require.Equal(t, 400, status)
}

func TestWISKsSupportEntersAnIntegrationOnThePage(t *testing.T) {
	r := newRelay(t, clustersim.Options{}, wisksim.Options{})
	r.tills.PutAt("CL-2", order("7", now.Add(-20*time.Hour)), now)
	const add = "/venues/v-marcel/integrations"
	status, page := r.form(add, url.Values{"more": {"1"}, "key": {"key-of-CL-1"}, "serial": {"CL-1"}, "include_modifiers": {"on"}})
	require.Equal(t, 200, status)
	require.Equal(t, 2, strings.Count(page, `name="serial"`), "one more pair, what was typed is kept")
	require.Contains(t, page, `value="key-of-CL-1"`)
	require.Contains(t, page, `name="include_modifiers" checked`)

	values := url.Values{"save": {"1"}, "key": {"key-of-CL-1", "wrong", ""}, "serial": {"CL-1", "CL-2", ""}}
	status, page = r.form(add, values)
	require.Equal(t, 422, status)
	require.Contains(t, page, "Num\u00e9ro de s\u00e9rie CL-2 : Cluster refuse la cl\u00e9 API.")
	status, page = r.form(add, url.Values{"save": {"1"}, "key": {""}, "serial": {""}})
	require.Equal(t, 422, status)
	require.Contains(t, page, "Chaque site demande")
	status, _ = r.form("/venues/v-nobody/integrations", values)
	require.Equal(t, 404, status)
	require.Empty(t, r.sim.Integrations(""))

	values["key"] = []string{"key-of-CL-1", "key-of-CL-2", ""}
	status, page = r.form(add, values)
	require.Equal(t, 200, status)
	require.Contains(t, page, "CL-1, CL-2")
	require.NotContains(t, page, "key-of")
	require.Eventually(t, func() bool { return r.day("2026-11-03") == "2/18.00 titos=2/18.00" }, 10*time.Second, time.Millisecond)

	require.NoError(t, r.sim.Switch(func(w *wisksim.Switches) { w.CalledOffAfter = 1 }))
	r.tills.SetOffline("CL-1", true)
	require.Error(t, r.pull())
	_, page = r.do(http.MethodGet, "/venues/v-marcel/settings", "")
	require.Contains(t, page, "CalledOff")
	r.tills.SetOffline("CL-1", false)
	status, _ = r.form(add+"/1", url.Values{"act": {"resume"}})
	require.Equal(t, 200, status)
	require.Eventually(t, func() bool { return r.sim.Integrations("")[0].Status == wisksim.Healthy }, 10*time.Second, time.Millisecond)
	status, _ = r.form(add+"/1", url.Values{"act": {"pull"}})
	require.Equal(t, 200, status)
	_, page = r.form(add+"/1", url.Values{"act": {"remove"}})
	require.Contains(t, page, "Inactive")
	for _, id := range []string{"1", "x"} {
		status, _ = r.form(add+"/"+id, url.Values{"act": {"remove"}})
		require.Equal(t, 400, status)
	}
}
