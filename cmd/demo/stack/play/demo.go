package play

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/devserver"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Demo is a running demo.
type Demo struct {
	o        Options
	begun    time.Time
	folder   *folder
	calendar *calendar
	until    time.Time
	sims     *simulators
	store    *ledger.Store
	temporal client.Client
	server   *devserver.Server // nil where Temporal is somewhere else
	worker   *worker
	gateway  *worker
	view     *view
	settings []string // of clusterbridge's processes
	// hookSecret signs what Cluster tells the gateway.
	hookSecret string
	// handed are the keys that pages revealed, for the tests that look for leaks.
	handed []string

	temporalAddress, uiURL string
	mu                     sync.Mutex
	saved                  saved
	closers                []func() error
}

// Start brings everything up, lets business time run, starts worker and gateway
// and sets up the venues that are not connected yet.
func Start(ctx context.Context, o Options) (*Demo, error) {
	d := &Demo{o: o, begun: time.Now(), view: &view{out: o.Out, terminal: o.Terminal}}
	for _, step := range []func(context.Context) error{
		d.openState, d.startPostgres, d.startTemporal, d.startSimulators, d.prepareProgram, d.runWorker, d.runGateway, d.setUpVenues,
	} {
		if err := step(ctx); err != nil {
			d.Stop()
			return nil, err
		}
	}
	return d, nil
}

// Stop ends everything in order, last started first, and keeps the state.
func (d *Demo) Stop() {
	for _, end := range slices.Backward(d.closers) {
		if err := end(); err != nil {
			d.view.say("while ending: %v", err)
		}
	}
	d.closers = nil
}

func (d *Demo) atEnd(f func() error) { d.closers = append(d.closers, f) }

func (d *Demo) openState(context.Context) (err error) {
	if d.folder, err = openFolder(d.o.State); err != nil {
		return err
	}
	d.atEnd(d.folder.close)
	var found bool
	if d.saved, found, err = d.folder.load(); err != nil {
		return err
	}
	if found {
		d.o.Size = d.saved.Size
		d.view.say("Going on with what is in %s, where it is %s, business time.", d.folder.path, d.saved.Business.In(allVenues[0].zone()).Format(time.DateTime))
	}
	from, until := played(d.o.Size)
	if !found {
		// A state folder removed by hand may have left data that lies elsewhere.
		if err := postgres.Remove(d.folder.file(postgresDir)); err != nil {
			return err
		}
		d.saved = saved{Size: d.o.Size, Business: from}
	}
	d.until = until
	d.calendar = newCalendar(d.saved.Business)
	return d.folder.save(d.saved)
}

func (d *Demo) startPostgres(ctx context.Context) error {
	server, err := postgres.Start(ctx, postgres.Options{
		DatabaseURL: d.o.DatabaseURL, Dir: d.folder.file(postgresDir), Log: d.o.Out, Fast: true,
	})
	if err != nil {
		return err
	}
	d.atEnd(server.Stop)
	d.settings = append(d.settings, "DATABASE_URL="+server.URL())
	d.view.say("%s", server.Describe())
	return nil
}

func (d *Demo) startTemporal(ctx context.Context) error {
	d.temporalAddress = d.o.TemporalAddress
	if d.temporalAddress == "" {
		log, err := d.logFile(temporalLog)
		if err != nil {
			return err
		}
		server, err := devserver.Start(ctx, devserver.Options{
			File: d.folder.file(temporalFile), Namespace: d.o.Namespace, SearchAttributes: work.SearchAttributes, Log: log,
		})
		if err != nil {
			return err
		}
		d.server = server
		d.atEnd(server.Stop)
		d.temporalAddress = server.Address()
		d.view.say("Temporal %s, embedded, on %s, data in %s", devserver.Version, server.Address(), d.folder.file(temporalFile))
	} else {
		d.view.say("Temporal at %s (TEMPORAL_ADDRESS)", d.temporalAddress)
	}
	c, err := client.DialContext(ctx, client.Options{HostPort: d.temporalAddress, Namespace: d.o.Namespace, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("Temporal at %s does not answer: %w", d.temporalAddress, err)
	}
	d.temporal = c
	d.atEnd(func() error { c.Close(); return nil })
	if !d.o.WebUI {
		return nil
	}
	ui, err := devserver.StartUI(d.temporalAddress, d.o.Namespace)
	if err != nil {
		return err
	}
	d.atEnd(func() error { ui.Stop(); return nil })
	d.uiURL = ui.URL()
	return nil
}

func (d *Demo) startSimulators(context.Context) (err error) {
	if d.sims, err = simulate(d.o.Size, d.folder, d.calendar); err != nil {
		return err
	}
	d.atEnd(d.sims.stop)
	switch d.o.Break {
	case BreakLoseOne:
		lost, of := d.sims.loseOne(d.until)
		d.view.say("BREAK=%s: the simulated 7shifts will lose receipt %s of %s", BreakLoseOne, lost.ID, of.TradeName)
	case BreakLoseItem:
		lost, err := d.sims.loseItem(d.until)
		if err != nil {
			return err
		}
		d.view.say("BREAK=%s: the simulated WISK will forget %s", BreakLoseItem, lost)
	}
	return nil
}

// links are where to look while it runs.
func (d *Demo) links() string {
	text := ""
	if d.uiURL != "" {
		text = fmt.Sprintf("  Temporal's Web UI              %s/namespaces/%s/workflows\n", d.uiURL, d.o.Namespace)
	}
	text += fmt.Sprintf("  what the simulated 7shifts has %s/\n", d.sims.shiftsPage)
	if len(d.sims.sites) > 0 {
		text += fmt.Sprintf("  what the simulated WISK has    %s/\n", d.sims.wiskURL)
	}
	if d.sims.box != nil {
		text += fmt.Sprintf("  all mails                      %s/\n", d.sims.boxPage)
		text += fmt.Sprintf("  Cluster's Integrations page    %s%s\n", d.sims.clusterURL, clustersim.PathIntegrations)
	}
	return text + fmt.Sprintf("  the worker's log               %s\n", d.folder.file(workerLog))
}

func (d *Demo) logFile(name string) (*os.File, error) {
	f, err := os.OpenFile(d.folder.file(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	d.atEnd(f.Close)
	return f, nil
}
