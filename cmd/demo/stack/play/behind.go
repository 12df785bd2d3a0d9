package play

import (
	"context"
	"fmt"
	"io"

	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// What the end-to-end tests look at and break behind the program's back.

// DatabaseURL is where the ledger is.
func (d *Demo) DatabaseURL() string { return d.databaseURL() }

// TemporalAddress is the server's, host and port.
func (d *Demo) TemporalAddress() string { return d.temporalAddress }

// Tills are the simulated tills.
func (d *Demo) Tills() *clustersim.Sim { return d.sims.tills }

// Environ is the environment of clusterbridge's processes, as a verb run now
// gets it.
func (d *Demo) Environ() []string { return d.environ() }

// SecretFiles are where a venue's key and token lie, for the verbs that take
// them.
func (d *Demo) SecretFiles(location string) (key, token string, err error) {
	for _, v := range d.sims.venues {
		if v.ID != location {
			continue
		}
		if key, err = d.folder.secretFile(v.ID+".key", v.clusterKey()); err == nil {
			token, err = d.folder.secretFile(v.ID+".token", v.token())
		}
		return key, token, err
	}
	return "", "", fmt.Errorf("the demo has no venue %q", location)
}

// RunVerb runs clusterbridge once with other settings than the demo's; the
// last of two with one name holds.
func (d *Demo) RunVerb(ctx context.Context, settings []string, args ...string) (string, error) {
	return runVerb(ctx, d.o.Program, append(d.environ(), settings...), args...)
}

// RunWorker keeps a worker process running beside the demo's own until stop:
// of another program, or with other settings. log gets what it writes.
func (d *Demo) RunWorker(program, settings []string, log io.Writer) (*Beside, error) {
	if program == nil {
		program = d.o.Program
	}
	w, err := startWorker(program, append(d.environ(), settings...), log, d.view.say)
	if err != nil {
		return nil, err
	}
	return &Beside{w}, nil
}

// Beside is a worker that runs beside the demo's own.
type Beside struct{ w *worker }

// Kill ends the process with SIGKILL; it is started again.
func (b *Beside) Kill() error { return b.w.kill() }

// PID is the process that runs now.
func (b *Beside) PID() int { return b.w.pid() }

// Stop ends it in order.
func (b *Beside) Stop() { b.w.stop() }

// WorkerPID is the process of the demo's own worker that runs now.
func (d *Demo) WorkerPID() int { return d.worker.pid() }
