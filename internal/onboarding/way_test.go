package onboarding_test

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// way is a manner of joining a partner.
type way struct{ partner, route string }

var (
	pull   = way{work.Wisk, "pull"}
	upload = way{work.Wisk, "upload"}
	report = way{work.Wisk, "report"}
	token  = way{work.SevenShifts, ""}
	ways   = []way{pull, upload, report, token}
)

func (w way) String() string { return strings.TrimSpace(w.partner + " " + w.route) }

// venue is a restaurant with all that the outside knows of it.
type venue struct {
	n            int
	serial, name string
	email        string // of its contact
	// company, place and token are its 7shifts, and bar its id at WISK.
	company, place int64
	token, bar     vault.Secret
}

// joining is a venue on its way to a partner.
type joining struct {
	venue
	way
	id string // the case's
}

// venue opens a restaurant; no two are alike.
func (r *rig) venue() venue {
	r.t.Helper()
	r.venues++
	n := r.venues
	v := venue{n: n, serial: fmt.Sprintf("CL-%d", n), name: fmt.Sprintf("Chez Marcel %d", n), company: int64(1000 + n), place: int64(5000 + n)}
	name, email := r.person(n)
	v.email = email
	r.till.AddLocation(clustersim.Location{
		Serial: v.serial, TradeName: v.name, Address: v.address(), Zone: zone, Language: "fr",
		Contact: &clustersim.Contact{Name: wire.Text(name), Email: wire.Text(email)},
	})
	r.seven.AddCompany(sevenshiftssim.Company{ID: v.company, Name: v.name + " inc."})
	r.seven.AddLocation(sevenshiftssim.Location{ID: v.place, CompanyID: v.company, Name: v.name, City: "Montreal", Timezone: zone})
	v.token = r.secret("a token of 7shifts'", fmt.Sprintf("seven-token-canary-%d-", n))
	r.seven.AddToken(sevenshiftssim.Token{Value: v.token.Reveal(), Companies: []int64{v.company}})
	v.bar = r.secret("a venue's identifier at WISK", fmt.Sprintf("wisk-venue-canary-%d-", n))
	r.wisk.AddVenue(wisksim.Venue{ID: v.bar.Reveal(), Name: v.name, Zone: zone})
	return v
}

func (v venue) address() string { return fmt.Sprintf("%d rue Saint-Denis, Montreal", 4000+v.n) }

// asks makes a request for venues, and gives the ids of its cases.
func (r *rig) asks(w way, request string, venues ...work.VenueInput) []string {
	r.t.Helper()
	in := work.OnboardingInput{Partner: w.partner, Requester: work.PartnerSupport, Route: w.route, Venues: venues, By: "lea", Note: "as agreed"}
	require.NoError(r.t, in.Validate())
	plan, err := r.Plan(r.ctx, work.OnboardingStart{Request: w.partner + ":" + request, Input: in})
	require.NoError(r.t, err)
	require.Equal(r.t, w == token, plan.TakesToken)
	ids := make([]string, len(venues))
	for i := range venues {
		ids[i] = work.CaseID(w.partner, request, i+1)
	}
	return ids
}

func (v venue) input() work.VenueInput {
	return work.VenueInput{TradeName: v.name, Address: v.address()}
}

// start asks for a new venue.
func (r *rig) start(w way) joining { return r.again(r.venue(), w) }

// again asks for a venue that is there already.
func (r *rig) again(v venue, w way) joining {
	r.t.Helper()
	r.requests++
	return joining{venue: v, way: w, id: r.asks(w, fmt.Sprintf("q%d", r.requests), v.input())[0]}
}

// request is the case's, as "<partner>:<request>".
func (j joining) request() string { return j.id[:strings.LastIndex(j.id, ":")] }

// step is one step of a way, as a room takes it.
type step struct {
	name string
	take func(r *rig, room *onboarding.Room, j joining) (any, error)
	// byPerson says that no activity takes it, but a page or a verb: never two at
	// once.
	byPerson bool
}

// steps are those of a way, in their order.
func (w way) steps() []step {
	all := []step{findStep, askStep, decideStep}
	if w.partner == work.Wisk {
		all = append(all, chargeStep, payStep)
	}
	all = append(all, tillStep)
	switch w {
	case pull:
		all = append(all, mailStep(mail.KindCredentials), mailStep(mail.KindCredentialsToSupport), entryStep)
	case upload:
		all = append(all, identifierStep, entryStep)
	case report:
		all = append(all, entryStep)
	case token:
		all = append(all, mailStep(mail.KindTokenNeeded), pasteStep, tokenStep, placeStep)
	}
	return append(all, liveStep, mailStep(mail.KindLive))
}

