package onboarding

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Find looks for a case's venue in Cluster: by serial number where it is known,
// by name and address otherwise. One match settles it; of none or several the
// candidates are told.
func (r *Room) Find(ctx context.Context, caseID string) (work.FindResult, error) {
	c, err := r.openCase(ctx, caseID)
	if err != nil {
		return work.FindResult{}, err
	}
	if c.Serial != "" {
		return r.found(ctx, c)
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
	c, err := r.openCase(ctx, in.Case)
	if err != nil {
		return work.FindResult{}, err
	}
	if c.Serial != "" {
		if c.Serial != in.Serial {
			return work.FindResult{}, work.Err(work.BadInput, "the venue is chosen already; cancel this onboarding and ask anew")
		}
		return r.found(ctx, c)
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

// settle takes a venue for a case, with its contact, unless an older case has
// it.
func (r *Room) settle(ctx context.Context, c ledger.Case, venue cluster.Candidate, by ledger.Actor) (work.FindResult, error) {
	var keep func(*ledger.Case)
	if !venue.Contact.Empty() {
		var err error
		if keep, err = r.keepContact(ctx, c.ID, person{venue.Contact.Name, venue.Contact.Email}); err != nil {
			return work.FindResult{}, err
		}
	}
	c, err := r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		if c.Serial != "" {
			return ledger.Entry{}, nil
		}
		if keep != nil {
			keep(c)
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
	return r.found(ctx, c)
}

// found tells what is known of a case's venue: after the case has taken it, no
// other case can connect it any more, so that one that is connected shows.
func (r *Room) found(ctx context.Context, c ledger.Case) (work.FindResult, error) {
	connection, err := r.connected(ctx, c.Partner, c.Serial)
	if err != nil || connection != "" && !c.Data.Connects {
		return work.FindResult{Connected: connection}, err
	}
	return work.FindResult{Serial: c.Serial, TradeName: c.Name(), Contact: c.ContactKey}, nil
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

// keepContact seals whom to ask, to be kept with other changes of a case. The
// hash groups the venues of one contact, and stands in histories.
func (r *Room) keepContact(ctx context.Context, caseID string, p person) (func(*ledger.Case), error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, work.Errf(work.Internal, err, "a contact cannot be JSON")
	}
	sealed, err := r.Vault.Seal(contactSecret(caseID), vault.NewSecret(string(text)))
	if err != nil {
		return nil, err
	}
	hash, err := r.Vault.CredentialHash(ctx, vault.NewSecret("contact "+strings.ToLower(p.Email)))
	if err != nil {
		return nil, err
	}
	return func(c *ledger.Case) { c.Contact, c.ContactKey = sealed, hash[:contactSigns] }, nil
}

// contact opens whom to ask; no address where nobody is known. LeaseHeld when it
// has just been replaced: what is to be sent was worded for another.
func (r *Room) contact(ctx context.Context, c ledger.Case) (person, error) {
	var p person
	sealed, key, err := r.Ledger.SealedContact(ctx, c.ID)
	if err == nil && key != c.ContactKey {
		err = work.Err(work.LeaseHeld, "the contact has just been replaced")
	}
	if err != nil || len(sealed) == 0 {
		return p, err
	}
	text, err := r.Vault.Unseal(contactSecret(c.ID), sealed)
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

// EnterContact keeps whom to ask, in place of whoever was known, whose link
// opens this venue no more. The case's workflow is told by the Update
// ContactEntered. BadInput when it is no mail address.
func (r *Room) EnterContact(ctx context.Context, in NewContact) error {
	if err := mail.CheckAddress(in.Email.Reveal()); err != nil {
		return work.Err(work.BadInput, "the contact's mail address is none")
	}
	keep, err := r.keepContact(ctx, in.Case, person{in.Name.Reveal(), in.Email.Reveal()})
	if err != nil {
		return err
	}
	_, err = r.Ledger.ChangeCase(ctx, in.Case, func(c *ledger.Case) (ledger.Entry, error) {
		if err := open(*c); err != nil {
			return ledger.Entry{}, err
		}
		before := c.ContactKey
		if keep(c); c.ContactKey != before {
			c.Group = ""
			c.Data.ContactNth++
		}
		c.Data.ContactBy, c.Data.ContactAt = in.By, r.Clock.Now()
		if in.Language != "" {
			c.Data.Venue.Language = string(in.Language)
		}
		return entry(actor(in.By, "venue_asked", in.Note), actContact, "by calling back"), nil
	})
	return err
}

// Contact tells the workflow whether somebody can be asked, and notes that it
// was told.
func (r *Room) Contact(ctx context.Context, caseID string) (work.ContactResult, error) {
	c, err := r.Ledger.ChangeCase(ctx, caseID, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.ContactTold = c.ContactKey
		return ledger.Entry{}, nil
	})
	return work.ContactResult{Contact: c.ContactKey}, err
}
