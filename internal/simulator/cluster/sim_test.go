package clustersim_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a simulator with one venue, a client and a clock that stands.
type stage struct {
	t      *testing.T
	sim    *clustersim.Sim
	client *cluster.Client
	cred   cluster.Credential
	url    string
	clock  *hands
}

// hands is a clock that moves when told to.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) Until(time.Time) time.Duration { return 0 }

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// noon of a Tuesday in Montreal.
var noon = time.Date(2026, 11, 3, 17, 0, 0, 0, time.UTC)

func newStage(t *testing.T, o clustersim.Options, config ...func(*cluster.Config)) *stage {
	t.Helper()
	s := &stage{t: t, clock: &hands{now: noon}, cred: cluster.Credential{Serial: "CL-1", Key: "k1"}}
	o.Clock = s.clock
	s.sim = clustersim.New(o)
	s.sim.AddLocation(clustersim.Location{
		Serial: "CL-1", Key: "k1", TradeName: "Chez Marcel", Zone: "America/Toronto", Language: "fr",
		Employees: []clustersim.Employee{{ID: "104", Name: "Oc\u00e9ane D.", Active: true, Email: "o@example.com", Phone: "5145550104"}},
		Menu:      clustersim.Menu{Items: []clustersim.MenuItem{{ID: "i1", Name: "Soup", CategoryID: "food", Price: 900}}},
	})
	server := httptest.NewServer(s.sim)
	t.Cleanup(server.Close)
	s.url = server.URL
	cfg := cluster.Config{BaseURL: server.URL, OrdersByModified: true, Clock: s.clock}
	for _, c := range config {
		c(&cfg)
	}
	s.client = cluster.New(cfg, nil)
	t.Cleanup(s.client.Close)
	return s
}

// order is a closed order of 10.00, opened at an instant.
func order(id string, opened time.Time) clustersim.Order {
	return clustersim.Order{
		ID: wire.Text(id), Number: wire.Text(id), OpenedAt: wire.At(opened), ClosedAt: wire.At(opened.Add(time.Minute)), Status: wire.StatusClosed,
		Totals: clustersim.Totals{Gross: 1000, Net: 1000, Tax: 150, Tip: 200, Total: 1350},
		Lines:  []clustersim.Line{{ID: "1", ItemID: "i1", Name: "Soup", CategoryID: "food", Quantity: "1", UnitPrice: 1000, Net: 1000}},
		Payments: []clustersim.Payment{
			{ID: "p", Type: "visa", Amount: 1350, Tip: 200, Time: wire.At(opened.Add(time.Minute))},
		},
	}
}

// read reads all pages of a query.
func (s *stage) read(field cluster.DateField, from, to time.Time, between func()) []string {
	s.t.Helper()
	var ids []string
	q := cluster.OrdersQuery{From: from, To: to, DateField: field}
	for {
		page, err := s.client.Orders(context.Background(), s.cred, q)
		require.NoError(s.t, err)
		for _, o := range page.Orders {
			ids = append(ids, o.ID)
		}
		if q.PageToken = page.NextPage; q.PageToken == "" {
			return ids
		}
		if between != nil {
			between()
		}
	}
}

func (s *stage) code(err error) work.Code {
	s.t.Helper()
	var e *work.Error
	require.ErrorAs(s.t, err, &e)
	require.NotContains(s.t, err.Error(), s.cred.Key)
	return e.Code
}

func pageSize(n int) func(*cluster.Config) { return func(c *cluster.Config) { c.PageSize = n } }

func TestPagesHoldEveryOrderOnce(t *testing.T) {
	for _, size := range []int{1, 7, 20, 500} {
		s := newStage(t, clustersim.Options{}, pageSize(size))
		var want []string
		for i := range 20 {
			id := strconv.Itoa(100 + i)
			s.sim.PutAt("CL-1", order(id, noon.Add(time.Duration(i/2)*time.Minute-time.Hour)), noon.Add(-time.Hour))
			want = append(want, "CL-1-"+id)
		}
		require.Equal(t, want, s.read(cluster.Opened, noon.Add(-time.Hour), noon, nil))
		require.Equal(t, want[:2], s.read(cluster.Opened, noon.Add(-time.Hour), noon.Add(-59*time.Minute), nil), "the end is excluded")
	}
}

