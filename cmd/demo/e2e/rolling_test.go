package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// rollingCommit holds the commit of the worker that is being replaced: the
// last one that was deployed.
const rollingCommit = "testdata/rolling-commit"

// rolling has enough history that its backfills last through the deploy.
var rolling = play.Size{
	Seed: 13, HistoryDays: 45, OrdersPerPastDay: 4, LiveDays: 1, OrdersPerLiveDay: 20, Speed: 4200, Patience: within,
	ByVerbs: true, // the older worker may know fewer settings
}

// A rolling deploy: the old worker and the new one serve the same queue. Each
// is killed in turn, so that runs that one began are replayed and ended by the
// other. Nothing fails, and nothing is lost or doubled.
func TestOldAndNewWorkersAtOnce(t *testing.T) {
	old := buildOld(t)
	d := start(t, rolling)
	log := &lines{}
	beside, err := d.RunWorker([]string{old}, nil, log)
	require.NoError(t, err)
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			beside.Stop()
		}
	}
	t.Cleanup(stop)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the old worker said:\n%s", log)
		}
	})
	seen := workersSeen{}
	note := func() { seen[fmt.Sprint(beside.PID())], seen[fmt.Sprint(d.WorkerPID())] = "old", "new" }
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	note()
	kills := []func() error{d.KillWorker, func() error {
		err := beside.Kill()
		d.SevenShifts().ForgetAnswers(5 * time.Second) // which the killed one could not note
		return err
	}}
	for n := 0; n < 2 || (n < maxKills && !seen.sharedBackfill(t, d)); n++ {
		sendSome(ctx, t, d)
		require.NoError(t, kills[n%2]())
		time.Sleep(2 * time.Second) // until it was started again
		note()
	}
	sendSome(ctx, t, d)
	stop() // the deploy is over
	require.NoError(t, d.Watch(ctx))
	report, err := d.Compare(ctx)
	require.NoError(t, err)
	require.True(t, report.Good())
	require.Zero(t, d.SevenShifts().Counters().SecondAfterClean)
	seen.bothServed(t, d)
}

// sendSome waits until some more receipts were sent.
func sendSome(ctx context.Context, t *testing.T, d *play.Demo) {
	t.Helper()
	begun, err := d.Sent(ctx)
	require.NoError(t, err)
	for sent := begun; sent < begun+enoughToKill; {
		sent, err = d.Sent(ctx)
		require.NoError(t, err)
	}
}

// maxKills ends the test when no backfill goes from one worker to the other:
// who takes up a killed worker's run is chance.
const maxKills = 10

// workersSeen tells by their process which workers were old and which new.
type workersSeen map[string]string

var identityPID = regexp.MustCompile(`^(?:clusterbridge-)?(\d+)@`)

func (w workersSeen) who(identity string) string {
	if m := identityPID.FindStringSubmatch(identity); m != nil {
		return w[m[1]]
	}
	return ""
}

// deciders counts whose workers decided a run.
func (w workersSeen) deciders(events []*historypb.HistoryEvent) map[string]int {
	by := map[string]int{}
	for _, e := range events {
		if done := e.GetWorkflowTaskCompletedEventAttributes(); done != nil {
			by[w.who(done.GetIdentity())]++
		}
	}
	return by
}

func (w workersSeen) sharedBackfill(t *testing.T, d *play.Demo) bool {
	t.Helper()
	for _, run := range closedRuns(t, d, "WorkflowType = '"+work.Backfill+"'") {
		if by := w.deciders(history(t, d, run)); by["old"] > 0 && by["new"] > 0 {
			return true
		}
	}
	return false
}

// bothServed looks into the histories: no workflow task failed, least of all as
// non-deterministic, no run failed, and some runs were decided by both.
func (w workersSeen) bothServed(t *testing.T, d *play.Demo) {
	t.Helper()
	tasks, shared := map[string]int{}, map[string]int{}
	for _, run := range closedRuns(t, d, "TaskQueue = '"+work.TaskQueue+"'") {
		kind, events := run.GetType().GetName(), history(t, d, run)
		for _, e := range events {
			failed := e.GetWorkflowTaskFailedEventAttributes()
			require.Nil(t, failed, "%s %s: %s", kind, run.GetExecution().GetWorkflowId(), failed.GetFailure().GetMessage())
			if ended := e.GetWorkflowExecutionFailedEventAttributes(); ended != nil {
				// What a killed worker held, the next run waits for.
				require.Equal(t, string(work.LeaseHeld), ended.GetFailure().GetApplicationFailureInfo().GetType(), ended.GetFailure().GetMessage())
			}
		}
		by := w.deciders(events)
		tasks["old"], tasks["new"] = tasks["old"]+by["old"], tasks["new"]+by["new"]
		if by["old"] > 0 && by["new"] > 0 {
			shared[kind]++
		}
	}
	t.Logf("workflow tasks %v; runs decided by both %v", tasks, shared)
	require.Positive(t, tasks["old"])
	require.Positive(t, tasks["new"])
	require.Positive(t, shared[work.Backfill], "a backfill went from one to the other")
}

// buildOld builds the worker of the commit that is named. It is read with git
// archive, which leaves no trace in the repository.
func buildOld(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(rollingCommit)
	require.NoError(t, err)
	commit := strings.TrimSpace(string(text))
	git := func(args ...string) *exec.Cmd {
		// A clone may belong to another user than the one who tests.
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "safe.directory=*"}, args...)...)
		cmd.Dir = filepath.Join("..", "..", "..")
		return cmd
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("rolling deploy: git is not installed, so the old worker cannot be built")
	}
	if err := git("cat-file", "-e", commit+"^{commit}").Run(); err != nil {
		t.Skipf("rolling deploy: this clone does not hold commit %.12s of the old worker (a shallow clone? git fetch --unshallow)", commit)
	}
	dir := t.TempDir()
	archive, err := git("archive", "--format=tar", commit).Output()
	require.NoError(t, err)
	require.NoError(t, unpack(archive, dir))
	binary := filepath.Join(dir, "old-clusterbridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, "./cmd/clusterbridge")
	build.Dir, build.Env = dir, append(os.Environ(), "GOWORK=off")
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	return binary
}

func unpack(archive []byte, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(h.Name, 0o755)
		case tar.TypeReg:
			var content []byte
			if content, err = io.ReadAll(r); err == nil {
				err = root.WriteFile(h.Name, content, 0o644)
			}
		}
		if err != nil {
			return err
		}
	}
}
