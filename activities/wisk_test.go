package activities_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	bar   = "wisk:chez-marcel"
	venue = "venue-7f3a"
)

// barRig is a rig whose connection goes to a simulated WISK.
type barRig struct {
	*rig
	wisk *wisksim.Sim
}

// newBar connects a venue by uploads. Settings and switches agree unless a test
// changes one of them.
func newBar(t *testing.T, sameID string, set func(*wisk.Config)) *barRig {
	t.Helper()
	return newBarBeside(t, sameID, set, func(p *wisk.Partner, _ *clock.Hand) partner.Partner { return p })
}

// newBarBeside is newBar with something beside the uploads.
func newBarBeside(t *testing.T, sameID string, set func(*wisk.Config), beside func(*wisk.Partner, *clock.Hand) partner.Partner) *barRig {
	t.Helper()
	clock := afternoon()
	sim := wisksim.New(wisksim.Options{})
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	sim.AddVenue(wisksim.Venue{ID: venue, Name: "Chez Marcel", Zone: "America/Toronto"})
	require.NoError(t, sim.Switch(func(s *wisksim.Switches) {
		s.SameID, s.PerSecond = strings.ReplaceAll(sameID, "-", "_"), 0
	}))
	cfg := wisk.Defaults()
	cfg.BaseURL, cfg.PerSecond, cfg.SameID, cfg.Timeout = serve(t, sim), 0, sameID, 2*time.Second
	if set != nil {
		set(&cfg)
	}
	r := &barRig{rig: newRig(t, options{clock: clock, partners: []partner.Partner{beside(wisk.New(cfg), clock)}}), wisk: sim}
	require.NoError(t, r.vault.Put(r.ctx, bar, vault.NewSecret(venue)))
	_, err := r.store.Connect(r.ctx, ledger.NewConnection{
		Partner: work.Wisk, LocationID: "chez-marcel", Secret: bar, FirstDay: partner.Rules{HistoryMonths: 6}.FirstDay,
		Settings: partner.Settings{ReceiptDate: sale.ByOpened, Integration: "one-venue"},
	}, lea)
	require.NoError(t, err)
	r.id = bar
	t.Cleanup(func() { require.Empty(t, sim.Check()) })
	return r
}

// drinks is a closed order of some drinks; each line is a code, a quantity and
// a price, in this order.
func (r *barRig) drinks(id string, lines ...wire.Line) clustersim.Order {
	o := r.order(id, 0, 0)
	o.Lines, o.Payments = lines, nil
	for i := range lines {
		o.Totals.Gross += lines[i].Net
	}
	o.Totals.Net, o.Totals.Total = o.Totals.Gross, o.Totals.Gross
	return o
}

func drink(code string, quantity wire.Decimal, net int64, modifiers ...wire.Modifier) wire.Line {
	return wire.Line{ID: wire.Text(code), ItemID: wire.Text(code), Name: wire.Text("Drink " + code), Quantity: quantity, UnitPrice: net, Net: net, Modifiers: modifiers}
}

// sold is what WISK adds up today, as "code=quantity:total".
func (r *barRig) sold() string {
	r.t.Helper()
	day := sale.DayOf(r.clock.Now(), montreal()).String()
	sales, err := r.wisk.Sales(venue, day, day)
	require.NoError(r.t, err)
	var all []string
	for _, d := range sales {
		for _, i := range d.Items {
			if i.Quantity == "0" && i.Total == "0.00" {
				continue // taken back
			}
			all = append(all, i.PLU+"="+string(i.Quantity)+":"+string(i.Total))
		}
	}
	return strings.Join(all, " ")
}

// settled syncs until nothing is left to upload.
func (r *barRig) settled() {
	r.t.Helper()
	r.until("everything is uploaded", func() bool { return r.backlog().Wanted == 0 })
}

