package pages

import (
	"errors"
	"time"

	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/vault"
)

// RevealPage is what a reader's reveal link stands for.
type RevealPage struct {
	Venue   mail.Venue
	State   RevealState
	Opened  time.Time // with RevealOpened
	Expires time.Time
}

// RevealState is whether a key can still be seen by this reader.
type RevealState string

// The states.
const (
	RevealReady     RevealState = "ready"
	RevealOpened    RevealState = "opened"    // by whoever held the link
	RevealExpired   RevealState = "expired"   // nobody opened it in time
	RevealWithdrawn RevealState = "withdrawn" // the key was revoked or replaced
)

// Revealed is the pair that WISK is set up with. It is told once.
type Revealed struct {
	Venue  mail.Venue
	Serial string
	Key    vault.Secret
}

// revealView is what the page shows.
type revealView struct {
	RevealPage
	Reader link.Reader
}

func showReveal(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	page, err := v.p.o.Desk.RevealPage(ctx, v.claims.Subject, v.claims.Reader)
	if err != nil {
		return err
	}
	return v.show("reveal", revealView{page, v.claims.Reader})
}

// takeReveal shows the key in its own answer: nothing leads back to it.
func takeReveal(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	revealed, err := v.p.o.Desk.Reveal(ctx, v.claims.Subject, v.claims.Reader)
	if errors.Is(err, ErrDone) {
		return v.back("", nil) // the page says when it was opened
	}
	if err != nil {
		return err
	}
	v.stay = true
	return v.show("revealed", struct {
		Revealed
		Reader link.Reader
	}{revealed, v.claims.Reader})
}
