package play

import (
	"cmp"
	"context"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// What the end-to-end tests do with a running demo.

// Temporal is a client of the demo's namespace.
func (d *Demo) Temporal() client.Client { return d.temporal }

// Ledger is the demo's ledger, on its business time.
func (d *Demo) Ledger() *ledger.Store { return d.store }

// Wisk is the simulated WISK.
func (d *Demo) Wisk() *wisksim.Sim { return d.sims.wisk }

// SevenShifts is the simulated 7shifts.
func (d *Demo) SevenShifts() *sevenshiftssim.Sim { return d.sims.sevenShifts }

// Verb runs clusterbridge once and returns what it printed.
func (d *Demo) Verb(ctx context.Context, args ...string) (string, error) {
	return runVerb(ctx, d.o.Program, d.environ(), args...)
}

// forgetAnswersOf is how far back, in real time, a worker that was killed may
// have had answers that it could not note any more: as long as it may hold a
// document, and a moment more (CLAIM_LEASE in shortenedSettings).
const forgetAnswersOf = 20 * time.Second

// stragglers is how long requests of a process that was killed may still arrive
// on a busy machine. It is less than the pause before the next one starts.
const stragglers = restartAfter * 3 / 4

// KillWorker ends the worker with SIGKILL; it is started again.
func (d *Demo) KillWorker() error {
	err := d.worker.kill()
	time.Sleep(stragglers)
	d.sims.sevenShifts.ForgetAnswers(forgetAnswersOf)
	return err
}

// KillGateway ends the gateway with SIGKILL; it is started again.
func (d *Demo) KillGateway() error { return d.gateway.kill() }

// RestartTemporal stops the embedded server and starts it again. It runs in this
// process, so that it cannot be killed; its clients do not know the difference.
func (d *Demo) RestartTemporal(ctx context.Context) error { return d.server.Restart(ctx) }

// onTheirWay is for how long the simulated WISK holds back its answers, in real
// time, so that uploads are on their way when the worker is killed.
const onTheirWay = 3 * time.Second

// KillWorkerWhileUploading ends the worker with SIGKILL after WISK has taken
// lines and before it says so: what became of them the worker does not know. It
// tells how many uploads that are; none when nothing was uploaded for a while.
func (d *Demo) KillWorkerWhileUploading(ctx context.Context) (uploads int, err error) {
	before := d.sims.wisk.Counters().Faults
	if err := d.sims.wisk.Inject(kit.Fault{Kind: kit.FaultSlow, Delay: kit.Duration(onTheirWay), Times: maxOnTheirWay}); err != nil {
		return 0, err
	}
	defer d.sims.wisk.ClearFaults()
	wait, cancel := context.WithTimeout(ctx, onTheirWay/2)
	defer cancel()
	for uploads == 0 && wait.Err() == nil {
		select {
		case <-wait.Done():
		case <-time.After(onTheirWay / 100):
			uploads = d.sims.wisk.Counters().Faults - before
		}
	}
	return uploads, cmp.Or(ctx.Err(), d.KillWorker())
}

// maxOnTheirWay bounds the uploads that wait for their answer.
const maxOnTheirWay = 4

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

// Secrets lists what must never stand in a history. The token of a site is its
// venue's identifier at WISK.
func (d *Demo) Secrets() []VenueSecrets {
	var list []VenueSecrets
	for _, v := range d.sims.venues {
		list = append(list, VenueSecrets{d.sims.clusterURL, v.Serial, v.clusterKey(), v.token()})
	}
	for _, s := range d.sims.sites {
		list = append(list, VenueSecrets{d.sims.clusterURL, s.Location.Serial, s.Location.Key, s.In.identifier()})
	}
	return list
}

// Handed lists what passed through the hands of people while the venues were
// onboarded: the keys that pages revealed.
func (d *Demo) Handed() []string { return d.handed }

// Contacts lists the names and addresses on Cluster's record of all venues that
// were asked.
func (d *Demo) Contacts() []string {
	var list []string
	for _, g := range d.sims.guests() {
		list = append(list, string(g.Contact.Name), string(g.Contact.Email))
	}
	return list
}

// Mailbox holds all mails; nil where nobody is onboarded.
func (d *Demo) Mailbox() *mailboxsim.Sim { return d.sims.box }

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

// Items lists what the sites' tills are planned to have sold until now, by
// business day and code, site after site.
func (d *Demo) Items() []traffic.ExpectedItem {
	var list []traffic.ExpectedItem
	for _, s := range d.sims.sites {
		list = append(list, d.sims.wiskPlan.ExpectedItems(s.name(), s.mode, d.calendar.Now())...)
	}
	return list
}

// WiskHistory is how many business days of history are in at all sites of WISK,
// and of how many.
func (d *Demo) WiskHistory(ctx context.Context) (done, days int, err error) {
	for _, s := range d.sims.sites {
		c, err := d.store.Connection(ctx, s.connection())
		if err != nil {
			return 0, 0, err
		}
		in, of, err := d.history(ctx, c)
		if err != nil {
			return 0, 0, err
		}
		done, days = done+in, days+of
	}
	return done, days, nil
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
