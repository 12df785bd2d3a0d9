package clustersim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const officeKey = "office-canary-8b12"

// newOffice is a stage with a client of its back office, where access is active
// at once unless the switches say otherwise.
func newOffice(t *testing.T, switches clustersim.OfficeSwitches) (*stage, *cluster.Office) {
	t.Helper()
	s := newStage(t, clustersim.Options{OfficeKey: officeKey, Office: &switches})
	return s, s.office(t, s.url)
}

func (s *stage) office(t *testing.T, url string) *cluster.Office {
	office := cluster.NewOffice(cluster.OfficeConfig{BaseURL: url, Key: vault.NewSecret(officeKey)}, nil)
	t.Cleanup(office.Close)
	return office
}

// ping asks the till with a key.
func (s *stage) ping(serial string, key vault.Secret) work.Code {
	s.t.Helper()
	if _, err := s.client.Ping(context.Background(), cluster.Credential{Serial: serial, Key: key.Reveal()}); err != nil {
		return s.code(err)
	}
	return ""
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func TestAccessIsPendingForOneToTwoDays(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		switches clustersim.OfficeSwitches
		pending  time.Duration // at the least
		active   time.Duration // at the most
	}{
		"as published":   {clustersim.DefaultOfficeSwitches(), 24*time.Hour - time.Second, 48 * time.Hour},
		"after 47 hours": {clustersim.OfficeSwitches{ActivationMin: 47 * time.Hour, ActivationMax: 47 * time.Hour}, 47*time.Hour - time.Second, 47 * time.Hour},
		"at once":        {clustersim.OfficeSwitches{}, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, office := newOffice(t, c.switches)
			ask := func() cluster.Access { return must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t) }
			if c.pending >= 0 {
				require.Equal(t, cluster.AccessPending, ask())
				key := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t).Key
				s.clock.move(c.pending)
				require.Equal(t, cluster.AccessPending, ask())
				require.Equal(t, work.ClusterNotActivated, s.ping("CL-1", key), "complaint 32")
			}
			s.clock.move(c.active - max(0, c.pending))
			require.Equal(t, cluster.AccessActive, ask())
			require.Empty(t, s.ping("CL-1", must(office.IssueKey(ctx, "CL-1", "wisk", "k2"))(t).Key))
			if c.pending >= 0 {
				require.Equal(t, cluster.AccessPending, must(office.Activate(ctx, "CL-1", "7shifts", "a2"))(t), "each partner by itself")
			}
			require.Equal(t, cluster.AccessActive, must(office.Activate(ctx, "CL-1", "wisk", "a3"))(t), "another request joins")
		})
	}
}

func TestARequestForAccessMayBeForgotten(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{NeverActivate: true})
	require.Equal(t, cluster.AccessPending, must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t))
	s.clock.move(1000 * time.Hour)
	require.Equal(t, cluster.AccessPending, must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t))
	require.NoError(t, s.sim.SwitchOffice(func(w *clustersim.OfficeSwitches) { w.NeverActivate = false }))
	require.Equal(t, cluster.AccessActive, must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t))
	s.sim.SetActivated("CL-1", false)
	key := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t).Key
	require.Equal(t, work.ClusterNotActivated, s.ping("CL-1", key))
	s.sim.SetActivated("CL-1", true)
	require.Empty(t, s.ping("CL-1", key))
	require.Error(t, s.sim.SwitchOffice(func(w *clustersim.OfficeSwitches) { w.ActivationMin = time.Hour }))
}

func TestKeysMayNeedAccessFirst(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{ActivationMin: 30 * time.Hour, ActivationMax: 30 * time.Hour, KeysNeedAccess: true})
	_, err := office.IssueKey(ctx, "CL-1", "wisk", "k1")
	require.Equal(t, work.ClusterNotActivated, s.code(err))
	must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t)
	s.clock.move(30 * time.Hour)
	require.False(t, must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t).Key.Empty(), "a refused request issued nothing")
}

