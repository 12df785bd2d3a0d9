package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
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

func TestAVenueIsFoundWithItsContact(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, clustersim.OfficeSwitches{})
	found, err := w.office(w.base).FindLocations(ctx, cluster.LocationQuery{TradeName: "CHEZ MARCEL", Address: "4210 St-Denis"})
	require.NoError(t, err)
	require.Equal(t, cluster.Candidates{List: []cluster.Candidate{{
		Serial: serial, TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis, Montreal", Zone: "America/Toronto", Language: "fr",
		Contact: cluster.Contact{Name: "Odile Pr\u00e9vost", Email: "odile@example.com"},
	}}}, found)

	for name, contact := range map[string]*clustersim.Contact{
		"none": nil, "no address": {Name: "Odile"}, "two addresses": {Email: "a@example.com, b@example.com"}, "no mail address": {Email: "514 555 0100"},
	} {
		w.sim.SetContact(serial, contact)
		found, err = w.office(w.base).FindLocations(ctx, cluster.LocationQuery{Serial: serial})
		require.NoError(t, err)
		require.True(t, found.List[0].Contact.Empty(), name)
	}

	w.sim.SetContact(serial, &clustersim.Contact{Name: "Odile", Email: "odile@example.com"})
	found, err = w.office(w.base).FindLocations(ctx, cluster.LocationQuery{Serial: serial})
	require.NoError(t, err)
	written, err := json.Marshal(found)
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("found", "contact", found.List[0].Contact, "all", found)
	for _, text := range []string{string(written), log.String(), fmt.Sprintf("%v %+v %#v", found, found, found)} {
		require.NotContains(t, strings.ToLower(text), "odile")
	}
}

// A lost answer of a write is ambiguous, a lost answer of a question is not;
// what was refused, or never left, had no effect.
func TestAmbiguousIsWhatMayHaveHadItsEffect(t *testing.T) {
	type fault = clustersim.Fault
	for name, c := range map[string]struct {
		fault     fault
		code      work.Code
		ambiguous bool
	}{
		"refused for speed":      {fault{Status: 429, RetryAfter: 7}, work.ClusterLimited, false},
		"refused as such":        {fault{Status: 422}, work.ClusterRefused, false},
		"reused":                 {fault{Status: 409}, work.ClusterRefused, false},
		"key refused":            {fault{Status: 401}, work.ClusterOfficeKey, false},
		"not activated":          {fault{Status: 403}, work.ClusterNotActivated, false},
		"unknown":                {fault{Status: 404}, work.ClusterNoSerial, false},
		"server error":           {fault{Status: 500}, work.ClusterUnreachable, true},
		"unavailable":            {fault{Status: 503}, work.ClusterUnreachable, true},
		"request timeout":        {fault{Status: 408}, work.ClusterUnreachable, true},
		"redirected":             {fault{Status: 307}, work.ClusterRefused, true},
		"another success":        {fault{Commit: true, Status: 201}, work.ClusterRefused, true},
		"dropped":                {fault{Drop: true}, work.ClusterUnreachable, true},
		"committed and dropped":  {fault{Commit: true, Drop: true}, work.ClusterUnreachable, true},
		"committed, then silent": {fault{Commit: true, Delay: time.Minute}, work.ClusterUnreachable, true},
		"half an answer":         {fault{Truncate: true}, work.ClusterUnreachable, true},
		"a megabyte of garbage":  {fault{Garbage: true}, work.ClusterMalformed, true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			w := newWorld(t, clustersim.OfficeSwitches{})
			office := w.office(w.base)
			if c.fault.Delay > 0 {
				office = cluster.NewOffice(cluster.OfficeConfig{BaseURL: w.url, Key: vault.NewSecret(officeKey), Timeout: 300 * time.Millisecond}, w.base)
			}
			for path, call := range map[string]func() error{
				wire.PathActivate: func() error { _, err := office.Activate(ctx, serial, "wisk", "a1"); return err },
				wire.PathIssueKey: func() error { _, err := office.IssueKey(ctx, serial, "wisk", "k1"); return err },
				wire.PathRevokeKey: func() error {
					err := office.RevokeKey(ctx, serial, w.sim.State().Office.Keys[0].KeyID, "v1")
					return err
				},
				wire.PathListKeys:       func() error { _, err := office.Keys(ctx, serial); return err },
				wire.PathLocationSearch: func() error { _, err := office.FindLocations(ctx, cluster.LocationQuery{Serial: serial}); return err },
			} {
				if path == wire.PathRevokeKey {
					_, err := office.IssueKey(ctx, serial, "wisk", "k0")
					require.NoError(t, err)
				}
				c.fault.Path = path
				w.sim.Faults().Add(c.fault)
				e := failure(t, call())
				require.Equal(t, c.code, e.Code, path)
				question := path == wire.PathListKeys || path == wire.PathLocationSearch
				require.Equal(t, c.ambiguous && !question, e.Ambiguous, path)
				if c.code == work.ClusterLimited {
					require.Equal(t, 7*time.Second, e.Rest)
				}
				require.NoError(t, call(), "asked again it is harmless: %s", path)
			}
		})
	}
	t.Run("never left", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close() // its port is free now, and nobody listens
		office := cluster.NewOffice(cluster.OfficeConfig{BaseURL: server.URL}, nil)
		defer office.Close()
		_, err := office.IssueKey(context.Background(), serial, "wisk", "k1")
		e := failure(t, err)
		require.Equal(t, work.ClusterUnreachable, e.Code)
		require.False(t, e.Ambiguous)
	})
}