// A token goes on where it stood, whatever is edited or deleted meanwhile.
func TestPageTokensAreStable(t *testing.T) {
	s := newStage(t, clustersim.Options{}, pageSize(3))
	for i := range 9 {
		s.sim.PutAt("CL-1", order(strconv.Itoa(i), noon.Add(-time.Hour)), noon.Add(time.Duration(i)*time.Minute-time.Hour))
	}
	n := 0
	ids := s.read(cluster.Modified, noon.Add(-time.Hour), noon.Add(time.Hour), func() {
		if n++; n == 1 {
			s.clock.move(time.Minute)
			s.sim.Vanish("CL-1", "2", s.clock.Now())
			s.sim.Put("CL-1", order("0", noon.Add(-time.Hour))) // edited: comes again, last
		}
	})
	require.Equal(t, []string{"CL-1-0", "CL-1-1", "CL-1-2", "CL-1-3", "CL-1-4", "CL-1-5", "CL-1-6", "CL-1-7", "CL-1-8", "CL-1-0"}, ids)
}

func TestDuplicatePages(t *testing.T) {
	s := newStage(t, clustersim.Options{DuplicatePages: true}, pageSize(2))
	for i := range 3 {
		s.sim.Put("CL-1", order(strconv.Itoa(i), noon.Add(-time.Hour)))
	}
	require.Equal(t, []string{"CL-1-0", "CL-1-1", "CL-1-0", "CL-1-1", "CL-1-2", "CL-1-2"}, s.read(cluster.Opened, noon.Add(-2*time.Hour), noon, nil))
}

func TestATokenIsOfItsQueryOnly(t *testing.T) {
	s := newStage(t, clustersim.Options{}, pageSize(1))
	s.sim.Put("CL-1", order("1", noon.Add(-time.Hour)))
	s.sim.Put("CL-1", order("2", noon.Add(-time.Hour)))
	q := cluster.OrdersQuery{From: noon.Add(-2 * time.Hour), To: noon, DateField: cluster.Opened}
	page, err := s.client.Orders(context.Background(), s.cred, q)
	require.NoError(t, err)
	q.PageToken, q.DateField = page.NextPage, cluster.Closed
	_, err = s.client.Orders(context.Background(), s.cred, q)
	require.Equal(t, work.ClusterRefused, s.code(err))
}

// A till that comes back uploads orders whose modifiedAt is old: with receivedAt
// the filter finds them, without it only a re-read by opening does.
func TestALateUpload(t *testing.T) {
	for _, without := range []bool{false, true} {
		s := newStage(t, clustersim.Options{NoReceivedAt: without})
		s.sim.Put("CL-1", order("1", noon))
		s.clock.move(time.Second)
		s.sim.SetOffline("CL-1", true)
		s.clock.move(time.Minute)
		_, err := s.client.Ping(context.Background(), s.cred)
		require.Equal(t, work.ClusterOffline, s.code(err))
		s.sim.Put("CL-1", order("2", s.clock.Now()))
		s.clock.move(24 * time.Hour)
		back := s.clock.Now()
		s.sim.SetOffline("CL-1", false)

		s.clock.move(time.Minute)
		found := s.read(cluster.Modified, back.Add(-time.Minute), s.clock.Now(), nil)
		if without {
			require.Empty(t, found)
		} else {
			require.Equal(t, []string{"CL-1-2"}, found)
		}
		require.Equal(t, []string{"CL-1-1", "CL-1-2"}, s.read(cluster.Opened, noon, s.clock.Now(), nil))
		page, err := s.client.Orders(context.Background(), s.cred, cluster.OrdersQuery{From: noon, To: s.clock.Now(), DateField: cluster.Opened})
		require.NoError(t, err)
		late := page.Orders[1]
		require.Equal(t, noon.Add(61*time.Second), late.Sale.ModifiedAt, "the till's own time")
		require.Equal(t, without, late.ReceivedAt.IsZero())
		if !without {
			require.Equal(t, back, late.ReceivedAt)
		}
	}
}

