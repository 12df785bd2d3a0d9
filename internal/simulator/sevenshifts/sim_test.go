package sevenshiftssim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/clustersystems/clusterbridge/internal/clock"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, time.November, 4, 18, 0, 0, 0, time.UTC)

// stand is a simulator behind HTTP, spoken to with bare requests.
type stand struct {
	*testing.T
	sim    *sevenshiftssim.Sim
	url    string
	client *http.Client
}

func newStand(t *testing.T, o sevenshiftssim.Options) *stand {
	t.Helper()
	if o.Clock == nil {
		o.Clock = clock.Fixed(now)
	}
	if o.Switches == nil {
		switches := sevenshiftssim.Defaults()
		switches.PerSecond = 0
		o.Switches = &switches
	}
	sim, err := sevenshiftssim.Open(o)
	require.NoError(t, err)
	sim.AddCompany(sevenshiftssim.Company{ID: 42, Name: "Chez Marcel inc."})
	sim.AddLocation(sevenshiftssim.Location{ID: 501, CompanyID: 42, Name: "Chez Marcel", City: "Montreal", Timezone: "America/Toronto"})
	sim.AddToken(sevenshiftssim.Token{Value: "tok-canary", Companies: []int64{42}})
	server := httptest.NewServer(sim)
	s := &stand{t, sim, server.URL, &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(func() { s.stop(server) })
	return s
}

func (s *stand) stop(server *httptest.Server) {
	s.client.CloseIdleConnections()
	_ = s.sim.Close()
	server.Close()
}

func (s *stand) do(method, path, body string) (int, string) {
	s.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	require.NoError(s, err)
	req.Header.Set("Authorization", "Bearer tok-canary")
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	require.NoError(s, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(s, err)
	return res.StatusCode, string(data)
}

const good = `{"receipt_id":"A1-7","location_id":501,"receipt_date":"2026-11-04T04:00:00Z","net_total":8500,"status":"closed",` +
	`"receipt_lines":[],"tip_details":[{"type":"total","value":700}],"tips":700,"external_user_id":null}`

const receipts = "/v2/company/42/receipts"

// get lists with a query.
func (s *stand) get(query map[string]string) (int, []map[string]any) {
	s.Helper()
	values := url.Values{"location_id": {"501"}}
	for k, v := range query {
		values.Set(k, v)
	}
	status, body := s.do("GET", receipts+"?"+values.Encode(), "")
	var answer struct{ Data []map[string]any }
	require.NoError(s, json.Unmarshal([]byte(body), &answer))
	return status, answer.Data
}

func TestItRefusesWhatTheAPIRefuses(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	with := func(was, is string) string { return strings.Replace(good, was, is, 1) }
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		names              string
	}{
		"unknown field":           {"POST", receipts, with(`{`, `{"colour":"red",`), 400, "colour"},
		"missing field":           {"POST", receipts, with(`"receipt_lines":[],`, ``), 400, "receipt_lines"},
		"money as a decimal":      {"POST", receipts, with(`8500`, `85.5`), 400, "net_total"},
		"negative net":            {"POST", receipts, with(`8500`, `-8500`), 400, "net_total"},
		"null net":                {"POST", receipts, with(`8500`, `null`), 400, "net_total"},
		"a status of its own":     {"POST", receipts, with(`closed`, `paid`), 400, "status"},
		"a tip of its own":        {"POST", receipts, with(`total","value"`, `card","value"`), 400, "tip_details"},
		"local time":              {"POST", receipts, with(`04:00:00Z`, `00:00:00-04:00`), 400, "receipt_date"},
		"somebody's location":     {"POST", receipts, with(`501`, `777`), 400, "location_id"},
		"no JSON":                 {"POST", receipts, `{`, 400, ""},
		"a list":                  {"POST", receipts, `[]`, 400, ""},
		"two megabytes":           {"POST", receipts, strings.Repeat("x", 2<<20), 413, ""},
		"update with a new id":    {"PUT", receipts + "/ext:501:A1-7", `{"receipt_id":"A1-8","net_total":1}`, 400, "receipt_id"},
		"update with a null":      {"PUT", receipts + "/ext:501:A1-7", `{"net_total":1,"external_user_id":null}`, 400, "external_user_id"},
		"update without net":      {"PUT", receipts + "/ext:501:A1-7", `{"status":"closed"}`, 400, "net_total"},
		"update of an odd id":     {"PUT", receipts + "/ext:501", `{"net_total":1}`, 404, ""},
		"list without location":   {"GET", receipts, "", 400, "location_id"},
		"list by receipt id":      {"GET", receipts + "?location_id=501&receipt_id=A1-7", "", 400, "receipt_id"},
		"a page of 101":           {"GET", receipts + "?location_id=501&limit=101", "", 400, "limit"},
		"a cursor of its own":     {"GET", receipts + "?location_id=501&cursor=2", "", 400, "cursor"},
		"91 days back":            {"GET", receipts + "?location_id=501&receipt_date%5Bgte%5D=2026-08-05T00:00:00Z", "", 400, "receipt_date[gte]"},
		"changed 91 days ago":     {"GET", receipts + "?location_id=501&modified_since=2026-08-05T00:00:00Z", "", 400, "modified_since"},
		"another company":         {"GET", "/v2/company/9/receipts?location_id=501", "", 404, "company_id"},
		"a summary of two months": {"GET", "/v2/company/42/receipts_summary?location_id=501&receipt_date%5Bgte%5D=2026-09-01&receipt_date%5Blte%5D=2026-10-31", "", 400, "receipt_date[lte]"},
		"nowhere":                 {"GET", "/v2/everything", "", 404, ""},
		"delete":                  {"DELETE", receipts + "/ext:501:A1-7", "", 404, ""},
	} {
		status, body := s.do(c.method, c.path, c.body)
		require.Equal(t, c.status, status, "%s: %s", name, body)
		if c.names != "" {
			require.Contains(t, body, `"param":"`+c.names+`"`, name)
		}
	}
	require.Zero(t, s.sim.State().Receipts)
	status, _ := s.do("POST", receipts, good)
	require.Equal(t, 202, status)
	require.Empty(t, s.sim.Violations())
}

// What the real API would take but clusterbridge must not do fails the run,
// for good.
func TestBrokenPromisesStick(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	line := `[{"external_item_id":"i","external_category_ids":[],"quantity":1,"price":1,"gross_item_price":1,"net_item_price":1,"item_discount":0,"status":"closed"}]`
	for was, is := range map[string]string{
		`"receipt_lines":[]`: `"receipt_lines":` + line,
		`"type":"total"`:     `"type":"cash"`,
		`"tips":700`:         `"tips":701`,
		`"closed"`:           `"voided"`,
	} {
		status, _ := s.do("POST", receipts, strings.Replace(good, was, is, 1))
		require.Equal(t, 202, status)
	}
	for _, path := range []string{"/v2/company/42/users", "/v2/company/42/roles/1", "/v2/company/42/time_punches"} {
		_, _ = s.do("POST", path, `{}`)
	}
	var found []string
	for _, v := range s.sim.Violations() {
		found = append(found, v.What)
	}
	require.Len(t, found, 7)
	require.Contains(t, found, "a receipt line arrived: only order totals travel to 7shifts")
	_, state := s.do("GET", "/_sim/state", "")
	require.Contains(t, state, "a receipt line arrived")
	require.NotContains(t, state, "tok-canary")
	_, page := s.do("GET", "/", "")
	require.Contains(t, page, "This must not happen")
}

func TestOneRequestTooManyBlocksTheToken(t *testing.T) {
	switches := sevenshiftssim.Defaults()
	switches.Block = sevenshiftssim.Duration(time.Hour)
	s := newStand(t, sevenshiftssim.Options{Switches: &switches})
	statuses := map[int]int{}
	for range 12 {
		status, _ := s.do("GET", "/v2/whoami", "")
		statuses[status]++
	}
	require.Equal(t, map[int]int{200: 10, 429: 2}, statuses)
	rate := s.sim.Rates()[0]
	require.Equal(t, 12, rate.MaxPerSecond)
	require.Equal(t, 2, rate.Limited)
	s.sim.ResetRates()
	status, _ := s.do("GET", "/v2/whoami", "")
	require.Equal(t, 200, status)
}

// Writes of one receipt keep their order, however long each waits.
func TestWritesOfOneReceiptKeepTheirOrder(t *testing.T) {
	switches := sevenshiftssim.Defaults()
	switches.PerSecond, switches.DelayMax = 0, sevenshiftssim.Duration(50*time.Millisecond)
	s := newStand(t, sevenshiftssim.Options{Switches: &switches})
	_, _ = s.do("POST", receipts, good)
	for i := range 20 {
		_, _ = s.do("PUT", receipts+"/ext:501:A1-7", fmt.Sprintf(`{"net_total":%d}`, i))
	}
	require.Eventually(t, func() bool { return s.sim.State().Pending == 0 }, 10*time.Second, 5*time.Millisecond)
	_, held := s.get(nil)
	require.EqualValues(t, 19, held[0]["net_total"])
	require.Equal(t, "closed", held[0]["status"], "what an update leaves out is kept")
}

func TestFailuresAreToldToTheCallback(t *testing.T) {
	told := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		told <- r.Method + " " + string(data)
	}))
	defer hook.Close()
	switches := sevenshiftssim.Defaults()
	switches.CallbackURL = hook.URL
	s := newStand(t, sevenshiftssim.Options{Switches: &switches})
	status, _ := s.do("PUT", receipts+"/ext:501:unknown", `{"net_total":1}`)
	require.Equal(t, 202, status)
	require.Contains(t, <-told, `PUT {"message":"receipt does not exist"`)
}

