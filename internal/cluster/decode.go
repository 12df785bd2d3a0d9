package cluster

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// SaleID is "<serial>-<order id>", where every byte outside A-Z, a-z, 0-9 and
// '-' is written as '_' and two hex digits, so that different ids stay
// different and all are safe in URLs and filters.
func SaleID(serial, orderID string) string { return safe(serial) + "-" + safe(orderID) }

func safe(id string) string {
	var b strings.Builder
	for i := range len(id) {
		switch ch := id[i]; {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', ch == '-':
			b.WriteByte(ch)
		default:
			b.WriteString("_" + hex.EncodeToString([]byte{ch}))
		}
	}
	return b.String()
}

// unset marks an amount that the answer left out: no answer can hold it, since
// it is far out of range.
const unset = -1 << 62

// decodeOrder reads one order. latest is the last instant believed.
func (c *Client) decodeOrder(serial string, raw []byte, latest time.Time) Order {
	w := wire.Order{Totals: wire.Totals{Gross: unset, Net: unset}}
	err := json.Unmarshal(raw, &w)
	order := Order{ID: recordID(serial, string(w.ID), raw), Raw: clip(raw), ReceivedAt: w.ReceivedAt.Time.UTC()}
	if err != nil {
		order.Err = unreadable(err)
		return order
	}
	if order.Err = check(w, serial, latest); order.Err == nil {
		order.Sale = c.sale(serial, w)
	}
	return order
}

// recordID names a record also when it cannot be read: the same text always
// gets the same name, so that it is put aside once.
func recordID(serial, orderID string, raw []byte) string {
	if orderID != "" && len(orderID) <= MaxID {
		return SaleID(serial, orderID)
	}
	h := fnv.New64a()
	_, _ = h.Write(raw)
	return safe(serial) + "-unreadable-" + strconv.FormatUint(h.Sum64(), 16)
}

func clip(raw []byte) []byte {
	return bytes.ToValidUTF8(bytes.ReplaceAll(raw[:min(len(raw), MaxRaw)], []byte{0}, nil), nil)
}

// unreadable names the field, never its value, which may be an amount.
func unreadable(err error) *work.Error {
	t, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return work.Errf(work.OrderMalformed, err, "it is no order")
	}
	if digits, number := strings.CutPrefix(t.Value, "number "); number && !strings.ContainsAny(digits, ".eE") && t.Type.String() == "int64" {
		return work.Errf(work.OrderImplausible, err, "amount %q is out of range", t.Field)
	}
	return work.Errf(work.OrderMalformed, err, "field %q has the wrong form", t.Field)
}

// check finds what makes a readable order a bad record.
func check(w wire.Order, serial string, latest time.Time) *work.Error {
	malformed := func(why string) *work.Error { return work.Err(work.OrderMalformed, why) }
	switch {
	case w.ID == "":
		return malformed("it has no id")
	case len(w.ID) > MaxID || len(w.ParentID) > MaxID || len(w.MergedInto) > MaxID:
		return malformed("its id, parentId or mergedInto is too long")
	case w.Serial != "" && string(w.Serial) != serial:
		return malformed("it belongs to another serial number")
	case w.OpenedAt.IsZero() && !w.OpenedAt.Bad:
		return malformed("it has no openedAt")
	case w.Totals.Gross == unset || w.Totals.Net == unset:
		return malformed("it has no totals.gross or no totals.net")
	case w.Guests < 0:
		return malformed("it has a negative number of guests")
	}
	status, ok := statuses[strings.ToLower(string(w.Status))]
	if !ok {
		return malformed("its status is unknown")
	}
	// By closed time it would silently never be owed to anybody.
	if (status == sale.Closed || status == sale.Refunded) && w.MergedInto == "" && w.ClosedAt.IsZero() && !w.ClosedAt.Bad {
		return malformed("it is closed but has no closedAt")
	}
	if w.BusinessDate != "" {
		if _, err := sale.ParseDay(string(w.BusinessDate)); err != nil {
			return malformed("its businessDate is no date")
		}
	}
	if err := checkInstants(w, latest); err != nil {
		return err
	}
	return checkAmounts(w)
}

func checkInstants(w wire.Order, latest time.Time) *work.Error {
	type named struct {
		name string
		at   wire.Instant
	}
	instants := []named{{"openedAt", w.OpenedAt}, {"closedAt", w.ClosedAt}, {"modifiedAt", w.ModifiedAt}, {"receivedAt", w.ReceivedAt}}
	for _, p := range w.Payments {
		instants = append(instants, named{"payments.time", p.Time})
	}
	for _, i := range instants {
		switch {
		case i.at.Bad:
			return work.Err(work.OrderMalformed, i.name+" is no instant with an offset")
		case i.at.IsZero():
		case i.at.UTC().Year() < FirstYear:
			return work.Err(work.OrderImplausible, i.name+" is before the year "+strconv.Itoa(FirstYear))
		case i.at.After(latest):
			return work.Err(work.OrderImplausible, i.name+" is more than a day in the future")
		}
	}
	return nil
}

func checkAmounts(w wire.Order) *work.Error {
	t := w.Totals
	if !within(t.Gross, t.Discount, t.Comp, t.Net, t.Tax, t.ServiceCharge, t.Tip, t.AutoGratuity, t.Total) {
		return work.Err(work.OrderImplausible, "an amount of totals is out of range")
	}
	for _, l := range w.Lines {
		if !within(l.UnitPrice, l.Discount, l.Net) {
			return work.Err(work.OrderImplausible, "an amount of a line is out of range")
		}
		for _, m := range l.Modifiers {
			if !within(m.Price) {
				return work.Err(work.OrderImplausible, "a modifier's price is out of range")
			}
		}
	}
	for _, p := range w.Payments {
		if !within(p.Amount, p.Tip) {
			return work.Err(work.OrderImplausible, "an amount of a payment is out of range")
		}
	}
	return nil
}

func within(amounts ...int64) bool {
	for _, a := range amounts {
		if a > MaxAmount || a < -MaxAmount {
			return false
		}
	}
	return true
}
