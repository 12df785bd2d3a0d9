//go:build unix

package program

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// What the simulators say is what clusterbridge is set to: then a venue's admin
// who enables 7shifts on Cluster's page begins an onboarding, and mails arrive.
func TestTheSimulatorsOnboard(t *testing.T) {
	j := newJoining(t)
	hook, office, state := strings.Repeat("h", 40), strings.Repeat("o", 40), t.TempDir()
	g := start(t, append(j.environ, "CLUSTERBRIDGE_HOOK_SECRETS="+hook, "CLUSTERBRIDGE_GATEWAY_LISTEN=127.0.0.1:0", "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN=off"), "gateway")
	at := g.find(`ready: gateway .* (http://[0-9.:]+), metrics`)
	s := start(t, nil, "simulate", "--cluster-listen=127.0.0.1:0", "--sevenshifts-listen=127.0.0.1:0", "--wisk-listen=127.0.0.1:0",
		"--mailbox-listen=127.0.0.1:0", "--smtp-listen=127.0.0.1:0", "--state="+state,
		"--gateway="+at, "--hook-secret-file="+j.file(hook+"\n"), "--office-key-file="+j.file(office+"\n"))
	s.find(`\n(ready)\n`)
	cluster, mailbox := s.find(`CLUSTER_OFFICE_URL=(http://\S+)`), s.find(`Mails that were sent: (http://\S+)`)
	require.Contains(t, s.out.String(), "Bistro Ontario, 1280, rue Ontario Est, Montr\u00e9al, to 7shifts; its admin's access token there is ")
	require.NotContains(t, s.out.String(), hook)
	require.NotContains(t, s.out.String(), office)

	page, err := http.PostForm(cluster+"/integrations/CL-70301/7shifts?lang=en", url.Values{"grant": {"yes"}})
	require.NoError(t, err)
	text, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())
	require.Equal(t, http.StatusOK, page.StatusCode, string(text))
	j.temporal.mu.Lock()
	require.Len(t, j.temporal.began, 1)
	for id, input := range j.temporal.began {
		require.Regexp(t, `^onboarding:7shifts:req-[0-9a-f]+$`, id)
		require.JSONEq(t, `{"partner":"7shifts","requester":"venue_admin","by":"gateway","note":"signed request","venues":[
			{"tradeName":"Bistro Ontario","address":"1280, rue Ontario Est, Montréal","language":"fr","serial":"CL-70301"}
		]}`, input)
	}
	j.temporal.mu.Unlock()

	// The back office is open with the key, and its contact gets mails.
	j.environ = append(j.environ, "CLUSTERBRIDGE_CLUSTER_URL="+cluster, "CLUSTERBRIDGE_CLUSTER_OFFICE_URL="+cluster, "CLUSTERBRIDGE_CLUSTER_OFFICE_KEY="+office)
	j.environ = append(j.environ, strings.Fields(s.find(`Mail, simulated: +(CLUSTERBRIDGE_MAIL_HOST.*)`))...)
	room := j.room()
	_, err = room.Plan(t.Context(), work.OnboardingStart{Request: "wisk:r-1", Input: work.OnboardingInput{
		Partner: work.Wisk, Requester: work.PartnerSupport, By: "marie", Note: "ticket 4711",
		Venues: []work.VenueInput{{TradeName: "Bar Crescent", Address: "34, rue Crescent, Montr\u00e9al"}},
	}})
	require.NoError(t, err)
	found, err := room.Find(t.Context(), theCase)
	require.NoError(t, err)
	require.Equal(t, "CL-70302", found.Serial)
	_, err = room.Ask(t.Context(), work.AskInput{Request: "wisk:r-1", Group: "c1", Cases: []string{theCase}})
	require.NoError(t, err)
	require.Contains(t, get(t, mailbox+"/"), "owen@bar-crescent.example")
	opened, err := room.OpenTill(t.Context(), theCase)
	require.NoError(t, err)
	require.Equal(t, work.TillReady, opened.State, "access is active at once")

	g.stop()
	require.Equal(t, ExitOK, <-s.ended, s.err.String())
	for _, kept := range []string{"cluster.json", "7shifts.jsonl", "wisk.jsonl", "mails.jsonl"} {
		require.FileExists(t, filepath.Join(state, kept))
	}
}

func TestSimulateRefuses(t *testing.T) {
	for _, c := range []struct{ arg, said string }{
		{"--activation=-1h", "before it was asked for"}, {"--office-key-file=/nowhere", "could not be read"}, {"--smtp-listen=nowhere", "Nothing can listen on nowhere"},
	} {
		r := run(nil, "", "simulate", "--cluster-listen=127.0.0.1:0", "--sevenshifts-listen=127.0.0.1:0", "--wisk-listen=127.0.0.1:0",
			"--mailbox-listen=127.0.0.1:0", "--smtp-listen=127.0.0.1:0", c.arg)
		require.NotEqual(t, ExitOK, r.code, c.arg)
		require.Contains(t, r.err, c.said)
		require.Contains(t, r.err, "Next: ")
	}
}