func TestAWrongOfficeKeyIsItsOwnError(t *testing.T) {
	w := newWorld(t, clustersim.OfficeSwitches{})
	for _, key := range []string{"wrong", ""} {
		office := cluster.NewOffice(cluster.OfficeConfig{BaseURL: w.url, Key: vault.NewSecret(key)}, w.base)
		_, err := office.Keys(context.Background(), serial)
		require.Equal(t, work.ClusterOfficeKey, failure(t, err).Code)
	}
	office := w.office(w.base)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", office, office, cluster.OfficeConfig{Key: vault.NewSecret(officeKey)}), officeKey)
}

// An answer that makes no sense never passes for one that does.
func TestAnOfficeAnswerThatMakesNoSenseIsMalformed(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		answer string
		call   func(*cluster.Office) error
	}{
		"no candidates":       {`{}`, find},
		"no serial":           {`{"candidates":[{"tradeName":"Chez Marcel"}]}`, find},
		"no list of keys":     {`{}`, list},
		"a key without id":    {`{"keys":[{"partner":"wisk"}]}`, list},
		"revoked at times":    {`{"keys":[{"keyId":"k","revokedAt":"yes"}]}`, list},
		"used at times":       {`{"keys":[{"keyId":"k","lastUsedAt":1762189200}]}`, list},
		"no status":           {`{}`, activate},
		"another status":      {`{"status":"perhaps"}`, activate},
		"issued without key":  {`{"status":"issued","keyId":"k"}`, issue},
		"issued without id":   {`{"status":"issued","key":"secret-canary"}`, issue},
		"issued before, with": {`{"status":"already_issued","keyId":"k","key":"secret-canary"}`, issue},
		"not revoked":         {`{"keyId":"k","revokedAt":null}`, revoke},
		"another was revoked": {`{"keyId":"x","revokedAt":"2026-11-03T17:00:00Z"}`, revoke},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.answer) }))
			defer server.Close()
			office := cluster.NewOffice(cluster.OfficeConfig{BaseURL: server.URL}, nil)
			defer office.Close()
			e := failure(t, c.call(office))
			require.Equal(t, work.ClusterMalformed, e.Code)
			require.NotContains(t, e.Error(), "canary")
		})
	}
	many := `{"candidates":[` + strings.Repeat(`{"serial":"A"},`, cluster.MaxCandidates) + `{"serial":"B"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, many) }))
	defer server.Close()
	office := cluster.NewOffice(cluster.OfficeConfig{BaseURL: server.URL}, nil)
	defer office.Close()
	found, err := office.FindLocations(ctx, cluster.LocationQuery{TradeName: "Pizzeria"})
	require.NoError(t, err)
	require.True(t, found.More)
	require.Len(t, found.List, cluster.MaxCandidates)
}

func find(o *cluster.Office) error {
	_, err := o.FindLocations(context.Background(), cluster.LocationQuery{Serial: serial})
	return err
}

func list(o *cluster.Office) error { _, err := o.Keys(context.Background(), serial); return err }

func activate(o *cluster.Office) error {
	_, err := o.Activate(context.Background(), serial, "wisk", "a1")
	return err
}

func issue(o *cluster.Office) error {
	_, err := o.IssueKey(context.Background(), serial, "wisk", "k1")
	return err
}

func revoke(o *cluster.Office) error {
	return o.RevokeKey(context.Background(), serial, "k", "v1")
}

// A partner that still pulls shows by when its keys were used last.
func TestKeysInUse(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, clustersim.OfficeSwitches{})
	office := w.office(w.base)
	_, err := office.Activate(ctx, serial, "wisk", "a1")
	require.NoError(t, err)
	key, err := office.IssueKey(ctx, serial, "wisk", "k1")
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", key, key, key), key.Key.Reveal())
	idle, err := office.IssueKey(ctx, serial, "wisk", "k2")
	require.NoError(t, err)
	inUse := func(partner string, since time.Time) []string {
		keys, err := office.KeysInUse(ctx, serial, partner, since)
		require.NoError(t, err)
		var ids []string
		for _, k := range keys {
			ids = append(ids, k.ID)
		}
		return ids
	}
	require.Empty(t, inUse("wisk", time.Time{}))
	w.clock.move(time.Hour)
	require.NoError(t, w.opens(key.Key))
	require.Equal(t, []string{key.ID}, inUse("wisk", noon))
	require.Equal(t, []string{key.ID}, inUse("wisk", noon.Add(time.Hour)))
	require.Empty(t, inUse("wisk", noon.Add(time.Hour+1)))
	require.Empty(t, inUse("7shifts", noon))
	require.NoError(t, office.RevokeKey(ctx, serial, key.ID, "v1"))
	require.Empty(t, inUse("wisk", noon), "revoked")
	require.Equal(t, work.ClusterKeyRefused, failure(t, w.opens(key.Key)).Code)
	require.NoError(t, w.opens(idle.Key))
	require.NoError(t, office.RevokeKey(ctx, serial, "key_unknown", "v2"), "what is not known opens nothing")
}
