package onboarding_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// handsOver sends the credentials to both readers, and gives both mails.
func (r *rig) handsOver(j joining) (toVenue, toSupport mailboxsim.Mail) {
	r.t.Helper()
	for kind, to := range map[mail.Kind]*mailboxsim.Mail{mail.KindCredentials: &toVenue, mail.KindCredentialsToSupport: &toSupport} {
		require.Equal(r.t, work.MailResult{Readers: 1}, r.does(mailStep(kind), j))
		address := j.email
		if kind == mail.KindCredentialsToSupport {
			address = support
		}
		all := r.mails(address)
		*to = all[len(all)-1]
		require.Contains(r.t, to.Text, j.serial)
	}
	return toVenue, toSupport
}

// reveals opens what a link stands for.
func (r *rig) reveals(j joining, reader link.Reader) (vault.Secret, bool) {
	r.t.Helper()
	v, err := r.Revealing(r.ctx, j.id, reader)
	require.NoError(r.t, err)
	key, opened, err := r.Reveal(r.ctx, v)
	require.NoError(r.t, err)
	r.canaries.said(v, key)
	require.Equal(r.t, v.Ready, opened)
	return key, opened
}

func (r *rig) revealing(j joining, reader link.Reader) onboarding.Revealing {
	r.t.Helper()
	v, err := r.Revealing(r.ctx, j.id, reader)
	require.NoError(r.t, err)
	r.canaries.said(v)
	return v
}

func TestTheKeyIsShownOnceToEachReader(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("credentials", j)
	_, err := r.Revealing(r.ctx, j.id, link.Venue)
	r.refused(work.BadInput, err)
	toVenue, toSupport := r.handsOver(j)
	require.Contains(t, toVenue.Text, "Intégrations POS")
	for reader, m := range map[link.Reader]mailboxsim.Mail{link.Venue: toVenue, link.Support: toSupport} {
		v := r.revealing(j, reader)
		require.True(t, v.Ready)
		claims, err := r.Links.Verify(link.Reveal, r.link(m, "reveal"), r.clock.Now())
		require.NoError(t, err)
		require.Equal(t, link.Claims{Purpose: link.Reveal, Subject: j.id, Reader: reader, Expires: v.Expires.UTC()}, claims)
	}
	require.NotEqual(t, r.link(toVenue, "reveal"), r.link(toSupport, "reveal"))

	// Two tabs at once: one of them gets it.
	v := r.revealing(j, link.Venue)
	keys := make(chan vault.Secret, 8)
	var racing sync.WaitGroup
	for range cap(keys) {
		racing.Go(func() {
			if key, opened, err := r.Reveal(r.ctx, v); err == nil && opened {
				keys <- key
			}
		})
	}
	racing.Wait()
	require.Len(t, keys, 1)
	require.NoError(t, r.ping(j.serial, <-keys))
	v = r.revealing(j, link.Venue)
	require.False(t, v.Ready)
	require.False(t, v.Opened.IsZero(), "when it was opened is told")
	_, opened := r.reveals(j, link.Venue)
	require.False(t, opened)

	require.True(t, r.revealing(j, link.Support).Ready, "one does not spend the other's")
	key, opened := r.reveals(j, link.Support)
	require.True(t, opened)
	require.NoError(t, r.ping(j.serial, key))
	story := r.story(j.id)
	require.Equal(t, []string{"key revealed: opened", "key revealed: opened"}, story[len(story)-2:])
}

func TestALinkToAKeyEnds(t *testing.T) {
	r := newRig(t)
	expired, withdrawn := r.start(pull), r.start(pull)
	for _, j := range []joining{expired, withdrawn} {
		r.upTo("credentials", j)
		r.handsOver(j)
	}
	seen := r.revealing(expired, link.Venue)
	r.clock.Forward(days(7))
	v := r.revealing(expired, link.Venue)
	require.False(t, v.Ready)
	require.True(t, v.Opened.IsZero())
	_, opened, err := r.Reveal(r.ctx, seen)
	require.NoError(t, err)
	require.False(t, opened, "also for who looked in time")

	r.clock.Forward(-days(7))
	seen = r.revealing(withdrawn, link.Venue)
	require.True(t, seen.Ready)
	r.undo(withdrawn)
	v = r.revealing(withdrawn, link.Venue)
	require.True(t, v.Withdrawn)
	require.False(t, v.Ready)
	_, _, err = r.Reveal(r.ctx, seen)
	r.refused(work.SecretUnreadable, err)
}

