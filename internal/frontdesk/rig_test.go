package frontdesk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/frontdesk"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	zone     = "America/Toronto"
	token    = "token-of-marcels-7shifts"
	patience = 10 * time.Second
)

// noon of a Tuesday in Montreal.
var noon = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)

var lea = ledger.Actor{Handle: "lea", Reason: "venue_asked", Note: "as agreed"}

// postbox takes every mail.
type postbox struct{}

func (postbox) Send(context.Context, mail.Letter) error { return nil }
func (postbox) Domain() string                          { return "clusterpos.example" }

// rig is a desk over a real room: PostgreSQL, and simulators over HTTP. Temporal
// is a stand-in.
type rig struct {
	*frontdesk.Desk
	t        *testing.T
	ctx      context.Context
	clock    *clock.Hand
	room     *onboarding.Room
	till     *clustersim.Sim
	seven    *sevenshiftssim.Sim
	temporal *temporalStandIn
	database string // its address
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, ctx: t.Context(), clock: clock.NewHand(noon)}
	r.till = clustersim.New(clustersim.Options{Clock: r.clock, OfficeKey: "office-key", Office: &clustersim.OfficeSwitches{}})
	r.seven = sevenshiftssim.New(sevenshiftssim.Options{Clock: r.clock})
	t.Cleanup(func() { require.NoError(t, r.seven.Close()) })
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.PerSecond = 0 }))
	r.database = postgres.Prepared(t, func(url string) error {
		_, _, err := ledger.Migrate(context.Background(), url)
		return err
	})
	log := slog.New(slog.DiscardHandler)
	store, err := ledger.Open(r.ctx, r.database, r.clock, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	keyset, err := vault.NewKeyset()
	require.NoError(t, err)
	sealed, err := vault.Open(keyset, store.DB())
	require.NoError(t, err)
	links, err := link.New("a-secret-that-signs-the-links-of-tests")
	require.NoError(t, err)
	composer, err := mail.NewComposer(mail.House{Name: "Cluster", Address: "1 rue de la Caisse, Montreal", Support: "support@clusterpos.example"})
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	tills := serve(t, r.till)
	seven, bar := sevenshifts.Defaults(), wisk.Defaults()
	seven.BaseURL, seven.PerSecond, seven.Timeout = serve(t, r.seven), 0, patience
	r.room = &onboarding.Room{
		Ledger: store, Vault: sealed, Clock: r.clock, Log: log, Settings: settings(), Base: transport,
		Office:   cluster.NewOffice(cluster.OfficeConfig{BaseURL: tills, Key: vault.NewSecret("office-key"), Timeout: patience}, transport),
		Till:     cluster.New(cluster.Config{BaseURL: tills, OrdersByModified: true, Clock: r.clock, PageSize: 20, Timeout: patience}, transport),
		Partners: partner.NewRegistry(sevenshifts.New(seven, r.clock), wisk.New(bar)), Limiter: limit.New(store.DB(), log),
		Outbox: mail.NewOutbox(store.DB(), sealed, postbox{}, r.clock, log), Composer: composer, Links: links,
	}
	r.temporal = &temporalStandIn{room: r.room, left: r.room.Settings.Plan.TokenTries}
	r.Desk = &frontdesk.Desk{Room: r.room, Temporal: r.temporal}
	return r
}

