package program

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// theCase is the onboarding that most tests are about.
const theCase = "wisk:r-1:1"

// joining is a stage that onboards: mails go to a mailbox, and Temporal answers
// what a test says.
type joining struct {
	*stage
	temporal *taker
	box      *mailboxsim.Sim
}

func newJoining(t *testing.T) *joining {
	t.Helper()
	j := &joining{stage: newStage(t), temporal: &taker{began: map[string]string{}}}
	var err error
	j.box, err = mailboxsim.New(mailboxsim.Options{Clock: j.clock})
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- j.box.ServeSMTP(l) }()
	t.Cleanup(func() {
		require.NoError(t, j.box.Close())
		require.NoError(t, <-ended)
	})
	stock := wisksim.New(wisksim.Options{Clock: j.clock})
	t.Cleanup(func() { require.NoError(t, stock.Close()) })
	stock.AddVenue(wisksim.Venue{ID: "canary-venue-of-marcel", Name: "Marcel", Zone: "America/Toronto"})
	bar := httptest.NewServer(stock)
	t.Cleanup(bar.Close)
	j.environ = append(j.environ,
		"TEMPORAL_ADDRESS="+serveTemporal(t, j.temporal), "CLUSTERBRIDGE_WISK_URL="+bar.URL,
		"CLUSTERBRIDGE_MAIL_HOST=127.0.0.1", fmt.Sprintf("CLUSTERBRIDGE_MAIL_PORT=%d", l.Addr().(*net.TCPAddr).Port), "CLUSTERBRIDGE_MAIL_TLS=none",
		"CLUSTERBRIDGE_MAIL_FROM=integrations@clusterpos.example", "CLUSTERBRIDGE_MAIL_HOUSE_ADDRESS=1 rue de la Caisse, Montreal",
		"CLUSTERBRIDGE_GATEWAY_URL=https://bridge.example", "CLUSTERBRIDGE_LINK_SECRETS="+strings.Repeat("l", 32),
		"CLUSTERBRIDGE_FEE_WISK=150.00", "CLUSTERBRIDGE_BILLING_GST_NUMBER=123456789 RT0001", "CLUSTERBRIDGE_BILLING_QST_NUMBER=1234567890 TQ0001",
		"CLUSTERBRIDGE_BILLING_HOW_TO_PAY_FR=Par virement.", "CLUSTERBRIDGE_BILLING_HOW_TO_PAY_EN=By transfer.",
		"CLUSTERBRIDGE_WISK_SUPPORT_ADDRESS=support@wisk.example",
	)
	return j
}

// room is the room that the verbs work in.
func (j *joining) room() *onboarding.Room {
	j.t.Helper()
	settings, err := Load(j.environ)
	require.NoError(j.t, err)
	d := &desk{settings: settings, environ: j.environ, out: os.Stdout, err: os.Stderr}
	j.t.Cleanup(d.close)
	room, err := d.needRoom(context.Background())
	require.NoError(j.t, err)
	return room
}

// asked makes the case and finds it by its serial number, as its workflow does.
func (j *joining) asked() *onboarding.Room {
	j.t.Helper()
	room, ctx := j.room(), context.Background()
	_, err := room.Plan(ctx, work.OnboardingStart{Request: "wisk:r-1", Input: work.OnboardingInput{
		Partner: work.Wisk, Requester: work.PartnerSupport, By: "marie", Note: "ticket 4711",
		Venues: []work.VenueInput{{TradeName: "Chez Marcel", Address: "12, rue Ontario, Montreal", Serial: "CL-1"}},
	}})
	require.NoError(j.t, err)
	_, err = room.Find(ctx, theCase)
	require.NoError(j.t, err)
	j.stands(room, work.StageNote{Stage: work.StageContact, WaitingFor: "operator", What: "somebody to ask"})
	return room
}

// stands notes where the case stands.
func (j *joining) stands(room *onboarding.Room, note work.StageNote) {
	j.t.Helper()
	note.Case = theCase
	require.NoError(j.t, room.NoteStage(context.Background(), note))
}

