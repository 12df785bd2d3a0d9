package play

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/clustersystems/clusterbridge/cmd/clusterbridge/program"
	"github.com/clustersystems/clusterbridge/internal/postgres"
)

// Main is the stack's main: it plays the demo, or is clusterbridge when the
// first argument says so, or removes PostgreSQL's data for "clean". It returns
// the exit code; settings are read from environ only.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	if len(args) > 0 && args[0] == ProgramArgument {
		tie(stdin, environ)
		return program.Main(args[1:], stdin, stdout, stderr, environ)
	}
	good, err := demo(args, stdout, environ)
	if err != nil {
		fmt.Fprintln(stderr, "demo:", err)
	}
	if err != nil || !good {
		return 1
	}
	return 0
}

func demo(args []string, stdout io.Writer, environ []string) (good bool, err error) {
	o, err := fromEnvironment(environ)
	switch {
	case err != nil:
		return false, err
	case len(args) == 1 && args[0] == "clean":
		return true, postgres.Remove(filepath.Join(o.State, postgresDir))
	case len(args) > 0:
		return false, fmt.Errorf("unknown argument %q", args[0])
	}
	o.Out, o.Terminal = stdout, isTerminal(stdout)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	return run(ctx, o)
}

// tiedVariable marks a process whose standard input closes when the demo ends.
const tiedVariable = "DEMO_TIED"

// tie ends this process when the demo that started it is gone, however that
// happened, so that no worker is left over.
func tie(stdin io.Reader, environ []string) {
	for _, line := range environ {
		if strings.HasPrefix(line, tiedVariable+"=") {
			go func() {
				_, _ = io.Copy(io.Discard, stdin)
				os.Exit(program.ExitFailed)
			}()
		}
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // descriptors are small
}

// run plays the demo to its table and, unless it shall exit, stays up until
// the context ends. good tells whether every difference is 0 and every minimum
// was reached; leaving before the table is no failure.
func run(ctx context.Context, o Options) (good bool, err error) {
	d, err := Start(ctx, o)
	if ctx.Err() != nil {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer d.Stop()
	if err := d.Watch(ctx); ctx.Err() != nil {
		return true, nil
	} else if err != nil {
		return false, err
	}
	report, err := d.Compare(ctx)
	if err != nil {
		return false, err
	}
	report.Print(o.Out)
	if o.Exit {
		return report.Good(), nil
	}
	d.view.say("\nEverything stays up; Ctrl-C ends it, and the next start goes on from here.\n%s", d.links())
	<-ctx.Done()
	return report.Good(), nil
}
