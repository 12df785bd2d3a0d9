package program

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// roomNeeds are the settings of verbs that work in the onboarding's room.
func roomNeeds() []string {
	return []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"}
}

type onboardingContactVerb struct {
	onCase
	Link        bool   `help:"Print a link to the page on which the contact is entered, good for a day."`
	Language    string `help:"Language of mails to the contact: fr or en (default: the venue's)." enum:",fr,en" default:""`
	ContactFile string `help:"File with two lines: the contact's name and mail address; without it they are read from standard input." type:"path" placeholder:"FILE"`
}

func (onboardingContactVerb) needs() []string { return roomNeeds() }

// linkFor is how long an operator's link to a page is good.
const linkFor = 24 * time.Hour

// Run enters whom to ask. Names and addresses are never arguments: those are
// seen by every process of the machine.
func (v *onboardingContactVerb) Run(ctx context.Context, d *desk) error {
	room, c, by, err := v.inRoom(ctx, d)
	if err != nil {
		return err
	}
	if v.Link {
		token, err := room.Links.Sign(link.Claims{Purpose: link.Contact, Subject: c.ID, Expires: d.clock().Now().Add(linkFor)})
		if err != nil {
			return failed(err, "send this line to the developers", "The link could not be made.")
		}
		d.say("%s%s", room.Settings.Gateway, link.Path(link.Contact, token))
		return nil
	}
	name, address, err := d.nameAndAddress(v.ContactFile)
	if err != nil {
		return err
	}
	err = room.EnterContact(ctx, onboarding.NewContact{
		Case: c.ID, Name: vault.NewSecret(name), Email: vault.NewSecret(address), Language: words.Lang(v.Language), By: by.By, Note: by.Note,
	})
	if err != nil {
		return about(err, c.ID)
	}
	if err := d.update(ctx, c.Workflow, work.UpdateContactEntered, by, nil); err != nil {
		return err
	}
	d.say("%s: the contact is kept, sealed, and is asked now.", c.Name())
	return nil
}

// nameAndAddress reads a contact's two lines.
func (d *desk) nameAndAddress(file string) (name, address string, err error) {
	lines, err := d.lines(file, "The contact's name and mail address, on two lines", "--contact-file")
	if err != nil {
		return "", "", err
	}
	if len(lines) != 2 || mail.CheckAddress(lines[1]) != nil {
		return "", "", usage("Want two lines: the contact's name and one mail address.", "give them by --contact-file <file>, or on standard input")
	}
	return mail.Tidy(lines[0]), lines[1], nil
}

type onboardingIdentifierVerb struct {
	onCase
	VenueFile string `help:"File with the venue's identifier at WISK; without it the identifier is read from standard input." type:"path" placeholder:"FILE"`
}

func (onboardingIdentifierVerb) needs() []string { return roomNeeds() }

// Run keeps the venue's identifier at WISK, once WISK knows it.
func (v *onboardingIdentifierVerb) Run(ctx context.Context, d *desk) error {
	room, c, by, err := v.inRoom(ctx, d)
	if err != nil {
		return err
	}
	identifier, err := d.secret(v.VenueFile, "The venue's identifier at WISK", "--venue-file")
	if err != nil {
		return err
	}
	if err := room.KeepIdentifier(ctx, c.ID, vault.NewSecret(identifier), actorOf(by)); err != nil {
		return about(err, c.ID)
	}
	d.say("%s: WISK knows this venue; its identifier is kept, sealed.", c.Name())
	d.say("Next: clusterbridge onboarding entered %s --route upload --no-cluster-integration", c.ID)
	return nil
}

func actorOf(by work.SteerInput) ledger.Actor {
	return ledger.Actor{Handle: by.By, Reason: by.Reason, Note: by.Note}
}

type credentialsVerb struct {
	Put   credentialsPutVerb   `cmd:"" help:"Put in an API key to a till that Cluster issued by hand."`
	Again credentialsAgainVerb `cmd:"" help:"Hand serial number and API key over once more: new mails, new one-time links."`
}

type credentialsPutVerb struct {
	onCase
	For     string `help:"Whose key it is: clusterbridge (ours) or the partner's name." required:"" placeholder:"HOLDER"`
	KeyFile string `help:"File with the key; without it the key is read from standard input." type:"path" placeholder:"FILE"`
}

func (credentialsPutVerb) needs() []string { return roomNeeds() }

// Run keeps a key that was issued by hand.
func (v *credentialsPutVerb) Run(ctx context.Context, d *desk) error {
	room, c, by, err := v.inRoom(ctx, d)
	if err != nil {
		return err
	}
	key, err := d.secret(v.KeyFile, "The API key", "--key-file")
	if err != nil {
		return err
	}
	if err := room.PutKey(ctx, c.ID, v.For, vault.NewSecret(key), actorOf(by)); err != nil {
		return about(err, c.ID)
	}
	if err := d.update(ctx, c.Workflow, work.UpdateCredentialsEntered, by, nil); err != nil {
		return err
	}
	d.say("%s: the key is kept, sealed.", c.Name())
	d.say("Next: clusterbridge onboarding show %s", c.ID)
	return nil
}

type credentialsAgainVerb struct{ onCase }

func (credentialsAgainVerb) needs() []string { return roomNeeds() }

// Run hands credentials over once more.
func (v *credentialsAgainVerb) Run(ctx context.Context, d *desk) error {
	room, c, by, err := v.inRoom(ctx, d)
	if err != nil {
		return err
	}
	if err := room.HandOverAgain(ctx, c.ID, actorOf(by)); err != nil {
		return about(err, c.ID)
	}
	readers := 0
	for _, kind := range []mail.Kind{mail.KindCredentials, mail.KindCredentialsToSupport} {
		sent, err := room.Send(ctx, work.CaseMail{Case: c.ID, Kind: string(kind)})
		if err != nil {
			return about(err, c.ID)
		}
		readers += sent.Readers
	}
	d.say("%s: %s sent, with new one-time links.", c.Name(), plural(readers, "mail"))
	return nil
}
