package play

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// actor is who connects, in the journal.
const actor = "demo"

// prepareProgram gathers the settings of clusterbridge's processes, says which
// the demo changed, and brings the schema up.
func (d *Demo) prepareProgram(ctx context.Context) error {
	keyset, err := d.folder.keyset()
	if err != nil {
		return err
	}
	d.settings = append(d.settings,
		"TEMPORAL_ADDRESS="+d.temporalAddress, "TEMPORAL_NAMESPACE="+d.o.Namespace,
		"CLUSTERBRIDGE_TEMPORAL_UI="+d.uiURL,
		"CLUSTERBRIDGE_CLUSTER_URL="+d.sims.clusterURL, "CLUSTERBRIDGE_SEVENSHIFTS_URL="+d.sims.sevenShiftsURL,
		"CLUSTERBRIDGE_WISK_URL="+d.sims.wiskURL,
		"CLUSTERBRIDGE_KEYSET="+keyset, "CLUSTERBRIDGE_BY="+actor, "CLUSTERBRIDGE_LOG_FORMAT=text")
	if err := d.prepareGateway(); err != nil {
		return err
	}
	for _, s := range shortenedSettings(d.o.Size) {
		d.settings = append(d.settings, s.Variable+"="+s.Value)
	}
	d.settings = append(d.settings, d.o.Settings...)
	said, err := runVerb(ctx, d.o.Program, d.environ(), "migrate")
	if err != nil {
		return err
	}
	d.view.say("%s\n", strings.TrimSpace(said))
	if d.store, err = ledger.Open(ctx, d.databaseURL(), d.calendar, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	d.atEnd(d.store.Close)
	printShortened(d.o.Out, d.o.Size)
	return nil
}

func (d *Demo) databaseURL() string {
	for _, line := range d.settings {
		if url, ok := strings.CutPrefix(line, "DATABASE_URL="); ok {
			return url
		}
	}
	return ""
}

// environ is the environment of clusterbridge's processes: ours without what
// the demo sets itself, and business time as it runs now.
func (d *Demo) environ() []string {
	kept := slices.DeleteFunc(slices.Clone(d.o.Environ), func(line string) bool {
		return strings.HasPrefix(line, "CLUSTERBRIDGE_") || strings.HasPrefix(line, "DATABASE_URL=") || strings.HasPrefix(line, "TEMPORAL_")
	})
	return append(append(kept, d.settings...), "CLUSTERBRIDGE_CLOCK="+d.calendar.String())
}

// connectVenues connects with the verbs that a person would type.
func (d *Demo) connectVenues(ctx context.Context) error {
	for i, v := range d.sims.venues {
		key, err := d.folder.secretFile(v.ID+".key", v.clusterKey())
		if err != nil {
			return err
		}
		token, err := d.folder.secretFile(v.ID+".token", v.token())
		if err != nil {
			return err
		}
		add := []string{"location", "add", v.ID, "--name", v.TradeName, "--address", v.Address, "--zone", v.Zone,
			"--language", v.Language, "--hours", v.Hours, "--serial", v.Serial, "--key-file", key}
		connect := []string{"connect", "7shifts", "--location", v.ID, "--partner-location", strconv.FormatInt(v.Location, 10), "--token-file", token}
		for _, verb := range [][]string{add, connect} {
			if err := d.once(ctx, verb[0]+" "+v.ID, i == 0, verb); err != nil {
				return err
			}
		}
	}
	return nil
}

// connectSites connects the sites to WISK, which Cluster's integration must not
// read as well.
func (d *Demo) connectSites(ctx context.Context) error {
	for i, s := range d.sims.sites {
		l := s.Location
		key, err := d.folder.secretFile(s.ID+".key", l.Key)
		if err != nil {
			return err
		}
		venue, err := d.folder.secretFile(s.ID+".venue", s.In.identifier())
		if err != nil {
			return err
		}
		add := []string{"location", "add", s.ID, "--name", l.TradeName, "--address", s.Address, "--zone", l.Zone,
			"--language", l.Language, "--hours", s.Hours, "--serial", l.Serial, "--key-file", key}
		connect := []string{"connect", "wisk", "--location", s.ID, "--no-cluster-integration", "--modifiers", s.Modifiers, "--venue-file", venue}
		if d.o.Size.Wisk.NoHistory {
			connect = append(connect, "--no-history")
		}
		if err := d.once(ctx, "location "+s.ID, false, add); err != nil {
			return err
		}
		if err := d.once(ctx, "connect "+s.ID, i == 0, connect); err != nil {
			return err
		}
	}
	return nil
}

// once runs a verb unless an earlier start did, and shows it; all it said, or
// its first line only.
func (d *Demo) once(ctx context.Context, name string, whole bool, args []string) error {
	if slices.Contains(d.saved.Done, name) {
		return nil
	}
	said, err := runVerb(ctx, d.o.Program, d.environ(), args...)
	if err != nil {
		return err
	}
	if !whole {
		said, _, _ = strings.Cut(said, "\n")
	}
	d.view.say("$ %s\n  %s", shown(args), strings.ReplaceAll(strings.TrimSpace(said), "\n", "\n  "))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saved.Done = append(d.saved.Done, name)
	return d.folder.save(d.saved)
}

// runWorker lets business time run at the demo's speed and starts the worker
// on it. Its first act is the schedule of the schedule keeper, without which
// nothing can be connected.
func (d *Demo) runWorker(ctx context.Context) error {
	log, err := d.logFile(workerLog)
	if err != nil {
		return err
	}
	d.calendar.run(d.o.Size.Speed, d.until)
	if d.worker, err = startWorker(d.o.Program, d.environ(), log, d.view.say); err != nil {
		return err
	}
	d.atEnd(func() error { d.worker.stop(); return nil })
	d.keepTime()
	d.view.say("\nThe worker runs as process %d; end it the hard way (kill -9 %[1]d) and see: nothing is lost.\n%s", d.worker.pid(), d.links())
	ctx, cancel := context.WithTimeout(ctx, workerWithin)
	defer cancel()
	for {
		_, err := d.temporal.ScheduleClient().GetHandle(ctx, work.ScheduleKeeperID).Describe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the worker did not begin to work within %v; see %s", workerWithin, d.folder.file(workerLog))
		case <-time.After(askEvery):
		}
	}
}

const (
	// workerWithin bounds the worker's start, on a machine that is busy.
	workerWithin = time.Minute
	// askEvery is how often it is asked for meanwhile.
	askEvery = 100 * time.Millisecond
)

// saveEvery is how often business time is kept for the next start.
const saveEvery = time.Second

// keepTime saves where business time is. What is saved lies a little ahead
// while it runs, so that after a crash time never goes back.
func (d *Demo) keepTime() {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(saveEvery)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				_ = d.saveTime(2 * saveEvery) // the next tick saves it again
			}
		}
	}()
	d.atEnd(func() error {
		close(ended)
		<-done
		return d.saveTime(0)
	})
}

func (d *Demo) saveTime(ahead time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saved.Business = d.calendar.ahead(ahead)
	return d.folder.save(d.saved)
}

// secretFile keeps a credential where the verbs can read it.
func (f *folder) secretFile(name, secret string) (string, error) {
	at := f.file(secretsFolder) + string(os.PathSeparator) + name
	return at, os.WriteFile(at, []byte(secret+"\n"), 0o600)
}
