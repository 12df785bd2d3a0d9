package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/devserver"
	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const namespace = "default"

// rig is what all benchmarks run on: PostgreSQL with its usual safety, the
// embedded Temporal server in this process, the simulators in theirs.
type rig struct {
	o        options
	folder   string
	log      *os.File
	calendar clock.Calendar
	database *postgres.Server
	temporal client.Client
	store    *ledger.Store
	vault    *vault.Vault
	sims     *sims
	settings []string
	ends     []func() error
}

func startRig(ctx context.Context, o options) (*rig, error) {
	folder, err := os.MkdirTemp("", "clusterbridge-bench-")
	if err != nil {
		return nil, err
	}
	// Business time runs at real speed from the evening of a business day on,
	// so that the measurement crosses no day's end.
	r := &rig{o: o, folder: folder, calendar: clock.Fixed(evening())}
	r.atEnd(func() error { return os.RemoveAll(folder) })
	for _, step := range []func(context.Context) error{r.openLog, r.startPostgres, r.startTemporal, r.startSims, r.openLedger} {
		if err := step(ctx); err != nil {
			r.stop()
			return nil, err
		}
	}
	return r, nil
}

func (r *rig) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func (r *rig) atEnd(f func() error) { r.ends = append(r.ends, f) }

func (r *rig) stop() {
	for _, end := range slices.Backward(r.ends) {
		if err := end(); err != nil {
			r.say("while ending: %v", err)
		}
	}
	r.ends = nil
}

func (r *rig) openLog(context.Context) (err error) {
	r.log, err = os.Create(filepath.Join(r.folder, "processes.log"))
	if err == nil {
		r.atEnd(r.log.Close)
	}
	return err
}

func (r *rig) startPostgres(ctx context.Context) (err error) {
	dir := filepath.Join(r.folder, "postgres")
	if r.database, err = postgres.Start(ctx, postgres.Options{DatabaseURL: r.o.database, Dir: dir}); err != nil {
		return err
	}
	r.atEnd(func() error {
		if err := r.database.Stop(); err != nil {
			return err
		}
		return postgres.Remove(dir)
	})
	return nil
}

