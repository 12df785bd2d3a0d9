package wisksim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, time.November, 4, 18, 0, 0, 0, time.UTC)

// stand is a simulator with one venue behind HTTP, spoken to with bare requests.
type stand struct {
	*testing.T
	sim    *wisksim.Sim
	url    string
	client *http.Client
	// venue and header of the uploads
	venue, header string
}

const marcel = "v-marcel"

func unlimited(w *wisksim.Switches) { w.PerSecond = 0 }

func newStand(t *testing.T, o wisksim.Options, changes ...func(*wisksim.Switches)) *stand {
	t.Helper()
	if o.Clock == nil {
		o.Clock = clock.Fixed(now)
	}
	switches := wisksim.Defaults()
	unlimited(&switches)
	for _, change := range changes {
		change(&switches)
	}
	o.Switches = &switches
	sim, err := wisksim.Open(o)
	require.NoError(t, err)
	sim.AddVenue(wisksim.Venue{ID: marcel, Name: "Chez Marcel", Address: "1 rue Rachel", Zone: "America/Toronto"})
	server := httptest.NewServer(sim)
	s := &stand{t, sim, server.URL, &http.Client{Transport: &http.Transport{}}, marcel, switches.HeaderVenue}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		_ = sim.Close()
		server.Close()
	})
	return s
}