// A key is shown once; several open the same till, each until it is revoked,
// next to the one that was issued by hand.
func TestKeysAreIssuedOnceAndRevokedForGood(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{})
	must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t)
	first := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	again := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	require.Equal(t, first.ID, again.ID)
	require.True(t, again.Key.Empty())
	s.clock.move(time.Minute)
	second := must(office.IssueKey(ctx, "CL-1", "wisk", "k2"))(t)
	require.NotEqual(t, first.ID, second.ID)
	for _, key := range []vault.Secret{first.Key, second.Key, vault.NewSecret("k1")} {
		require.Empty(t, s.ping("CL-1", key))
	}
	s.clock.move(time.Minute)
	require.NoError(t, office.RevokeKey(ctx, "CL-1", first.ID, "v1"))
	s.clock.move(time.Minute)
	require.NoError(t, office.RevokeKey(ctx, "CL-1", first.ID, "v1"))
	require.NoError(t, office.RevokeKey(ctx, "CL-1", first.ID, "v2"))
	require.Equal(t, work.ClusterKeyRefused, s.ping("CL-1", first.Key))
	require.Empty(t, s.ping("CL-1", second.Key))
	require.Equal(t, []cluster.KeyRecord{
		{ID: first.ID, Partner: "wisk", RequestID: "k1", CreatedAt: noon, LastUsedAt: noon.Add(time.Minute), RevokedAt: noon.Add(2 * time.Minute)},
		{ID: second.ID, Partner: "wisk", RequestID: "k2", CreatedAt: noon.Add(time.Minute), LastUsedAt: noon.Add(3 * time.Minute)},
	}, must(office.Keys(ctx, "CL-1"))(t), "the one issued by hand is in no list")
	require.True(t, must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t).Key.Empty(), "revoked is not forgotten")
	state, err := json.Marshal(s.sim.State())
	require.NoError(t, err)
	require.NotContains(t, string(state), second.Key.Reveal())
}

// Every call with its key counts as a use, whatever the till says to it; one
// with another till's key or a revoked one does not.
func TestUseIsRecordedPerKey(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{})
	s.sim.AddLocation(clustersim.Location{Serial: "CL-2", TradeName: "Le Coin", Zone: "America/Toronto"})
	key := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	used := func() time.Time { return must(office.Keys(ctx, "CL-1"))(t)[0].LastUsedAt }
	require.True(t, used().IsZero())
	require.Equal(t, work.ClusterNotActivated, s.ping("CL-1", key.Key))
	require.Equal(t, noon, used(), "not activated")
	must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t)
	s.sim.SetOffline("CL-1", true)
	s.clock.move(time.Second)
	require.Equal(t, work.ClusterOffline, s.ping("CL-1", key.Key))
	require.Equal(t, noon.Add(time.Second), used(), "offline")
	s.sim.SetOffline("CL-1", false)
	s.clock.move(time.Second)
	_, err := s.client.Menu(ctx, cluster.Credential{Serial: "CL-1", Key: key.Key.Reveal()})
	require.NoError(t, err)
	require.Equal(t, noon.Add(2*time.Second), used(), "another path")
	s.clock.move(time.Second)
	require.Equal(t, work.ClusterKeyRefused, s.ping("CL-2", key.Key))
	require.Equal(t, work.ClusterKeyRefused, s.ping("CL-2", vault.NewSecret("k1")), "nor the one issued by hand")
	require.Equal(t, work.ClusterNoSerial, s.ping("CL-9", key.Key))
	require.NoError(t, office.RevokeKey(ctx, "CL-1", key.ID, "v1"))
	require.Equal(t, work.ClusterKeyRefused, s.ping("CL-1", key.Key))
	require.Equal(t, noon.Add(2*time.Second), used())
}

