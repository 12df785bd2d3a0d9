package mail

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// leaseFor is how long a sender has a mail to itself: longer than any
	// sending (maxTimeout) with its record. Whoever is killed leaves it behind,
	// and the next one waits for the rest.
	leaseFor = 2 * time.Minute
	// recordWithin bounds the record of an outcome, which is written even if
	// the sender's own context has ended.
	recordWithin = 10 * time.Second
	// maxWaiting is how many waiting mails are listed at most: more than a
	// person goes through.
	maxWaiting = 500
)

// Sender hands one mail over; Post is the real one.
type Sender interface {
	Send(ctx context.Context, l Letter) error
	Domain() string
}

// Outbox sends each step's mail at least once. The intent is written before a
// mail is sent and the outcome after; every copy of a key is the same mail with
// the same Message-ID, and a second copy leaves only if nobody knows whether
// the server took the first: the process died, or the record could not be
// written, between the server's acceptance and the record. It keeps a table of
// its own in the ledger's database, in which addresses and texts are sealed. It
// is safe for use by many goroutines and processes.
type Outbox struct {
	db     *sqlx.DB
	vault  *vault.Vault
	sender Sender
	clock  clock.Clock // dates mails
	log    *slog.Logger
}

// NewOutbox makes an Outbox on the ledger's database.
func NewOutbox(db *sqlx.DB, v *vault.Vault, s Sender, c clock.Clock, log *slog.Logger) *Outbox {
	return &Outbox{db: db, vault: v, sender: s, clock: c, log: log}
}

// keyPattern is that of workflow ids and what follows them. The key names the
// step, and stands in clear: no person's name or address.
var keyPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._:/-]{0,199}$`)

// Send sends a step's mail, unless it was sent already. The key names the step,
// such as "onboarding:wisk:r-1042/confirm/1". As long as a copy may have left,
// the text that was first given for a key goes out again, whatever is given
// now; and another recipient needs another key.
//
// Errors are *work.Error: those of Post; LeaseHeld when another is sending this
// mail just now; MailRefused also when the address is malformed or was purged;
// BadInput for another recipient; LedgerUnavailable, which after a sending is
// ambiguous. The failed mail shows in Waiting until it is sent.
func (o *Outbox) Send(ctx context.Context, key string, to vault.Secret, c Composed) error {
	if !keyPattern.MatchString(key) {
		return work.Err(work.Internal, "a mail's key that is none")
	}
	claimed, err := o.claim(ctx, key, to, c)
	if err != nil || claimed == nil {
		return err
	}
	letter, err := o.open(key, to, claimed)
	if err == nil {
		err = o.sender.Send(ctx, letter)
	}
	if recordErr := o.record(ctx, key, claimed.Attempts, err); err == nil && recordErr != nil {
		return &work.Error{Code: work.LedgerUnavailable, Detail: "recording a mail that was sent", Ambiguous: true, Cause: recordErr}
	}
	return err
}

// claimed is a mail that this process may send.
type claimed struct {
	Attempts  int       `db:"attempts"`
	Unsure    int       `db:"unsure"` // this attempt included
	MessageID string    `db:"message_id"`
	DatedAt   time.Time `db:"dated_at"`
	Kind      Kind      `db:"kind"`
	Recipient []byte    `db:"recipient"`
	Content   []byte    `db:"content"`
}

// claim writes the intent and takes the lease, in one statement; nil when the
// mail was sent already. From here on a copy may leave, which unsure counts
// until the outcome is known.
func (o *Outbox) claim(ctx context.Context, key string, to vault.Secret, c Composed) (*claimed, error) {
	recipient, err := o.vault.Seal(recipientID(key), to)
	if err != nil {
		return nil, err
	}
	content, err := o.sealContent(key, c)
	if err != nil {
		return nil, err
	}
	var got claimed
	now := o.clock.Now()
	err = o.db.GetContext(ctx, &got, `
		INSERT INTO mails AS m (key, kind, lang, recipient, content, message_id, state, attempts, unsure, first_at, dated_at, lease_until)
		VALUES ($1, $2, $3, $4, $5, $6, $9, 1, 1, $7, $7, clock_timestamp() + make_interval(secs => $8))
		ON CONFLICT (key) DO UPDATE SET
			kind        = CASE WHEN m.unsure = 0 THEN excluded.kind      ELSE m.kind      END,
			lang        = CASE WHEN m.unsure = 0 THEN excluded.lang      ELSE m.lang      END,
			recipient   = CASE WHEN m.unsure = 0 THEN excluded.recipient ELSE m.recipient END,
			content     = CASE WHEN m.unsure = 0 THEN excluded.content   ELSE m.content   END,
			dated_at    = CASE WHEN m.unsure = 0 THEN excluded.dated_at  ELSE m.dated_at  END,
			state       = excluded.state,
			attempts    = m.attempts + 1,
			unsure      = m.unsure + 1,
			lease_until = excluded.lease_until
		WHERE m.state <> 'sent' AND NOT m.purged AND (m.lease_until IS NULL OR m.lease_until <= clock_timestamp())
		RETURNING attempts, unsure, message_id, dated_at, kind, recipient, content`,
		key, c.Kind, langs(c.Langs), recipient, content, MessageID(key, o.sender.Domain()), now, leaseFor.Seconds(), stateIntended)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, o.notClaimed(ctx, key)
	}
	if err != nil {
		return nil, unavailable(ctx, "writing down a mail", err)
	}
	return &got, nil
}

// notClaimed says why a mail is not this process's to send; nil when it was
// sent.
func (o *Outbox) notClaimed(ctx context.Context, key string) error {
	var now struct {
		State  string `db:"state"`
		Purged bool   `db:"purged"`
	}
	err := o.db.GetContext(ctx, &now, `SELECT state, purged FROM mails WHERE key = $1`, key)
	switch {
	case err != nil:
		return unavailable(ctx, "looking at a mail", err)
	case now.State == stateSent:
		return nil
	case now.Purged:
		return work.Err(work.MailRefused, "the address was deleted before the mail could be sent")
	}
	return work.Err(work.LeaseHeld, "another worker is sending this mail")
}

// open makes the letter of a claimed mail.
func (o *Outbox) open(key string, to vault.Secret, c *claimed) (Letter, error) {
	recipient, err := o.vault.Unseal(recipientID(key), c.Recipient)
	if err != nil {
		return Letter{}, err
	}
	if recipient.Reveal() != to.Reveal() {
		return Letter{}, work.Err(work.BadInput, "this step's mail may have gone to another address already")
	}
	content, err := o.vault.Unseal(contentID(key), c.Content)
	if err != nil {
		return Letter{}, err
	}
	var kept keptMail
	if err := json.Unmarshal([]byte(content.Reveal()), &kept); err != nil {
		return Letter{}, work.Err(work.Internal, "a kept mail cannot be read")
	}
	return Letter{To: recipient, MessageID: c.MessageID, Date: c.DatedAt.UTC(), Mail: Composed(kept)}, nil
}