func TestAKeyIsHandedOverAgain(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("entry", j)
	first, _ := r.handsOver(j)
	_, opened := r.reveals(j, link.Venue)
	require.True(t, opened)
	r.clock.Forward(days(8))
	require.NoError(t, r.HandOverAgain(r.ctx, j.id, lea))
	require.False(t, r.revealing(j, link.Venue).Ready, "not before the mail")
	again, _ := r.handsOver(j)
	require.NotEqual(t, first.MessageID, again.MessageID)
	require.NotEqual(t, r.link(first, "reveal"), r.link(again, "reveal"))
	for _, reader := range []link.Reader{link.Venue, link.Support} {
		key, opened := r.reveals(j, reader)
		require.True(t, opened)
		require.NoError(t, r.ping(j.serial, key))
	}
	story := r.story(j.id)
	require.Contains(t, story, "credentials handed over again: 2")
	r.ends(j, work.Cancelled)
	r.refused(work.BadInput, r.HandOverAgain(r.ctx, j.id, lea))
}

func TestAKeyStandsInTheMailWhereASettingSaysSo(t *testing.T) {
	r := newRig(t)
	r.Room.Settings.KeyInline = true
	j := r.start(pull)
	r.upTo("credentials", j)
	for _, m := range func() []mailboxsim.Mail { a, b := r.handsOver(j); return []mailboxsim.Mail{a, b} }() {
		key, err := r.Vault.Get(r.ctx, "key:"+r.key(j.venue, work.Wisk).Base)
		require.NoError(t, err)
		require.Contains(t, m.Text, key.Reveal())
		for _, l := range m.Links() {
			require.NotContains(t, l, gateway)
		}
	}
	_, err := r.Revealing(r.ctx, j.id, link.Venue)
	r.refused(work.BadInput, err)
}

// Who gets no key gets no mail with one.
func TestWithoutAKeyNobodyIsWrittenTo(t *testing.T) {
	r := newRig(t)
	for _, w := range []way{upload, report, token} {
		j := r.start(w)
		r.upTo("till", j)
		r.does(tillStep, j)
		for _, kind := range []mail.Kind{mail.KindCredentials, mail.KindCredentialsToSupport} {
			require.Equal(t, work.MailResult{}, r.does(mailStep(kind), j))
		}
	}
	require.Empty(t, r.mails(support))
	_, err := r.Send(r.ctx, work.CaseMail{Case: r.start(pull).id, Kind: "something"})
	r.refused(work.Internal, err)

	j := r.start(pull)
	r.upTo("till", j)
	_, err = mailStep(mail.KindCredentials).take(r, r.Room, j)
	r.refused(work.SecretUnreadable, err)
	r.till.SetContact(j.serial, nil)
	nobody := r.again(r.venue(), pull)
	r.till.SetContact(nobody.serial, nil)
	r.does(findStep, nobody)
	r.does(tillStep, nobody)
	require.Equal(t, work.MailResult{}, r.does(mailStep(mail.KindCredentials), nobody), "nobody is known there")
	require.Equal(t, work.MailResult{Readers: 1}, r.does(mailStep(mail.KindCredentialsToSupport), nobody))
}

// The page that takes a token has its end from the venue's yes, and a new one
// when it is sent again.
func TestTheLinkForATokenIsSentAgain(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.upTo("token-needed", j)
	r.does(mailStep(mail.KindTokenNeeded), j)
	end := func() time.Time {
		all := r.mails(j.email)
		claims, err := r.Links.Verify(link.Token, r.link(all[len(all)-1], "token"), r.clock.Now())
		require.NoError(t, err)
		return claims.Expires
	}
	require.Equal(t, r.read(j.id).Data.DecidedAt.Add(days(30)).Truncate(time.Second), end())
	r.clock.Forward(days(31))
	require.NoError(t, r.HandOverAgain(r.ctx, j.id, lea))
	r.does(mailStep(mail.KindTokenNeeded), j)
	require.WithinDuration(t, r.clock.Now().Add(days(30)), end(), time.Minute)
	require.Len(t, r.mails(j.email), 3)
}
