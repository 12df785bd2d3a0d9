// Package wire is the one place of every name that is assumed of Cluster's API:
// paths, headers, fields, words; the tills' in names.go, the back office's in
// office.go. No public reference exists (reference: Cluster section 3, all
// assumed); when one appears, these files change and nothing else. Client and
// simulator both speak through them.
package wire

// The paths below the base URL; every call is POST with a JSON body.
const (
	PathPing      = "/ping-pos"
	PathOrders    = "/orders"
	PathDayTotals = "/day-totals"
	PathEmployees = "/employees"
	PathMenu      = "/menu"
)

// HeaderKey carries the location's API key.
const HeaderKey = "x-api-key"

// The words of OrdersRequest.DateField. DateModified is refused with
// CodeDateField by a relay that cannot filter by it.
const (
	DateOpened   = "opened"
	DateClosed   = "closed"
	DateModified = "modified"
)

// The words of Order.Status.
const (
	StatusOpen     = "open"
	StatusClosed   = "closed"
	StatusVoided   = "voided"
	StatusRefunded = "refunded"
)

// PaymentCash is the payment type of cash.
const PaymentCash = "cash"

// CardTypes are the payment types that are cards, unless a setting says
// otherwise; their tips travel to partners.
func CardTypes() []string {
	return []string{"card", "credit", "debit", "visa", "mastercard", "amex", "discover", "interac"}
}

// GiftCardCategories are the categories whose lines sell gift cards, unless a
// setting says otherwise.
func GiftCardCategories() []string { return []string{"gift-cards"} }

// The codes of Refusal.Error.
const (
	CodeBadRequest   = "bad_request"
	CodeDateField    = "unsupported_date_field" // 400
	CodeBadKey       = "bad_api_key"            // 401
	CodeNotActivated = "not_activated"          // 403
	CodeNoSerial     = "unknown_serial"         // 404
	CodeNoPath       = "unknown_path"           // 404
	CodeOffline      = "pos_offline"            // 503
)

// Refusal is the body of every answer that is no 200.
type Refusal struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// SerialRequest is the body of PathPing, PathEmployees and PathMenu.
type SerialRequest struct {
	Serial string `json:"serial"`
}

// OrdersRequest is the body of PathOrders: half open, From included.
type OrdersRequest struct {
	Serial    string  `json:"serial"`
	From      Instant `json:"from"`
	To        Instant `json:"to"`
	DateField string  `json:"dateField"`
	PageToken string  `json:"pageToken,omitempty"`
	Limit     int     `json:"limit,omitempty"`
}

// DayTotalsRequest is the body of PathDayTotals; BusinessDate is YYYY-MM-DD.
type DayTotalsRequest struct {
	Serial       string `json:"serial"`
	BusinessDate string `json:"businessDate"`
}

// Ping is the answer of PathPing. PosTime is the till's clock, in its zone.
type Ping struct {
	Online  bool    `json:"online"`
	Serial  Text    `json:"serial"`
	PosTime Instant `json:"posTime"`
	AsOf    Instant `json:"asOf,omitzero"`
}

// Orders is the answer of PathOrders, with O the form of one order. NextPage
// is empty on the last page; AsOf is the relay's clock, where it tells it.
type Orders[O any] struct {
	Orders   []O     `json:"orders"`
	NextPage Text    `json:"nextPage,omitempty"`
	AsOf     Instant `json:"asOf,omitzero"`
}

// Order is one check. ReceivedAt is when the relay learned this version, where
// it tells it. Money is in cents.
type Order struct {
	ID            Text      `json:"id"`
	Number        Text      `json:"number"`
	Serial        Text      `json:"serial"`
	OpenedAt      Instant   `json:"openedAt"`
	ClosedAt      Instant   `json:"closedAt"`
	BusinessDate  Text      `json:"businessDate"`
	Status        Text      `json:"status"`
	EmployeeID    Text      `json:"employeeId"`
	Table         Text      `json:"table,omitempty"`
	Guests        int       `json:"guests,omitempty"`
	DiningOption  Text      `json:"diningOption,omitempty"`
	RevenueCenter Text      `json:"revenueCenter,omitempty"`
	Totals        Totals    `json:"totals"`
	Lines         []Line    `json:"lines"`
	Payments      []Payment `json:"payments"`
	ModifiedAt    Instant   `json:"modifiedAt"`
	ReceivedAt    Instant   `json:"receivedAt,omitzero"`
	ParentID      Text      `json:"parentId,omitempty"`
	MergedInto    Text      `json:"mergedInto,omitempty"`
}