func TestWiskHasEveryItemWhateverHappensToAnOrder(t *testing.T) {
	r := newBar(t, wisk.SameIDReplaces, nil)
	r.till.Put(serial, r.drinks("1", drink("gin", "2", 2100), drink("soda", "1", 375)))
	counts := r.mustSync()
	require.Equal(t, 1, counts.Sent)
	require.Equal(t, 2, counts.Lines)
	require.Equal(t, "gin=2:21.00 soda=1:3.75", r.sold())

	edited := r.drinks("1", drink("gin", "1", 1050), drink("soda", "1", 375), drink("rum", "0.5", 500))
	r.clock.Forward(time.Minute)
	edited.ModifiedAt = wire.At(r.clock.Now())
	r.till.Put(serial, edited)
	r.mustSync()
	require.Equal(t, "gin=1:10.50 rum=0.5:5.00 soda=1:3.75", r.sold())

	r.clock.Forward(time.Minute)
	edited.Status, edited.ModifiedAt = wire.StatusVoided, wire.At(r.clock.Now())
	r.till.Put(serial, edited)
	r.mustSync()
	require.Empty(t, r.sold())
	require.Zero(t, r.mustSync().Lines, "nothing is uploaded twice")
	sums, err := r.store.LineSums(r.ctx, bar, sale.NewDay(2026, 11, 1), sale.NewDay(2026, 11, 9))
	require.NoError(t, err)
	require.Empty(t, sums, "the ledger knows what WISK adds up")
}

// A timeout after WISK took an upload: in three of its possible manners it is
// sent again without harm; in the fourth it waits for a person.
func TestAnUploadOfUnknownEnd(t *testing.T) {
	for _, sameID := range []string{wisk.SameIDReplaces, wisk.SameIDIgnored, wisk.SameIDRefused, wisk.SameIDCounts} {
		for _, fault := range []string{"commit_timeout", "commit_drop", "commit_garbage", "stray", "drop"} {
			t.Run(sameID+" "+fault, func(t *testing.T) {
				r := newBar(t, sameID, func(c *wisk.Config) { c.Timeout = 200 * time.Millisecond })
				r.till.Put(serial, r.drinks("1", drink("gin", "2", 2100)))
				require.NoError(t, r.wisk.Inject(kit.Fault{Kind: fault, Delay: kit.Duration(300 * time.Millisecond)}))
				_, _ = r.sync() // its failure is the point
				if sameID == wisk.SameIDCounts && fault != "commit_garbage" {
					r.resolve(fault != "drop")
				}
				r.settled()
				require.Equal(t, "gin=2:21.00", r.sold())
			})
		}
	}
}

// resolve looks into WISK, as a person does, and says what it counts; what
// arrives late has arrived by then.
func (r *barRig) resolve(arrives bool) {
	r.t.Helper()
	r.until("an upload waits for a person", func() bool {
		list, err := r.store.UncertainUploads(r.ctx, bar)
		require.NoError(r.t, err)
		return len(list) == 1
	})
	require.Zero(r.t, r.backlog().Wanted, "nothing is sent before a person has said so")
	require.Equal(r.t, 1, r.backlog().Parked)
	if arrives {
		require.Eventually(r.t, func() bool { return r.sold() != "" }, 5*time.Second, settle)
	}
	_, err := call[work.ResolveInput, work.ActResult](r.rig, "ResolveUncertain", work.ResolveInput{
		Connection: bar, Uploads: []int64{}, Applied: r.sold() != "", By: "lea", Reason: "correction", Note: "seen in WISK",
	})
	require.NoError(r.t, err)
}

