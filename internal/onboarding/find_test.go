package onboarding_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestAVenueIsFound(t *testing.T) {
	r := newRig(t)
	v, other := r.venue(), r.venue()
	twin := r.venue()
	r.till.AddLocation(clustersim.Location{Serial: "CL-twin", TradeName: twin.name, Address: twin.address(), Zone: zone})

	by := func(in work.VenueInput) (string, work.FindResult) {
		r.requests++
		id := r.asks(pull, strings.Repeat("q", r.requests), in)[0]
		found := r.does(findStep, joining{id: id}).(work.FindResult)
		return id, found
	}
	name := v.input()
	name.TradeName = strings.ToUpper(name.TradeName)
	id, found := by(name)
	require.Equal(t, v.serial, found.Serial, "by name and address")
	require.Equal(t, v.name, found.TradeName)
	require.Len(t, found.Contact, 16)
	c := r.read(id)
	require.Equal(t, ledger.CaseVenue{TradeName: v.name, Address: v.address(), Zone: zone, Language: "fr"}, c.Data.Venue)
	require.Equal(t, []string{"ask for onboarding: " + name.TradeName, "venue found: " + v.serial}, r.story(id))

	serial := work.VenueInput{TradeName: "as they write it", Address: "somewhere", Serial: other.serial, Language: "en"}
	_, found = by(serial)
	require.Equal(t, other.serial, found.Serial, "by serial number")
	require.Equal(t, other.name, found.TradeName, "as Cluster writes it")

	_, found = by(work.VenueInput{TradeName: "Nowhere", Address: "1 rue Nulle"})
	require.Equal(t, work.FindResult{}, found)
	_, found = by(work.VenueInput{TradeName: v.name, Address: "somewhere", Serial: "CL-0"})
	require.Equal(t, work.FindResult{}, found, "a serial number that Cluster does not know is no match")

	id, found = by(twin.input())
	require.Empty(t, found.Serial)
	require.Equal(t, []work.Candidate{
		{Serial: twin.serial, TradeName: twin.name, Address: twin.address()}, {Serial: "CL-twin", TradeName: twin.name, Address: twin.address()},
	}, found.Candidates)
	choose := func(serial string) (work.FindResult, error) {
		return r.Choose(r.ctx, work.CaseAct{Case: id, Act: work.UpdateChooseLocation, Serial: serial, By: "lea", Reason: "venue_asked", Note: "by telephone"})
	}
	_, err := choose("CL-0")
	r.refused(work.BadInput, err)
	require.Empty(t, r.read(id).Serial)
	for range 2 {
		found, err = choose("CL-twin")
		require.NoError(t, err)
		require.Equal(t, work.FindResult{Serial: "CL-twin", TradeName: twin.name}, found, "with nobody on Cluster's record")
	}
	require.Len(t, r.story(id), 2, "chosen once")
	_, err = choose(twin.serial)
	r.refused(work.BadInput, err)
	require.Equal(t, found, r.does(findStep, joining{id: id}))

	r.ends(joining{id: id}, work.Cancelled)
	_, err = r.Find(r.ctx, id)
	r.refused(work.BadInput, err)
	_, err = choose("CL-twin")
	r.refused(work.BadInput, err)
	_, err = r.Find(r.ctx, "wisk:none:1")
	r.refused(work.BadInput, err)
}

func TestManyVenuesMayBeMeant(t *testing.T) {
	r := newRig(t)
	for i := range 30 {
		r.till.AddLocation(clustersim.Location{Serial: "P-" + string(rune('A'+i)), TradeName: "Pizzeria", Address: "1 rue Rachel, Montreal", Zone: zone})
	}
	id := r.asks(pull, "many", work.VenueInput{TradeName: "Pizzeria", Address: "1 rue Rachel"})[0]
	found, err := r.Find(r.ctx, id)
	require.NoError(t, err)
	require.True(t, found.More)
	require.Len(t, found.Candidates, 25)
}

