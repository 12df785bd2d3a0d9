package clustersim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

const hookSecret = "hook-canary-2f77"

// door is a gateway that takes requests, or answers with a status.
type door struct {
	t      *testing.T
	url    string
	mu     sync.Mutex
	status int
	taken  []clustersim.Request
}

func newDoor(t *testing.T) *door {
	d := &door{t: t, status: http.StatusAccepted}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// ServeHTTP checks with clusterbridge's own code how a request is signed.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	seconds, _ := strconv.ParseInt(r.Header.Get(gateway.HeaderTimestamp), 10, 64)
	signature := gateway.Sign(hookSecret, r.Header.Get(gateway.HeaderTimestamp), body)
	var q clustersim.Request
	switch {
	case err != nil || r.Method != http.MethodPost || r.URL.Path != "/requests" || r.Header.Get("Content-Type") != "application/json":
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Header.Get(gateway.HeaderSignature) != signature, time.Since(time.Unix(seconds, 0)).Abs() > time.Minute:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case json.Unmarshal(body, &q) != nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	d.taken = append(d.taken, q)
	w.WriteHeader(d.status)
}

func (d *door) answers(status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status = status
}

func (d *door) requests() []clustersim.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]clustersim.Request{}, d.taken...)
}

// browser follows links and sends forms, without script.
type browser struct {
	t      *testing.T
	root   string
	client *http.Client
	header http.Header
}

func newBrowser(t *testing.T, root string) *browser {
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return &browser{t: t, root: root, client: client, header: http.Header{}}
}

func (b *browser) do(method, path string, form url.Values) (int, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.root+path, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	req.Header = b.header.Clone()
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		require.Contains(b.t, res.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Equal(b.t, "no-store", res.Header.Get("Cache-Control"))
		require.Contains(b.t, string(page), `<html lang="`+res.Header.Get("Content-Language")+`">`)
		require.NotContains(b.t, string(page), hookSecret)
	}
	return res.StatusCode, string(page)
}

func (b *browser) get(path string) string {
	b.t.Helper()
	status, page := b.do(http.MethodGet, path, nil)
	require.Equal(b.t, http.StatusOK, status)
	return page
}

