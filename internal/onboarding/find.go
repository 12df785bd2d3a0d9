package onboarding

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Find looks for a case's venue in Cluster: by serial number where it is known,
// by name and address otherwise. One match settles it; of none or several the
// candidates are told.
func (r *Room) Find(ctx context.Context, caseID string) (work.FindResult, error) {
	c, err := r.Ledger.Case(ctx, caseID)
	if err != nil {
		return work.FindResult{}, err
	}
	if c.Serial != "" {
		return r.found(c), nil
	}
	asked := c.Data.Asked
	query := cluster.LocationQuery{Serial: asked.Serial}
	if asked.Serial == "" {
		query = cluster.LocationQuery{TradeName: asked.TradeName, Address: asked.Address}
	}
	candidates, err := r.search(ctx, query, asked)
	if err != nil {
		return work.FindResult{}, err
	}
	if len(candidates.List) == 1 && !candidates.More {
		return r.settle(ctx, c, candidates.List[0], program)
	}
	result := work.FindResult{More: candidates.More}
	for _, one := range candidates.List {
		result.Candidates = append(result.Candidates, work.Candidate{Serial: one.Serial, TradeName: one.TradeName, Address: one.Address})
	}
	return result, nil
}

// search asks the back office. A serial number that it does not know is no
// failure but no match. Without a back office the one who asked is believed.
func (r *Room) search(ctx context.Context, q cluster.LocationQuery, asked work.VenueInput) (cluster.Candidates, error) {
	if r.Office == nil {
		if q.Serial == "" {
			return cluster.Candidates{}, nil
		}
		return cluster.Candidates{List: []cluster.Candidate{{
			Serial: q.Serial, TradeName: asked.TradeName, Address: asked.Address, Zone: r.Settings.Zone, Language: asked.Language,
		}}}, nil
	}
	found, err := r.Office.FindLocations(ctx, q)
	if e, ok := errors.AsType[*work.Error](err); ok && e.Code == work.ClusterNoSerial {
		return cluster.Candidates{}, nil
	}
	return found, err
}

// Choose settles which venue is meant: an operator names its serial number.
// BadInput when Cluster does not know it.
func (r *Room) Choose(ctx context.Context, in work.CaseAct) (work.FindResult, error) {
	c, err := r.Ledger.Case(ctx, in.Case)
	if err != nil {
		return work.FindResult{}, err
	}
	if err := open(c); err != nil {
		return work.FindResult{}, err
	}
	if c.Serial != "" {
		if c.Serial != in.Serial {
			return work.FindResult{}, work.Err(work.BadInput, "the venue is chosen already; cancel this onboarding and ask anew")
		}
		return r.found(c), nil
	}
	candidates, err := r.search(ctx, cluster.LocationQuery{Serial: in.Serial}, c.Data.Asked)
	if err != nil {
		return work.FindResult{}, err
	}
	if len(candidates.List) != 1 {
		return work.FindResult{}, work.Err(work.BadInput, "field \"serial\": Cluster knows no venue of this serial number")
	}
	return r.settle(ctx, c, candidates.List[0], actor(in.By, in.Reason, in.Note))
}

// settle takes a venue for a case, unless an older case or a connection has it.
// The contact is kept first: a case whose serial is known has its contact.
func (r *Room) settle(ctx context.Context, c ledger.Case, venue cluster.Candidate, by ledger.Actor) (work.FindResult, error) {
	if connection, err := r.connected(ctx, c.Partner, venue.Serial); err != nil || connection != "" {
		return work.FindResult{Connected: connection}, err
	}
	if !venue.Contact.Empty() {
		if err := r.keepContact(ctx, c.ID, person{venue.Contact.Name, venue.Contact.Email}); err != nil {
			return work.FindResult{}, err
		}
	}
	_, err := r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		if c.Serial != "" {
			return ledger.Entry{}, nil
		}
		c.Serial = venue.Serial
		c.Data.Venue = ledger.CaseVenue{
			TradeName: venue.TradeName, Address: venue.Address, Zone: cmp.Or(venue.Zone, r.Settings.Zone),
			Language: cmp.Or(venue.Language, c.Data.Asked.Language, string(words.French)),
		}
		return entry(by, actFound, venue.Serial), nil
	})
	if errors.Is(err, ledger.ErrCaseTaken) {
		other, there, err := r.Ledger.OpenCase(ctx, c.Partner, venue.Serial)
		if err == nil && !there {
			err = work.Err(work.LeaseHeld, "another onboarding of this venue has just ended")
		}
		return work.FindResult{Joined: other.ID}, err
	}
	if err != nil {
		return work.FindResult{}, err
	}
	if c, err = r.Ledger.Case(ctx, c.ID); err != nil {
		return work.FindResult{}, err
	}
	return r.found(c), nil
}