// Two requests for one venue at once: exactly one goes on, and the other is told
// which.
func TestOneOfTwoRequestsForAVenueGoesOn(t *testing.T) {
	r := newRig(t)
	for range 5 {
		v := r.venue()
		both := []joining{r.again(v, pull), r.again(v, upload)}
		found := make([]work.FindResult, 2)
		var racing sync.WaitGroup
		for i, j := range both {
			racing.Go(func() { found[i], _ = r.Find(r.ctx, j.id) })
		}
		racing.Wait()
		winner := 0
		if found[0].Serial == "" {
			winner = 1
		}
		require.Equal(t, v.serial, found[winner].Serial)
		require.Equal(t, work.FindResult{Joined: both[winner].id}, found[1-winner])
		require.Equal(t, found[1-winner], r.does(findStep, both[1-winner]), "said again")
		r.ends(both[1-winner], work.Joined)
		require.Empty(t, r.read(both[1-winner].id).ContactKey)

		third := r.again(v, token)
		require.Equal(t, v.serial, r.does(findStep, third).(work.FindResult).Serial, "another partner's does not matter")
		r.ends(both[winner], work.Declined)
		fourth := r.again(v, pull)
		require.Equal(t, v.serial, r.does(findStep, fourth).(work.FindResult).Serial, "the first one is over")
	}
}

func TestAVenueThatIsConnectedIsTold(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.whole(j)
	late := r.again(j.venue, token)
	want := work.FindResult{Connected: "7shifts:chez-marcel-1"}
	require.Equal(t, want, r.does(findStep, late))
	r.ends(late, work.Connected)
	require.Empty(t, r.read(late.id).ContactKey, "nobody is to be asked")

	_, err := r.Ledger.SetState(r.ctx, want.Connected, work.Paused, lea)
	require.NoError(t, err)
	late = r.again(j.venue, token)
	require.Equal(t, want, r.does(findStep, late), "paused is connected")
	r.ends(late, work.Connected)
	_, err = r.Ledger.SetState(r.ctx, want.Connected, work.Disconnected, lea)
	require.NoError(t, err)
	require.Equal(t, j.serial, r.does(findStep, r.again(j.venue, token)).(work.FindResult).Serial, "it left")

	// Its own connection, should its run begin afresh, is no reason to end it.
	own := r.start(pull)
	r.upTo("end", own)
	require.Equal(t, own.serial, r.does(findStep, own).(work.FindResult).Serial)
}

func TestWithoutABackOfficeAPersonFinds(t *testing.T) {
	r := newRig(t, func(r *rig, _ *clustersim.OfficeSwitches) { r.noOffice = true })
	id := r.asks(pull, "hand", work.VenueInput{TradeName: "Chez Paul", Address: "2 rue B", Language: "en"})[0]
	require.Equal(t, work.FindResult{}, r.does(findStep, joining{id: id}))
	found, err := r.Choose(r.ctx, work.CaseAct{Case: id, Serial: "CL-9", By: "lea", Reason: "venue_asked", Note: "read on the terminal"})
	require.NoError(t, err)
	require.Equal(t, work.FindResult{Serial: "CL-9", TradeName: "Chez Paul"}, found)
	require.Equal(t, ledger.CaseVenue{TradeName: "Chez Paul", Address: "2 rue B", Zone: zone, Language: "en"}, r.read(id).Data.Venue)

	known := r.asks(pull, "hand2", work.VenueInput{TradeName: "Chez Anne", Address: "3 rue C", Serial: "CL-10"})[0]
	require.Equal(t, work.FindResult{Serial: "CL-10", TradeName: "Chez Anne"}, r.does(findStep, joining{id: known}))
}

