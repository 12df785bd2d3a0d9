package pages

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// ContactPage is a venue without a contact on Cluster's record. Its page is an
// operator's.
type ContactPage struct {
	Partner mail.Partner
	Venue   mail.Venue
	// Phone is the number on Cluster's record, to call back on; it may be empty.
	Phone string
	// Lang is the venue's.
	Lang    words.Lang
	Expires time.Time
	// Done says that a contact was entered: when, and by whose handle.
	Done bool
	At   time.Time
	By   string
}

// ContactEntry is what an operator enters after calling back.
type ContactEntry struct {
	Name  vault.Secret // of a person
	Email vault.Secret // one bare address
	Lang  words.Lang   // to write in
	// By is the operator's staff handle, and Note how the venue was reached.
	By, Note string
}

// LogValue hides the person.
func (c ContactEntry) LogValue() slog.Value { return slog.StringValue("contact entered by " + c.By) }

// The fields of the form, which are their ids as well.
const (
	nameField   = "name"
	emailField  = "email"
	langField   = "speaks"
	calledField = "called"
	byField     = "by"
	noteField   = "note"
)

// contactView is what the page shows.
type contactView struct {
	ContactPage
	Speaks words.Lang
	Langs  []words.Lang
}

func showContact(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	page, err := v.p.o.Desk.ContactPage(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	shown := contactView{page, page.Lang, words.Langs}
	if l, err := words.Parse(v.field(langField)); err == nil {
		shown.Speaks = l
	}
	return v.show("contact", shown)
}

func takeContact(v *visit) error {
	entry, problems := v.contactEntry()
	if len(problems) > 0 {
		return v.again(http.StatusUnprocessableEntity, problems...)
	}
	ctx, cancel := v.desk()
	defer cancel()
	if err := v.p.o.Desk.EnterContact(ctx, v.claims.Subject, entry); err != nil {
		return err
	}
	return v.back("", nil)
}

// contactEntry reads the form, and says what is wrong with it.
func (v *visit) contactEntry() (ContactEntry, []problem) {
	name, email := mail.Tidy(v.field(nameField)), v.field(emailField)
	entry := ContactEntry{Name: vault.NewSecret(name), Email: vault.NewSecret(email), By: v.field(byField), Note: v.field(noteField)}
	var problems []problem
	wrong := func(field, text string) { problems = append(problems, problem{field, text}) }
	if name == "" {
		wrong(nameField, v.say("contact.problem.name"))
	}
	if mail.CheckAddress(email) != nil {
		wrong(emailField, v.say("contact.problem.email"))
	}
	lang, err := words.Parse(v.field(langField))
	if err != nil {
		wrong(langField, v.say("contact.problem.speaks"))
	}
	entry.Lang = lang
	if v.field(calledField) != ticked {
		wrong(calledField, v.say("contact.problem.called"))
	}
	if work.CheckHandle(entry.By) != nil {
		wrong(byField, v.say("contact.problem.by"))
	} else if (work.SteerInput{By: entry.By, Reason: "other", Note: entry.Note}).Validate() != nil {
		wrong(noteField, v.say("contact.problem.note"))
	}
	return entry, problems
}