func TestTheSwitchesOfWhatIsAssumed(t *testing.T) {
	query := cluster.OrdersQuery{From: noon.Add(-time.Hour), To: noon, DateField: cluster.Modified}
	s := newStage(t, clustersim.Options{NoModified: true, NoAsOf: true})
	_, err := s.client.Orders(context.Background(), s.cred, query)
	require.ErrorIs(t, err, cluster.ErrNoModifiedFilter)
	query.DateField = cluster.Closed
	page, err := s.client.Orders(context.Background(), s.cred, query)
	require.NoError(t, err)
	require.True(t, page.AsOf.IsZero())

	s = newStage(t, clustersim.Options{})
	page, err = s.client.Orders(context.Background(), s.cred, query)
	require.NoError(t, err)
	require.Equal(t, noon, page.AsOf)

	s = newStage(t, clustersim.Options{}, func(c *cluster.Config) { c.OrdersByModified = false })
	query.DateField = cluster.Modified
	_, err = s.client.Orders(context.Background(), s.cred, query)
	require.ErrorIs(t, err, cluster.ErrNoModifiedFilter)
	require.Zero(t, s.sim.State().Requests[wire.PathOrders], "a setting needs no question")
}

func TestTheTillsClockMayBeWrong(t *testing.T) {
	s := newStage(t, clustersim.Options{ClockSkew: 7 * time.Minute})
	ping, err := s.client.Ping(context.Background(), s.cred)
	require.NoError(t, err)
	require.True(t, ping.PosTime.Equal(noon.Add(7*time.Minute)))
	_, offset := ping.PosTime.Zone()
	require.Equal(t, -5*3600, offset, "the till's offset is kept, to compare zones")
	s.sim.Put("CL-1", order("1", noon))
	page, err := s.client.Orders(context.Background(), s.cred, cluster.OrdersQuery{From: noon, To: noon.Add(time.Hour), DateField: cluster.Modified})
	require.NoError(t, err)
	require.Equal(t, noon.Add(7*time.Minute), page.Orders[0].Sale.ModifiedAt)
	require.Equal(t, noon, page.AsOf)
}

func TestOrdersAppearChangeAndVanish(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	later := order("1", noon)
	later.EmployeeID = "104"
	s.sim.PutAt("CL-1", order("1", noon), noon.Add(time.Minute))
	s.sim.PutAt("CL-1", later, noon.Add(time.Hour))
	s.sim.Vanish("CL-1", "1", noon.Add(2*time.Hour))
	look := func() []cluster.Order {
		page, err := s.client.Orders(context.Background(), s.cred, cluster.OrdersQuery{From: noon, To: noon.Add(time.Hour), DateField: cluster.Opened})
		require.NoError(t, err)
		return page.Orders
	}
	require.Empty(t, look())
	s.clock.move(time.Minute)
	require.Empty(t, look()[0].Sale.EmployeeID)
	s.clock.move(time.Hour)
	require.Equal(t, "104", look()[0].Sale.EmployeeID)
	s.clock.move(time.Hour)
	require.Empty(t, look())
}

// New hardware begins its order ids again: the sales stay apart by serial.
func TestReplacedHardwareUsesOrderIDsAgain(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	swap := noon.Add(time.Hour)
	old := clustersim.Location{Serial: "CL-1", Key: "k1", Zone: "America/Toronto", Until: swap}
	next := old
	next.Serial, next.From, next.Until = "CL-2", swap, time.Time{}
	s.sim.AddLocation(old)
	s.sim.AddLocation(next)
	s.sim.PutAt("CL-1", order("1", noon), noon)
	s.sim.PutAt("CL-2", order("1", swap), swap)
	require.Equal(t, []string{"CL-1-1"}, s.read(cluster.Opened, noon, swap, nil))
	fresh := cluster.Credential{Serial: "CL-2", Key: "k1"}
	_, err := s.client.Ping(context.Background(), fresh)
	require.Equal(t, work.ClusterNoSerial, s.code(err), "not delivered yet")
	s.clock.move(2 * time.Hour)
	_, err = s.client.Ping(context.Background(), s.cred)
	require.Equal(t, work.ClusterNoSerial, s.code(err), "carried away")
	s.cred = fresh
	require.Equal(t, []string{"CL-2-1"}, s.read(cluster.Opened, noon, swap.Add(time.Hour), nil))
}

func TestAMalformedOrderStandsBetweenGoodOnes(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	s.sim.Put("CL-1", order("1", noon))
	s.sim.PutRaw("CL-1", "2", json.RawMessage(`{"id":"2","openedAt":"yesterday","status":"closed"}`))
	s.sim.Put("CL-1", order("3", noon))
	page, err := s.client.Orders(context.Background(), s.cred, cluster.OrdersQuery{From: noon, To: noon.Add(time.Hour), DateField: cluster.Modified})
	require.NoError(t, err)
	require.Len(t, page.Orders, 3)
	require.Nil(t, page.Orders[0].Err)
	require.Equal(t, "CL-1-2", page.Orders[1].ID)
	require.Equal(t, work.OrderMalformed, page.Orders[1].Err.Code)
	require.Equal(t, "CL-1-3", page.Orders[2].Sale.ID)
}