func (r *Room) found(c ledger.Case) work.FindResult {
	return work.FindResult{Serial: c.Serial, TradeName: c.Name(), Contact: c.ContactKey}
}

// connected is the connection that a till has with a partner already, empty
// where there is none in force.
func (r *Room) connected(ctx context.Context, partnerName, serial string) (string, error) {
	location, there, err := r.locationOf(ctx, serial)
	if err != nil || !there {
		return "", err
	}
	id := work.ConnectionID(partnerName, location.ID)
	c, err := r.Ledger.Connection(ctx, id)
	if e, ok := errors.AsType[*work.Error](err); ok && e.Code == work.UnknownConnection {
		return "", nil
	}
	if err != nil || c.State == work.Disconnected {
		return "", err
	}
	return id, nil
}

// locationOf is our location of a till, and whether there is one.
func (r *Room) locationOf(ctx context.Context, serial string) (ledger.Location, bool, error) {
	all, err := r.Ledger.Locations(ctx)
	if err != nil {
		return ledger.Location{}, false, err
	}
	for _, l := range all {
		if l.Serial == serial {
			return l, true, nil
		}
	}
	return ledger.Location{}, false, nil
}

// person is whom a venue's mail goes to. It lies sealed in the ledger.
type person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// contactSigns are enough of a keyed hash to tell contacts apart.
const contactSigns = 16

// keepContact seals whom to ask. The hash groups the venues of one contact,
// and stands in histories.
func (r *Room) keepContact(ctx context.Context, caseID string, p person) error {
	text, err := json.Marshal(p)
	if err != nil {
		return work.Errf(work.Internal, err, "a contact cannot be JSON")
	}
	sealed, err := r.Vault.Seal(contactSecret(caseID), vault.NewSecret(string(text)))
	if err != nil {
		return err
	}
	hash, err := r.Vault.CredentialHash(ctx, vault.NewSecret("contact "+strings.ToLower(p.Email)))
	if err != nil {
		return err
	}
	return r.Ledger.SetCaseContact(ctx, caseID, sealed, hash[:contactSigns])
}

// contact opens whom to ask; no address where nobody is known.
func (r *Room) contact(ctx context.Context, caseID string) (person, error) {
	var p person
	sealed, err := r.Ledger.SealedContact(ctx, caseID)
	if err != nil || len(sealed) == 0 {
		return p, err
	}
	text, err := r.Vault.Unseal(contactSecret(caseID), sealed)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(text.Reveal()), &p); err != nil {
		return p, work.Err(work.Internal, "a kept contact cannot be read")
	}
	return p, nil
}

// NewContact is whom an operator enters after calling back.
type NewContact struct {
	Case string
	// Name and Email are a person's.
	Name, Email vault.Secret
	// Language of mails; empty leaves it.
	Language words.Lang
	By, Note string
}

// EnterContact keeps whom to ask, in place of whoever was known. The case's
// workflow is told by the Update ContactEntered.
func (r *Room) EnterContact(ctx context.Context, in NewContact) error {
	c, err := r.Ledger.Case(ctx, in.Case)
	if err == nil {
		err = open(c)
	}
	if err != nil {
		return err
	}
	if err := r.keepContact(ctx, in.Case, person{in.Name.Reveal(), in.Email.Reveal()}); err != nil {
		return err
	}
	_, err = r.Ledger.ChangeCase(ctx, in.Case, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.ContactBy, c.Data.ContactAt = in.By, r.Clock.Now()
		c.Data.ContactNth++
		if in.Language != "" {
			c.Data.Venue.Language = string(in.Language)
		}
		return entry(actor(in.By, "venue_asked", in.Note), actContact, "by calling back"), nil
	})
	return err
}

// Contact tells whether somebody can be asked.
func (r *Room) Contact(ctx context.Context, caseID string) (work.ContactResult, error) {
	c, err := r.Ledger.Case(ctx, caseID)
	return work.ContactResult{Contact: c.ContactKey}, err
}
