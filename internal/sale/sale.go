// Package sale is the domain: what a restaurant's till sold, in our normal
// form, and the rules of money, tips and days that every partner shares. It is
// pure: no clock, no I/O, nothing of ours imported.
package sale

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Status is where an order stands at the till.
type Status string

// The statuses of a Cluster order (assumed: reference, Cluster section 3).
const (
	Open     Status = "open"
	Closed   Status = "closed"
	Voided   Status = "voided"
	Refunded Status = "refunded"
)

// Sale is an immutable snapshot of one Cluster order. Voids, merges and
// refunds are states of it, not deletions. All instants are UTC.
type Sale struct {
	// ID is "<serial>-<order id>": order ids are only trusted to be unique per
	// hardware, which is replaced now and then.
	ID            string    `json:"id"`
	OrderID       string    `json:"orderId"`
	Number        string    `json:"number"`
	Serial        string    `json:"serial"`
	OpenedAt      time.Time `json:"openedAt"`
	ClosedAt      time.Time `json:"closedAt,omitzero"` // zero while open
	ModifiedAt    time.Time `json:"modifiedAt"`        // the till's clock
	BusinessDate  Day       `json:"businessDate"`      // as the till states it
	Status        Status    `json:"status"`
	EmployeeID    string    `json:"employeeId,omitempty"`
	DiningOption  string    `json:"diningOption,omitempty"`
	RevenueCenter string    `json:"revenueCenter,omitempty"`
	Guests        int       `json:"guests,omitempty"`
	// ParentID is the sale from which this one was split off.
	ParentID string `json:"parentId,omitempty"`
	// MergedInto is the sale that absorbed this one; its own amounts no longer
	// count.
	MergedInto string    `json:"mergedInto,omitempty"`
	Totals     Totals    `json:"totals"`
	Lines      []Line    `json:"lines,omitempty"`
	Payments   []Payment `json:"payments,omitempty"`
}

// Totals are the order's amounts as the till states them.
type Totals struct {
	Gross         Cents `json:"gross"`
	Discount      Cents `json:"discount"`
	Comp          Cents `json:"comp"`
	Net           Cents `json:"net"`
	Tax           Cents `json:"tax"`
	ServiceCharge Cents `json:"serviceCharge"`
	Tip           Cents `json:"tip"`
	AutoGratuity  Cents `json:"autoGratuity"`
	Total         Cents `json:"total"`
}

// Line is one item of an order. A refunded item is a line of its own with
// negative quantity and amounts.
type Line struct {
	ID         string `json:"id"`
	ItemID     string `json:"itemId"`
	Name       string `json:"name"`
	CategoryID string `json:"categoryId,omitempty"`
	// Quantity is an exact decimal as the till wrote it, such as "1" or "0.5".
	Quantity  string     `json:"quantity"`
	UnitPrice Cents      `json:"unitPrice"`
	Discount  Cents      `json:"discount,omitempty"`
	Net       Cents      `json:"net"`
	Voided    bool       `json:"voided,omitempty"`
	GiftCard  bool       `json:"giftCard,omitempty"` // sells a gift card: no sale yet
	Modifiers []Modifier `json:"modifiers,omitempty"`
}

// Modifier is a choice made with a line, free or priced.
type Modifier struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Quantity string `json:"quantity"`
	Price    Cents  `json:"price"`
}

// PaymentKind is how a part of the order was paid, as far as our rules care.
type PaymentKind string

// The kinds of payment: only the tips of cards travel to a partner.
const (
	Card  PaymentKind = "card"
	Cash  PaymentKind = "cash"
	Other PaymentKind = "other"
)

// Payment is one payment or, with negative amounts, one refund.
type Payment struct {
	ID     string      `json:"id"`
	Kind   PaymentKind `json:"kind"`
	Amount Cents       `json:"amount"`
	Tip    Cents       `json:"tip"`
	At     time.Time   `json:"at"`
}

// ErrBadRecord marks a sale whose numbers contradict each other. It is
// quarantined with the reason; everything else goes on.
var ErrBadRecord = errors.New("bad record")

// Counts tells whether the sale's own amounts count: a voided sale's and those
// of one merged into another do not.
func (s Sale) Counts() bool { return s.Status != Voided && s.MergedInto == "" }

// NetSales is gross minus discounts and comps, without tax, tips, automatic
// gratuities, service charges, fees and gift cards sold (7shifts' net-sales
// rule). A sale that does not count has none. A refund has already lowered the
// till's gross, so it lowers the original sale's day.
func (s Sale) NetSales() (Cents, error) {
	if !s.Counts() {
		return 0, nil
	}
	net, err := s.Totals.Gross.Sub(s.Totals.Discount)
	if err != nil {
		return 0, err
	}
	if net, err = net.Sub(s.Totals.Comp); err != nil {
		return 0, err
	}
	if net != s.Totals.Net {
		return 0, fmt.Errorf("%w: the till says net %s, but gross - discounts - comps is %s", ErrBadRecord, s.Totals.Net, net)
	}
	gift, err := s.GiftCardsSold()
	if err != nil {
		return 0, err
	}
	if net, err = net.Sub(gift); err != nil {
		return 0, err
	}
	if net < 0 {
		return 0, fmt.Errorf("%w: net sales would be %s", ErrBadRecord, net)
	}
	return net, nil
}

// GiftCardsSold is the net of lines that sell gift cards; the till's totals
// include it (assumed: reference, Cluster section 3).
func (s Sale) GiftCardsSold() (Cents, error) {
	var total Cents
	var err error
	for _, l := range s.Lines {
		if l.GiftCard && !l.Voided {
			if total, err = total.Add(l.Net); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// Tips are the amounts that may travel to a partner: what was tipped on cards,
// and the automatic gratuity however it was paid. Cash and declared tips never
// travel.
type Tips struct {
	Card     Cents
	Gratuity Cents
}

// Tips applies the tip rule. Payments' tips do not contain the automatic
// gratuity, which the till states apart (assumed: reference, Cluster section 3).
func (s Sale) Tips() (Tips, error) {
	if !s.Counts() {
		return Tips{}, nil
	}
	t := Tips{Gratuity: s.Totals.AutoGratuity}
	var err error
	for _, p := range s.Payments {
		if p.Kind != Card {
			continue
		}
		if t.Card, err = t.Card.Add(p.Tip); err != nil {
			return Tips{}, err
		}
	}
	if t.Card < 0 || t.Gratuity < 0 {
		return Tips{}, fmt.Errorf("%w: card tips %s and gratuity %s: neither can be negative", ErrBadRecord, t.Card, t.Gratuity)
	}
	return t, nil
}

// Total is the sum of the tips that travel.
func (t Tips) Total() (Cents, error) { return t.Card.Add(t.Gratuity) }

// Content is the snapshot as JSON and its hash: equal content, equal hash. The
// modification time is not content, since a till may touch an order without
// changing it. Whatever cannot be JSON panics: a Sale always can.
func (s Sale) Content() (raw []byte, hash string) {
	s.ModifiedAt = time.Time{}
	raw, err := json.Marshal(s)
	if err != nil {
		panic("sale: a sale that cannot be JSON: " + err.Error())
	}
	return raw, Hash(raw)
}

// Hash hashes a text. The JSON of a struct keeps the order of its fields, and
// encoding/json sorts map keys, so that equal values hash equally.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// ReceiptDate says which instant of a sale dates its receipt: a setting of the
// connection that matches the one in Cluster.
type ReceiptDate string

// The two choices of the setting.
const (
	ByOpened ReceiptDate = "opened"
	ByClosed ReceiptDate = "closed"
)

// Date is the instant that dates the sale's receipt. It is not known (false)
// while the setting says closed and the order never closed: nothing is sent
// until it closes, and one voided before that was never owed to anybody.
func (r ReceiptDate) Date(s Sale) (time.Time, bool) {
	if r == ByOpened {
		return s.OpenedAt, true
	}
	return s.ClosedAt, !s.ClosedAt.IsZero()
}