// file is a file with what is nobody else's to see.
func (j *joining) file(content string) string {
	name := filepath.Join(j.t.TempDir(), "file")
	require.NoError(j.t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

var onboardingVerbs = strings.Fields("list show choose contact confirm decline paid waive refund identifier entered key-entered place retry cancel")

func TestHelpOfTheVerbsOfOnboarding(t *testing.T) {
	verbs := []string{"onboard", "credentials put", "credentials again", "rotate", "offboard"}
	all := run(nil, "", "onboarding", "--help")
	require.Equal(t, ExitOK, all.code, all.err)
	for _, verb := range onboardingVerbs {
		require.Contains(t, all.out, "onboarding "+verb)
		verbs = append(verbs, "onboarding "+verb)
	}
	for _, verb := range verbs {
		r := run(nil, "", append(strings.Fields(verb), "--help")...)
		require.Equal(t, ExitOK, r.code, r.err)
		require.Contains(t, r.out, "Usage: clusterbridge "+verb)
		for _, secret := range []string{"--key=", "--token=", "--email", "--name="} {
			require.NotContains(t, r.out, secret, "%s: what is secret is no argument", verb)
		}
	}
}

func TestWrongLinesOfOnboarding(t *testing.T) {
	j := newJoining(t)
	j.asked()
	venue := []string{"--venue", "Chez Marcel; 12, rue Ontario"}
	for name, c := range map[string]struct {
		args []string
		said string
	}{
		"no partner":          {append([]string{"onboard"}, venue...), "partner"},
		"unknown partner":     {append([]string{"onboard", "--partner", "toast"}, venue...), "7shifts"},
		"no venue":            {[]string{"onboard", "--partner", "wisk"}, "venues"},
		"a venue's name only": {[]string{"onboard", "--partner", "wisk", "--venue", "Chez Marcel"}, "trade name; address"},
		"a person":            {[]string{"onboard", "--partner", "wisk", "--venue", "Chez Marcel; anna@example.com"}, "no mail addresses"},
		"a person in a note":  {append([]string{"onboard", "--partner", "wisk", "--note", "ask anna@example.com"}, venue...), "note"},
		"a route of 7shifts":  {append([]string{"onboard", "--partner", "7shifts", "--route", "upload"}, venue...), "route"},
		"odd number":          {append([]string{"onboard", "--partner", "wisk", "--request", "R 1"}, venue...), "request"},
		"no file":             {[]string{"onboard", "--partner", "wisk", "--file", "/nowhere"}, "/nowhere"},
		"a file of no list":   {[]string{"onboard", "--partner", "wisk", "--file", j.file(`{"tradeName":"x"}`)}, "not a JSON list"},
		"a misspelled field":  {[]string{"onboard", "--partner", "wisk", "--file", j.file(`[{"tradeName":"x","adress":"y"}]`)}, "adress"},
		"unknown onboarding":  {[]string{"onboarding", "show", "wisk:none:1"}, "no onboarding \"wisk:none:1\""},
		"of a verb":           {[]string{"onboarding", "confirm", "wisk:none:1"}, "clusterbridge onboarding list"},
		"no serial":           {[]string{"onboarding", "choose", theCase}, "serial"},
		"no reference":        {[]string{"onboarding", "paid", theCase}, "reference"},
		"no route":            {[]string{"onboarding", "entered", theCase}, "route"},
		"unknown route":       {[]string{"onboarding", "entered", theCase, "--route", "fax"}, "fax"},
		"no location":         {[]string{"onboarding", "place", theCase, "--workday"}, "partner-location"},
		"unknown reason":      {[]string{"onboarding", "cancel", theCase, "--reason", "boredom"}, "boredom"},
		"odd handle":          {[]string{"onboarding", "waive", theCase, "--by", "Marie T."}, "no staff handle"},
		"nobody to ask":       {[]string{"onboarding", "contact", theCase}, "never an argument"},
		"no identifier":       {[]string{"onboarding", "identifier", theCase}, "never an argument"},
		"no key":              {[]string{"credentials", "put", theCase, "--for", "wisk"}, "never an argument"},
		"whose key":           {[]string{"credentials", "put", theCase}, "for"},
		"what is rotated":     {[]string{"rotate", marcel, "password"}, "till-key"},
		"unknown connection":  {[]string{"offboard", "chez marcel"}, "chez marcel"},
		"an onboarding":       {[]string{"status", theCase}, "clusterbridge onboarding show " + theCase},
	} {
		r := j.run("", c.args...)
		require.NotEqual(t, ExitOK, r.code, name)
		require.Contains(t, r.err, c.said, name)
		require.Contains(t, r.err, "Next: ", name)
	}
	require.Zero(t, j.temporal.times())
	require.Empty(t, j.temporal.began)
}

func TestOnboardBeginsOnce(t *testing.T) {
	j := newJoining(t)
	args := []string{
		"onboard", "--partner", "wisk", "--request", "r-7", "--note", "WISK's ticket 4711",
		"--venue", "Bar Crescent; 34, rue Crescent, Montréal", "--venue", "Bar Laurier; 56, avenue Laurier; en; CL-2; bar-laurier",
	}
	r := j.run("", args...)
	require.Equal(t, ExitOK, r.code, r.err)
	for _, said := range []string{
		"Request r-7: 2 venues to wisk", "wisk:r-7:1  Bar Crescent", "wisk:r-7:2  Bar Laurier",
		"/workflows/onboarding:wisk:r-7", "Next: clusterbridge onboarding list",
	} {
		require.Contains(t, r.out, said)
	}
	require.JSONEq(t, `{"partner":"wisk","requester":"partner_support","by":"marie","note":"WISK's ticket 4711","venues":[
		{"tradeName":"Bar Crescent","address":"34, rue Crescent, Montréal"},
		{"tradeName":"Bar Laurier","address":"56, avenue Laurier","language":"en","serial":"CL-2","location":"bar-laurier"}
	]}`, j.temporal.input("onboarding:wisk:r-7"))
	r = j.run("", args...)
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "The request r-7 has been begun already.")

	file := j.file(`[{"tradeName": "Chez Marcel", "address": "12, rue Ontario"}]`)
	r = j.run("", "onboard", "--partner", "7shifts", "--requester", "venue_admin", "--file", file)
	require.Equal(t, ExitOK, r.code, r.err)
	require.Len(t, j.temporal.began, 2, "a number of its own")
}

func TestOnboardingsAreListedAndShown(t *testing.T) {
	j := newJoining(t)
	r := j.run("", "onboarding", "list")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "No onboarding is open.")
	room := j.asked()
	r = j.run("", "onboarding", "list")
	for _, said := range []string{theCase, "Chez Marcel", "contact", "operator", "clusterbridge onboarding show"} {
		require.Contains(t, r.out, said)
	}
	r = j.run("", "onboarding", "show", theCase)
	for _, said := range []string{
		theCase + ": Chez Marcel to wisk", "serial CL-1", "It waits for: operator, since 2026-11-03 10:00", "somebody to ask",
		"marie: ask for onboarding", "(ticket 4711)", "venue found, CL-1", "/workflows/onboarding:" + theCase,
	} {
		require.Contains(t, r.out, said)
	}
	j.stands(room, work.StageNote{Stage: work.StageConfirmation, WaitingFor: "operator", Code: work.MailRefused})
	require.Contains(t, j.run("", "onboarding", "show", theCase).out, "The last try failed: "+work.Problems[work.MailRefused].Title)
	_, err := room.OpenCharge(context.Background(), theCase)
	require.NoError(t, err)
	require.Contains(t, j.run("", "onboarding", "show", theCase).out, "172.46 CAD with tax, open")

	var one ledger.Case
	require.NoError(t, json.Unmarshal([]byte(j.run("", "onboarding", "show", theCase, "--json").out), &one))
	require.Equal(t, theCase, one.ID)
	j.stands(room, work.StageNote{Stage: work.StageEnded, Outcome: work.Declined})
	require.Contains(t, j.run("", "onboarding", "list").out, "No onboarding is open.")
	require.Contains(t, j.run("", "onboarding", "list", "--all").out, "declined")
	require.Contains(t, j.run("", "onboarding", "show", theCase).out, "It has ended: declined")
	require.Contains(t, j.run("", "onboarding", "list", "--all", "--json").out, `"outcome": "declined"`)
}

