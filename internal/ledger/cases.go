package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Case is one venue's way to a partner, or the replacing of one of its
// credentials. Its instants are business time.
type Case struct {
	ID string `json:"id"` // see work.CaseID
	// Workflow is the id of the workflow that takes its Updates.
	Workflow string `json:"workflow"`
	Request  string `json:"request"` // "<partner>:<request>"; of a rotation, its connection
	Partner  string `json:"partner"`
	// Serial is the till's and Location ours, once they are known.
	Serial   string       `json:"serial"`
	Location string       `json:"location"`
	Outcome  work.Outcome `json:"outcome"` // empty while it is open
	// ContactKey names, by a keyed hash, whom to ask; empty where nobody is
	// known.
	ContactKey string    `json:"contact_key"`
	Group      string    `json:"asked_group"` // "<request>:c<n>": who share a mail
	CreatedAt  time.Time `json:"created_at"`
	Data       CaseData  `json:"data"`
}

// CaseData is what else is known of a case. It holds no person, secret or
// amount. Fields are only ever added, and always written.
type CaseData struct {
	Requester string          `json:"requester"`
	Route     string          `json:"route"` // as asked; empty: not yet known
	By        string          `json:"by"`
	Asked     work.VenueInput `json:"asked"`
	Venue     CaseVenue       `json:"venue"`

	ContactBy  string    `json:"contactBy"` // who entered it; empty: it stood on Cluster's record
	ContactAt  time.Time `json:"contactAt"`
	ContactNth int       `json:"contactNth"` // counts the contacts, so that another one gets a mail of its own

	AskedAt   time.Time `json:"askedAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Decision  string    `json:"decision"` // work.Confirm, work.Decline, or empty
	Why       string    `json:"why"`
	DecidedBy string    `json:"decidedBy"`
	DecidedAt time.Time `json:"decidedAt"`

	Entry   *CaseEntry      `json:"entry"`  // partners that are entered
	Places  []partner.Place `json:"places"` // partners that take a token
	TokenAt time.Time       `json:"tokenAt"`
	// TokenWrong counts wrong tokens since the last good one, or since an
	// operator gave new tries; FedByOthers are places that another POS feeds.
	TokenWrong  int        `json:"tokenWrong"`
	FedByOthers []int64    `json:"fedByOthers"`
	Place       *CasePlace `json:"place"`
	// Identified says that the venue's identifier at the partner is kept.
	Identified bool `json:"identified"`

	Stage      work.Stage `json:"stage"`
	WaitingFor string     `json:"waitingFor"`
	What       string     `json:"what"`
	Code       work.Code  `json:"code"`
	Since      time.Time  `json:"since"`
	EndedAt    time.Time  `json:"endedAt"`
	Rotates    string     `json:"rotates"`    // what a rotation replaces
	Round      int        `json:"round"`      // of credentials' handing over, from 1
	Generation int        `json:"generation"` // of the key that a rotation brings; 0: not yet known
}

// CaseVenue is a venue as Cluster's record has it.
type CaseVenue struct {
	TradeName string `json:"tradeName"`
	Address   string `json:"address"`
	Zone      string `json:"zone"`     // IANA
	Language  string `json:"language"` // fr or en
}

// CaseEntry is what was said of the partner's side.
type CaseEntry struct {
	Route                string    `json:"route"`
	Modifiers            string    `json:"modifiers"`
	NoClusterIntegration bool      `json:"noClusterIntegration"`
	By                   string    `json:"by"`
	At                   time.Time `json:"at"`
}

// CasePlace is the partner's location that was chosen.
type CasePlace struct {
	partner.Place
	ReceiptDate string    `json:"receiptDate"`
	By          string    `json:"by"`
	At          time.Time `json:"at"`
}

// Name is the venue's trade name: Cluster's, or as it was asked.
func (c Case) Name() string {
	if c.Data.Venue.TradeName != "" {
		return c.Data.Venue.TradeName
	}
	return c.Data.Asked.TradeName
}

// Connection is the id that the connection has, or will have; empty while the
// location is not known.
func (c Case) Connection() string {
	if c.Location == "" {
		return ""
	}
	return work.ConnectionID(c.Partner, c.Location)
}

// selectCases leaves the contact out: who needs it asks SealedContact.
const selectCases = `
	SELECT to_json(x) FROM (
		SELECT id, workflow, request, partner, serial, location, outcome, contact_key, asked_group, created_at, data FROM cases
	) x `

// AddCases adds cases that are not there yet; CreatedAt is set here.
func (s *Store) AddCases(ctx context.Context, cases []Case, by Actor) error {
	return s.inTx(ctx, "adding cases", func(tx *sqlx.Tx) error {
		for _, c := range cases {
			data, err := asJSON(c.Data)
			if err != nil {
				return err
			}
			done, err := tx.ExecContext(ctx, `
				INSERT INTO cases (id, workflow, request, partner, serial, location, created_at, data)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) ON CONFLICT (id) DO NOTHING`,
				c.ID, c.Workflow, c.Request, c.Partner, c.Serial, c.Location, s.clock.Now(), data)
			if err != nil {
				return caseTaken(err)
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				return err
			}
			e := by.entry(ActAskOnboarding)
			e.Location, e.New = c.ID, c.Name()
			if err := s.journal(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// ErrCaseTaken says that another open case has this partner and serial number.
var ErrCaseTaken error = work.Err(work.TillForeign, "another onboarding is open for this venue and partner")

func caseTaken(err error) error {
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Constraint == "cases_one_open" {
		return ErrCaseTaken
	}
	return err
}

// Case finds a case; an unknown id is BadInput.
func (s *Store) Case(ctx context.Context, id string) (Case, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`WHERE x.id = $1`, id)
	if err != nil {
		return Case{}, failed("reading a case", err)
	}
	if len(found) == 0 {
		return Case{}, unknownCase(id)
	}
	return found[0], nil
}

func unknownCase(id string) error {
	return work.Err(work.BadInput, fmt.Sprintf("there is no onboarding %q; see them with: clusterbridge onboarding list", clip(id, maxID)))
}

// CasesOf are those of a group, or of a request, in their order.
func (s *Store) CasesOf(ctx context.Context, groupOrRequest string) ([]Case, error) {
	all, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE x.asked_group = $1 OR x.request = $1 ORDER BY x.created_at, length(x.id), x.id`, groupOrRequest)
	return all, failed("reading cases", err)
}

