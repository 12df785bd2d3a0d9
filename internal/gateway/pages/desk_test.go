package pages_test

import (
	"context"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/people"
	"github.com/clustersystems/clusterbridge/internal/vault"
)

// desk is a Desk of the tests: it answers what it was given, and notes what it
// was told.
type desk struct {
	mu    sync.Mutex
	clock *hands
	zone  *time.Location

	confirmation pages.Confirmation
	token        pages.TokenPage
	contact      pages.ContactPage
	reveal       pages.RevealPage
	revealed     pages.Revealed
	status       pages.StatusPage
	people       pages.PeoplePage

	goodToken string
	left      int   // tries
	reading   error // what every reading answers
	telling   error // what everything that is told is answered

	subjects  []string
	decisions []pages.Decision
	tokens    []string
	choices   []pages.TokenChoice
	contacts  []pages.ContactEntry
	reveals   []link.Reader
	answers   [][]pages.PeopleAnswer
}

// told is how often the desk was told anything.
func (d *desk) told() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.decisions) + len(d.tokens) + len(d.choices) + len(d.contacts) + len(d.reveals) + len(d.answers)
}

// change changes what the desk answers.
func (d *desk) change(f func(d *desk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}

func (d *desk) now() time.Time { return d.clock.Now().In(d.zone) }

// read is the beginning of every reading.
func (d *desk) read(subject string) func() {
	d.mu.Lock()
	d.subjects = append(d.subjects, subject)
	return d.mu.Unlock
}

func (d *desk) Confirmation(_ context.Context, subject string) (pages.Confirmation, error) {
	defer d.read(subject)()
	c := d.confirmation
	c.Venues = append([]pages.VenueToConfirm(nil), c.Venues...)
	return c, d.reading
}

func (d *desk) Decide(_ context.Context, subject string, decision pages.Decision) error {
	defer d.read(subject)()
	d.decisions = append(d.decisions, decision)
	if d.telling != nil {
		return d.telling
	}
	for i, v := range d.confirmation.Venues {
		if v.ID != decision.Venue {
			continue
		}
		if v.State != pages.Open {
			return pages.ErrDone
		}
		v.State, v.At = pages.Declined, d.now()
		if decision.Yes {
			v.State = pages.Confirmed
		}
		d.confirmation.Venues[i] = v
	}
	return nil
}

func (d *desk) TokenPage(_ context.Context, subject string) (pages.TokenPage, error) {
	defer d.read(subject)()
	return d.token, d.reading
}

func (d *desk) PasteToken(_ context.Context, subject string, token vault.Secret) error {
	defer d.read(subject)()
	d.tokens = append(d.tokens, token.Reveal())
	switch {
	case d.telling != nil:
		return d.telling
	case token.Reveal() != d.goodToken:
		d.left--
		if d.left == 0 {
			d.token.State = pages.TokenBlocked
		}
		return pages.ErrWrong{Left: d.left}
	}
	d.token.State = pages.TokenChoose
	return nil
}

func (d *desk) ChooseLocation(_ context.Context, subject string, c pages.TokenChoice) error {
	defer d.read(subject)()
	d.choices = append(d.choices, c)
	if d.telling != nil {
		return d.telling
	}
	d.token.State, d.token.At = pages.TokenDone, d.now()
	for _, l := range d.token.Locations {
		if l.ID == c.LocationID {
			d.token.Chosen = l.Name
		}
	}
	return nil
}

func (d *desk) ContactPage(_ context.Context, subject string) (pages.ContactPage, error) {
	defer d.read(subject)()
	return d.contact, d.reading
}

func (d *desk) EnterContact(_ context.Context, subject string, c pages.ContactEntry) error {
	defer d.read(subject)()
	d.contacts = append(d.contacts, c)
	if d.telling != nil {
		return d.telling
	}
	d.contact.Done, d.contact.At, d.contact.By = true, d.now(), c.By
	return nil
}

func (d *desk) RevealPage(_ context.Context, subject string, _ link.Reader) (pages.RevealPage, error) {
	defer d.read(subject)()
	return d.reveal, d.reading
}

func (d *desk) Reveal(_ context.Context, subject string, reader link.Reader) (pages.Revealed, error) {
	defer d.read(subject)()
	d.reveals = append(d.reveals, reader)
	switch {
	case d.telling != nil:
		return pages.Revealed{}, d.telling
	case d.reveal.State != pages.RevealReady:
		return pages.Revealed{}, pages.ErrDone
	}
	d.reveal.State, d.reveal.Opened = pages.RevealOpened, d.now()
	return d.revealed, nil
}

func (d *desk) StatusPage(_ context.Context, subject string) (pages.StatusPage, error) {
	defer d.read(subject)()
	return d.status, d.reading
}

func (d *desk) PeoplePage(_ context.Context, subject string) (pages.PeoplePage, error) {
	defer d.read(subject)()
	p := d.people
	p.People = append([]pages.Person(nil), p.People...)
	return p, d.reading
}

func (d *desk) AnswerPeople(_ context.Context, subject string, answers []pages.PeopleAnswer) error {
	defer d.read(subject)()
	d.answers = append(d.answers, answers)
	if d.telling != nil {
		return d.telling
	}
	for _, a := range answers {
		for i, p := range d.people.People {
			if p.EmployeeID == a.EmployeeID {
				p.Answer, p.UserID, p.At = a.Kind, a.UserID, d.now()
				d.people.People[i] = p
			}
		}
	}
	return nil
}

// hands are a clock that the test sets.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) Until(t time.Time) time.Duration { return max(0, t.Sub(h.Now())) }

func (h *hands) add(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// whys are all likenesses that a proposal may have.
var whys = []people.Why{
	people.SameEmail, people.SameName, people.SamePhone, people.LetterCase, people.Accents, people.Punctuation, people.Preferred,
	people.ShortForm, people.Reversed, people.Initial, people.FirstOnly, people.Recreated,
}