func TestWhatAnOperatorSaysIsAnUpdate(t *testing.T) {
	j := newJoining(t)
	j.asked()
	const by = `"by":"marie","reason":"venue_asked","note":"called back"}`
	for verb, c := range map[string]struct {
		update, input string
		answer        any
		said          string
	}{
		"choose --serial CL-1":     {"ChooseLocation", `{"serial":"CL-1",` + by, work.FindResult{Serial: "CL-1", TradeName: "Chez Marcel"}, "It is Chez Marcel."},
		"confirm":                  {"Decide", `{"decision":"confirm",` + by, nil, "confirmed on the venue's behalf"},
		"decline":                  {"Decide", `{"decision":"decline",` + by, nil, "declined on the venue's behalf"},
		"paid --reference VIR-1":   {"RecordPayment", `{"reference":"VIR-1",` + by, nil, "the payment is recorded"},
		"refund --reference VIR-2": {"RefundFee", `{"reference":"VIR-2",` + by, nil, "the refund is recorded"},
		"waive":                    {"WaiveFee", `{` + by, nil, "the fee is waived"},
		"retry":                    {"Retry", `{` + by, nil, "tried again"},
		"cancel":                   {"Cancel", `{` + by, nil, "being cancelled"},
		"key-entered":              {"KeyEntered", `{` + by, nil, "the old key is withdrawn"},
		"entered --route pull":     {"RecordEntry", `{"route":"pull","modifiers":"off",` + by, nil, "WISK's side is recorded"},
		"entered --route upload --no-cluster-integration": {"RecordEntry", `{"route":"upload","modifiers":"off","noClusterIntegration":true,` + by, nil, "recorded"},
		"place --partner-location 81 --workday":           {"ChoosePartnerLocation", `{"location":81,"receiptDate":"opened","workday":true,` + by, work.PlaceResult{}, "The location is chosen"},
	} {
		j.temporal.be(c.answer, nil, false)
		words := strings.Fields(verb)
		args := append([]string{"onboarding", words[0], theCase, "--reason", "venue_asked", "--note", "called back"}, words[1:]...)
		r := j.run("", args...)
		require.Equal(t, ExitOK, r.code, "%s: %s", verb, r.err)
		require.Contains(t, r.out, c.said, verb)
		require.Contains(t, r.out, "Next: clusterbridge onboarding show "+theCase, verb)
		got := j.temporal.last()
		require.Equal(t, []string{"onboarding:" + theCase, c.update}, []string{got.workflow, got.name}, verb)
		require.JSONEq(t, c.input, got.input, verb)
	}
	for said, found := range map[string]work.FindResult{
		"this one joins wisk:r-0:1": {Joined: "wisk:r-0:1"}, "is connected already: wisk:bar": {Connected: "wisk:bar"},
	} {
		j.temporal.be(found, nil, false)
		require.Contains(t, j.run("", "onboarding", "choose", theCase, "--serial", "CL-1").out, said)
	}
	j.temporal.be(work.PlaceResult{Hindrances: []string{onboarding.ZoneDiffers, onboarding.OtherPOS, onboarding.Taken}}, nil, false)
	r := j.run("", "onboarding", "place", theCase, "--partner-location", "81", "--workday")
	require.Equal(t, ExitFailed, r.code)
	require.Equal(t, 3, strings.Count(r.out, "It cannot be chosen: "), r.out)
	require.Contains(t, r.err, "The location was not chosen.")
}

