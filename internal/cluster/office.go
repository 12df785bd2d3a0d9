package cluster

import (
	"context"
	"log/slog"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// MaxCandidates is how many venues a search gives at most: more is no choice
// for an operator but a question to be asked more exactly.
const MaxCandidates = 50

// OfficeConfig is how the client talks to Cluster's back office. Zero values
// take the defaults of Config.
type OfficeConfig struct {
	BaseURL string
	// Key is our own program's; it opens no till.
	Key     vault.Secret
	Timeout time.Duration
	MaxBody int64 // of an answer, in bytes
}

// Office is the client of Cluster's back office, which finds venues, activates
// API access and issues keys (reference: Cluster section 3, all assumed; the
// names stand in package wire). It is safe for concurrent use.
//
// Its errors are those of every call of this package, with ClusterOfficeKey
// (401), ClusterNotActivated (403) and ClusterNoSerial (404). They are Ambiguous
// when a change may have been made though no answer tells; asking again under
// the same request id is always harmless.
type Office struct {
	caller caller
	key    vault.Secret
}

// officeCodes are the statuses by which the back office means something of its
// own (assumed).
var officeCodes = map[int]work.Code{
	http.StatusUnauthorized:    work.ClusterOfficeKey,
	http.StatusForbidden:       work.ClusterNotActivated,
	http.StatusNotFound:        work.ClusterNoSerial,
	http.StatusTooManyRequests: work.ClusterLimited,
	http.StatusRequestTimeout:  work.ClusterUnreachable,
}

// NewOffice makes a client. A nil transport means one of its own, to be closed
// with Close.
func NewOffice(cfg OfficeConfig, transport http.RoundTripper) *Office {
	o := &Office{caller: newCaller(cfg.BaseURL, cfg.Timeout, cfg.MaxBody, transport), key: cfg.Key}
	o.caller.header, o.caller.codes = wire.HeaderOfficeKey, officeCodes
	return o
}

// Close closes idle connections.
func (o *Office) Close() { o.caller.http.CloseIdleConnections() }

func (o *Office) do(ctx context.Context, in exchange) error {
	in.key = o.key.Reveal()
	return o.caller.do(ctx, in)
}

// LocationQuery describes a venue. Every field that is given has to fit, with
// some tolerance for how names and addresses are written; at least one is.
type LocationQuery struct {
	TradeName string
	Address   string
	Serial    string
}

// Candidates are the venues that fit a query. More says that there are others
// besides.
type Candidates struct {
	List []Candidate
	More bool
}

// Candidate is a venue as the back office knows it. Serial is its till's
// today, Zone an IANA name and Language fr or en, both as Cluster tells them.
type Candidate struct {
	Serial    string
	TradeName string
	Address   string
	Zone      string
	Language  string
	// Contact is Empty where none is on record.
	Contact Contact
}

// Contact is the person whom Cluster has on record for a venue. It hides itself
// wherever it is printed or written, so that it never enters a history or a log.
type Contact struct {
	Name  string
	Email string
}

// Empty says that nobody can be written to.
func (c Contact) Empty() bool { return c.Email == "" }

// String hides the person.
func (c Contact) String() string {
	if c.Empty() {
		return "no contact on record"
	}
	return "[redacted contact]"
}

// GoString hides the person.
func (c Contact) GoString() string { return "cluster.Contact{" + c.String() + "}" }

// LogValue hides the person.
func (c Contact) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON hides the person.
func (c Contact) MarshalJSON() ([]byte, error) { return []byte(`"` + c.String() + `"`), nil }

// FindLocations searches the back office for a venue.
func (o *Office) FindLocations(ctx context.Context, q LocationQuery) (Candidates, error) {
	var answer wire.Candidates
	call := exchange{
		path: wire.PathLocationSearch, answer: &answer,
		request: wire.LocationSearch{TradeName: q.TradeName, Address: q.Address, Serial: q.Serial},
	}
	if err := o.do(ctx, call); err != nil {
		return Candidates{}, err
	}
	if answer.Candidates == nil {
		return Candidates{}, call.malformed("no list of candidates")
	}
	found := Candidates{More: answer.More || len(answer.Candidates) > MaxCandidates}
	for _, c := range answer.Candidates[:min(len(answer.Candidates), MaxCandidates)] {
		if c.Serial == "" {
			return Candidates{}, call.malformed("a candidate without serial number")
		}
		found.List = append(found.List, Candidate{
			Serial: string(c.Serial), TradeName: strings.TrimSpace(string(c.TradeName)), Address: strings.TrimSpace(string(c.Address)),
			Zone: string(c.Zone), Language: string(c.Language), Contact: contactOf(c.Contact),
		})
	}
	return found, nil
}

// contactOf takes a contact whose address is one plain mail address; any other
// is no contact, since no mail would reach it.
func contactOf(c *wire.Contact) Contact {
	if c == nil {
		return Contact{}
	}
	email := strings.TrimSpace(string(c.Email))
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email {
		return Contact{}
	}
	return Contact{Name: strings.TrimSpace(string(c.Name)), Email: email}
}

// Access is how far a partner's API access to a till has come.
type Access string

// The states of Access. Pending takes 24 to 48 hours (reference: Cluster
// section 1); /ping-pos answers ClusterNotActivated meanwhile.
const (
	AccessPending Access = wire.AccessPending
	AccessActive  Access = wire.AccessActive
)

// Activate asks for a partner's API access to a till, or how an earlier request
// stands: it is idempotent by request id.
func (o *Office) Activate(ctx context.Context, serial, partner, requestID string) (Access, error) {
	var answer wire.Access
	call := exchange{
		path: wire.PathActivate, answer: &answer, write: true,
		request: wire.AccessRequest{Serial: serial, Partner: partner, RequestID: requestID},
	}
	if err := o.do(ctx, call); err != nil {
		return "", err
	}
	switch access := Access(answer.Status); access {
	case AccessPending, AccessActive:
		return access, nil
	default:
		return "", call.malformed("the status is neither pending nor active")
	}
}
