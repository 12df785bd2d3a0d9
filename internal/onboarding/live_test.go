package onboarding_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestAVenueGoesLive(t *testing.T) {
	r := newRig(t)
	today := sale.NewDay(2026, 11, 24)
	for _, w := range ways {
		j := r.start(w)
		r.upTo("live", j)
		id := w.partner + ":" + strings.ReplaceAll(strings.ToLower(j.name), " ", "-")
		live := r.does(liveStep, j)
		require.Equal(t, work.LiveResult{Connection: id, State: work.Initializing, History: true}, live)
		first, err := r.FirstRun(r.ctx, j.id)
		require.NoError(t, err)
		require.Equal(t, live, first)
		c := r.connection(j)
		require.Equal(t, "key:"+r.key(j.venue, ledger.OurHolder).Base, c.Location.Secret)
		require.Equal(t, j.address(), c.Location.Address)
		switch w {
		case token:
			require.Equal(t, []int64{j.company, j.place}, []int64{c.CompanyID, c.PartnerLocationID})
			require.Equal(t, "token:"+j.id, c.Secret)
			require.Equal(t, partner.Settings{ReceiptDate: sale.ByOpened}, c.Settings)
		default:
			from := today.PlusMonths(-6)
			routes := partner.Choices{{From: from, Value: w.route}}
			if w == report { // of the months before nothing is mailed
				routes = partner.Choices{{From: from, Value: "pull"}, {From: today, Value: "report"}}
			}
			require.Equal(t, routes, c.Settings.Routes)
			require.Equal(t, partner.Choices{{From: from, Value: "off"}}, c.Settings.Modifiers)
			require.Equal(t, from, c.HistoryFrom)
			require.Equal(t, w == upload, c.Secret == "identifier:"+j.id)
			require.Equal(t, w == upload, len(c.Settings.Integration) == 16)
		}
		require.NoError(t, r.reads(c.Location.Secret, j.venue))
		r.does(mailStep(mail.KindLive), j)
		all := r.mails(j.email)
		claims, err := r.Links.Verify(link.Status, r.link(all[len(all)-1], "status"), r.clock.Now())
		require.NoError(t, err)
		require.Equal(t, link.Claims{Purpose: link.Status, Subject: id, Reader: link.Venue, Expires: r.read(j.id).Data.LiveAt.Add(days(365)).Truncate(time.Second)}, claims)

		_, err = r.Ledger.RecordFailure(r.ctx, id, work.ClusterOffline, "The till is offline.", work.Transient, 0)
		require.NoError(t, err)
		first, err = r.FirstRun(r.ctx, j.id)
		require.NoError(t, err)
		require.Equal(t, work.LiveResult{Connection: id, State: work.Failing, History: true, Problem: "The till is offline.", Code: work.ClusterOffline}, first)
		_, err = r.Ledger.RecordSuccess(r.ctx, id, work.Counts{})
		require.NoError(t, err)
		require.NoError(t, r.Ledger.SetHistoryDone(r.ctx, id, true))
		first, err = r.FirstRun(r.ctx, j.id)
		require.NoError(t, err)
		require.Equal(t, work.LiveResult{Connection: id, State: work.Healthy}, first)
		require.Equal(t, first, r.does(liveStep, j), "what is live stays so")
	}
}

// What is not well yet is told, and nothing has been made.
func TestThePreflight(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("live", j)
	live := func() error { _, err := r.GoLive(r.ctx, j.id); return err }

	r.till.SetOffline(j.serial, true)
	r.refused(work.ClusterOffline, live())
	r.till.SetOffline(j.serial, false)
	r.till.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Serial: j.serial, Status: 500})
	r.refused(work.ClusterUnreachable, live())
	r.till.SetActivated(j.serial, false)
	require.NoError(t, r.till.SwitchOffice(func(s *clustersim.OfficeSwitches) { s.NeverActivate = true }))
	r.refused(work.ClusterNotActivated, live())
	require.NoError(t, r.till.SwitchOffice(func(s *clustersim.OfficeSwitches) { s.NeverActivate = false }))
	ours := r.key(j.venue, ledger.OurHolder)
	require.NoError(t, r.Office.RevokeKey(r.ctx, j.serial, ours.KeyID, "somebody"))
	r.refused(work.ClusterKeyRefused, live())
	r.handKey(j, ledger.OurHolder, "1")

	_, err := r.Ledger.ChangeCase(r.ctx, j.id, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Venue.Zone = "America/Vancouver"
		return ledger.Entry{}, nil
	})
	require.NoError(t, err)
	r.refused(work.ZonesDiffer, live())
	require.Contains(t, live().Error(), "UTC-05:00, but America/Vancouver is at UTC-08:00")
	all, err := r.Ledger.Locations(r.ctx)
	require.NoError(t, err)
	require.Empty(t, all)
	_, err = r.Ledger.ChangeCase(r.ctx, j.id, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Venue.Zone = "nowhere" // Cluster states none that can be used: ours is
		return ledger.Entry{}, nil
	})
	require.NoError(t, err)
	require.NoError(t, live())
	require.Equal(t, zone, r.connection(j).Location.Zone)

	for _, w := range []way{pull, token} {
		early := r.start(w)
		r.upTo("till", early)
		r.does(tillStep, early)
		_, err := r.GoLive(r.ctx, early.id)
		r.refused(work.Internal, err)
	}
	r.ends(j, work.WentLive)
	r.refused(work.BadInput, live())
}