func TestWhatTheWorkflowRefusesIsSaid(t *testing.T) {
	j := newJoining(t)
	j.asked()
	j.temporal.be(nil, work.Err(work.BadInput, "no payment is waited for; it waits for an operator"), false)
	r := j.run("", "onboarding", "paid", theCase, "--reference", "VIR-1")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "no payment is waited for; it waits for an operator")
	require.Contains(t, r.err, "Next: ")
	j.temporal.be(nil, nil, true)
	r = j.run("", "onboarding", "retry", theCase)
	require.Contains(t, r.err, "It has ended, or was never begun")
	require.Contains(t, r.err, "/workflows/onboarding:"+theCase)

	j.environ = append(j.environ, "TEMPORAL_ADDRESS=127.0.0.1:1")
	for _, act := range []string{
		"onboard --partner wisk --venue a;b", "onboarding confirm " + theCase, "onboarding cancel " + theCase,
	} {
		r := j.run("", strings.Fields(act)...)
		require.Equal(t, ExitFailed, r.code, act)
		require.Contains(t, r.err, "Temporal does not answer at 127.0.0.1:1", act)
	}
}

func TestAContactIsEnteredAndNeverShown(t *testing.T) {
	j := newJoining(t)
	room := j.asked()
	const lines = "Marie Canary-Tremblay\nmarie@canary.example\n"
	for _, wrong := range []string{"Marie", "Marie\nno address", "Marie\nmarie@canary.example\nmore"} {
		r := j.run(wrong, "onboarding", "contact", theCase)
		require.Equal(t, ExitUsage, r.code)
		require.Contains(t, r.err, "Want two lines")
	}
	require.Zero(t, j.temporal.times())
	r := j.run(lines, "onboarding", "contact", theCase, "--language", "en", "--note", "called back")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "the contact is kept, sealed")
	require.NotContains(t, r.out+r.err, "Canary")
	told := j.temporal.last()
	require.Equal(t, []string{"onboarding:" + theCase, "ContactEntered"}, []string{told.workflow, told.name})
	require.JSONEq(t, `{"by":"marie","reason":"other","note":"called back"}`, told.input)
	c, err := room.Ledger.Case(context.Background(), theCase)
	require.NoError(t, err)
	require.Equal(t, []string{"marie", "en"}, []string{c.Data.ContactBy, c.Data.Venue.Language})
	require.Equal(t, ExitOK, j.run("", "onboarding", "contact", theCase, "--contact-file", j.file(lines)).code)

	r = j.run("", "onboarding", "contact", theCase, "--link")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Regexp(t, `^https://bridge\.example/contact/\S+\n$`, r.out)
}