func (s *stand) try(method, path, body string) (*http.Response, string, error) {
	s.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	require.NoError(s, err)
	req.Header.Set("Content-Type", "application/json")
	if s.venue != "" {
		req.Header.Set(s.header, s.venue)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res, string(data), err
}

func (s *stand) do(method, path, body string) (int, string) {
	s.Helper()
	res, text, err := s.try(method, path, body)
	require.NoError(s, err)
	return res.StatusCode, text
}

func (s *stand) upload(lines ...wire.Line) (int, wire.Refusal) {
	s.Helper()
	data, err := json.Marshal(lines)
	require.NoError(s, err)
	status, body := s.do(http.MethodPost, wire.PathUpload, string(data))
	var refusal wire.Refusal
	if status != http.StatusOK {
		require.NoError(s, json.Unmarshal([]byte(body), &refusal), body)
	}
	return status, refusal
}

// day is a day's sum and items in short.
func (s *stand) day(day string) string {
	s.Helper()
	days, err := s.sim.Sales(marcel, day, day)
	require.NoError(s, err)
	if len(days) == 0 {
		return ""
	}
	text := string(days[0].Quantity + "/" + days[0].Total)
	for _, item := range days[0].Items {
		text += " " + item.PLU + "=" + string(item.Quantity+"/"+item.Total)
	}
	return text
}

func line(id string) wire.Line {
	return wire.Line{ID: id, Date: "2026-11-03T23:00:00Z", PLU: "4", Title: "Martini", Quantity: "2", Total: "21.50"}
}

func with(l wire.Line, change func(*wire.Line)) wire.Line {
	change(&l)
	return l
}

const good = `{"id":"1","date":"2026-11-03T23:00:00Z","plu_number":"4","title":"Martini","quantity":2,"total":21.50}`

func TestItRefusesWhatHasNotTheForm(t *testing.T) {
	s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) { w.MaxLines = 2 })
	but := func(was, is string) string {
		require.Contains(t, good, was)
		return "[" + strings.Replace(good, was, is, 1) + "]"
	}
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		names  string
	}{
		"nothing":            {``, 400, wire.CodeBadRequest, ""},
		"half":               {`[{"id":"1"`, 400, wire.CodeBadRequest, ""},
		"one line":           {good, 400, wire.CodeBadRequest, ""},
		"null":               {`null`, 400, wire.CodeBadRequest, ""},
		"no lines":           {`[]`, 400, wire.CodeBadRequest, ""},
		"two arrays":         {`[` + good + `][]`, 400, wire.CodeBadRequest, ""},
		"too many":           {`[1,2,3]`, 413, wire.CodeTooMany, ""},
		"too large":          {`["` + strings.Repeat("x", 2<<20) + `"]`, 413, wire.CodeTooLarge, ""},
		"a number":           {`[5]`, 400, wire.CodeBadLines, "malformed"},
		"a null":             {`[null]`, 400, wire.CodeBadLines, "malformed"},
		"unknown field":      {but(`{`, `{"colour":"red",`), 400, wire.CodeBadLines, "colour: unknown field"},
		"another case":       {but(`"title"`, `"Title"`), 400, wire.CodeBadLines, "title: missing"},
		"missing id":         {but(`"id":"1",`, ``), 400, wire.CodeBadLines, "id: missing"},
		"missing total":      {but(`,"total":21.50`, ``), 400, wire.CodeBadLines, "total: missing"},
		"id a number":        {but(`"1"`, `1`), 400, wire.CodeBadLines, "id: wrong type"},
		"empty id":           {but(`"1"`, `""`), 400, wire.CodeBadLines, "id: empty"},
		"empty plu":          {but(`"4"`, `" "`), 400, wire.CodeBadLines, "plu_number: empty"},
		"empty title":        {but(`"Martini"`, `""`), 400, wire.CodeBadLines, "title: empty"},
		"null title":         {but(`"Martini"`, `null`), 400, wire.CodeBadLines, "title: wrong type"},
		"quantity as text":   {but(`:2,`, `:"2",`), 400, wire.CodeBadLines, "quantity: wrong type"},
		"exponent":           {but(`:2,`, `:2e0,`), 400, wire.CodeBadLines, "quantity: wrong type"},
		"quantity 0":         {but(`:2,`, `:0.0,`), 400, wire.CodeBadLines, "quantity: zero"},
		"ten digits":         {but(`:2,`, `:2.0000000001,`), 400, wire.CodeBadLines, "quantity: too many decimals"},
		"float noise":        {but(`21.50`, `21.500000000000004`), 400, wire.CodeBadLines, "total: too many decimals"},
		"no offset":          {but(`00:00Z`, `00:00`), 400, wire.CodeBadLines, "date: no offset"},
		"a date alone":       {but(`2026-11-03T23:00:00Z`, `2026-11-03`), 400, wire.CodeBadLines, "date: no ISO 8601"},
		"a day that is none": {but(`2026-11-03T`, `2026-11-31T`), 400, wire.CodeBadLines, "date: no ISO 8601"},
	} {
		status, body := s.do(http.MethodPost, wire.PathUpload, c.body)
		var refusal wire.Refusal
		require.NoError(t, json.Unmarshal([]byte(body), &refusal), name)
		require.Equal(t, c.status, status, name)
		require.Equal(t, c.code, refusal.Error, name)
		if c.names != "" {
			require.Len(t, refusal.Lines, 1, name)
			require.Contains(t, refusal.Lines[0].Error, c.names, name)
		}
	}
	held, err := s.sim.Lines(marcel, "", "")
	require.NoError(t, err)
	require.Empty(t, held)
	status, body := s.do(http.MethodPost, wire.PathUpload, "["+good+"]")
	require.Equal(t, 200, status)
	require.Empty(t, body, "no body is described")
	require.Equal(t, "2/21.50 4=2/21.50", s.day("2026-11-03"))

	for what, times := range map[string]int{
		"a line of quantity 0 arrived": 1, "a date without an offset arrived": 1,
		"a total with more than 2 decimals arrived": 1, "a quantity with more than 9 decimals arrived": 1,
	} {
		require.Contains(t, violations(s.sim), what)
		require.Equal(t, times, violations(s.sim)[what], what)
	}
	require.Len(t, s.sim.Check(), 4)
}

func violations(s *wisksim.Sim) map[string]int {
	found := map[string]int{}
	for _, v := range s.Check() {
		found[v.What] = v.Times
	}
	return found
}