func TestTheListMayLag(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{ListLag: time.Minute})
	key := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	require.Empty(t, must(office.Keys(ctx, "CL-1"))(t))
	s.clock.move(time.Minute)
	require.True(t, must(office.Keys(ctx, "CL-1"))(t)[0].Active())
	require.NoError(t, office.RevokeKey(ctx, "CL-1", key.ID, "v1"))
	require.True(t, must(office.Keys(ctx, "CL-1"))(t)[0].Active())
	require.Equal(t, work.ClusterKeyRefused, s.ping("CL-1", key.Key), "the till knows at once")
	s.clock.move(time.Minute)
	require.False(t, must(office.Keys(ctx, "CL-1"))(t)[0].Active())
}

func TestARequestIDHasOnePurpose(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{})
	s.sim.AddLocation(clustersim.Location{Serial: "CL-2", TradeName: "Le Coin", Zone: "America/Toronto"})
	must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t)
	key := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	other := must(office.IssueKey(ctx, "CL-1", "wisk", "k2"))(t)
	require.NoError(t, office.RevokeKey(ctx, "CL-1", key.ID, "v1"))
	for name, err := range map[string]error{
		"another serial":   func() error { _, err := office.IssueKey(ctx, "CL-2", "wisk", "k1"); return err }(),
		"another partner":  func() error { _, err := office.Activate(ctx, "CL-1", "7shifts", "a1"); return err }(),
		"another call":     func() error { _, err := office.IssueKey(ctx, "CL-1", "wisk", "a1"); return err }(),
		"another key":      office.RevokeKey(ctx, "CL-1", other.ID, "v1"),
		"revoke for issue": office.RevokeKey(ctx, "CL-1", other.ID, "k1"),
	} {
		require.Equal(t, work.ClusterRefused, s.code(err), name)
		require.ErrorContains(t, err, "HTTP 409", name)
	}
	require.True(t, must(office.Keys(ctx, "CL-1"))(t)[1].Active(), "a refused request has no effect")
}

func TestNewHardwareIsFoundByNameAndOpensWithNewKeys(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{})
	must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t)
	old := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	s.clock.move(time.Hour)
	s.sim.Replace("CL-1", "CL-2")
	found := must(office.FindLocations(ctx, cluster.LocationQuery{TradeName: "Chez Marcel"}))(t)
	require.Len(t, found.List, 1)
	require.Equal(t, "CL-2", found.List[0].Serial)
	require.Empty(t, must(office.FindLocations(ctx, cluster.LocationQuery{Serial: "CL-1"}))(t).List)
	require.Equal(t, work.ClusterNoSerial, s.ping("CL-1", old.Key))
	require.Equal(t, work.ClusterKeyRefused, s.ping("CL-2", old.Key))
	_, err := office.Activate(ctx, "CL-1", "wisk", "a1")
	require.Equal(t, work.ClusterNoSerial, s.code(err))
	_, err = office.IssueKey(ctx, "CL-1", "wisk", "k2")
	require.Equal(t, work.ClusterNoSerial, s.code(err))
	require.Equal(t, old.ID, must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t).ID, "what was issued is told still")
	require.NoError(t, office.RevokeKey(ctx, "CL-1", old.ID, "v1"))
	require.False(t, must(office.Keys(ctx, "CL-1"))(t)[0].Active())
	must(office.Activate(ctx, "CL-2", "wisk", "a2"))(t)
	require.Empty(t, s.ping("CL-2", must(office.IssueKey(ctx, "CL-2", "wisk", "k3"))(t).Key))
}