func serve(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func settings() onboarding.Settings {
	return onboarding.Settings{
		Gateway: "https://onboarding.example",
		Plan:    work.OnboardingPlan{ExpireAfter: 30 * 24 * time.Hour, TokenTries: 3},
		Fees:    map[string]sale.Cents{work.Wisk: 15000, work.SevenShifts: 0},
		Billing: onboarding.Billing{
			Currency: "CAD", GSTRate: 5000, QSTRate: 9975, GSTNumber: "123456789 RT0001", QSTNumber: "1234567890 TQ0001",
			HowToPay: mail.Bilingual{French: "Par virement.", English: "By transfer."},
		},
		Supports:  map[string]onboarding.Support{work.Wisk: {Address: "support@wisk.example", Language: words.English}},
		RevealFor: 7 * 24 * time.Hour, TokenFor: 30 * 24 * time.Hour, StatusFor: 365 * 24 * time.Hour,
		Zone: zone,
	}
}

// venue opens a restaurant at Cluster; with a contact on record unless its mail
// address is empty.
func (r *rig) venue(n int, email string) work.VenueInput {
	r.t.Helper()
	v := work.VenueInput{TradeName: fmt.Sprintf("Chez Marcel %d", n), Address: fmt.Sprintf("%d rue Saint-Denis, Montreal", 4000+n)}
	at := clustersim.Location{Serial: fmt.Sprintf("CL-%d", n), TradeName: v.TradeName, Address: v.Address, Zone: zone, Language: "fr"}
	if email != "" {
		at.Contact = &clustersim.Contact{Name: "Marie Tremblay", Email: wire.Text(email)}
	}
	r.till.AddLocation(at)
	return v
}

// found makes a request, and finds its venues in Cluster.
func (r *rig) found(partnerName, request string, venues ...work.VenueInput) []string {
	r.t.Helper()
	in := work.OnboardingInput{Partner: partnerName, Requester: work.PartnerSupport, Venues: venues, By: "lea", Note: "as agreed"}
	_, err := r.room.Plan(r.ctx, work.OnboardingStart{Request: partnerName + ":" + request, Input: in})
	require.NoError(r.t, err)
	ids := make([]string, len(venues))
	for i := range venues {
		ids[i] = work.CaseID(partnerName, request, i+1)
		_, err := r.room.Find(r.ctx, ids[i])
		require.NoError(r.t, err)
	}
	return ids
}

// asks sends the contact of found cases the question, and gives the link's subject.
func (r *rig) asks(group string, cases ...string) string {
	r.t.Helper()
	request := cases[0][:strings.LastIndex(cases[0], ":")]
	asked, err := r.room.Ask(r.ctx, work.AskInput{Request: request, Group: group, Cases: cases})
	require.NoError(r.t, err)
	require.Equal(r.t, cases, asked.Asked)
	for _, id := range cases {
		r.stage(id, work.StageConfirmation, "venue")
	}
	return request + ":" + group
}

// stage is where a workflow says that a case stands.
func (r *rig) stage(caseID string, stage work.Stage, waitingFor string) {
	r.t.Helper()
	require.NoError(r.t, r.room.NoteStage(r.ctx, work.StageNote{Case: caseID, Stage: stage, WaitingFor: waitingFor}))
}

// ends has a case end.
func (r *rig) ends(caseID string, outcome work.Outcome) {
	r.t.Helper()
	require.NoError(r.t, r.room.NoteStage(r.ctx, work.StageNote{Case: caseID, Stage: work.StageEnded, Outcome: outcome}))
}

// read reads a case.
func (r *rig) read(caseID string) ledger.Case {
	r.t.Helper()
	c, err := r.room.Ledger.Case(r.ctx, caseID)
	require.NoError(r.t, err)
	return c
}

// code wants a problem of a code.
func (r *rig) code(code work.Code, err error) {
	r.t.Helper()
	e, ok := errors.AsType[*work.Error](err)
	require.True(r.t, ok, "%v", err)
	require.Equal(r.t, code, e.Code, "%v", err)
}

// tryAgain wants what pages answer with "one moment, try again".
func (r *rig) tryAgain(err error) {
	r.t.Helper()
	require.Error(r.t, err)
	require.Equal(r.t, work.Transient, work.KindOf(err), "%v", err)
	text, marshalled := json.Marshal(err.Error())
	require.NoError(r.t, marshalled)
	require.NotContains(r.t, string(text), token)
	require.NotContains(r.t, string(text), "Tremblay")
}