func TestItAsksForItsVenueAndMethod(t *testing.T) {
	s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) { w.HeaderVenue = "X-Venue" })
	for _, venue := range []string{"", "v-nobody"} {
		s.venue = venue
		status, refusal := s.upload(line("1"))
		require.Equal(t, 401, status)
		require.Equal(t, wire.CodeUnknownVenue, refusal.Error)
	}
	s.venue, s.header = marcel, wire.DefaultHeaderVenue
	status, _ := s.upload(line("1"))
	require.Equal(t, 401, status, "under another header's name")
	s.header = "X-Venue"
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		res, _, err := s.try(method, wire.PathUpload, "")
		require.NoError(t, err)
		require.Equal(t, 405, res.StatusCode)
		require.Equal(t, "POST", res.Header.Get("Allow"))
	}
	status, _ = s.do(http.MethodPost, "/public/sales", "")
	require.Equal(t, 404, status)
	req, err := http.NewRequest(http.MethodPost, s.url+wire.PathUpload, strings.NewReader("["+good+"]"))
	require.NoError(t, err)
	req.Header.Set("X-Venue", marcel)
	res, err := s.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 400, res.StatusCode, "without a content type")

	require.NoError(t, s.sim.Switch(func(w *wisksim.Switches) { w.VenuesRefused = []string{marcel} }))
	status, _ = s.upload(line("1"))
	require.Equal(t, 401, status)
	require.NoError(t, s.sim.Switch(func(w *wisksim.Switches) { w.VenuesRefused, w.PlansRefused = nil, []string{wisksim.All} }))
	status, refusal := s.upload(line("1"))
	require.Equal(t, 403, status)
	require.Equal(t, wire.CodePlan, refusal.Error)
	require.NoError(t, s.sim.Switch(func(w *wisksim.Switches) { w.PlansRefused, w.Answer = nil, wisksim.AnswerJSON }))
	status, body := s.do(http.MethodPost, wire.PathUpload, "["+good+"]")
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"status":"ok","lines":1}`, body)
}

func TestTheSameIDAgain(t *testing.T) {
	other := with(line("1"), func(l *wire.Line) { l.Quantity, l.Total, l.Title = "3", "30", "Martini, dry" })
	for mode, c := range map[string]struct {
		status           int
		repeated, differ string
	}{
		wisksim.Replace:     {200, "2/21.50", "3/30.00"},
		wisksim.Ignore:      {200, "2/21.50", "2/21.50"},
		wisksim.Refuse:      {400, "2/21.50", "2/21.50"},
		wisksim.DoubleCount: {200, "4/43.00", "7/73.00"},
	} {
		t.Run(mode, func(t *testing.T) {
			s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) { w.SameID = mode })
			sum := func() string {
				days, err := s.sim.Sales(marcel, "", "")
				require.NoError(t, err)
				return string(days[0].Quantity + "/" + days[0].Total)
			}
			status, _ := s.upload(line("1"))
			require.Equal(t, 200, status)
			// Equal in other writing is the same content.
			status, refusal := s.upload(with(line("1"), func(l *wire.Line) { l.Date, l.Total, l.Quantity = "2026-11-03T18:00:00-05:00", "21.5", "2.0" }))
			require.Equal(t, c.status, status)
			require.Equal(t, c.repeated, sum())
			require.Empty(t, s.sim.Check())
			if mode == wisksim.Refuse {
				require.Equal(t, wire.CodeDuplicate, refusal.Error)
				require.Equal(t, []wire.RefusedLine{{ID: "1", Error: wire.LineDuplicate}}, refusal.Lines)
			}
			status, _ = s.upload(other)
			require.Equal(t, c.status, status)
			require.Equal(t, c.differ, sum())
			require.Equal(t, map[string]int{"an id came again with other content": 1}, violations(s.sim), "in every mode")
			require.Equal(t, 3, s.sim.Counters().Lines)
		})
	}
}

func TestTheSameIDInOneBatchOrAnotherVenue(t *testing.T) {
	s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) { w.SameID = wisksim.Refuse })
	status, refusal := s.upload(line("1"), line("1"))
	require.Equal(t, 400, status)
	require.Equal(t, wire.CodeDuplicate, refusal.Error)
	require.Empty(t, s.day("2026-11-03"))
	s.sim.AddVenue(wisksim.Venue{ID: "v-lune", Name: "Lune", Zone: "America/Toronto"})
	for _, venue := range []string{marcel, "v-lune"} {
		s.venue = venue
		status, _ = s.upload(line("1"))
		require.Equal(t, 200, status, "ids are the venue's own")
	}
	require.NoError(t, s.sim.Switch(func(w *wisksim.Switches) { w.SameID = wisksim.Replace }))
	s.venue = marcel
	status, _ = s.upload(line("2"), with(line("2"), func(l *wire.Line) { l.Total = "1" }))
	require.Equal(t, 200, status)
	require.Equal(t, "4/22.50 4=4/22.50", s.day("2026-11-03"))
	require.Equal(t, 1, violations(s.sim)["an id came again with other content"])
}

func TestARefusalIsWholeOrPartialNamedOrNot(t *testing.T) {
	refused := with(line("x-1"), func(l *wire.Line) { l.PLU = "tobacco" })
	for name, c := range map[string]struct {
		partial, named bool
		held           string
		lines          []wire.RefusedLine
	}{
		"whole, named":     {false, true, "", []wire.RefusedLine{{ID: "x-1", Error: wire.LineRefused}, {ID: "bad-7", Error: wire.LineRefused}}},
		"whole, unnamed":   {false, false, "", nil},
		"partial, named":   {true, true, "2/21.50 4=2/21.50", []wire.RefusedLine{{ID: "x-1", Error: wire.LineRefused}, {ID: "bad-7", Error: wire.LineRefused}}},
		"partial, unnamed": {true, false, "2/21.50 4=2/21.50", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) {
				w.PartialRefusal, w.NameLines, w.RefusedPLUs, w.RefusedIDs = c.partial, c.named, []string{"tobacco"}, "bad-*"
			})
			status, refusal := s.upload(refused, line("1"), line("bad-7"))
			require.Equal(t, 400, status)
			require.Equal(t, wire.CodeBadLines, refusal.Error)
			require.Equal(t, c.lines, refusal.Lines)
			require.NotContains(t, refusal.Message, "x-1")
			require.Equal(t, c.held, s.day("2026-11-03"))
			status, _ = s.upload(line("1"))
			require.Equal(t, 200, status)
			require.Equal(t, "2/21.50 4=2/21.50", s.day("2026-11-03"))
			// An id is minted also when WISK refused it.
			status, _ = s.upload(with(refused, func(l *wire.Line) { l.PLU = "4" }))
			require.Equal(t, 200, status)
			require.Len(t, s.sim.Check(), 1)
			counted := s.sim.Counters()
			require.Equal(t, 1, counted.FailedUploads)
			require.Equal(t, 3, counted.Uploads)
			require.Equal(t, counted.Lines, counted.Applied+counted.Refused+counted.Repeats)
		})
	}
}

func TestLongNumbersAndLocalDatesCanBeTaken(t *testing.T) {
	s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) { w.RequireOffset, w.RefuseLongNumbers = false, false })
	status, _ := s.upload(with(line("1"), func(l *wire.Line) { l.Date, l.Total = "2026-11-03T23:00:00", "0.30000000000000004" }))
	require.Equal(t, 200, status)
	require.Equal(t, "2/0.30000000000000004 4=2/0.30000000000000004", s.day("2026-11-03"))
	require.Len(t, s.sim.Check(), 2, "it takes them, and the run fails")
}

// The day is 05:00 to 05:00 in the venue's zone, also in the night that has 25
// hours; sums are exact.
func TestSumsOfABusinessDay(t *testing.T) {
	s := newStand(t, wisksim.Options{})
	for i, at := range []string{
		"2026-11-01T04:59:00-04:00", // of October 31
		"2026-11-01T06:30:00Z",      // 01:30 EST, the second time: October 31
		"2026-11-01T09:59:59Z",      // 04:59 EST: October 31
		"2026-11-01T10:00:00Z", "2026-11-02T09:59:59.999Z",
	} {
		status, _ := s.upload(with(line(string(rune('a'+i))), func(l *wire.Line) { l.Date, l.Quantity, l.Total = at, "0.1", "0.10" }))
		require.Equal(t, 200, status)
	}
	status, _ := s.upload(
		with(line("r"), func(l *wire.Line) { l.Date, l.Quantity, l.Total = "2026-11-01T10:00:00Z", "-0.1", "-0.10" }),
		with(line("m"), func(l *wire.Line) { l.Date, l.PLU, l.Title = "2026-11-01T10:00:00Z", "5", "Mojito" }),
	)
	require.Equal(t, 200, status)
	require.Equal(t, "0.3/0.30 4=0.3/0.30", s.day("2026-10-31"))
	require.Equal(t, "2.1/21.60 4=0.1/0.10 5=2/21.50", s.day("2026-11-01"))
	days, err := s.sim.Sales(marcel, "2026-11-01", "")
	require.NoError(t, err)
	require.Len(t, days, 1)
	require.Equal(t, []wisksim.SourceSales{{Source: wisksim.SourceUpload, Sum: days[0].Sum}}, days[0].Sources)
	_, err = s.sim.Sales(marcel, "yesterday", "")
	require.Error(t, err)
	_, err = s.sim.Sales("v-nobody", "", "")
	require.Error(t, err)
}

func TestItemsAreMappedReviewedArchivedAndRestored(t *testing.T) {
	s := newStand(t, wisksim.Options{})
	named := func(id, title string) {
		status, _ := s.upload(with(line(id), func(l *wire.Line) { l.Title = title }))
		require.Equal(t, 200, status)
	}
	item := func() wisksim.Item {
		items, err := s.sim.Items(marcel)
		require.NoError(t, err)
		require.Len(t, items, 1)
		return items[0]
	}
	named("1", "Martini")
	named("2", "Martini dry")
	require.False(t, item().NeedsReview, "not mapped yet")
	require.NoError(t, s.sim.MapItem(marcel, "4", "gin, vermouth"))
	named("3", "Martini dry")
	require.False(t, item().NeedsReview)
	named("4", "Negroni")
	require.True(t, item().NeedsReview)
	require.Equal(t, []string{"Martini", "Martini dry", "Negroni"}, item().Titles)
	require.NoError(t, s.sim.MapItem(marcel, "4", "gin, campari"))
	require.False(t, item().NeedsReview)

	require.Equal(t, "8/86.00 4=8/86.00", s.day("2026-11-03"))
	require.NoError(t, s.sim.ArchiveItem(marcel, "4"))
	require.Equal(t, "0/0.00", s.day("2026-11-03"), "complaint 30: also in the past")
	days, err := s.sim.Sales(marcel, "", "")
	require.NoError(t, err)
	require.Equal(t, wire.Decimal("86.00"), days[0].Hidden[0].Total)
	require.NoError(t, s.sim.RestoreItem(marcel, "4"))
	require.Equal(t, "8/86.00 4=8/86.00", s.day("2026-11-03"))

	require.Error(t, s.sim.MapItem(marcel, "4", " "))
	require.Error(t, s.sim.ArchiveItem(marcel, "9"))
	require.Error(t, s.sim.ArchiveItem("v-nobody", "4"))
	require.Error(t, s.sim.ActOnItem(wisksim.ItemAct{Venue: marcel, PLU: "4", Act: "eat"}))
}
