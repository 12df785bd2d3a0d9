package mail

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Link is an address that a reader opens: https, or http on this machine.
type Link string

// Partner is work.SevenShifts or work.Wisk.
type Partner string

// Name is how a partner writes itself.
func (p Partner) Name() string {
	if p == work.Wisk {
		return "WISK"
	}
	return "7shifts"
}

func (p Partner) check() error {
	return oneOf(p, work.SevenShifts, work.Wisk)
}

// Asker is who asked for a connection.
type Asker string

// Who may ask.
const (
	PartnerSupport Asker = "partner"
	VenueAdmin     Asker = "venue"
)

func (a Asker) check() error { return oneOf(a, PartnerSupport, VenueAdmin) }

// Reader is to whom a mail is written that both sides get.
type Reader string

// The two sides.
const (
	ToRequester Reader = "requester"
	ToVenue     Reader = "venue"
)

func (r Reader) check() error { return oneOf(r, ToRequester, ToVenue) }

// Cause is why 7shifts will not assign a receipt's tips to anybody.
type Cause string

// The causes.
const (
	NoEmployee      Cause = "no-employee"      // on the receipt
	UnknownEmployee Cause = "unknown-employee" // not mapped
	IgnoredEmployee Cause = "ignored-employee"
	NotClockedIn    Cause = "not-clocked-in" // at the receipt's date
	PunchNoRole     Cause = "punch-no-role"
	PunchOpen       Cause = "punch-open"
	OutsideShift    Cause = "outside-shift" // by the receipt date setting
)

// Causes are all causes.
var Causes = []Cause{NoEmployee, UnknownEmployee, IgnoredEmployee, NotClockedIn, PunchNoRole, PunchOpen, OutsideShift}

func (c Cause) check() error { return oneOf(c, Causes...) }

func oneOf[T ~string](v T, all ...T) error {
	if !slices.Contains(all, v) {
		return fmt.Errorf("%q is none of %q", string(v), all)
	}
	return nil
}

// Charge is a fee and its taxes; the zero Charge is no fee. The taxes' rates
// and our registration numbers are settings: CLUSTERBRIDGE_BILLING_GST_RATE,
// CLUSTERBRIDGE_BILLING_GST_NUMBER, CLUSTERBRIDGE_BILLING_QST_RATE and
// CLUSTERBRIDGE_BILLING_QST_NUMBER. In French they are TPS and TVQ.
type Charge struct {
	Before    sale.Cents // before tax
	GST, QST  sale.Cents
	Total     sale.Cents
	GSTRate   words.Rate
	QSTRate   words.Rate
	GSTNumber string `mail:"optional"`
	QSTNumber string `mail:"optional"`
}

// Free says that nothing is to be paid.
func (c Charge) Free() bool { return c == Charge{} }

func (c Charge) check() error {
	if c.Free() {
		return nil
	}
	sum, err := sale.Sum(c.Before, c.GST, c.QST)
	switch {
	case err != nil || sum != c.Total:
		return errors.New("fee and taxes do not make the total")
	case c.Before <= 0 || c.GST < 0 || c.QST < 0:
		return errors.New("an amount is below zero")
	case c.GSTNumber == "" || c.QSTNumber == "":
		return errors.New("the registration numbers of the taxes are missing")
	}
	return nil
}

func (i Invoice) check() error {
	var sum sale.Cents
	for _, l := range i.Lines {
		var err error
		if sum, err = sum.Add(l.Amount); err != nil {
			return err
		}
	}
	if i.Charge.Free() || sum != i.Charge.Before {
		return errors.New("the lines do not make the amount before tax")
	}
	return nil
}

func (p PaymentReceived) check() error {
	if p.Charge.Free() {
		return errors.New("nothing was paid")
	}
	return nil
}

func (h Handover) check() error {
	for _, v := range h.Venues {
		if (v.Reveal == "") == v.Key.Empty() {
			return errors.New("want a reveal link or a key for each venue, not both")
		}
		if v.Reveal != "" && h.Expires.IsZero() {
			return errors.New("a reveal link without its end")
		}
	}
	return nil
}

// Revealed says whether keys wait behind links.
func (h Handover) Revealed() bool { return h.Venues[0].Reveal != "" }

func (p PeopleAttention) check() error {
	if p.Count < 1 {
		return errors.New("nobody needs attention")
	}
	return nil
}

func (t TipsReadiness) check() error {
	var sum sale.Cents
	for _, c := range t.Causes {
		var err error
		if sum, err = sum.Add(c.Amount); err != nil {
			return err
		}
	}
	if sum != t.Unassigned {
		return errors.New("the causes do not make the unassigned amount")
	}
	return nil
}

func (d DailyReport) check() error {
	if d.Revision < 1 {
		return errors.New("revisions count from 1")
	}
	return nil
}

func (d DailyReport) attachments() []Attachment { return []Attachment{d.File} }

// explained are the refusals that a venue can be told about by name.
var explained = []work.Code{
	work.SecretUnreadable, work.ClusterKeyRefused, work.ClusterNotActivated, work.ClusterNoSerial,
	work.PartnerToken, work.PartnerPlan, work.PartnerNotFound,
}

// Refusal is the part of a phrase's key that tells what was refused.
func (c CalledOff) Refusal() string {
	if slices.Contains(explained, c.Code) {
		return string(c.Code)
	}
	return "other"
}