// WISK refuses one item; the others go on, whether it names the line or not,
// and takes the rest of the upload or not.
func TestARefusedLineIsPutAsideAndTheOthersGoOn(t *testing.T) {
	for name, c := range map[string]struct{ partial, named bool }{
		"atomic, named": {false, true}, "atomic, not named": {false, false}, "partial, named": {true, true}, "partial, not named": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBar(t, wisk.SameIDRefused, func(cfg *wisk.Config) {
				if c.partial {
					cfg.Refusal = wisk.RefusalPartial
				}
			})
			require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) {
				s.PartialRefusal, s.NameLines, s.RefusedPLUs = c.partial, c.named, []string{"absinthe"}
			}))
			r.till.Put(serial, r.drinks("1", drink("gin", "1", 1050)))
			r.till.Put(serial, r.drinks("2", drink("absinthe", "1", 1200), drink("rum", "1", 900)))
			r.till.Put(serial, r.drinks("3", drink("gin", "1", 1050)))
			r.until("the others are there", func() bool { return strings.HasPrefix(r.sold(), "gin=2:21.00") })
			require.Equal(t, 1, r.backlog().Quarantined)

			require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) { s.RefusedPLUs = nil }))
			_, err := r.store.Release(r.ctx, bar, nil, false, lea)
			require.NoError(t, err)
			r.settled()
			require.Equal(t, "absinthe=1:12.00 gin=2:21.00 rum=1:9.00", r.sold())
		})
	}
}

func TestAVenueThatWiskDoesNotKnow(t *testing.T) {
	r := newBar(t, wisk.SameIDReplaces, nil)
	require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) { s.VenuesRefused = []string{wisksim.All} }))
	r.till.Put(serial, r.drinks("1", drink("gin", "1", 1050)))
	_, err := r.sync()
	require.Equal(t, work.PartnerToken, code(t, err))
	require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) { s.VenuesRefused = nil }))
	r.settled()
	require.Equal(t, "gin=1:10.50", r.sold(), "nothing was lost, and no line is minted twice")
}

func TestAModeChangesFromItsFirstDayOn(t *testing.T) {
	r := newBar(t, wisk.SameIDReplaces, nil)
	lime := wire.Modifier{ID: "m1", Name: "Lime", Quantity: "1"}
	r.till.Put(serial, r.drinks("1", drink("gin", "1", 1050, lime)))
	r.mustSync()
	require.Equal(t, "gin=1:10.50", r.sold())
	change := work.ChangeInput{Connection: bar, Change: work.ChangeModifiers, Value: items.Include, By: "lea", Reason: "venue_asked", Note: "as they map"}
	change.From = sale.DayOf(r.clock.Now(), montreal()).Plus(1).String()
	_, err := call[work.ChangeInput, work.ActResult](r.rig, "ChangeConnection", change)
	require.NoError(t, err)
	require.Zero(t, r.mustSync().Lines, "today keeps its mode")
	change.From = sale.DayOf(r.clock.Now(), montreal()).String()
	_, err = call[work.ChangeInput, work.ActResult](r.rig, "ChangeConnection", change)
	require.NoError(t, err)
	r.mustSync()
	require.Equal(t, "gin-m1=1:10.50", r.sold(), "taken back and uploaded anew")
}

func TestNoDayIsServedByTwoRoutes(t *testing.T) {
	r := newBar(t, wisk.SameIDReplaces, nil)
	today := sale.DayOf(r.clock.Now(), montreal())
	change := work.ChangeInput{Connection: bar, Change: work.ChangeRoute, Value: partner.RoutePull, By: "lea", Reason: "partner_asked", Note: "as WISK wants"}
	change.From = today.String()
	_, err := call[work.ChangeInput, work.ActResult](r.rig, "ChangeConnection", change)
	require.Equal(t, work.BadInput, code(t, err), "today is served already")
	change.From = today.Plus(1).String()
	_, err = call[work.ChangeInput, work.ActResult](r.rig, "ChangeConnection", change)
	require.NoError(t, err)
	r.till.Put(serial, r.drinks("1", drink("gin", "1", 1050)))
	require.Equal(t, 1, r.mustSync().Lines, "today still goes by uploads")
	r.clock.Forward(24 * time.Hour)
	r.till.Put(serial, r.drinks("2", drink("gin", "1", 1050)))
	require.Zero(t, r.mustSync().Lines, "from then on WISK reads by itself")

	edited := r.drinks("1", drink("gin", "3", 3150))
	for _, at := range []*wire.Instant{&edited.OpenedAt, &edited.ClosedAt} {
		*at = wire.At(at.Add(-24 * time.Hour))
	}
	edited.ModifiedAt = wire.At(r.clock.Now())
	r.till.Put(serial, edited)
	require.Equal(t, 2, r.mustSync().Lines, "a late edit of a day that was uploaded is still ours")
}

