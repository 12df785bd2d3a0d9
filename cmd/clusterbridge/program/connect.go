package program

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type connectVerb struct {
	SevenShifts connectSevenShiftsVerb `cmd:"" name:"7shifts" help:"Connect a location to 7shifts."`
	Wisk        connectWiskVerb        `cmd:"" name:"wisk" help:"Connect a location to WISK."`
}

type connectSevenShiftsVerb struct {
	Location        string `help:"The location's id." required:"" placeholder:"ID"`
	TokenFile       string `help:"File with the 7shifts access token (Settings, Developer Tools); without it the token is read from standard input." type:"path" placeholder:"FILE"`
	Company         int64  `help:"7shifts' company id, when the token sees several." placeholder:"ID"`
	PartnerLocation int64  `help:"7shifts' location id, when the company has several." placeholder:"ID"`
	ReceiptDate     string `help:"Date receipts by when the order was ${enum}, as Cluster is set." enum:"opened,closed" default:"opened"`
	NoHistory       bool   `help:"Do not start bringing in the days before."`
	act
}

func (connectSevenShiftsVerb) needs() []string {
	return []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"}
}

// notSupported is said at every connecting, in the partner's help page's words.
const notSupported = `What travels: order totals (net sales, discounts), card tips and automatic gratuities.
What does not: line items, time punches, schedule enforcement and employee sync are not supported.
Both sides must keep the same time zone and the workday from 5:00 AM to 5:00 AM.
Sales projections appear in 7shifts 1 to 2 weeks from now, for up to 4 weeks ahead.`

// Run connects a location, or connects it again with another token.
func (v *connectSevenShiftsVerb) Run(ctx context.Context, d *desk) error {
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
	token, err := d.secret(v.TokenFile, "The 7shifts access token", "--token-file")
	if err != nil {
		return err
	}
	found, err := v.find(ctx, d, token)
	if err != nil {
		return err
	}
	if err := d.compareZones(ctx, loc, found); err != nil {
		return err
	}
	connection := work.ConnectionID(work.SevenShifts, loc.ID)
	before, again, err := d.alreadyConnected(ctx, connection, found)
	if err != nil {
		return err
	}
	if !again {
		if err := d.warnOfExports(ctx, loc); err != nil {
			return err
		}
	}
	secret, err := d.seal(ctx, connection, token)
	if err != nil {
		return about(err, connection)
	}
	_, err = store.Connect(ctx, ledger.NewConnection{
		Partner: work.SevenShifts, LocationID: loc.ID, CompanyID: found.CompanyID, PartnerLocationID: found.ID,
		Secret: secret, FirstDay: partner.Rules{HistoryDays: d.settings.SevenShiftsHistoryDays}.FirstDay,
		Settings: partner.Settings{ReceiptDate: sale.ReceiptDate(v.ReceiptDate)},
	}, actor)
	if err != nil {
		d.unseal(ctx, secret)
		return about(err, connection)
	}
	if again {
		d.unseal(ctx, before.Secret)
	}
	d.say("Connected: %s to 7shifts' location %d (%s).", connection, found.ID, found.Name)
	d.say("%s", notSupported)
	history := ""
	if !v.NoHistory {
		history = plural(d.settings.SevenShiftsHistoryDays, "business day") + " before"
	}
	return d.setOff(ctx, connection, actor, history)
}

// setOff makes a new connection's schedule appear at once and starts bringing
// in its history, told in words; none where they are empty. Temporal away is no
// failure of connecting: the keeper makes the schedule when it is back.
func (d *desk) setOff(ctx context.Context, connection string, actor ledger.Actor, history string) error {
	if history != "" {
		err := d.startBackfill(ctx, work.BackfillInput{Connection: connection, By: actor.Handle, Note: actor.Note})
		if err != nil {
			return failed(err, "clusterbridge backfill start "+connection, "The connection is made, but its history was not started: %s", err)
		}
		d.say("History: the %s are being brought in.", history)
	}
	if err := d.triggerKeeper(ctx); err != nil {
		return failed(err, "clusterbridge worker, if none runs", "The connection is made, but its schedule waits for the schedule keeper's next run.")
	}
	d.say("Next: clusterbridge status %s", connection)
	return nil
}

