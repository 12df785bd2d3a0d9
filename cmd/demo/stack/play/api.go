package play

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
)

// What the end-to-end tests do with a running demo.

// Temporal is a client of the demo's namespace.
func (d *Demo) Temporal() client.Client { return d.temporal }

// Ledger is the demo's ledger, on its business time.
func (d *Demo) Ledger() *ledger.Store { return d.store }

// SevenShifts is the simulated 7shifts.
func (d *Demo) SevenShifts() *sevenshiftssim.Sim { return d.sims.sevenShifts }

// Verb runs clusterbridge once and returns what it printed.
func (d *Demo) Verb(ctx context.Context, args ...string) (string, error) {
	return runVerb(ctx, d.o.Program, d.environ(), args...)
}

// forgetAnswersOf is how far back, in real time, a worker that was killed may
// have had answers that it could not note any more.
const forgetAnswersOf = 10 * time.Second

// KillWorker ends the worker with SIGKILL; it is started again.
func (d *Demo) KillWorker() error {
	err := d.worker.kill()
	d.sims.sevenShifts.ForgetAnswers(forgetAnswersOf)
	return err
}

// AnotherWorker starts one more worker process beside the first, until the
// demo ends.
func (d *Demo) AnotherWorker() error {
	log, err := d.logFile(workerLog)
	if err != nil {
		return err
	}
	w, err := startWorker(d.o.Program, d.environ(), log, d.view.say)
	if err != nil {
		return err
	}
	d.atEnd(func() error { w.stop(); return nil })
	return nil
}

// VenueSecrets are a venue's credentials and where its till answers.
type VenueSecrets struct{ ClusterURL, Serial, ClusterKey, Token string }

// Secrets lists what must never stand in a history.
func (d *Demo) Secrets() []VenueSecrets {
	list := make([]VenueSecrets, len(d.sims.venues))
	for i, v := range d.sims.venues {
		list[i] = VenueSecrets{d.sims.clusterURL, v.Serial, v.clusterKey(), v.token()}
	}
	return list
}

// Amounts lists what the plan's sales came to, in cents.
func (d *Demo) Amounts() []int64 {
	var list []int64
	for _, v := range d.sims.venues {
		for _, p := range d.sims.planned(v, d.calendar.Now()) {
			list = append(list, p.Net, p.Tips, p.Gratuity)
		}
	}
	return list
}

// Sent is how many receipts all connections have sent.
func (d *Demo) Sent(ctx context.Context) (int, error) {
	connections, err := d.store.Connections(ctx)
	if err != nil {
		return 0, err
	}
	sent := 0
	for _, c := range connections {
		b, err := d.store.Backlog(ctx, c.ID)
		if err != nil {
			return 0, err
		}
		sent += b.Sent
	}
	return sent, nil
}