// What spoils an inventory is told before it does: a changed name, a code that
// comes back as another product, a new item, another location's item.
func TestItemsThatChangeAreFindings(t *testing.T) {
	r := newBar(t, wisk.SameIDReplaces, nil)
	named := func(id, code, name string) {
		line := drink(code, "1", 900)
		line.Name = wire.Text(name)
		r.till.Put(serial, r.drinks(id, line))
		r.mustSync()
		r.clock.Forward(time.Minute)
	}
	found := func() (kinds []string) {
		list, err := r.store.Findings(r.ctx, bar, false)
		require.NoError(t, err)
		for _, f := range list {
			kinds = append(kinds, f.Kind+" "+f.Subject)
		}
		return kinds
	}
	named("1", "2001", "Soda")
	require.Empty(t, found(), "everything is new while the history is not in")
	require.NoError(t, r.store.SetHistoryDone(r.ctx, bar, true))
	named("2", "2001", "Soda can")
	require.Equal(t, []string{"item_renamed 2001"}, found())
	named("3", "2002", "Gin")
	require.Equal(t, []string{"item_renamed 2001", "item_new 2002"}, found())
	r.clock.Forward(20 * 24 * time.Hour)
	named("4", "2002", "Cider")
	require.Contains(t, found(), "item_reused 2002")
	n, err := r.store.SeeFindings(r.ctx, bar, nil, lea)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	named("5", "2002", "Cider")
	require.Empty(t, found(), "told once")
}

// One page may hold both names of an item, none of which was seen before.
func TestAnItemThatIsRenamedWithinAPageIsAFinding(t *testing.T) {
	r := newBar(t, wisk.SameIDReplaces, nil)
	for id, name := range map[string]string{"1": "Soda", "2": "Can of soda"} {
		line := drink("2001", "1", 900)
		line.Name = wire.Text(name)
		o := r.drinks(id, line)
		o.OpenedAt = wire.At(r.clock.Now().Add(-time.Hour).Add(map[string]time.Duration{"1": 0, "2": time.Minute}[id]))
		r.till.Put(serial, o)
	}
	r.mustSync()
	list, err := r.store.Findings(r.ctx, bar, false)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, ledger.ItemRenamed, list[0].Kind)
}

// WISK reads the till as well: noticed in the night, and gone when it ends.
func TestADoubledRouteIsNoticed(t *testing.T) {
	r := newBar(t, wisk.SameIDReplaces, nil)
	office := &keysOf{}
	r.Office = office
	r.mustSync()
	doubled := func() bool {
		list, err := r.store.Findings(r.ctx, bar, false)
		require.NoError(t, err)
		return len(list) == 1 && list[0].Kind == ledger.RouteDoubled
	}
	require.False(t, doubled())
	office.used = r.clock.Now().Add(20 * time.Hour)
	r.clock.Forward(24 * time.Hour)
	r.mustSync()
	require.True(t, doubled())
	r.clock.Forward(48 * time.Hour)
	r.mustSync()
	require.False(t, doubled(), "WISK has read no more")
}

// keysOf is a back office with one key of WISK's, last used at an instant.
type keysOf struct{ used time.Time }

func (k *keysOf) KeysInUse(_ context.Context, _, of string, since time.Time) ([]cluster.KeyRecord, error) {
	if of != work.Wisk || k.used.Before(since) {
		return nil, nil
	}
	return []cluster.KeyRecord{{ID: "k1"}}, nil
}