func TestOffsetsAreWritten(t *testing.T) {
	montreal, err := time.LoadLocation(zone)
	require.NoError(t, err)
	in := func(offset time.Duration) time.Time { return noon.In(time.FixedZone("", int(offset.Seconds()))) }
	require.Empty(t, onboarding.OffsetDiffers(time.Time{}, montreal))
	require.Empty(t, onboarding.OffsetDiffers(in(-5*time.Hour), montreal))
	require.Contains(t, onboarding.OffsetDiffers(in(-4*time.Hour), montreal), "UTC-04:00")
	require.Contains(t, onboarding.OffsetDiffers(in(5*time.Hour+30*time.Minute), montreal), "UTC+05:30")
	require.Contains(t, onboarding.OffsetDiffers(in(-210*time.Minute), montreal), "UTC-03:30")
}

func TestALocationsIDIsItsName(t *testing.T) {
	for name, want := range map[string]string{
		"Chez Marcel": "chez-marcel", "L'Express": "lexpress", "L’Été à Québec": "lete-a-quebec", "  Café--Ça va!  ": "cafe-ca-va", "Au Cœur d'Ægir": "au-coeur-daegir",
		"": "venue", "***": "venue", "寿司": "venue", "3 Brasseurs (Crescent)": "3-brasseurs-crescent",
		"Le très très long nom d'un restaurant de la rue Saint-Denis": "le-tres-tres-long-nom-dun-restaurant",
	} {
		require.Equal(t, want, onboarding.Slug(name), name)
	}
	rapid.Check(t, func(t *rapid.T) {
		id := onboarding.Slug(rapid.String().Draw(t, "name"))
		require.NoError(t, work.CheckLocationID(id))
		require.LessOrEqual(t, len(id), 37)
		require.Regexp(t, `^[a-z0-9]+(-[a-z0-9]+)*$`, id)
	})
}

func TestAnIDThatIsTakenGetsANumber(t *testing.T) {
	r := newRig(t)
	for _, l := range []ledger.Location{
		{ID: "chez-marcel-1", Serial: "X1"}, {ID: "chez-marcel-1-2", Serial: "X2"}, {ID: strings.Repeat("a", 40), Serial: "X3"},
	} {
		l.TradeName, l.Zone = "Other", zone
		require.NoError(t, r.Ledger.AddLocation(r.ctx, l, lea))
	}
	j := r.start(report)
	r.whole(j)
	require.Equal(t, "wisk:chez-marcel-1-3", r.connection(j).ID)

	v := r.venue()
	in := v.input()
	in.Location = strings.Repeat("a", 40)
	wanted := joining{venue: v, way: report, id: r.asks(report, "wanted", in)[0]}
	r.whole(wanted)
	require.Equal(t, "wisk:"+strings.Repeat("a", 37)+"-2", r.connection(wanted).ID)
}

// Venues of one name, and two onboardings of one till, that go live at once.
func TestManyGoLiveAtOnce(t *testing.T) {
	r := newRig(t)
	var all []joining
	for range 4 {
		v := r.venue()
		v.name = "Chez Marcel"
		r.till.AddLocation(clustersim.Location{
			Serial: v.serial, TradeName: v.name, Address: v.address(), Zone: zone, Contact: &clustersim.Contact{Name: "O", Email: text(v.email)},
		})
		for _, w := range []way{report, token} {
			j := r.again(v, w)
			r.upTo("live", j)
			all = append(all, j)
		}
	}
	var racing sync.WaitGroup
	failed := make(chan error, len(all))
	for _, j := range all {
		racing.Go(func() {
			if _, err := r.GoLive(r.ctx, j.id); err != nil {
				failed <- err
			}
		})
	}
	racing.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	ids := map[string]int{}
	for _, j := range all {
		ids[r.connection(j).LocationID]++
		require.Equal(t, onlyOurs, r.active(j.venue))
	}
	require.Equal(t, map[string]int{"chez-marcel": 2, "chez-marcel-2": 2, "chez-marcel-3": 2, "chez-marcel-4": 2}, ids)
}