func (r *rig) startTemporal(ctx context.Context) error {
	server, err := devserver.Start(ctx, devserver.Options{
		File: filepath.Join(r.folder, "temporal.sqlite"), Namespace: namespace, SearchAttributes: work.SearchAttributes, Log: r.log,
	})
	if err != nil {
		return err
	}
	r.atEnd(server.Stop)
	r.temporal, err = client.DialContext(ctx, client.Options{HostPort: server.Address(), Namespace: namespace, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	r.atEnd(func() error { r.temporal.Close(); return nil })
	r.settings = append(r.settings, "TEMPORAL_ADDRESS="+server.Address(), "TEMPORAL_NAMESPACE="+namespace)
	return nil
}

func (r *rig) startSims(context.Context) (err error) {
	if r.sims, err = startSimulators(r.calendar, os.Environ(), r.log); err != nil {
		return err
	}
	r.atEnd(r.sims.stop)
	r.settings = append(r.settings, "CLUSTERBRIDGE_CLUSTER_URL="+r.sims.cluster, "CLUSTERBRIDGE_SEVENSHIFTS_URL="+r.sims.shifts,
		"CLUSTERBRIDGE_WISK_URL="+r.sims.wisk)
	return nil
}

// openLedger makes the schema with the program's own verb and opens it.
func (r *rig) openLedger(ctx context.Context) error {
	keyset, err := vault.NewKeyset()
	if err != nil {
		return err
	}
	const never = "24h" // longer than a measurement: no schedule fires by itself
	r.settings = append(r.settings,
		"DATABASE_URL="+r.database.URL(), "CLUSTERBRIDGE_KEYSET="+keyset, "CLUSTERBRIDGE_CLOCK="+r.calendar.String(),
		"CLUSTERBRIDGE_BY=bench", "CLUSTERBRIDGE_LOG_LEVEL=warn", "CLUSTERBRIDGE_LOG_FORMAT=text",
		"CLUSTERBRIDGE_KEEPER_EVERY="+never, "CLUSTERBRIDGE_SYNC_EVERY="+never,
		// What is measured was never read before, so nothing is to be read again.
		"CLUSTERBRIDGE_REREAD_DAYS=0",
		"CLUSTERBRIDGE_CLUSTER_PAGE_SIZE="+strconv.Itoa(pageSize), "CLUSTERBRIDGE_SEVENSHIFTS_IN_FLIGHT="+strconv.Itoa(inFlight),
		// History travels whenever it is measured, as fast as it goes.
		"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_FROM=0", "CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_UNTIL=0",
		"CLUSTERBRIDGE_HISTORY_DAYS_AT_ONCE="+strconv.Itoa(daysAtOnce), "CLUSTERBRIDGE_WISK_PER_SECOND=0",
		"CLUSTERBRIDGE_WISK_IN_FLIGHT="+strconv.Itoa(inFlight), "CLUSTERBRIDGE_WISK_LINES_AT_ONCE="+strconv.Itoa(linesAtOnce))
	cmd, stdin, err := command(ctx, r.environ(), r.log, roleProgram, "migrate")
	if err != nil {
		return err
	}
	defer stdin.Close()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("clusterbridge migrate: %w", err)
	}
	if r.store, err = ledger.Open(ctx, r.database.URL(), r.calendar, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	r.atEnd(r.store.Close)
	r.vault, err = vault.Open(keyset, r.store.DB())
	return err
}

// environ is that of clusterbridge's processes; the last of a name holds.
func (r *rig) environ(more ...string) []string {
	kept := slices.DeleteFunc(os.Environ(), func(line string) bool {
		return strings.HasPrefix(line, "CLUSTERBRIDGE_") || strings.HasPrefix(line, "DATABASE_URL=") || strings.HasPrefix(line, "TEMPORAL_")
	})
	return slices.Concat(kept, r.settings, more)
}

// perSecond sets the limit of clusterbridge; 0 lifts it.
func perSecond(n int) string { return "CLUSTERBRIDGE_SEVENSHIFTS_PER_SECOND=" + strconv.Itoa(n) }

// worker starts a worker process with a limit and more settings.
func (r *rig) worker(limit int, more ...string) (*child, error) {
	return serve(r.environ(append(more, perSecond(limit))...), r.log, roleProgram, "worker")
}

// play sets a scene and connects its venues, so that today's orders are live and
// those of the days before are history.
func (r *rig) play(ctx context.Context, s scene) error {
	if err := r.sims.tell(ctx, "/scene", s, nil); err != nil {
		return err
	}
	by := ledger.Actor{Handle: "bench"}
	for _, v := range s.venues() {
		key, token := "key:"+v.id(), "token:"+v.id()
		if err := r.vault.Put(ctx, key, vault.NewSecret(v.key())); err != nil {
			return err
		}
		if err := r.vault.Put(ctx, token, vault.NewSecret(v.token())); err != nil {
			return err
		}
		if err := r.store.AddLocation(ctx, ledger.Location{ID: v.id(), TradeName: v.id(), Zone: zone, Serial: v.serial(), Secret: key}, by); err != nil {
			return err
		}
		if _, err := r.store.Connect(ctx, ledger.NewConnection{
			Partner: v.partner, LocationID: v.id(), CompanyID: v.company, PartnerLocationID: v.location(),
			Secret: token, Settings: partner.Settings{ReceiptDate: sale.ByOpened},
			FirstDay: func(sale.Day) sale.Day { return s.firstDay() },
		}, by); err != nil {
			return err
		}
	}
	return nil
}

// leave disconnects a scene's venues again.
func (r *rig) leave(ctx context.Context, s scene) error {
	for _, v := range s.venues() {
		if _, err := r.store.SetState(ctx, v.connection(), work.Disconnected, ledger.Actor{Handle: "bench"}); err != nil {
			return err
		}
	}
	return nil
}

// seconds is a duration as the results show it.
func seconds(d time.Duration) float64 { return d.Seconds() }