func TestTheBackOfficeIsStrict(t *testing.T) {
	s, _ := newOffice(t, clustersim.OfficeSwitches{})
	good := `{"serial":"CL-1","partner":"wisk","requestId":"r1"}`
	for name, c := range map[string]struct {
		path, key, body string
		want            int
	}{
		"good":               {wire.PathActivate, officeKey, good, 200},
		"no key":             {wire.PathActivate, "", good, 401},
		"a till's key":       {wire.PathActivate, "k1", good, 401},
		"no serial":          {wire.PathActivate, officeKey, `{"partner":"wisk","requestId":"r2"}`, 400},
		"unknown serial":     {wire.PathActivate, officeKey, `{"serial":"CL-9","partner":"wisk","requestId":"r2"}`, 404},
		"no partner's word":  {wire.PathIssueKey, officeKey, `{"serial":"CL-1","partner":"WISK inc.","requestId":"r2"}`, 400},
		"no requestId":       {wire.PathIssueKey, officeKey, `{"serial":"CL-1","partner":"wisk"}`, 400},
		"long requestId":     {wire.PathIssueKey, officeKey, `{"serial":"CL-1","partner":"wisk","requestId":"` + strings.Repeat("x", 129) + `"}`, 400},
		"unknown field":      {wire.PathIssueKey, officeKey, `{"serial":"CL-1","partner":"wisk","requestId":"r2","scope":"all"}`, 400},
		"list of nobody":     {wire.PathListKeys, officeKey, `{"serial":""}`, 400},
		"list of a stranger": {wire.PathListKeys, officeKey, `{"serial":"CL-9"}`, 404},
		"revoke no key":      {wire.PathRevokeKey, officeKey, `{"serial":"CL-1","keyId":"","requestId":"r3"}`, 400},
		"revoke a stranger":  {wire.PathRevokeKey, officeKey, `{"serial":"CL-1","keyId":"key_0","requestId":"r3"}`, 404},
		"search for nothing": {wire.PathLocationSearch, officeKey, `{}`, 400},
		"a long search":      {wire.PathLocationSearch, officeKey, `{"tradeName":"` + strings.Repeat("x", 201) + `"}`, 400},
		"no JSON":            {wire.PathLocationSearch, officeKey, `tradeName=x`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			w := s.post(t, c.path, c.key, c.body)
			require.Equal(t, c.want, w.Code, w.Body.String())
		})
	}
	nobody := clustersim.New(clustersim.Options{})
	w := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, wire.PathListKeys, strings.NewReader(`{"serial":"CL-1"}`))
	req.Header.Set("Content-Type", "application/json")
	nobody.ServeHTTP(w, req)
	require.Equal(t, 401, w.Code, "without a key of its own it lets nobody in")
}

func (s *stage) post(t *testing.T, path, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set(wire.HeaderOfficeKey, key)
	}
	w := httptest.NewRecorder()
	s.sim.ServeHTTP(w, req)
	return w
}

func TestOtherProcessesSteerTheBackOffice(t *testing.T) {
	ctx := context.Background()
	s, office := newOffice(t, clustersim.OfficeSwitches{})
	require.Equal(t, 200, s.post(t, "/_sim/office", "", `{"listLag":60000000000}`).Code)
	require.Equal(t, 400, s.post(t, "/_sim/office", "", `{"listLag":-1}`).Code)
	require.Equal(t, 400, s.post(t, "/_sim/office", "", `{"lag":1}`).Code)
	require.Equal(t, 200, s.post(t, "/_sim/contact", "", `{"serial":"CL-1","contact":{"name":"O.","email":"o@example.com"}}`).Code)
	require.Equal(t, 404, s.post(t, "/_sim/contact", "", `{"serial":"CL-9","contact":null}`).Code)
	require.Equal(t, "o@example.com", must(office.FindLocations(ctx, cluster.LocationQuery{Serial: "CL-1"}))(t).List[0].Contact.Email)
	must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t)
	must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	state := s.sim.State().Office
	require.Equal(t, time.Minute, state.Switches.ListLag)
	require.Equal(t, []clustersim.AccessState{{Serial: "CL-1", Partner: "wisk", Active: true, ActiveAt: noon}}, state.Access)
	require.Equal(t, "k1", state.Keys[0].RequestID)
}