var (
	findStep = step{name: "find", take: func(r *rig, room *onboarding.Room, j joining) (any, error) { return room.Find(r.ctx, j.id) }}
	askStep  = step{name: "ask", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.Ask(r.ctx, work.AskInput{Request: j.request(), Group: "c1", Cases: []string{j.id}})
	}}
	decideStep = step{name: "decide", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return nil, room.Decide(r.ctx, work.CaseAct{Case: j.id, Act: work.UpdateDecide, By: work.ByVenue, Decision: work.Confirm})
	}}
	chargeStep = step{name: "charge", take: func(r *rig, room *onboarding.Room, j joining) (any, error) { return room.OpenCharge(r.ctx, j.id) }}
	payStep    = step{name: "pay", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.SettleCharge(r.ctx, work.CaseAct{Case: j.id, Act: work.UpdateRecordPayment, Reference: "VIR-" + fmt.Sprint(j.n), By: "lea", Reason: "venue_asked", Note: "seen"})
	}}
	tillStep       = step{name: "till", take: func(r *rig, room *onboarding.Room, j joining) (any, error) { return room.OpenTill(r.ctx, j.id) }}
	identifierStep = step{name: "identifier", byPerson: true, take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return nil, room.KeepIdentifier(r.ctx, j.id, j.bar, lea)
	}}
	entryStep = step{name: "entry", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return nil, room.RecordEntry(r.ctx, work.CaseAct{
			Case: j.id, Act: work.UpdateRecordEntry, Route: j.route, Modifiers: "off", NoClusterIntegration: j.route != "pull",
			By: "lea", Reason: "partner_asked", Note: "entered",
		})
	}}
	pasteStep = step{name: "paste", byPerson: true, take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return nil, room.KeepToken(r.ctx, j.id, j.token)
	}}
	tokenStep = step{name: "token", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.CheckToken(r.ctx, work.TokenTry{Case: j.id, Try: 1, By: work.ByVenue})
	}}
	placeStep = step{name: "place", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.CheckPlace(r.ctx, work.CaseAct{
			Case: j.id, Act: work.UpdateChoosePartnerLocation, Location: j.place, ReceiptDate: string(sale.ByOpened), By: work.ByVenue,
		})
	}}
	liveStep = step{name: "live", take: func(r *rig, room *onboarding.Room, j joining) (any, error) { return room.GoLive(r.ctx, j.id) }}
)

func mailStep(kind mail.Kind) step {
	return step{name: string(kind), take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.Send(r.ctx, work.CaseMail{Case: j.id, Kind: string(kind)})
	}}
}

// does takes a step, as an activity that Temporal runs again although it had its
// effect: the result is the same.
func (r *rig) does(s step, j joining) any {
	r.t.Helper()
	first, err := s.take(r, r.Room, j)
	require.NoError(r.t, err, "%s of %s", s.name, j.id)
	if r.once {
		return first
	}
	again, err := s.take(r, r.Room, j)
	require.NoError(r.t, err, "%s of %s again", s.name, j.id)
	require.Equal(r.t, first, again, "%s of %s", s.name, j.id)
	r.canaries.said(first)
	return first
}

// upTo takes all steps before one.
func (r *rig) upTo(name string, j joining) {
	r.t.Helper()
	for _, s := range j.steps() {
		if s.name == name {
			return
		}
		r.does(s, j)
	}
	require.Equal(r.t, "end", name, "no such step")
}

// whole takes all steps, and ends the case as live.
func (r *rig) whole(j joining) {
	r.t.Helper()
	r.upTo("end", j)
	r.ends(j, work.WentLive)
}

func (r *rig) ends(j joining, outcome work.Outcome) {
	r.t.Helper()
	note := work.StageNote{Case: j.id, Stage: work.StageEnded, What: "it has ended", Outcome: outcome}
	require.NoError(r.t, r.NoteStage(r.ctx, note))
	require.NoError(r.t, r.NoteStage(r.ctx, note))
}

// connection is the one that a case made.
func (r *rig) connection(j joining) ledger.Connection {
	r.t.Helper()
	c, err := r.Ledger.Connection(r.ctx, r.read(j.id).Connection())
	require.NoError(r.t, err)
	r.canaries.said(c)
	return c
}

// active are the holders of the keys that open a till, once for each key.
func (r *rig) active(v venue) (holders []string) {
	for _, k := range r.till.State().Office.Keys {
		if k.Serial == v.serial && k.Revoked.IsZero() {
			holders = append(holders, k.Partner)
		}
	}
	slices.Sort(holders)
	return holders
}

// secrets are the ids of what the vault keeps.
func (r *rig) secrets() (ids []string) {
	r.t.Helper()
	require.NoError(r.t, r.Ledger.DB().Select(&ids, `SELECT id FROM secrets WHERE id <> 'pepper' ORDER BY id`))
	return ids
}

// mails are those to an address, as "kind" by subject's first words; see box.
func (r *rig) mails(to string) []mailboxsim.Mail { return r.box.Mails(to) }

// link is the token of the only link in a mail that opens a page.
func (r *rig) link(m mailboxsim.Mail, page string) string {
	r.t.Helper()
	var found []string
	for _, l := range m.Links() {
		u, err := url.Parse(l)
		require.NoError(r.t, err)
		if strings.HasPrefix(l, gateway+"/"+page+"/") {
			found = append(found, path.Base(u.Path))
		}
	}
	require.Len(r.t, found, 1, "links to %s in %q: %v", page, m.Subject, m.Links())
	return found[0]
}

// days is so many days.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func text(s string) wire.Text { return wire.Text(s) }

// ping asks a till with a key.
func (r *rig) ping(serial string, key vault.Secret) error {
	_, err := r.Till.Ping(r.ctx, cluster.Credential{Serial: serial, Key: key.Reveal()})
	return err
}

// undo takes back all of a case, in the order in which a workflow does, each
// step twice.
func (r *rig) undo(j joining) work.UndoResult {
	r.t.Helper()
	var last work.UndoResult
	for _, name := range []string{work.UndoConnection, work.UndoKeys, work.UndoFee} {
		last = r.does(undoStep(name), j).(work.UndoResult)
	}
	return last
}

func undoStep(name string) step {
	return step{name: "undo " + name, take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.Undo(r.ctx, work.UndoInput{Case: j.id, Step: name, By: "lea", Reason: "venue_asked", Note: "cancelled"})
	}}
}

// unglued is a text whose words may part at the ends of lines.
func unglued(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }
