package mail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const key = "onboarding:wisk:r-1042/chez-marcel/credentials"

var to = vault.NewSecret(anna)

// room is a database and a mail server; any number of processes work in it.
type room struct {
	t      testing.TB
	url    string
	db     *sqlx.DB
	keyset string
	box    mailbox
}

func newRoom(t testing.TB) *room {
	t.Helper()
	url := postgres.ForTest(t)
	_, _, err := ledger.Migrate(context.Background(), url)
	require.NoError(t, err)
	db, err := sqlx.Open("postgres", url+"&binary_parameters=yes")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	keyset, err := vault.NewKeyset()
	require.NoError(t, err)
	return &room{t, url, db, keyset, newMailbox(t, mailboxsim.Options{})}
}

// process is an Outbox as another process has it.
func (r *room) process(sender mail.Sender, db *sqlx.DB) *mail.Outbox {
	v, err := vault.Open(r.keyset, db)
	require.NoError(r.t, err)
	return mail.NewOutbox(db, v, sender, clock.Fixed(november), slog.New(slog.DiscardHandler))
}

func (r *room) outbox() *mail.Outbox { return r.process(newPost(r.t, r.box.settings()), r.db) }

// leasesEnd lets time pass on PostgreSQL's clock.
func (r *room) leasesEnd() { r.db.MustExec(`UPDATE mails SET lease_until = '-infinity'`) }

func (r *room) waiting() []mail.Waiting {
	all, err := r.outbox().Waiting(r.t.Context())
	require.NoError(r.t, err)
	return all
}

// dump is all that the table holds, as anybody with the database sees it.
func (r *room) dump() string {
	var rows []string
	require.NoError(r.t, r.db.Select(&rows, `SELECT to_json(m)::text || encode(coalesce(recipient, '') || coalesce(content, ''), 'escape') FROM mails m`))
	return strings.Join(rows, "\n")
}

func credentials(t testing.TB) mail.Composed {
	t.Helper()
	c, err := composer(t).Compose(sampleOf(t, "credentials-inline"), words.French)
	require.NoError(t, err)
	return c
}

func TestAStepSendsItsMailOnce(t *testing.T) {
	r := newRoom(t)
	for range 3 {
		require.NoError(t, r.outbox().Send(t.Context(), key, to, credentials(t)))
	}
	all := r.box.Mails("")
	require.Len(t, all, 1)
	require.Equal(t, anna, all[0].To)
	require.Contains(t, all[0].Text, apiKey)
	require.True(t, all[0].Date.Equal(november))
	require.Equal(t, "<"+mail.MessageID(key, "clusterpos.example")+">", all[0].MessageID)
	require.Empty(t, r.waiting())

	require.NoError(t, r.outbox().Send(t.Context(), key+"/2", to, credentials(t)), "another step")
	require.Len(t, r.box.Copies(), 2)
}

func TestTheTableTellsNoAddressAndNoKey(t *testing.T) {
	r := newRoom(t)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultTempfail}))
	require.Error(t, r.outbox().Send(t.Context(), key, to, credentials(t)))
	require.Contains(t, r.dump(), key, "the search works")
	for _, secret := range []string{"anna", "venue.example.com", apiKey, "Marcel", "A1B2C3"} {
		require.NotContains(t, r.dump(), secret)
	}
	require.NoError(t, r.outbox().Send(t.Context(), key, to, credentials(t)))
	var left struct {
		Recipient, Content []byte
		State              string
	}
	require.NoError(t, r.db.Get(&left, `SELECT recipient, content, state FROM mails`))
	require.NotEmpty(t, left.Recipient)
	require.Empty(t, left.Content, "the text goes when the mail has gone")
	require.Equal(t, "sent", left.State)

	r.keyset, _ = vault.NewKeyset()
	require.NoError(t, r.outbox().Send(t.Context(), key, to, credentials(t)), "sent is sent, with any keyset")
}

func TestAFailedMailShowsUntilItIsSent(t *testing.T) {
	r := newRoom(t)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultTempfail, Times: 2}))
	for attempt := 1; attempt <= 2; attempt++ {
		requireCode(t, r.outbox().Send(t.Context(), key, to, credentials(t)), work.MailUnreachable, false)
		require.Equal(t, []mail.Waiting{{
			Key: key, Kind: mail.KindCredentials, Since: r.waiting()[0].Since, Attempts: attempt, Code: work.MailUnreachable,
		}}, r.waiting())
		require.WithinDuration(t, november, r.waiting()[0].Since, time.Minute)
	}
	require.NoError(t, r.outbox().Send(t.Context(), key, to, credentials(t)))
	require.Empty(t, r.waiting())
	require.Len(t, r.box.Mails(""), 1)
}

func TestAGoodAddressFollowsABadOne(t *testing.T) {
	r := newRoom(t)
	requireCode(t, r.outbox().Send(t.Context(), key, vault.NewSecret("anna at venue.example.com"), credentials(t)), work.MailRefused, false)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultRefuse}))
	requireCode(t, r.outbox().Send(t.Context(), key, to, credentials(t)), work.MailRefused, false)
	require.Equal(t, work.MailRefused, r.waiting()[0].Code)
	require.NoError(t, r.outbox().Send(t.Context(), key, vault.NewSecret("bella@venue.example.com"), credentials(t)))
	require.Equal(t, "bella@venue.example.com", r.box.Mails("")[0].To)
	require.Empty(t, r.waiting())
}

// Once a copy may have left, every other copy is the same: same text, though
// the program that makes texts has changed, and same reader.
func TestACopyIsACopy(t *testing.T) {
	r := newRoom(t)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultAcceptDrop}))
	requireCode(t, r.outbox().Send(t.Context(), key, to, credentials(t)), work.MailUnreachable, true)
	require.True(t, r.waiting()[0].Unsure)

	requireCode(t, r.outbox().Send(t.Context(), key, vault.NewSecret("bella@venue.example.com"), credentials(t)), work.BadInput, false)
	require.Empty(t, r.box.Mails("bella@venue.example.com"))
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultTempfail}))
	requireCode(t, r.outbox().Send(t.Context(), key, to, credentials(t)), work.MailUnreachable, false)
	require.True(t, r.waiting()[0].Unsure, "a refusal now says nothing of the copy before")

	changed := credentials(t)
	changed.Subject, changed.Text = "Changed", "Changed by a new version.\n"
	require.NoError(t, r.outbox().Send(t.Context(), key, to, changed))
	require.Len(t, r.box.Mails(""), 2)
	require.Len(t, r.box.Copies(), 1)
	require.Empty(t, r.box.Violations(), "two copies, one content")
	require.Empty(t, r.waiting())
}

func TestWhatHasNotLeftMayStillChange(t *testing.T) {
	r := newRoom(t)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultTempfail}))
	require.Error(t, r.outbox().Send(t.Context(), key, to, credentials(t)))
	changed := credentials(t)
	changed.Subject = "Changed"
	require.NoError(t, r.outbox().Send(t.Context(), key, to, changed))
	require.Equal(t, "Changed", r.box.Mails("")[0].Subject)
}

func TestOneSenderPerMail(t *testing.T) {
	r := newRoom(t)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultSlow, Delay: mailboxsim.Duration(300 * time.Millisecond)}))
	var group sync.WaitGroup
	results := make([]error, 8)
	workers := []*mail.Outbox{r.outbox(), r.outbox()}
	for i := range results {
		group.Go(func() { results[i] = workers[i%2].Send(t.Context(), key, to, credentials(t)) })
	}
	group.Wait()
	sent := 0
	for _, err := range results {
		if err == nil {
			sent++
			continue
		}
		requireCode(t, err, work.LeaseHeld, false)
	}
	require.Positive(t, sent)
	require.Len(t, r.box.Mails(""), 1)
}

func TestTwoWorkersShareTheWork(t *testing.T) {
	r := newRoom(t)
	const steps = 20
	workers := []*mail.Outbox{r.outbox(), r.outbox()}
	var group sync.WaitGroup
	for _, w := range workers {
		group.Go(func() {
			for i := range steps {
				err := w.Send(t.Context(), fmt.Sprintf("%s/%d", key, i), to, credentials(t))
				if e, ok := errors.AsType[*work.Error](err); ok {
					require.Equal(t, work.LeaseHeld, e.Code)
				}
			}
		})
	}
	group.Wait()
	copies := r.box.Copies()
	require.Len(t, copies, steps)
	for id, n := range copies {
		require.Equal(t, 1, n, id)
	}
}