// Complaint 3: the day is 05:00 to 05:00 in the location's zone, also in the
// night that has 25 hours.
func TestDaysOfThePage(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	for at, day := range map[string]string{
		"2026-11-01T03:59:00Z": "2026-10-31", // 23:59 EDT
		"2026-11-01T05:30:00Z": "2026-10-31", // 01:30 EDT, the first time
		"2026-11-01T06:30:00Z": "2026-10-31", // 01:30 EST, the second time
		"2026-11-01T09:59:59Z": "2026-10-31", // 04:59 EST
		"2026-11-01T10:00:00Z": "2026-11-01", // 05:00 EST
		"2026-11-02T09:59:00Z": "2026-11-01",
	} {
		id := strings.NewReplacer(":", "", "-", "").Replace(at)
		body := strings.NewReplacer("A1-7", id, "2026-11-04T04:00:00Z", at).Replace(good)
		status, _ := s.do("POST", receipts, body)
		require.Equal(t, 202, status)
		_, page := s.do("GET", "/sales/501/"+day, "")
		require.Contains(t, page, id, at)
	}
	_, daily := s.do("GET", "/v2/reports/daily_sales_and_labor?location_id=501&start_date=2026-10-31&end_date=2026-11-01", "")
	require.Contains(t, daily, `"actual_sales":34000`)
	require.Contains(t, daily, `"actual_sales":17000`)
}