func TestAContactIsEntered(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.till.SetContact(j.serial, nil)
	require.Empty(t, r.does(findStep, j).(work.FindResult).Contact)
	_, err := r.Ask(r.ctx, work.AskInput{Request: j.request(), Group: "c1", Cases: []string{j.id}})
	r.refused(work.MailRefused, err)
	none, err := r.Contact(r.ctx, j.id)
	require.NoError(t, err)
	require.Empty(t, none.Contact)

	name, email := r.person(900)
	enter := onboarding.NewContact{
		Case: j.id, Name: vault.NewSecret(name), Email: vault.NewSecret(email), Language: words.English, By: "lea", Note: "called back",
	}
	r.canaries.said(enter)
	bad := enter
	bad.Email = vault.NewSecret("no address, odile.canari.900@venue.example")
	r.refused(work.BadInput, r.EnterContact(r.ctx, bad))
	for range 2 {
		require.NoError(t, r.EnterContact(r.ctx, enter))
	}
	entered, err := r.Contact(r.ctx, j.id)
	require.NoError(t, err)
	require.Equal(t, work.ContactResult{Contact: r.read(j.id).ContactKey}, entered)
	c := r.read(j.id)
	require.Equal(t, "lea", c.Data.ContactBy)
	require.Equal(t, 1, c.Data.ContactNth, "the same person twice is one")
	require.Equal(t, "en", c.Data.Venue.Language)
	r.does(askStep, j)
	require.Len(t, r.mails(email), 1)

	// Replaced: another mail, and the first one's link opens this venue no more.
	name, email = r.person(901)
	enter.Name, enter.Email, enter.Language = vault.NewSecret(name), vault.NewSecret(email), ""
	require.NoError(t, r.EnterContact(r.ctx, enter))
	c = r.read(j.id)
	require.Empty(t, c.Group)
	require.Equal(t, "en", c.Data.Venue.Language)
	require.NotEqual(t, entered.Contact, c.ContactKey)
	for range 2 {
		_, err = r.Ask(r.ctx, work.AskInput{Request: j.request(), Group: "c2", Cases: []string{j.id}})
		require.NoError(t, err)
	}
	require.Len(t, r.mails(email), 1)
	var keys []string
	require.NoError(t, r.Ledger.DB().Select(&keys, `SELECT key FROM mails ORDER BY key`))
	require.Equal(t, []string{
		"onboarding:" + j.request() + "/confirm/c1/contact/1", "onboarding:" + j.request() + "/confirm/c2/contact/2",
	}, keys)

	r.ends(j, work.Expired)
	r.refused(work.BadInput, r.EnterContact(r.ctx, enter))
	require.Empty(t, r.read(j.id).ContactKey, "nobody who did not join is remembered")
	require.NotContains(t, strings.Join(r.secrets(), " "), j.id)
	var kept int
	require.NoError(t, r.Ledger.DB().Get(&kept, `SELECT count(*) FROM mails WHERE recipient IS NOT NULL`))
	require.Zero(t, kept, "nor are the addresses of the mails to them")
}

// The same address, however it is spelt, is the same contact, in every case of
// every request; and of nobody is anything told.
func TestContactsAreToldApartWithoutBeingTold(t *testing.T) {
	r := newRig(t)
	one, two, three := r.start(pull), r.start(pull), r.start(token)
	_, email := r.person(910)
	for _, v := range []venue{one.venue, three.venue} {
		r.till.SetContact(v.serial, &clustersim.Contact{Name: "Odile Canari-910", Email: text(strings.ToUpper(email))})
	}
	r.till.SetContact(two.serial, &clustersim.Contact{Name: "Odile Canari-910", Email: text("x" + email)})
	a, b, c := r.does(findStep, one).(work.FindResult), r.does(findStep, two).(work.FindResult), r.does(findStep, three).(work.FindResult)
	require.Equal(t, a.Contact, c.Contact)
	require.NotEqual(t, a.Contact, b.Contact)
	shown, err := json.Marshal([]any{r.read(one.id), a})
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(string(shown)), "canari")
}