func TestKeysThatAreIssuedByHand(t *testing.T) {
	j := newJoining(t)
	room := j.asked()
	require.Equal(t, ExitOK, j.run("Marie\nmarie@marcel.example\n", "onboarding", "contact", theCase).code)
	r := j.run(goodKey, "credentials", "put", theCase, "--for", "toast")
	require.Equal(t, ExitUsage, r.code)
	require.Contains(t, r.err, "a key is for clusterbridge or wisk here")

	r = j.run(goodKey+"\n", "credentials", "put", theCase, "--for", "clusterbridge")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "the key is kept, sealed")
	require.Equal(t, "CredentialsEntered", j.temporal.last().name)
	require.NotContains(t, j.temporal.last().input, "canary")
	require.Equal(t, ExitOK, j.run("", "credentials", "put", theCase, "--for", "wisk", "--key-file", j.file(goodKey)).code)
	opened, err := room.OpenTill(context.Background(), theCase)
	require.NoError(t, err)
	require.Equal(t, work.TillReady, opened.State)

	r = j.run("", "credentials", "again", theCase)
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "2 mails sent, with new one-time links")
	require.Len(t, j.box.Mails("marie@marcel.example"), 1)
	require.Len(t, j.box.Mails("support@wisk.example"), 1)
	for _, m := range j.box.Mails("") {
		require.NotContains(t, m.Text, "canary", "the key waits behind the link")
	}
	r = j.run("", "onboarding", "show", theCase)
	require.Contains(t, r.out, "The key for the venue: waits until")
	require.Contains(t, r.out, "The key for the support: waits until")

	r = j.run("canary-nobodys-venue", "onboarding", "identifier", theCase)
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "Next: ")
	r = j.run("", "onboarding", "identifier", theCase, "--venue-file", j.file("canary-venue-of-marcel\n"))
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "Next: clusterbridge onboarding entered "+theCase+" --route upload --no-cluster-integration")
}

func TestVerbsOfTheRoomSayWhatIsNotSetUp(t *testing.T) {
	j := newJoining(t)
	j.asked()
	j.environ = append(j.environ, "CLUSTERBRIDGE_MAIL_HOST=")
	for _, verb := range []string{"onboarding contact", "onboarding identifier", "credentials again"} {
		r := j.run("canary", append(strings.Fields(verb), theCase)...)
		require.Equal(t, ExitUsage, r.code, verb)
		require.Contains(t, r.err, "CLUSTERBRIDGE_MAIL_HOST is not set", verb)
		require.Contains(t, r.err, "clusterbridge settings", verb)
	}
}

func TestACredentialIsRotatedAndAConnectionLeaves(t *testing.T) {
	j := newJoining(t)
	j.addMarcel()
	there := j.environ
	j.environ = append(slices.Clip(there), "TEMPORAL_ADDRESS=127.0.0.1:1")
	j.connectMarcel()
	require.Contains(t, j.run("", "rotate", marcel, "token").err, "Temporal does not answer")
	j.environ = there

	r := j.run("", "rotate", marcel, "partner-key")
	require.Equal(t, ExitUsage, r.code)
	require.Contains(t, r.err, "partner-key for wisk")
	r = j.run("", "rotate", "chez-marcel", "token", "--note", "its admin leaves")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Regexp(t, `Next: clusterbridge onboarding show 7shifts:chez-marcel:r[0-9]{12}[0-9a-f]{2}\n`, r.out)
	require.Len(t, j.temporal.began, 1)
	for id, input := range j.temporal.began {
		require.Regexp(t, `^rotate:7shifts:chez-marcel:[0-9]{12}[0-9a-f]{2}$`, id)
		require.JSONEq(t, `{"connection":"7shifts:chez-marcel","what":"token","by":"marie","reason":"other","note":"its admin leaves"}`, input)
	}

	j.temporal.be(work.OffboardResult{Summary: "7shifts:chez-marcel has left.", Proof: []string{"No schedule runs.", "No secret is kept."}}, nil, false)
	r = j.run("", "offboard", marcel, "--reason", "venue_asked", "--note", "sold")
	require.Equal(t, ExitOK, r.code, r.err)
	for _, said := range []string{"7shifts:chez-marcel has left.", "  No schedule runs.", "  No secret is kept."} {
		require.Contains(t, r.out, said)
	}
	j.temporal.be(nil, work.Err(work.StillThere, "a schedule"), false)
	r = j.run("", "offboard", marcel)
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "a schedule")
	require.Contains(t, r.err, "Next: ")
}