func TestDayTotalsAreTheTillsOwn(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	day := sale.NewDay(2026, 11, 3)
	s.clock.move(48 * time.Hour)
	void, merged := order("3", noon), order("4", noon)
	void.Status, merged.MergedInto = wire.StatusVoided, "1"
	toronto, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	for _, o := range []clustersim.Order{order("1", day.Start(toronto)), order("2", day.End(toronto)), void, merged} {
		s.sim.Put("CL-1", o)
	}
	totals, err := s.client.DayTotals(context.Background(), s.cred, day)
	require.NoError(t, err)
	require.Equal(t, cluster.DayTotals{Day: day, Count: 1, Gross: 1000, Net: 1000, Tax: 150, Tips: 200, AsOf: noon.Add(48 * time.Hour)}, totals)
}

func TestEmployeesAndMenu(t *testing.T) {
	for _, without := range []bool{false, true} {
		s := newStage(t, clustersim.Options{NoContacts: without})
		employees, err := s.client.Employees(context.Background(), s.cred)
		require.NoError(t, err)
		require.Len(t, employees, 1)
		require.Equal(t, "104", employees[0].ID)
		require.Equal(t, without, employees[0].Email == "")
		require.Equal(t, without, employees[0].Phone == "")
		menu, err := s.client.Menu(context.Background(), s.cred)
		require.NoError(t, err)
		require.Equal(t, int64(900), menu.Items[0].Price)
	}
}

func TestMenusFollowEachOther(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	menu := func(item string) clustersim.Menu {
		return clustersim.Menu{Items: []clustersim.MenuItem{{ID: "i1", Name: wire.Text(item)}}}
	}
	s.sim.AddLocation(clustersim.Location{
		Serial: s.cred.Serial, Key: s.cred.Key, Zone: "America/Toronto", Menu: menu("Soup"),
		NextMenus: []clustersim.NextMenu{{From: noon.Add(time.Hour), Menu: menu("Stew")}, {From: noon.Add(2 * time.Hour), Menu: menu("Cake")}},
	})
	for _, want := range []wire.Text{"Soup", "Stew", "Cake"} {
		got, err := s.client.Menu(context.Background(), s.cred)
		require.NoError(t, err)
		require.Equal(t, want, got.Items[0].Name)
		s.clock.move(time.Hour)
	}
}

// What Cluster's hook tells of: each order once, when the relay learns of it.
func TestChangesAreWhatTheRelayLearned(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	require.Empty(t, s.sim.Changes(noon.Add(-time.Hour), noon.Add(time.Hour)))
	for _, at := range []time.Duration{0, time.Minute, 2 * time.Minute} {
		s.sim.PutAt("CL-1", clustersim.Order{ID: "7"}, noon.Add(at))
	}
	s.sim.PutAt("CL-1", clustersim.Order{ID: "8"}, noon.Add(time.Minute))
	require.Equal(t, []clustersim.Change{{Serial: "CL-1", OrderID: "7"}, {Serial: "CL-1", OrderID: "8"}}, s.sim.Changes(noon, noon.Add(5*time.Minute)))
	require.Equal(t, []clustersim.Change{{Serial: "CL-1", OrderID: "7"}}, s.sim.Changes(noon.Add(time.Minute), noon.Add(5*time.Minute)), "the first instant is not counted, the last is")
	require.Empty(t, s.sim.Changes(noon.Add(2*time.Minute), noon.Add(5*time.Minute)))
}

// What an outage held back arrives when it ends, whatever was asked before.
func TestChangesOfAnOutageArriveAtItsEnd(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	begun := s.clock.Now()
	s.sim.SetOffline("CL-1", true)
	s.sim.PutAt("CL-1", clustersim.Order{ID: "7"}, begun.Add(time.Minute))
	s.clock.move(2 * time.Minute)
	require.Empty(t, s.sim.Changes(begun, s.clock.Now()))
	s.clock.move(time.Minute)
	s.sim.SetOffline("CL-1", false)
	require.Equal(t, []clustersim.Change{{Serial: "CL-1", OrderID: "7"}}, s.sim.Changes(begun.Add(2*time.Minute), s.clock.Now()))
}
