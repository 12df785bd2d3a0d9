package program

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"
	_ "time/tzdata" // zones also where the machine has none

	"go.temporal.io/sdk/worker"

	"github.com/clustersystems/clusterbridge/activities"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/delivery"
	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/intake"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/workers"
)

type workerVerb struct{}

func (workerVerb) needs() []string {
	return []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"}
}

const (
	// partnerConnections are kept open to a partner's host: as many as all
	// activities of one worker may have in flight to it.
	partnerConnections = 64
	// partnerIdle closes those that rest.
	partnerIdle = 90 * time.Second
)

// Run serves workflows and activities until the process is told to stop; steps
// under way then end in order.
func (v *workerVerb) Run(ctx context.Context, d *desk) error {
	log := d.logger()
	d.warnUnknown()
	watched, err := d.newWatch(ctx, log)
	if err != nil {
		return err
	}
	defer watched.close()
	d.watch = watched
	broken := make(chan error, 2) // the worker's, and that of its metrics
	w, end, err := d.newWorker(ctx, log, func(err error) {
		broken <- failed(err, "look at Temporal, then: clusterbridge worker", "The worker lost Temporal for good.")
	})
	if err != nil {
		return err
	}
	defer end()
	stopServing, err := d.serveWorker(ctx, log, broken)
	if err != nil {
		return err
	}
	defer stopServing()
	if err := w.Start(); err != nil {
		return failed(err, "clusterbridge migrate, then: clusterbridge worker", "The worker could not start on namespace %s.", d.settings.TemporalNamespace)
	}
	// One line that a person or a script can wait for, on standard output; the
	// log goes to standard error.
	d.say("ready: worker %s, process %d, Temporal %s, namespace %s, task queue %s", Version(), os.Getpid(), d.settings.TemporalAddress, d.settings.TemporalNamespace, workers.TaskQueue)
	log.InfoContext(ctx, "worker is ready", "version", Version(), "namespace", d.settings.TemporalNamespace, "queue", workers.TaskQueue)
	select {
	case <-ctx.Done():
		log.InfoContext(ctx, "worker is stopping; what is under way ends first")
		w.Stop()
		log.InfoContext(ctx, "worker has stopped")
		return nil
	case err := <-broken:
		w.Stop()
		return err
	}
}

// serveWorker serves the worker's own metrics and health where that is set;
// stop ends it, last of all, so that the end of the work can be watched.
func (d *desk) serveWorker(ctx context.Context, log *slog.Logger, broken chan<- error) (stop func(), err error) {
	l, err := listenOn(ctx, d.settings.WorkerListen, "CLUSTERBRIDGE_WORKER_LISTEN")
	if err != nil || l == nil {
		return func() {}, err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	checks := append(gateway.LedgerChecks(d.store), gateway.TemporalCheck(d.remote))
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := gateway.ServeAdmin(serving, l, log, d.watch.metrics.Registry, checks); err != nil {
			broken <- failed(err, "clusterbridge worker", "The worker's metrics and health cannot be served any more.")
		}
	})
	log.InfoContext(ctx, "metrics and health are served", "address", l.Addr().String())
	return func() { cancel(); ended.Wait() }, nil
}

// newWorker wires everything below the worker and makes the schedule keeper's
// own schedule; end closes what was opened. onFatal is called at most once,
// when the worker cannot go on.
func (d *desk) newWorker(ctx context.Context, log *slog.Logger, onFatal func(error)) (w worker.Worker, end func(), err error) {
	store, err := d.ledger(ctx)
	if err != nil {
		return nil, nil, err
	}
	secrets, err := d.vault(ctx)
	if err != nil {
		return nil, nil, err
	}
	temporal, err := d.temporal(ctx)
	if err != nil {
		return nil, nil, err
	}
	base := d.watch.transport(&http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		MaxIdleConns: partnerConnections, MaxIdleConnsPerHost: partnerConnections, IdleConnTimeout: partnerIdle,
	})
	till := cluster.New(d.settings.cluster(d.clock()), base)
	end = till.Close // and with it the idle connections to partners

	room, err := d.room(ctx, base)
	if err != nil {
		end()
		return nil, nil, err
	}
	partners := d.settings.partners(d.clock(), d.settings.reportPost(room))
	steps := &activities.Sync{
		Ledger: store, Vault: secrets, Partners: partners, Clock: d.clock(), Log: log,
		CalledOffAfter: d.settings.CalledOffAfter, OldestFirst: d.settings.OldestFirst, DaysAtOnce: d.settings.DaysAtOnce,
		Puller: &intake.Puller{Ledger: store, Till: till, Partners: partners, Clock: d.clock(), Config: d.settings.intake(), Log: log},
		Engine: &delivery.Engine{
			Ledger: store, Partners: partners, Limiter: limit.New(store.DB(), log), Vault: secrets, Clock: d.clock(),
			Base: base, Log: log, ClaimLease: d.settings.ClaimLease,
		},
	}
	if office := d.settings.office(base); office != nil {
		steps.Office = office
	}
	schedules := &activities.Schedules{
		Client: temporal.ScheduleClient(), Ledger: store, Log: log, Converter: d.settings.converter(),
		Cadence: activities.Cadence{SyncEvery: d.settings.SyncEvery, KeepEvery: d.settings.KeeperEvery},
	}
	if err := schedules.EnsureKeeper(ctx); err != nil {
		end()
		return nil, nil, failed(err, "clusterbridge migrate, then: clusterbridge worker", "The schedule keeper's own schedule could not be made.")
	}
	options := workers.Options()
	options.OnFatalError = onFatal
	if options.Interceptors, err = d.watch.interceptors(); err != nil {
		end()
		return nil, nil, err
	}
	worker.SetStickyWorkflowCacheSize(workers.CachedRuns())
	w = worker.New(temporal, workers.TaskQueue, options)
	joining := &activities.Onboarding{Room: room, Temporal: temporal, Namespace: d.settings.TemporalNamespace, Log: log}
	workers.Register(w, steps, schedules, joining)
	return w, end, nil
}
