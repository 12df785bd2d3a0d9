package sevenshifts_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	company = 42
	place   = 501
	secret  = "tok-canary-7c1e"
)

// world is a client and a session on a simulated 7shifts, over real HTTP.
type world struct {
	sim     *sevenshiftssim.Sim
	url     string
	config  sevenshifts.Config
	client  *sevenshifts.Client
	session partner.Session
}

func newWorld(t *testing.T, change func(*sevenshiftssim.Switches)) *world {
	t.Helper()
	switches := sevenshiftssim.Defaults()
	switches.PerSecond = 0
	if change != nil {
		change(&switches)
	}
	calendar := clock.Fixed(now)
	sim := sevenshiftssim.New(sevenshiftssim.Options{Clock: calendar, Switches: &switches})
	sim.AddCompany(sevenshiftssim.Company{ID: company, Name: "Chez Marcel inc.", GUID: "guid-42"})
	sim.AddCompany(sevenshiftssim.Company{ID: 43, Name: "Another"})
	sim.AddLocation(sevenshiftssim.Location{ID: place, CompanyID: company, Name: "Chez Marcel", City: "Montreal", Timezone: "America/Toronto"})
	sim.AddLocation(sevenshiftssim.Location{ID: 502, CompanyID: company, Name: "Odd", Timezone: "America/toronto"})
	sim.AddToken(sevenshiftssim.Token{Value: secret, Companies: []int64{company, 43}})
	server := httptest.NewServer(sim)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		require.NoError(t, sim.Close())
		server.Close()
	})
	cfg := sevenshifts.Defaults()
	cfg.BaseURL, cfg.Timeout = server.URL, 5*time.Second
	return &world{
		sim: sim, url: server.URL, config: cfg,
		client:  sevenshifts.NewClient(cfg, secret, transport),
		session: sevenshifts.New(cfg, calendar).Open(connection(t), secret, transport),
	}
}

// document is the receipt of a sale with this net.
func document(t *testing.T, id string, net sale.Cents) partner.Document {
	t.Helper()
	s := aSale(t)
	s.ID, s.Totals.Gross, s.Totals.Net = id, net+1500, net
	d, _ := receiptOf(t, s, connection(t), true)
	return d
}

func (w *world) send(t *testing.T, d partner.Document, created, ambiguous bool) error {
	t.Helper()
	_, err := w.session.Send(context.Background(), partner.Delivery{Document: d, Created: created, Ambiguous: ambiguous})
	return err
}

func (w *world) held(t *testing.T) map[string]sevenshifts.HeldReceipt {
	t.Helper()
	held := map[string]sevenshifts.HeldReceipt{}
	for r, err := range w.client.ListReceipts(context.Background(), company, sevenshifts.ListQuery{LocationID: place}) {
		require.NoError(t, err)
		held[r.ReceiptID] = r
	}
	return held
}

func (w *world) readBack(t *testing.T, documents ...partner.Document) map[string]partner.Verdict {
	t.Helper()
	sent := make([]partner.SentDocument, len(documents))
	for i, d := range documents {
		sent[i] = partner.SentDocument{Document: d, SentAt: now}
	}
	verdicts, err := w.session.ReadBack(context.Background(), sent)
	require.NoError(t, err)
	return verdicts
}

func (w *world) fault(t *testing.T, f sevenshiftssim.Fault) {
	t.Helper()
	require.NoError(t, w.sim.Inject(f))
}

func failure(t *testing.T, err error) *work.Error {
	t.Helper()
	var e *work.Error
	require.ErrorAs(t, err, &e)
	return e
}

// hook waits for the webhook that an act sends.
func (w *world) hook(t *testing.T, act func()) (sevenshifts.Hook, []byte) {
	t.Helper()
	type delivery struct {
		hook    sevenshifts.Hook
		payload []byte
	}
	got := make(chan delivery, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		payload, _ := io.ReadAll(r.Body)
		got <- delivery{sevenshifts.ReadHook(r.Header), payload}
	}))
	defer server.Close()
	require.NoError(t, w.sim.Switch(func(s *sevenshiftssim.Switches) { s.HookURL = server.URL }))
	act()
	select {
	case d := <-got:
		return d.hook, d.payload
	case <-time.After(time.Minute):
		t.Fatal("no webhook came")
		return sevenshifts.Hook{}, nil
	}
}