// find asks 7shifts what the token sees and picks the location.
func (v *connectSevenShiftsVerb) find(ctx context.Context, d *desk, token string) (sevenshifts.Location, error) {
	var none sevenshifts.Location
	client, err := d.sevenShiftsClient(ctx, token)
	if err != nil {
		return none, about(err, "")
	}
	if _, err := client.WhoAmI(ctx); err != nil {
		return none, about(err, "")
	}
	companies, err := client.Companies(ctx)
	if err != nil {
		return none, about(err, "")
	}
	company, err := pick(companies, v.Company, "company", "--company", func(c sevenshifts.Company) (int64, string) { return c.ID, c.Name })
	if err != nil {
		return none, err
	}
	all, err := client.Locations(ctx, company.ID)
	if err != nil {
		return none, about(err, "")
	}
	var open []sevenshifts.Location
	for _, l := range all {
		if !l.Deleted {
			open = append(open, l)
		}
	}
	location, err := pick(open, v.PartnerLocation, "location", "--partner-location", func(l sevenshifts.Location) (int64, string) {
		return l.ID, strings.TrimSuffix(l.Name+", "+l.City, ", ")
	})
	location.CompanyID = company.ID
	return location, err
}

// sevenShiftsClient makes a client whose requests count toward the token's
// limit, beside those of the workers.
func (d *desk) sevenShiftsClient(ctx context.Context, token string) (*sevenshifts.Client, error) {
	v, err := d.vault(ctx)
	if err != nil {
		return nil, err
	}
	credential, err := v.CredentialHash(ctx, vault.NewSecret(token))
	if err != nil {
		return nil, err
	}
	gate := limit.New(d.store.DB(), d.quiet()).Gate(credential, d.settings.SevenShiftsPerSecond, d.settings.SevenShiftsPenaltyRest)
	return sevenshifts.NewClient(d.settings.sevenShifts(), token, gate.Transport(http.DefaultTransport)), nil
}

// pick takes the wanted one of several, or the only one; otherwise it lists
// them.
func pick[T any](all []T, wanted int64, what, flag string, name func(T) (int64, string)) (T, error) {
	var none T
	var lines []string
	for _, one := range all {
		id, called := name(one)
		if id == wanted || (wanted == 0 && len(all) == 1) {
			return one, nil
		}
		lines = append(lines, fmt.Sprintf("  %d  %s", id, called))
	}
	if len(all) == 0 {
		return none, failed(nil, "check whose token it is", "The token sees no %s in 7shifts.", what)
	}
	said := fmt.Sprintf("The token sees several in 7shifts; say which %s:", what)
	if wanted != 0 {
		said = fmt.Sprintf("The token does not see the %s %d in 7shifts; it sees:", what, wanted)
	}
	return none, usage(said+"\n"+strings.Join(lines, "\n"), "the same command with "+flag+" <id>")
}

// compareZones refuses a connection whose days would be cut at different hours
// (complaint 3): 7shifts' zone, ours and the till's offset must agree.
func (d *desk) compareZones(ctx context.Context, loc ledger.Location, found sevenshifts.Location) error {
	zone, err := loadZone(loc.Zone)
	if err != nil {
		return err
	}
	theirs, err := found.Zone()
	if err != nil {
		return failed(err, "have the venue correct it in 7shifts (Location Settings), then connect again", "%s", err.Error())
	}
	if theirs.String() != zone.String() {
		now := d.clock().Now()
		if !onboarding.SameHours(now, zone, theirs) {
			return failed(nil, "have the venue correct the zone in 7shifts (Location Settings), or ours, then connect again",
				"The zones differ: 7shifts has %s, the location %s. Days would be cut at different hours.", theirs, zone)
		}
		d.say("Note: 7shifts writes the zone as %s, we as %s; both keep the same hours.", theirs, zone)
	}
	sealed, err := d.vault(ctx)
	if err != nil {
		return err
	}
	key, err := sealed.Get(ctx, loc.Secret)
	if err != nil {
		return about(err, loc.ID)
	}
	return d.tryTill(ctx, cluster.Credential{Serial: loc.Serial, Key: key.Reveal()}, zone, loc.ID)
}

// alreadyConnected finds an earlier connection of this location, and refuses a
// location of 7shifts that another one of ours fills: its sales would add up
// (complaint 20: one integration per location).
func (d *desk) alreadyConnected(ctx context.Context, connection string, found sevenshifts.Location) (before ledger.Connection, again bool, err error) {
	all, err := d.store.Connections(ctx)
	if err != nil {
		return before, false, about(err, connection)
	}
	for _, c := range all {
		switch {
		case c.ID == connection:
			before, again = c, true
		case c.PartnerName == work.SevenShifts && c.PartnerLocationID == found.ID && c.State != work.Disconnected:
			return before, false, failed(nil, "clusterbridge status "+c.ID, "7shifts' location %d is filled by %s already; two would add up.", found.ID, c.ID)
		}
	}
	return before, again, nil
}