// Totals are an order's amounts in cents. Net is Gross - Discount - Comp and
// still holds gift cards sold; Tip holds tips of every payment but not
// AutoGratuity; Total is what the guest owes or paid, all included.
type Totals struct {
	Gross         int64 `json:"gross"`
	Discount      int64 `json:"discount"`
	Comp          int64 `json:"comp"`
	Net           int64 `json:"net"`
	Tax           int64 `json:"tax"`
	ServiceCharge int64 `json:"serviceCharge"`
	Tip           int64 `json:"tip"`
	AutoGratuity  int64 `json:"autoGratuity"`
	Total         int64 `json:"total"`
}

// Line is one item. Net is quantity times (UnitPrice and the modifiers' prices)
// less Discount; a refund is a line of its own with negative quantity and Net.
type Line struct {
	ID         Text       `json:"id"`
	ItemID     Text       `json:"itemId"`
	Name       Text       `json:"name"`
	CategoryID Text       `json:"categoryId"`
	Quantity   Decimal    `json:"quantity"`
	UnitPrice  int64      `json:"unitPrice"`
	Discount   int64      `json:"discount"`
	Net        int64      `json:"net"`
	Voided     bool       `json:"voided"`
	Modifiers  []Modifier `json:"modifiers"`
}

// Modifier is a choice made with a line, free or priced.
type Modifier struct {
	ID       Text    `json:"id"`
	Name     Text    `json:"name"`
	Quantity Decimal `json:"quantity"`
	Price    int64   `json:"price"`
}

// Payment is one payment, its Amount including its Tip; a refund is negative,
// with its own time.
type Payment struct {
	ID     Text    `json:"id"`
	Type   Text    `json:"type"`
	Amount int64   `json:"amount"`
	Tip    int64   `json:"tip"`
	Time   Instant `json:"time"`
}

// DayTotals is the answer of PathDayTotals: the till's own sums over the
// orders opened on a business day that still count (neither voided nor merged
// away). Net holds gift cards sold, Tips those of every payment.
type DayTotals struct {
	BusinessDate Text    `json:"businessDate"`
	Count        int     `json:"count"`
	Gross        int64   `json:"gross"`
	Discounts    int64   `json:"discounts"`
	Comps        int64   `json:"comps"`
	Net          int64   `json:"net"`
	Tax          int64   `json:"tax"`
	Tips         int64   `json:"tips"`
	Gratuities   int64   `json:"gratuities"`
	AsOf         Instant `json:"asOf,omitzero"`
}

// Employees is the answer of PathEmployees.
type Employees struct {
	Employees []Employee `json:"employees"`
	AsOf      Instant    `json:"asOf,omitzero"`
}

// Employee is a person at the till. Email and Phone are told by some relays
// only.
type Employee struct {
	ID     Text `json:"id"`
	Name   Text `json:"name"`
	Active bool `json:"active"`
	Email  Text `json:"email,omitempty"`
	Phone  Text `json:"phone,omitempty"`
}

// Menu is the answer of PathMenu.
type Menu struct {
	Items      []MenuItem     `json:"items"`
	Modifiers  []MenuModifier `json:"modifiers"`
	Categories []MenuCategory `json:"categories"`
	AsOf       Instant        `json:"asOf,omitzero"`
}

// MenuItem is what can be ordered; Price in cents.
type MenuItem struct {
	ID         Text  `json:"id"`
	Name       Text  `json:"name"`
	CategoryID Text  `json:"categoryId"`
	Price      int64 `json:"price"`
}

// MenuModifier is a choice that can be made with an item; Price in cents.
type MenuModifier struct {
	ID    Text  `json:"id"`
	Name  Text  `json:"name"`
	Price int64 `json:"price"`
}

// MenuCategory groups items.
type MenuCategory struct {
	ID   Text `json:"id"`
	Name Text `json:"name"`
}