func TestPages(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	_, _ = s.do("POST", receipts, strings.Replace(good, "A1-7", "<script>", 1))
	for path, wants := range map[string][]string{
		"/":                     {"Chez Marcel", "Montreal", "85.00", "7.00", `href="/sales/501/2026-11-03"`},
		"/sales/501":            {"Tue 3 Nov 2026"},
		"/sales/501/2026-11-03": {"23:00 EST", "&lt;script&gt;", "closed"},
		"/sales/501/2026-11-04": {"No receipts on this day"},
	} {
		status, page := s.do("GET", path, "")
		require.Equal(t, 200, status, path)
		for _, want := range wants {
			require.Contains(t, page, want, path)
		}
		require.NotContains(t, page, "<script")
	}
	for _, path := range []string{"/sales/9", "/sales/9/2026-11-03", "/sales/501/yesterday", "/favicon.ico"} {
		status, _ := s.do("GET", path, "")
		require.Equal(t, 404, status, path)
	}
}

func TestSteeringFromAnotherProcess(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	status, body := s.do("POST", "/_sim/switches", `{"duplicate_create":"conflict","delay_max":"20ms"}`)
	require.Equal(t, 200, status, body)
	require.Equal(t, sevenshiftssim.Conflict, s.sim.Switches().DuplicateCreate)
	require.True(t, s.sim.Switches().RefuseNegative, "what is left out stays")
	for _, bad := range []string{`{"duplicate_create":"perhaps"}`, `{"colour":"red"}`, `{`, `{"delay_min":"1h"}`} {
		status, _ = s.do("POST", "/_sim/switches", bad)
		require.Equal(t, 400, status, bad)
	}
	status, body = s.do("POST", "/_sim/faults", `{"faults":[{"kind":"status","status":503,"method":"GET","path":"whoami","skip":1,"times":2}]}`)
	require.Equal(t, 200, status, body)
	var got []int
	for range 4 {
		status, _ = s.do("GET", "/v2/whoami", "")
		got = append(got, status)
	}
	require.Equal(t, []int{200, 503, 503, 200}, got)
	for _, bad := range []string{`{"faults":[{"kind":"explode"}]}`, `{"faults":[{"kind":"status","status":200}]}`, `{"break":1}`} {
		status, _ = s.do("POST", "/_sim/faults", bad)
		require.Equal(t, 400, status, bad)
	}
}

