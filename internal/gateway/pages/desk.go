package pages

import (
	"context"
	"errors"
	"fmt"

	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/vault"
)

// Desk is whom the pages ask and tell: what waits for an answer, and what was
// answered. The subject is that of the link. What reads changes nothing, and may
// be asked any number of times.
//
// Errors are ErrGone and ErrDone, where named ErrWrong and ErrUnfit, and
// *work.Error otherwise.
type Desk interface {
	// Confirmation is what a contact is asked: one or more venues.
	Confirmation(ctx context.Context, subject string) (Confirmation, error)
	// Decide records a yes or no for one of the venues; ErrDone when the venue
	// was answered for already.
	Decide(ctx context.Context, subject string, d Decision) error

	// TokenPage is how far a venue is with its 7shifts token.
	TokenPage(ctx context.Context, subject string) (TokenPage, error)
	// PasteToken has a token verified and kept; ErrWrong when 7shifts refuses it.
	// *work.Error PartnerPlan: the plan is too low for the token to be of use.
	PasteToken(ctx context.Context, subject string, token vault.Secret) error
	// ChooseLocation records the 7shifts location; ErrUnfit when it cannot be
	// that one, which the next TokenPage explains.
	ChooseLocation(ctx context.Context, subject string, c TokenChoice) error

	// ContactPage is a venue without a contact on Cluster's record.
	ContactPage(ctx context.Context, subject string) (ContactPage, error)
	// EnterContact records the contact whom an operator has called back.
	EnterContact(ctx context.Context, subject string, c ContactEntry) error

	// RevealPage is what a reader's reveal link stands for.
	RevealPage(ctx context.Context, subject string, reader link.Reader) (RevealPage, error)
	// Reveal tells the key, once to each reader; ErrDone from then on.
	Reveal(ctx context.Context, subject string, reader link.Reader) (Revealed, error)

	// StatusPage is how a connection is, or how far on its way.
	StatusPage(ctx context.Context, subject string) (StatusPage, error)

	// PeoplePage lists the employees who need a person's word.
	PeoplePage(ctx context.Context, subject string) (PeoplePage, error)
	// AnswerPeople records answers, all or none; ErrUnfit when one of them names
	// somebody who is not there any more.
	AnswerPeople(ctx context.Context, subject string, answers []PeopleAnswer) error
}

// The errors by which a Desk says that there is nothing to be done.
var (
	// ErrGone: what the link is about is not waited for any more: it was
	// withdrawn, undone, or its time is over.
	ErrGone = errors.New("nothing waits for this link any more")
	// ErrDone: it was answered already.
	ErrDone = errors.New("this was answered already")
	// ErrUnfit: what was chosen cannot be chosen (any more).
	ErrUnfit = errors.New("this cannot be chosen")
)

// ErrWrong says that a token was refused, and how many tries are left.
type ErrWrong struct{ Left int }

// Error implements error.
func (e ErrWrong) Error() string { return fmt.Sprintf("the token was refused; tries left: %d", e.Left) }
