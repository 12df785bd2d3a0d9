package program

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type connectWiskVerb struct {
	Location             string `help:"The location's id." required:"" placeholder:"ID"`
	Route                string `help:"How sales reach WISK: ${enum}." enum:"upload,pull,report" default:"upload"`
	VenueFile            string `help:"File with the venue's identifier at WISK, for uploads; without it the identifier is read from standard input." type:"path" placeholder:"FILE"`
	Modifiers            string `help:"Modifiers as WISK's options have them: ${enum}." enum:"off,include,separate" default:"off"`
	NoClusterIntegration bool   `help:"States that no integration of type Cluster is active in that venue of WISK; needed for uploads, since its sales would count twice."`
	NoHistory            bool   `help:"Do not start bringing in the months before."`
	act
}

func (connectWiskVerb) needs() []string {
	return []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"}
}

// uploadsTravel is said at every connecting by uploads.
const uploadsTravel = `What travels: each item with its quantity and net sales, before tax and tips; no gift cards, no service charges.
Each item's code has to be mapped once in WISK; see how many with: clusterbridge items preview`

// Run connects a location, or connects it again with another identifier.
func (v *connectWiskVerb) Run(ctx context.Context, d *desk) error {
	actor, err := d.actor(v.act)
	if err != nil {
		return err
	}
	store, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	loc, err := store.Location(ctx, v.Location)
	if err != nil {
		return about(err, v.Location)
	}
	connection := work.ConnectionID(work.Wisk, loc.ID)
	before, again := store.Connection(ctx, connection)
	route := v.Route
	if again == nil {
		route = before.Settings.Routes.At(sale.DayOf(d.clock().Now(), zoneOf(loc)), partner.RouteUpload)
	}
	if err := v.mayTake(d, connection, route); err != nil {
		return err
	}
	made := ledger.NewConnection{Partner: work.Wisk, LocationID: loc.ID, FirstDay: wisk.New(d.settings.wisk()).Rules().FirstDay}
	if made.Settings, made.Secret, err = v.settings(ctx, d, connection, loc); err != nil {
		return err
	}
	if _, err := store.Connect(ctx, made, actor); err != nil {
		d.unseal(ctx, made.Secret)
		return about(err, connection)
	}
	if again == nil && before.Secret != "" {
		d.unseal(ctx, before.Secret)
	}
	if route != v.Route {
		d.say("The venue's identifier is kept; the route is %s still. Next: clusterbridge connection set route %s %s --from DAY", route, connection, v.Route)
		return nil
	}
	return v.tell(ctx, d, connection, actor)
}

// mayTake refuses a route that cannot be taken, or not in this way: it is route
// today. Connecting again may bring the identifier that uploads will need.
func (v *connectWiskVerb) mayTake(d *desk, connection, route string) error {
	switch {
	case route != v.Route && v.Route != partner.RouteUpload:
		return usage(fmt.Sprintf("%s is connected by %s.", connection, route),
			fmt.Sprintf("clusterbridge connection set route %s %s --from DAY", connection, v.Route))
	case v.Route == partner.RouteReport && d.settings.MailHost == "":
		return usage("Reports are mailed, and no mail server is set.", "clusterbridge settings, and CLUSTERBRIDGE_MAIL_HOST in it; the same for the workers")
	case v.Route == partner.RouteUpload && !v.NoClusterIntegration:
		return usage("Uploads need the statement that no integration of type Cluster is active in that venue of WISK: its sales would count twice.",
			"look into WISK (Venue Settings, POS Integrations), then the same command with --no-cluster-integration")
	}
	return nil
}

// settings are the connection's choices, and where the venue's identifier is
// kept, once WISK knows it.
func (v *connectWiskVerb) settings(ctx context.Context, d *desk, connection string, loc ledger.Location) (partner.Settings, string, error) {
	zone, err := loadZone(loc.Zone)
	if err != nil {
		return partner.Settings{}, "", err
	}
	today := sale.DayOf(d.clock().Now(), zone)
	first := wisk.New(d.settings.wisk()).Rules().FirstDay(today)
	settings := partner.Settings{
		ReceiptDate: sale.ByOpened,
		Routes:      partner.FirstRoutes(v.Route, first, today), Modifiers: partner.Choices{}.With(first, v.Modifiers),
	}
	if v.Route != partner.RouteUpload {
		return settings, "", nil
	}
	venue, err := d.secret(v.VenueFile, "The venue's identifier at WISK", "--venue-file")
	if err != nil {
		return settings, "", err
	}
	if settings.Integration, err = d.tryVenue(ctx, venue, loc.ID); err != nil {
		return settings, "", err
	}
	if err := d.noOtherReader(ctx, loc); err != nil {
		return settings, "", err
	}
	secret, err := d.seal(ctx, connection, venue)
	return settings, secret, about(err, connection)
}

// readerWithin is how far back WISK's reading of a till speaks against uploads:
// it reads every 6 hours (reference: WISK 4).
const readerWithin = 24 * time.Hour