func newPages(t *testing.T) (*stage, *door, *browser) {
	s, _ := newOffice(t, clustersim.OfficeSwitches{})
	s.sim.AddLocation(clustersim.Location{Serial: "CL-1", TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis, Montr\u00e9al", Zone: "America/Toronto", Language: "fr"})
	d := newDoor(t)
	s.sim.SetGateway(clustersim.Gateway{URL: d.url + "/", Secret: hookSecret})
	return s, d, newBrowser(t, s.url)
}

// The venue's admin logs in, allows and enables 7shifts: clusterbridge gets one
// signed request, without a person's data and without a token.
func TestAVenuesAdminEnablesSevenShifts(t *testing.T) {
	s, d, b := newPages(t)
	page := b.get("/integrations?lang=en")
	require.Contains(t, page, `<option value="CL-1">Chez Marcel (CL-1)</option>`)
	status, page := b.do("POST", "/integrations?lang=en", url.Values{"serial": {"CL-1"}})
	require.Equal(t, 200, status)
	require.Contains(t, page, "<h1>Integrations &ndash; Chez Marcel</h1>")
	require.Contains(t, page, `action="/integrations/CL-1/7shifts?lang=en"`)
	require.NotContains(t, page, `name="token"`)

	status, page = b.do("POST", "/integrations/CL-1/7shifts?lang=en", nil)
	require.Equal(t, 422, status)
	require.Contains(t, page, "Tick the permission first.")
	require.Empty(t, d.requests())

	status, page = b.do("POST", "/integrations/CL-1/7shifts?lang=en", url.Values{"grant": {"yes"}})
	require.Equal(t, 200, status)
	require.Contains(t, page, "Allowed on 2026-11-03 12:00.")
	require.NotContains(t, page, "<form")
	require.Len(t, d.requests(), 1)
	q := d.requests()[0]
	require.Contains(t, page, `<code id="request">`+q.RequestID+`</code>`)
	require.Regexp(t, `^req-[0-9a-f]{16}$`, q.RequestID)
	q.RequestID = ""
	require.Equal(t, clustersim.Request{Partner: "7shifts", Requester: "venue_admin", Venues: []clustersim.RequestVenue{
		{TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis, Montr\u00e9al", Language: "fr", Serial: "CL-1"},
	}}, q)
	require.Equal(t, noon, s.sim.State().Office.Grants[0].Sent)
}

// A gateway that is away is told, and the same request is passed on later; one
// that had taken it already counts as good.
func TestAGrantIsPassedOnUntilItIsTaken(t *testing.T) {
	s, d, b := newPages(t)
	form := url.Values{"grant": {"yes"}}
	for _, refused := range []func(){
		func() { d.answers(http.StatusServiceUnavailable) },
		func() { s.sim.SetGateway(clustersim.Gateway{URL: d.url, Secret: "wrong"}) },
		func() { s.sim.SetGateway(clustersim.Gateway{}) },
	} {
		refused()
		status, page := b.do("POST", "/integrations/CL-1/7shifts", form)
		require.Equal(t, 502, status)
		require.Contains(t, page, "La demande n\u2019a pas pu \u00eatre transmise.")
		require.Contains(t, page, "Transmettre de nouveau")
	}
	s.sim.SetGateway(clustersim.Gateway{URL: d.url, Secret: hookSecret})
	d.answers(http.StatusConflict)
	status, page := b.do("POST", "/integrations/CL-1/7shifts", form)
	require.Equal(t, 200, status)
	require.Contains(t, page, "La demande est transmise")
	require.Len(t, s.sim.State().Office.Grants, 1)
	for _, q := range d.requests() {
		require.Equal(t, s.sim.State().Office.Grants[0].RequestID, q.RequestID)
	}
}

// WISK's support names venues of which it does not know the serial number.
func TestWISKsSupportAsksForVenues(t *testing.T) {
	_, d, b := newPages(t)
	page := b.get("/support/wisk?lang=en&rows=2")
	id := regexp.MustCompile(`name="requestId" value="(req-[0-9a-f]+)"`).FindStringSubmatch(page)
	require.Len(t, id, 2)
	require.Equal(t, 2, strings.Count(page, "<fieldset>"))
	form := url.Values{
		"requestId": {id[1]}, "tradeName": {"Chez Marcel ", "", "Harbour Oyster Bar"}, "address": {" 4210 rue Saint-Denis", "", ""}, "language": {"fr", "fr", "en"},
	}
	status, page := b.do("POST", "/support/wisk?lang=en", form)
	require.Equal(t, 422, status)
	require.Contains(t, page, "Each venue needs a name and an address.")
	require.Contains(t, page, `value="Harbour Oyster Bar"`, "what was typed stays")
	require.Contains(t, page, id[1])
	require.Empty(t, d.requests())

	form["address"][2] = "12 Water Street"
	d.answers(http.StatusInternalServerError)
	status, page = b.do("POST", "/support/wisk?lang=en", form)
	require.Equal(t, 502, status)
	require.Contains(t, page, "HTTP 500")
	d.answers(http.StatusAccepted)
	status, page = b.do("POST", "/support/wisk?lang=en", form)
	require.Equal(t, 200, status)
	require.Contains(t, page, "The request is passed on:")
	want := clustersim.Request{RequestID: id[1], Partner: "wisk", Requester: "partner_support", Venues: []clustersim.RequestVenue{
		{TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis", Language: "fr"}, {TradeName: "Harbour Oyster Bar", Address: "12 Water Street", Language: "en"},
	}}
	require.Equal(t, []clustersim.Request{want, want}, d.requests(), "the same request again")

	many := url.Values{"requestId": {id[1]}}
	for i := range 51 {
		many.Add("tradeName", "Venue "+strconv.Itoa(i))
		many.Add("address", strconv.Itoa(i)+" rue Principale")
		many.Add("language", "fr")
	}
	status, _ = b.do("POST", "/support/wisk", many)
	require.Equal(t, 400, status)
	for _, field := range []string{"tradeName", "address", "language"} {
		many[field] = many[field][:50]
	}
	status, _ = b.do("POST", "/support/wisk", many)
	require.Equal(t, 200, status)
	require.Len(t, d.requests()[2].Venues, 50)
	require.Equal(t, 50, strings.Count(b.get("/support/wisk?rows=999"), "<fieldset>"))
	status, _ = b.do("POST", "/support/wisk", url.Values{"requestId": {id[1]}})
	require.Equal(t, 422, status)
	status, _ = b.do("POST", "/support/wisk", url.Values{})
	require.Equal(t, 400, status)
}

func TestPagesSpeakFrenchAndEnglish(t *testing.T) {
	_, _, b := newPages(t)
	for _, path := range []string{"/integrations", "/integrations/CL-1", "/support/wisk"} {
		require.Contains(t, b.get(path), `<html lang="fr">`, "French is the default")
		require.Contains(t, b.get(path+"?lang=en"), `<html lang="en">`)
		b.header.Set("Accept-Language", "de, en-CA;q=0.8, fr;q=0.5")
		require.Contains(t, b.get(path), `<html lang="en">`)
		require.Contains(t, b.get(path), `href="`+path+`?lang=fr"`)
		require.Contains(t, b.get(path+"?lang=fr"), `<html lang="fr">`, "a link goes before the browser")
		b.header.Del("Accept-Language")
	}
	status, _ := b.do("GET", "/integrations/CL-9", nil)
	require.Equal(t, 404, status)
	status, _ = b.do("POST", "/integrations", url.Values{"serial": {"CL-9"}})
	require.Equal(t, 404, status)
	status, _ = b.do("POST", "/integrations/CL-9/7shifts", url.Values{"grant": {"yes"}})
	require.Equal(t, 404, status)
}

func TestFaultsSpoilThePagesToo(t *testing.T) {
	s, d, b := newPages(t)
	s.sim.Faults().Add(clustersim.Fault{Path: "/integrations/CL-1/7shifts", Serial: "CL-1", Status: 503})
	status, _ := b.do("POST", "/integrations/CL-1/7shifts", url.Values{"grant": {"yes"}})
	require.Equal(t, 503, status)
	require.Empty(t, d.requests())
	require.Empty(t, s.sim.State().Office.Grants)
}

// The page shows the keys of the venue, and a grant outlives a restart.
func TestTheVenuesPageShowsItsKeys(t *testing.T) {
	_, d, _ := newPages(t)
	file := filepath.Join(t.TempDir(), "cluster.json")
	options := clustersim.Options{
		Clock: &hands{now: noon}, OfficeKey: officeKey, StateFile: file, Gateway: clustersim.Gateway{URL: d.url, Secret: hookSecret}, Office: &clustersim.OfficeSwitches{},
	}
	start := func() (*stage, *browser) {
		sim, err := clustersim.Open(options)
		require.NoError(t, err)
		sim.AddLocation(clustersim.Location{Serial: "CL 1/2", TradeName: "Le <Coin>", Zone: "America/Toronto"})
		server := httptest.NewServer(sim)
		t.Cleanup(server.Close)
		s := &stage{t: t, sim: sim, url: server.URL}
		return s, newBrowser(t, server.URL)
	}
	s, b := start()
	path := "/integrations/" + url.PathEscape("CL 1/2")
	require.Contains(t, b.get(path), "Aucune cl\u00e9")
	must(s.office(t, s.url).IssueKey(t.Context(), "CL 1/2", "wisk", "k1"))(t)
	page := b.get(path)
	require.Contains(t, page, "Le &lt;Coin&gt;")
	require.Contains(t, page, "<td>"+s.sim.State().Office.Keys[0].KeyID+"</td><td>wisk</td><td>2026-11-03 12:00</td>")
	action := regexp.MustCompile(`action="([^"]*/7shifts)\?lang=fr"`).FindStringSubmatch(page)
	require.Len(t, action, 2)
	status, _ := b.do("POST", action[1], url.Values{"grant": {"yes"}})
	require.Equal(t, 200, status)
	id := s.sim.State().Office.Grants[0].RequestID

	_, b = start()
	require.Contains(t, b.get(path), id)
}