// A venue that left comes back, with what it chooses this time; the days that
// were served keep their route.
func TestAVenueComesBack(t *testing.T) {
	r := newRig(t)
	j := r.start(upload)
	r.whole(j)
	id := r.connection(j).ID
	leave := work.OffboardStep{Connection: id, By: "lea", Reason: "venue_asked", Note: "as agreed"}
	r.clock.Forward(days(10))
	_, err := r.BeginOffboarding(r.ctx, leave)
	require.NoError(t, err)
	_, err = r.Forget(r.ctx, leave)
	require.NoError(t, err)
	require.NoError(t, r.Ledger.SetHistoryDone(r.ctx, id, true))

	r.clock.Forward(days(60))
	again := r.again(j.venue, pull)
	r.upTo("live", again)
	require.Equal(t, work.LiveResult{Connection: id, State: work.Initializing}, r.does(liveStep, again))
	c := r.connection(again)
	first, left := sale.NewDay(2026, 5, 24), sale.NewDay(2026, 12, 5)
	require.Equal(t, partner.Choices{{From: first, Value: "upload"}, {From: left, Value: "pull"}}, c.Settings.Routes)
	require.Empty(t, c.Secret)
	require.NotEmpty(t, c.Settings.Integration, "what was uploaded is there")
	r.does(mailStep(mail.KindLive), again)
	all := r.mails(j.email)
	require.Contains(t, unglued(all[len(all)-1].Text), "2 février 2027", "since now, not since the first time")
	r.ends(again, work.WentLive)

	// Uploads to another venue of WISK would correct what is not there.
	r.Ledger.DB().MustExec(`
		INSERT INTO documents (connection, id, sale_id, day, date, lane, body, hash, wanted_at, attempt) VALUES ($1, 'd', 's', '2026-11-24', now(), 0, '{}', 'h', now(), 1)`, id)
	_, err = r.BeginOffboarding(r.ctx, leave)
	require.NoError(t, err)
	_, err = r.Ledger.ChangeSettings(r.ctx, id, "test", func(s *partner.Settings) (string, string, error) {
		s.Integration = "another"
		return "a", "b", nil
	}, lea)
	require.NoError(t, err)
	third := r.again(j.venue, upload)
	r.upTo("live", third)
	_, err = r.GoLive(r.ctx, third.id)
	r.refused(work.BadInput, err)
	r.undo(third)
	require.Equal(t, work.Disconnected, r.connection(third).State)
}

// A 7shifts venue that comes back, with the other receipt date.
func TestASevenshiftsVenueComesBack(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.whole(j)
	id := r.connection(j).ID
	_, err := r.Ledger.SetState(r.ctx, id, work.Disconnected, lea)
	require.NoError(t, err)
	again := r.again(j.venue, token)
	r.upTo("place", again)
	require.Empty(t, r.chooses(again, j.place))
	r.does(liveStep, again)
	c := r.connection(again)
	require.Equal(t, sale.ByClosed, c.Settings.ReceiptDate)
	require.Equal(t, "token:"+again.id, c.Secret)
	history, err := r.Ledger.History(r.ctx, id, time.Time{}, time.Time{})
	require.NoError(t, err)
	r.canaries.said(history)
	require.Contains(t, strings.Join(r.story(again.id), "\n"), "token kept")
}

// An operator connected the venue by hand meanwhile: nothing is put in its place,
// and nothing of it is undone.
func TestWhatAPersonConnectedStays(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.upTo("live", j)
	require.NoError(t, r.Vault.Put(r.ctx, "7shifts:by-hand", r.secret("a token", "hand-token-canary")))
	require.NoError(t, r.Vault.Put(r.ctx, "cluster:by-hand", r.secret("a key", "hand-key-canary")))
	r.till.AddLocation(clustersim.Location{Serial: j.serial, Key: "hand-key-canary", TradeName: j.name, Address: j.address(), Zone: zone})
	require.NoError(t, r.Ledger.AddLocation(r.ctx, ledger.Location{ID: "by-hand", TradeName: j.name, Zone: zone, Serial: j.serial, Secret: "cluster:by-hand"}, lea))
	_, err := r.Ledger.Connect(r.ctx, ledger.NewConnection{Partner: work.SevenShifts, LocationID: "by-hand", CompanyID: j.company, PartnerLocationID: j.place, Secret: "7shifts:by-hand"}, lea)
	require.NoError(t, err)
	_, err = r.GoLive(r.ctx, j.id)
	r.refused(work.TillForeign, err)
	r.undo(j)
	c, err := r.Ledger.Connection(r.ctx, "7shifts:by-hand")
	require.NoError(t, err)
	require.Equal(t, work.Initializing, c.State)
	require.Equal(t, "cluster:by-hand", c.Location.Secret)
	require.Equal(t, []string{"7shifts:by-hand", "cluster:by-hand", "key:" + r.key(j.venue, ledger.OurHolder).Base}, r.secrets())
}

// The token, the identifier and the place are looked at once more.
func TestThePartnerIsAskedOnceMore(t *testing.T) {
	r := newRig(t)
	seven, bar := r.start(token), r.start(upload)
	r.upTo("live", seven)
	r.upTo("live", bar)
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.TokenRefused = true }))
	_, err := r.GoLive(r.ctx, seven.id)
	r.refused(work.PartnerToken, err)
	require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) { s.VenuesRefused = []string{"*"} }))
	_, err = r.GoLive(r.ctx, bar.id)
	r.refused(work.PartnerToken, err)
	all, err := r.Ledger.Connections(r.ctx)
	require.NoError(t, err)
	require.Empty(t, all)
}