// noOtherReader refuses uploads for a till that WISK has just read by itself,
// where Cluster's back office can tell.
func (d *desk) noOtherReader(ctx context.Context, loc ledger.Location) error {
	office := d.settings.office(nil)
	if office == nil {
		return nil
	}
	defer office.Close()
	keys, err := office.KeysInUse(ctx, loc.Serial, work.Wisk, d.clock().Now().Add(-readerWithin))
	if err != nil {
		return about(err, loc.ID)
	}
	if len(keys) > 0 {
		return failed(nil, "have the Cluster integration removed in WISK, wait a day, then the same command; or --route pull",
			"WISK read this till with an API key within the last %s: uploads would count its sales twice.", span(readerWithin))
	}
	return nil
}

// integrationSigns are enough of a keyed hash to tell venues apart.
const integrationSigns = 16

// tryVenue asks WISK whether it knows a venue's identifier, which costs no
// line, and tells the name by which connections of one venue find each other.
func (d *desk) tryVenue(ctx context.Context, venue, location string) (string, error) {
	sealed, err := d.vault(ctx)
	if err != nil {
		return "", err
	}
	hash, err := sealed.CredentialHash(ctx, vault.NewSecret(venue))
	if err != nil {
		return "", about(err, location)
	}
	s := d.settings
	gate := limit.New(d.store.DB(), d.quiet()).Gate(hash, s.WiskPerSecond, s.WiskPenaltyRest)
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if err := wisk.New(s.wisk()).Probe(ctx, venue, gate.Transport(http.DefaultTransport)); err != nil {
		return "", about(err, location)
	}
	return hash[:integrationSigns], nil
}

// tell says what was made and what follows.
func (v *connectWiskVerb) tell(ctx context.Context, d *desk, connection string, actor ledger.Actor) error {
	switch v.Route {
	case partner.RouteReport:
		d.say("Connected: %s by reports to %s, modifiers %s. Each business day is mailed once it is over, at the first run after 5 in the morning, and again as a whole when it changes.",
			connection, d.settings.ReportAddress, v.Modifiers)
		return d.setOff(ctx, connection, actor, "")
	case partner.RoutePull:
		d.say("Connected: %s. WISK reads Cluster by itself with serial number and API key; nothing is sent, sales are watched.", connection)
		return d.setOff(ctx, connection, actor, "")
	}
	statement := ledger.Entry{
		Connection: connection, Who: actor.Handle, Act: ledger.ActStatement, Reason: actor.Reason, Note: actor.Note,
		New: "no Cluster integration is active in this venue of WISK",
	}
	if err := d.store.Journal(ctx, statement); err != nil {
		return about(err, connection)
	}
	d.say("Connected: %s by uploads, modifiers %s.\n%s", connection, v.Modifiers, uploadsTravel)
	history := ""
	if !v.NoHistory && d.settings.WiskHistoryMonths > 0 {
		history = plural(d.settings.WiskHistoryMonths, "month") + " before"
	}
	return d.setOff(ctx, connection, actor, history)
}

type modifiersVerb struct {
	Connection string `arg:"" help:"Connection, such as wisk:chez-marcel."`
	Mode       string `arg:"" help:"${enum}." enum:"off,include,separate"`
	From       string `help:"First business day; earlier ones keep their mode." required:"" placeholder:"DAY"`
	Yes        bool   `help:"Do it although days that WISK has are uploaded anew."`
	act
}

func (modifiersVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run changes the mode after it has said what is uploaded anew.
func (v *modifiersVerb) Run(ctx context.Context, d *desk) error {
	c, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	from, _, err := dayRange(v.From, "")
	if err != nil {
		return err
	}
	if today := sale.DayOf(d.clock().Now(), zoneOf(c.Location)); !today.Before(from) && !v.Yes {
		return usage(fmt.Sprintf("The days from %s to %s are at WISK already: their items would be taken back and uploaded anew under other codes, which have to be mapped.", from, today),
			fmt.Sprintf("clusterbridge connection set modifiers %s %s --from %s --yes", c.ID, v.Mode, from))
	}
	return d.change(ctx, work.ChangeInput{Connection: c.ID, Change: work.ChangeModifiers, Value: v.Mode, From: from.String()},
		"modifiers "+v.Mode+" from "+from.String(), v.act)
}

type routeVerb struct {
	Connection           string `arg:"" help:"Connection, such as wisk:chez-marcel."`
	Route                string `arg:"" help:"${enum}." enum:"upload,pull,report"`
	From                 string `help:"First business day; it has to be later than today." required:"" placeholder:"DAY"`
	NoClusterIntegration bool   `help:"States that no integration of type Cluster is active in that venue of WISK from that day on; needed for upload."`
	act
}

func (routeVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run changes the route.
func (v *routeVerb) Run(ctx context.Context, d *desk) error {
	if v.Route == partner.RoutePull {
		d.say("Note: when a Cluster integration is added in WISK, it imports the last %s by itself. Have WISK leave out the days before %s: they were uploaded.",
			plural(d.settings.WiskHistoryMonths, "month"), v.From)
	}
	return d.change(ctx, work.ChangeInput{
		Connection: v.Connection, Change: work.ChangeRoute, Value: v.Route, From: v.From, NoClusterIntegration: v.NoClusterIntegration,
	}, "route "+v.Route+" from "+v.From, v.act)
}