// A simulator that starts again knows what it issued, and nobody can read a key
// out of its file.
func TestTheBackOfficeGoesOnAfterARestart(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "deep", "cluster.json")
	clock := &hands{now: noon}
	start := func() (*stage, *cluster.Office) {
		sim, err := clustersim.Open(clustersim.Options{Clock: clock, OfficeKey: officeKey, StateFile: file})
		require.NoError(t, err)
		sim.AddLocation(clustersim.Location{
			Serial: "CL-1", TradeName: "Chez Marcel", Zone: "America/Toronto", Contact: &clustersim.Contact{Name: "Old", Email: "old@example.com"},
		})
		server := httptest.NewServer(sim)
		t.Cleanup(server.Close)
		client := cluster.New(cluster.Config{BaseURL: server.URL, Clock: clock}, nil)
		t.Cleanup(client.Close)
		s := &stage{t: t, sim: sim, client: client, cred: cluster.Credential{Key: officeKey}, clock: clock, url: server.URL}
		return s, s.office(t, server.URL)
	}
	s, office := start()
	require.Equal(t, cluster.AccessPending, must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t))
	key := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
	gone := must(office.IssueKey(ctx, "CL-1", "wisk", "k2"))(t)
	require.NoError(t, office.RevokeKey(ctx, "CL-1", gone.ID, "v1"))
	s.sim.SetContact("CL-1", nil)
	clock.move(48 * time.Hour)
	require.Empty(t, s.ping("CL-1", key.Key))
	before := s.sim.State().Office
	require.Empty(t, before.StateFile)

	s, office = start()
	require.Equal(t, before, s.sim.State().Office)
	require.Equal(t, cluster.AccessActive, must(office.Activate(ctx, "CL-1", "wisk", "a1"))(t))
	require.Empty(t, s.ping("CL-1", key.Key))
	require.Equal(t, work.ClusterKeyRefused, s.ping("CL-1", gone.Key))
	require.True(t, must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t).Key.Empty())
	_, err := office.Activate(ctx, "CL-1", "7shifts", "a1")
	require.Equal(t, work.ClusterRefused, s.code(err), "purposes are kept")
	require.True(t, must(office.FindLocations(ctx, cluster.LocationQuery{Serial: "CL-1"}))(t).List[0].Contact.Empty())

	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(content), key.ID)
	require.False(t, bytes.Contains(content, []byte(key.Key.Reveal())))
	require.NoError(t, os.WriteFile(file, content[:len(content)/2], 0o600))
	_, err = clustersim.Open(clustersim.Options{StateFile: file})
	require.ErrorContains(t, err, "state file")
	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o600))
	require.NoError(t, os.RemoveAll(filepath.Dir(file)))
	s.sim.SetContact("CL-1", nil)
	require.NotEmpty(t, s.sim.State().Office.StateFile, "a file that cannot be written is told")
}

// An answer that is lost after its effect is found by asking again.
func TestALostAnswerOfTheBackOffice(t *testing.T) {
	ctx := context.Background()
	for name, fault := range map[string]clustersim.Fault{
		"dropped": {Drop: true}, "refused": {Status: 502}, "garbage": {Garbage: true}, "half": {Truncate: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, office := newOffice(t, clustersim.OfficeSwitches{})
			fault.Commit, fault.Path, fault.Serial = true, wire.PathIssueKey, "CL-1"
			s.sim.Faults().Add(fault)
			_, err := office.IssueKey(ctx, "CL-1", "wisk", "k1")
			s.code(err)
			require.Zero(t, s.sim.Faults().Pending())
			again := must(office.IssueKey(ctx, "CL-1", "wisk", "k1"))(t)
			require.True(t, again.Key.Empty())
			require.Equal(t, must(office.Keys(ctx, "CL-1"))(t)[0].ID, again.ID)
		})
	}
}
