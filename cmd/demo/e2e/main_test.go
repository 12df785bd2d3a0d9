// Package e2e proves the whole on the real thing: Temporal's server,
// PostgreSQL, the simulators over HTTP, the worker as processes of its own.
// Nothing that a user would run is replaced.
package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
)

// asStack turns this test binary into the demo's stack, so that the tests need
// no second build: "<binary> as-stack ..." is what cmd/demo/stack is.
const asStack = "as-stack"

func TestMain(m *testing.M) {
	if args := os.Args[1:]; len(args) > 0 {
		switch args[0] {
		case asStack:
			os.Exit(play.Main(args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
		case play.ProgramArgument: // the stack executes itself
			os.Exit(play.Main(args, os.Stdin, os.Stdout, os.Stderr, os.Environ()))
		}
	}
	code := m.Run()
	if shared.demo != nil {
		shared.demo.Stop()
		code = max(code, play.Main([]string{"clean"}, os.Stdin, os.Stdout, os.Stderr, []string{"DEMO_STATE=" + shared.dir}))
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// within bounds what a test waits for on a busy machine.
const within = 2 * time.Minute

// lines is where a demo of a test talks to; it is shown when something fails.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func options(state string, size play.Size, out *lines) play.Options {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return play.Options{
		State: state, Namespace: "default", DatabaseURL: "", Out: out, Size: size, Environ: os.Environ(),
		Program: []string{self, play.ProgramArgument},
	}
}

// start runs a demo for one test, with further settings, NAME=value.
func start(t *testing.T, size play.Size, settings ...string) *play.Demo {
	t.Helper()
	out := &lines{}
	state := tempState(t)
	o := options(state, size, out)
	o.Settings = settings
	d, err := play.Start(t.Context(), o)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the demo said:\n%s\nits worker:\n%s", out, tail(filepath.Join(state, "worker.log")))
		}
	})
	require.NoError(t, err, out)
	t.Cleanup(d.Stop)
	return d
}

// tempState is a state folder; PostgreSQL's data is removed with it, wherever
// that lies.
func tempState(t *testing.T) string {
	t.Helper()
	state := t.TempDir()
	t.Cleanup(func() {
		self, err := os.Executable()
		require.NoError(t, err)
		cmd := exec.Command(self, asStack, "clean")
		cmd.Env = append(os.Environ(), "DEMO_STATE="+state)
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, string(said))
	})
	return state
}

// tail is the end of a log.
func tail(file string) string {
	const most = 4000 // characters; enough for the last failures
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// eventually asks again until the condition holds.
func eventually(t *testing.T, what string, holds func(ctx context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		ok, err := holds(ctx)
		require.NoError(t, err, what)
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			require.FailNow(t, "this did not happen within "+within.String(), what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