func TestPurgedAddressesAreGone(t *testing.T) {
	r := newRoom(t)
	ctx := t.Context()
	for _, k := range []string{"onboarding:wisk:r-1/confirm", "onboarding:wisk:r-1/live", "onboarding:wisk:r-1:chez-marcel/live", "onboarding:wisk:r-10/confirm", "onboarding:wisk:r-1"} {
		require.NoError(t, r.outbox().Send(ctx, k, to, credentials(t)))
	}
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultTempfail}))
	require.Error(t, r.outbox().Send(ctx, "onboarding:wisk:r-1/failed", to, credentials(t)))
	n, err := r.outbox().Purge(ctx, "onboarding:wisk:r-1")
	require.NoError(t, err)
	require.Equal(t, 5, n)
	var kept []string
	require.NoError(t, r.db.Select(&kept, `SELECT key FROM mails WHERE recipient IS NOT NULL OR content IS NOT NULL`))
	require.Equal(t, []string{"onboarding:wisk:r-10/confirm"}, kept, "another request's is not touched")
	require.Empty(t, r.waiting(), "what cannot be sent any more waits for nobody")

	before := len(r.box.Mails(""))
	require.NoError(t, r.outbox().Send(ctx, "onboarding:wisk:r-1/confirm", to, credentials(t)), "it was sent, and stays so")
	requireCode(t, r.outbox().Send(ctx, "onboarding:wisk:r-1/failed", to, credentials(t)), work.MailRefused, false)
	require.Len(t, r.box.Mails(""), before, "a late retry does not bring the address back")
	again, err := r.outbox().Purge(ctx, "onboarding:wisk:r-1")
	require.NoError(t, err)
	require.Zero(t, again)
	_, err = r.outbox().Purge(ctx, "")
	require.Error(t, err, "not everybody's at once")
}

func TestAnotherKeysetOpensNoMail(t *testing.T) {
	r := newRoom(t)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultAcceptDrop}))
	require.Error(t, r.outbox().Send(t.Context(), key, to, credentials(t)))
	r.keyset, _ = vault.NewKeyset()
	requireCode(t, r.outbox().Send(t.Context(), key, to, credentials(t)), work.SecretUnreadable, false)
	require.Equal(t, work.SecretUnreadable, r.waiting()[0].Code)
	require.Len(t, r.box.Mails(""), 1)
}

func TestMalformedKeysAreRefused(t *testing.T) {
	r := newRoom(t)
	for _, k := range []string{"", "anna@venue.example.com", "Key", "a b", strings.Repeat("x", 201), "a\nb"} {
		requireCode(t, r.outbox().Send(t.Context(), k, to, credentials(t)), work.Internal, false)
	}
	require.Empty(t, r.box.Mails(""))
}

func TestTheLedgersAbsenceIsTransient(t *testing.T) {
	r := newRoom(t)
	gone, err := sqlx.Open("postgres", r.url)
	require.NoError(t, err)
	o := r.process(newPost(t, r.box.settings()), gone)
	require.NoError(t, gone.Close())
	requireCode(t, o.Send(t.Context(), key, to, credentials(t)), work.LedgerUnavailable, false)
	_, err = o.Waiting(t.Context())
	requireCode(t, err, work.LedgerUnavailable, false)
	require.Empty(t, r.box.Mails(""), "nothing leaves before the intent is written")
}

// A Waiting may stand in a status page, in JSON.
func TestWaitingTellsNoAddress(t *testing.T) {
	r := newRoom(t)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultRefuse}))
	require.Error(t, r.outbox().Send(t.Context(), key, to, credentials(t)))
	text, err := json.Marshal(r.waiting())
	require.NoError(t, err)
	require.Contains(t, string(text), key)
	require.NotContains(t, string(text), "anna")
}