// Cases are those that are open, or all, the newest first and at most 500.
func (s *Store) Cases(ctx context.Context, all bool) ([]Case, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE $1 OR x.outcome = '' ORDER BY x.created_at DESC, length(x.id), x.id LIMIT 500`, all)
	return found, failed("reading cases", err)
}

// OpenCase is the open case of a partner and serial number, and whether there
// is one.
func (s *Store) OpenCase(ctx context.Context, partnerName, serial string) (Case, bool, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE x.partner = $1 AND x.serial = $2 AND x.outcome = '' AND $2 <> ''`, partnerName, serial)
	if err != nil || len(found) == 0 {
		return Case{}, false, failed("reading a case", err)
	}
	return found[0], true, nil
}

// CasesOfConnection are the onboardings that made a connection and the rotations
// of its credentials, the newest first.
func (s *Store) CasesOfConnection(ctx context.Context, connection string) ([]Case, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE x.location <> '' AND x.partner || ':' || x.location = $1 ORDER BY x.created_at DESC, x.id`, connection)
	return found, failed("reading cases", err)
}

// CaseOfConnection is the newest onboarding that made a connection, and whether
// there is one.
func (s *Store) CaseOfConnection(ctx context.Context, connection string) (Case, bool, error) {
	cases, err := s.CasesOfConnection(ctx, connection)
	for _, c := range cases {
		if c.Data.Rotates == "" {
			return c, true, err
		}
	}
	return Case{}, false, err
}

// ChangeCase runs f on a case that nobody else changes meanwhile, and keeps what
// it changed. An entry with an Act is journalled with it. An open case whose
// partner and serial number another one has is ErrCaseTaken.
func (s *Store) ChangeCase(ctx context.Context, id string, f func(c *Case) (Entry, error)) (Case, error) {
	var c Case
	err := s.inTx(ctx, "changing a case", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT 1 FROM cases WHERE id = $1 FOR UPDATE`, id); err != nil {
			return err
		}
		found, err := selectJSON[Case](ctx, tx, selectCases+`WHERE x.id = $1`, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return unknownCase(id)
		}
		c = found[0]
		entry, err := f(&c)
		if err != nil {
			return err
		}
		data, err := asJSON(c.Data)
		if err != nil {
			return err
		}
		// Fields of a newer program, unknown here, are kept.
		if _, err := tx.ExecContext(ctx, `
			UPDATE cases SET serial = $2, location = $3, outcome = $4, asked_group = $5, data = data || $6::jsonb WHERE id = $1`,
			id, c.Serial, c.Location, c.Outcome, c.Group, data); err != nil {
			return caseTaken(err)
		}
		if entry.Act == "" {
			return nil
		}
		if entry.Location == "" {
			entry.Location = id
		}
		return s.journal(ctx, tx, entry)
	})
	return c, err
}

// SetCaseContact keeps whom to ask, sealed; nil forgets it.
func (s *Store) SetCaseContact(ctx context.Context, id string, sealed []byte, key string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE cases SET contact = $2, contact_key = $3 WHERE id = $1`, id, sealed, key)
	return failed("keeping a contact", err)
}

// SealedContact is whom to ask, sealed; nil where nobody is known.
func (s *Store) SealedContact(ctx context.Context, id string) ([]byte, error) {
	var sealed []byte
	err := s.db.GetContext(ctx, &sealed, `SELECT contact FROM cases WHERE id = $1`, id)
	return sealed, failed("reading a contact", err)
}

// CaseStory is what people and the program did to a case, oldest first.
func (s *Store) CaseStory(ctx context.Context, id string) ([]Entry, error) {
	story, err := selectJSON[Entry](ctx, s.db, `SELECT to_json(j) FROM journal j WHERE j.location = $1 ORDER BY j.number LIMIT 2000`, id)
	return story, failed("reading the journal", err)
}