func TestAReaderThatDiedMayCreateAgain(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	_, _ = s.do("POST", receipts, good)
	require.Equal(t, 1, s.sim.ForgetAnswers(time.Minute))
	_, _ = s.do("POST", receipts, good)
	c := s.sim.Counters()
	require.Equal(t, 1, c.SecondAfterAmbiguous)
	require.Zero(t, c.SecondAfterClean)
	_, _ = s.do("POST", receipts, good)
	require.Equal(t, 1, s.sim.Counters().SecondAfterClean)
}

// An answer that is about to leave when its reader dies does not arrive.
func TestAReaderThatDiedBeforeItsAnswerMayCreateAgain(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	require.NoError(t, s.sim.Inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultSlow, Delay: sevenshiftssim.Duration(200 * time.Millisecond)}))
	forgotten := make(chan struct{})
	go func() {
		defer close(forgotten)
		for s.sim.Counters().Creates == 0 {
			time.Sleep(time.Millisecond)
		}
		s.sim.ForgetAnswers(time.Minute)
	}()
	_, _ = s.do("POST", receipts, good)
	<-forgotten
	_, _ = s.do("POST", receipts, good)
	c := s.sim.Counters()
	require.Equal(t, 1, c.SecondAfterAmbiguous)
	require.Zero(t, c.SecondAfterClean)
}

func TestStateSurvivesARestart(t *testing.T) {
	file := t.TempDir() + "/deep/state.jsonl"
	switches := sevenshiftssim.Defaults()
	switches.PerSecond = 0
	s := newStand(t, sevenshiftssim.Options{StateFile: file, Switches: &switches})
	_, _ = s.do("POST", receipts, good)
	_, _ = s.do("PUT", receipts+"/ext:501:A1-7", `{"net_total":9900}`)
	_, _ = s.do("POST", receipts, strings.Replace(good, "A1-7", "A1-8", 1))
	require.True(t, s.sim.Lose(501, "A1-8", true))
	_, _ = s.do("POST", receipts, strings.Replace(good, `"tips":700`, `"tips":1`, 1))
	// Accepted, but not processed when it stops.
	require.NoError(t, s.sim.Switch(func(w *sevenshiftssim.Switches) { w.DelayMin, w.DelayMax = w.Block, w.Block }))
	_, _ = s.do("POST", receipts, strings.Replace(good, "A1-7", "A1-9", 1))
	_, before := s.get(nil)
	counted, broken := s.sim.Counters(), s.sim.Violations()
	require.NoError(t, s.sim.Close())
	appendTo(t, file, `{"done":99,"rece`) // cut by a crash

	again := newStand(t, sevenshiftssim.Options{StateFile: file, Switches: &switches})
	_, after := again.get(nil)
	require.Len(t, after, 2)
	require.Equal(t, before[0], after[0])
	require.Equal(t, "A1-9", after[1]["receipt_id"])
	require.Equal(t, counted, again.sim.Counters())
	require.Equal(t, broken, again.sim.Violations())
	_, _ = again.do("PUT", receipts+"/ext:501:A1-8", `{"net_total":9900}`)
	_, after = again.get(nil)
	require.Len(t, after, 2, "lost for good")
	require.NoError(t, again.sim.Close())

	third := newStand(t, sevenshiftssim.Options{StateFile: file, Switches: &switches})
	_, last := third.get(nil)
	require.Equal(t, after, last)
}

func TestCursorsWalkThroughAllReceipts(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	for i := range 7 {
		_, _ = s.do("POST", receipts, strings.Replace(good, "A1-7", fmt.Sprintf("A1-%d", i), 1))
	}
	seen, cursor := []string{}, ""
	for range 4 {
		_, body := s.do("GET", receipts+"?location_id=501&limit=3&cursor="+url.QueryEscape(cursor), "")
		var page struct {
			Data []struct {
				ID string `json:"receipt_id"`
			}
			Meta struct {
				Cursor struct {
					Next *string
				}
			}
		}
		require.NoError(t, json.NewDecoder(bytes.NewBufferString(body)).Decode(&page))
		for _, r := range page.Data {
			seen = append(seen, r.ID)
		}
		if page.Meta.Cursor.Next == nil {
			break
		}
		cursor = *page.Meta.Cursor.Next
	}
	require.Equal(t, []string{"A1-0", "A1-1", "A1-2", "A1-3", "A1-4", "A1-5", "A1-6"}, seen)
}
