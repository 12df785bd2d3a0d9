package ledger

import (
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Case is one venue's way to a partner, or the replacing of one of its
// credentials. Its instants are business time.
type Case struct {
	ID string `json:"id"` // see work.CaseID
	// Workflow is the id of the workflow that takes its Updates.
	Workflow string `json:"workflow"`
	Request  string `json:"request"` // "<partner>:<request>"; of a rotation, its workflow
	Partner  string `json:"partner"`
	// Serial is the till's and Location ours, once they are known.
	Serial   string       `json:"serial"`
	Location string       `json:"location"`
	Outcome  work.Outcome `json:"outcome"` // empty while it is open
	// ContactKey names, by a keyed hash, whom to ask; empty where nobody is
	// known.
	ContactKey string `json:"contact_key"`
	// Contact is whom to ask, sealed: ChangeCase keeps what is put here, beside
	// ContactKey. What is kept is never read into it; see SealedContact.
	Contact   []byte    `json:"-"`
	Group     string    `json:"asked_group"` // "<request>:c<n>": who share a mail
	CreatedAt time.Time `json:"created_at"`
	Data      CaseData  `json:"data"`
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
	// ContactTold is the ContactKey that the workflow was last told: one that was
	// entered while it could not be told has to be entered again.
	ContactTold string `json:"contactTold"`

	Groups    []string  `json:"groups"` // in which it was asked, the latest last
	AskedAt   time.Time `json:"askedAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Decision  string    `json:"decision"` // work.Confirm, work.Decline, or empty
	Why       string    `json:"why"`
	DecidedBy string    `json:"decidedBy"`
	DecidedAt time.Time `json:"decidedAt"`

	Entry *CaseEntry `json:"entry"` // partners that are entered
	// Partners that take a token: what the good one opens, and what was said of
	// the last one.
	Places  []partner.Place `json:"places"`
	TokenAt time.Time       `json:"tokenAt"`
	Verdict string          `json:"verdict"`
	// FedByOthers are places that another POS feeds.
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

	Round   int       `json:"round"`   // of the handing over of credentials or links, from 1
	RoundAt time.Time `json:"roundAt"` // of a later one; zero while it is the first
	// NeedsTill says that the way to the till was opened for this case, and not
	// taken back.
	NeedsTill bool `json:"needsTill"`
	// Connects says that the connection is this case's work, since LiveAt.
	Connects bool      `json:"connects"`
	LiveAt   time.Time `json:"liveAt"`

	// Of a rotation: what it replaces, the generation of the key that it brings
	// (0: not yet known), and the vault's id of what it replaced.
	Rotates    string `json:"rotates"`
	Generation int    `json:"generation"`
	Replaces   string `json:"replaces"`
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
