package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/devserver"
	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/vault/codec"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// sealedNamespace is beside the demo's own, with a ledger of its own.
const sealedNamespace = "sealed"

// codecToken lets the Web UI in at the gateway.
const codecToken = "a-token-of-the-end-to-end-tests-only"

// sealedConsole: the payload codec is on, and the gateway's endpoint opens the
// payloads for the Web UI. What a person sees and types is as without it; what
// Temporal holds is sealed.
func sealedConsole(browser context.Context, t *testing.T, d *play.Demo) {
	keyset, err := codec.NewKeyset()
	require.NoError(t, err)
	gateway := freeAddress(t)
	ui, err := devserver.StartUIWithCodec(d.TemporalAddress(), sealedNamespace, "http://"+gateway+"/codec/"+codecToken)
	require.NoError(t, err)
	t.Cleanup(ui.Stop)
	settings := []string{
		"DATABASE_URL=" + anotherDatabase(t, d), "TEMPORAL_NAMESPACE=" + sealedNamespace, "CLUSTERBRIDGE_CODEC_KEYSET=" + keyset,
		"CLUSTERBRIDGE_CODEC_TOKENS=" + codecToken, "CLUSTERBRIDGE_CODEC_ORIGINS=" + ui.URL(),
		"CLUSTERBRIDGE_GATEWAY_LISTEN=" + gateway, "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN=off",
	}
	sealedVenue(t, d, settings)
	runGateway(t, d, gateway, settings)

	c := &console{t, browser, ui.URL(), sealedNamespace}
	good := pasted(t, "ChangeConnection-pause.json")
	id := work.ActID(work.ActChange, marcel, "1")
	c.start(work.ChangeConnection, id, good, "")
	c.open("workflows/"+id, nil)
	c.shows("COMPLETED", marcel+" is paused.", "kitchen closed for works")
	c.shoot("sealed-act")
	require.NotContains(t, rawHistory(t, d, id), "kitchen", "the input is sealed in Temporal")
	require.Contains(t, rawHistory(t, d, id), codec.Encoding)

	id = work.ActID(work.ActChange, marcel, "2")
	c.start(work.ChangeConnection, id, strings.Replace(good, `"note"`, `"noted"`, 1), "")
	c.open("workflows/"+id, nil)
	c.shows("FAILED", `unknown field \"noted\"`)

	keeperRests(t, d, keyset)
}

// sealedVenue sets up the namespace and a ledger, runs a worker and connects
// Chez Marcel, all with the program's own verbs.
func sealedVenue(t *testing.T, d *play.Demo, settings []string) {
	t.Helper()
	verb := func(args ...string) {
		said, err := d.RunVerb(t.Context(), settings, args...)
		require.NoError(t, err, said)
	}
	verb("migrate")
	log := &lines{}
	worker, err := d.RunWorker(nil, settings, log)
	require.NoError(t, err)
	t.Cleanup(worker.Stop)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the worker said:\n%s", log)
		}
	})
	eventually(t, "the worker is ready", func(context.Context) (bool, error) { return strings.Contains(log.String(), "ready:"), nil })
	c, err := d.Ledger().Connection(t.Context(), marcel)
	require.NoError(t, err)
	key, token, err := d.SecretFiles(c.LocationID)
	require.NoError(t, err)
	verb("location", "add", c.LocationID, "--name", c.Location.TradeName, "--zone", c.Location.Zone, "--serial", c.Location.Serial, "--key-file", key)
	verb("connect", "7shifts", "--location", c.LocationID, "--partner-location", fmt.Sprint(c.PartnerLocationID), "--token-file", token)
}

func anotherDatabase(t *testing.T, d *play.Demo) string {
	t.Helper()
	at, err := url.Parse(d.DatabaseURL())
	require.NoError(t, err)
	db, err := sqlx.ConnectContext(t.Context(), "postgres", at.String())
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), "CREATE DATABASE "+sealedNamespace)
	require.NoError(t, err)
	at.Path = "/" + sealedNamespace
	return at.String()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// runGateway runs the gateway until the test ends.
func runGateway(t *testing.T, d *play.Demo, address string, settings []string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	log := &lines{}
	cmd := exec.CommandContext(t.Context(), self, play.ProgramArgument, "gateway")
	cmd.Env, cmd.Stdout, cmd.Stderr = append(d.Environ(), settings...), log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the gateway said:\n%s", log)
		}
	})
	eventually(t, "the gateway is ready", func(ctx context.Context) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/health/ready", nil)
		if err != nil {
			return false, err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil
		}
		return res.StatusCode == http.StatusOK, res.Body.Close()
	})
}

// rawHistory is what Temporal holds of a run, unopened.
func rawHistory(t *testing.T, d *play.Demo, id string) string {
	t.Helper()
	c, err := client.NewClientFromExistingWithContext(t.Context(), d.Temporal(), client.Options{Namespace: sealedNamespace})
	require.NoError(t, err)
	var all []string
	each := c.GetWorkflowHistory(t.Context(), id, "", false, 0)
	for each.HasNext() {
		e, err := each.Next()
		require.NoError(t, err)
		all = append(all, texts(e)...)
	}
	return strings.Join(all, "\n")
}

// keeperRests: sealed inputs are read back, so that the keeper does not take
// every schedule for changed.
func keeperRests(t *testing.T, d *play.Demo, keyset string) {
	t.Helper()
	sealer, err := codec.Open(keyset)
	require.NoError(t, err)
	c, err := client.NewClientFromExistingWithContext(t.Context(), d.Temporal(), client.Options{
		Namespace: sealedNamespace, DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), sealer),
	})
	require.NoError(t, err)
	schedule := c.ScheduleClient().GetHandle(t.Context(), work.SyncScheduleID(marcel))
	run := func() time.Time {
		keeping, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: work.ScheduleKeeperID, TaskQueue: work.TaskQueue}, work.ScheduleKeeper)
		require.NoError(t, err)
		require.NoError(t, keeping.Get(t.Context(), nil))
		s, err := schedule.Describe(t.Context())
		require.NoError(t, err)
		return s.Info.LastUpdateAt
	}
	before := run()
	require.Equal(t, before, run())
}
