package cluster

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// goodOrder is an order with everything in it, its ids as a number and a string.
const goodOrder = `{"id":7,"number":"12","serial":"A1","openedAt":"2026-11-03T18:00:00-05:00","closedAt":"2026-11-03T19:30:00.5-05:00",
	"businessDate":"2026-11-03","status":"Closed","employeeId":104,"table":"T4","guests":2,"diningOption":"dine_in","revenueCenter":"bar",
	"totals":{"gross":5000,"discount":300,"comp":200,"net":4500,"tax":300,"serviceCharge":10,"tip":700,"autoGratuity":0,"total":5510},
	"lines":[{"id":"1","itemId":"i1","name":"Soup","categoryId":"food","quantity":0.50,"unitPrice":5000,"discount":300,"net":2200,"voided":false,
		"modifiers":[{"id":"m","name":"no\u0000 salt","quantity":"1","price":0}]},
		{"id":"2","itemId":"g","name":"Gift card","categoryId":"Gift-Cards","quantity":1,"unitPrice":2500,"discount":0,"net":2500}],
	"payments":[{"id":"p","type":"VISA","amount":3000,"tip":500,"time":"2026-11-03T19:30:00-05:00"},
		{"id":"q","type":"cash","amount":2000,"tip":200,"time":"2026-11-03T19:30:00-05:00"},
		{"id":"r","type":"voucher","amount":510,"tip":0,"time":"2026-11-03T19:30:00-05:00"}],
	"modifiedAt":"2026-11-03T19:31:00-05:00","receivedAt":"2026-11-04T00:31:05Z","parentId":"6","mergedInto":null,"someday":"new"}`

var asOf = time.Date(2026, 11, 4, 10, 0, 0, 0, time.UTC)

func decodePage(t require.TestingT, orders ...string) OrdersPage {
	var answer wire.Orders[json.RawMessage]
	body := fmt.Sprintf(`{"orders":[%s],"nextPage":"x","asOf":%q}`, strings.Join(orders, ","), asOf.Format(time.RFC3339))
	require.NoError(t, exchange{path: "/orders", answer: &answer}.decode([]byte(body)))
	page, err := New(Config{}, nil).page("A1", answer)
	require.NoError(t, err)
	return page
}

func TestAnOrderIsDecodedExactly(t *testing.T) {
	page := decodePage(t, goodOrder)
	require.Equal(t, asOf, page.AsOf)
	require.Equal(t, "x", page.NextPage)
	o := page.Orders[0]
	require.Nil(t, o.Err)
	require.Equal(t, time.Date(2026, 11, 4, 0, 31, 5, 0, time.UTC), o.ReceivedAt)
	paid := time.Date(2026, 11, 4, 0, 30, 0, 0, time.UTC)
	require.Equal(t, sale.Sale{
		ID: "A1-7", OrderID: "7", Number: "12", Serial: "A1", Status: sale.Closed,
		OpenedAt: time.Date(2026, 11, 3, 23, 0, 0, 0, time.UTC), ClosedAt: paid.Add(500 * time.Millisecond), ModifiedAt: paid.Add(time.Minute),
		BusinessDate: sale.NewDay(2026, 11, 3), EmployeeID: "104", DiningOption: "dine_in", RevenueCenter: "bar", Guests: 2, ParentID: "A1-6",
		Totals: sale.Totals{Gross: 5000, Discount: 300, Comp: 200, Net: 4500, Tax: 300, ServiceCharge: 10, Tip: 700, Total: 5510},
		Lines: []sale.Line{
			{ID: "1", ItemID: "i1", Name: "Soup", CategoryID: "food", Quantity: "0.50", UnitPrice: 5000, Discount: 300, Net: 2200,
				Modifiers: []sale.Modifier{{ID: "m", Name: "no salt", Quantity: "1"}}},
			{ID: "2", ItemID: "g", Name: "Gift card", CategoryID: "Gift-Cards", Quantity: "1", UnitPrice: 2500, Net: 2500, GiftCard: true},
		},
		Payments: []sale.Payment{
			{ID: "p", Kind: sale.Card, Amount: 3000, Tip: 500, At: paid},
			{ID: "q", Kind: sale.Cash, Amount: 2000, Tip: 200, At: paid},
			{ID: "r", Kind: sale.Other, Amount: 510, At: paid},
		},
	}, o.Sale)
}

// Each is a bad record with its reason, between two good ones that still come.
func TestABadOrderNeverStopsThePage(t *testing.T) {
	change := func(from, to string) string {
		require.Contains(t, goodOrder, from)
		return strings.Replace(goodOrder, from, to, 1)
	}
	cases := map[string]struct {
		order  string
		code   work.Code
		detail string
	}{
		"no object":            {`"order"`, work.OrderMalformed, "wrong form"},
		"null":                 {`null`, work.OrderMalformed, "no id"},
		"no id":                {change(`"id":7,`, ``), work.OrderMalformed, "no id"},
		"long id":              {change(`"id":7`, `"id":"`+strings.Repeat("7", 65)+`"`), work.OrderMalformed, "too long"},
		"no openedAt":          {change(`"openedAt":"2026-11-03T18:00:00-05:00",`, ``), work.OrderMalformed, "openedAt"},
		"unknown zone":         {change(`"openedAt":"2026-11-03T18:00:00-05:00"`, `"openedAt":"2026-11-03T18:00:00 America/Montreall"`), work.OrderMalformed, "openedAt is no instant with an offset"},
		"no offset":            {change(`19:30:00.5-05:00`, `19:30:00.5`), work.OrderMalformed, "closedAt is no instant with an offset"},
		"unknown status":       {change(`Closed`, `parked`), work.OrderMalformed, "status"},
		"closed without when":  {change(`"closedAt":"2026-11-03T19:30:00.5-05:00"`, `"closedAt":null`), work.OrderMalformed, "closedAt"},
		"no totals":            {change(`"totals"`, `"sums"`), work.OrderMalformed, "totals"},
		"no net":               {change(`"net":4500,`, ``), work.OrderMalformed, "totals.net"},
		"amount as text":       {change(`"gross":5000`, `"gross":"50.00"`), work.OrderMalformed, "totals.gross"},
		"amount with fraction": {change(`"gross":5000`, `"gross":5000.5`), work.OrderMalformed, "totals.gross"},
		"amount overflows":     {change(`"gross":5000`, `"gross":99999999999999999999`), work.OrderImplausible, `"totals.gross" is out of range`},
		"amount out of range":  {change(`"gross":5000`, `"gross":10000000001`), work.OrderImplausible, "totals is out of range"},
		"tip out of range":     {change(`"tip":500`, `"tip":-10000000001`), work.OrderImplausible, "payment"},
		"far future":           {change(`2026-11-03T19:31:00-05:00`, `2062-11-03T19:31:00-05:00`), work.OrderImplausible, "modifiedAt is more than a day in the future"},
		"two days ahead":       {change(`2026-11-03T18:00:00-05:00`, `2026-11-06T10:00:00Z`), work.OrderImplausible, "openedAt"},
		"before 2000":          {change(`2026-11-03T18:00:00-05:00`, `1999-12-31T18:00:00-05:00`), work.OrderImplausible, "openedAt is before"},
		"another serial":       {change(`"A1"`, `"B2"`), work.OrderMalformed, "another serial"},
		"impossible day":       {change(`"businessDate":"2026-11-03"`, `"businessDate":"2026-13-03"`), work.OrderMalformed, "businessDate"},
		"quantity in words":    {change(`0.50`, `"half"`), work.OrderMalformed, "lines.quantity"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			page := decodePage(t, goodOrder, c.order, strings.Replace(goodOrder, `"id":7`, `"id":8`, 1))
			require.Len(t, page.Orders, 3)
			require.Nil(t, page.Orders[0].Err)
			require.Nil(t, page.Orders[2].Err)
			bad := page.Orders[1]
			require.NotNil(t, bad.Err)
			require.Equal(t, c.code, bad.Err.Code)
			require.Contains(t, bad.Err.Detail, c.detail)
			require.NotEmpty(t, bad.ID)
			require.Zero(t, bad.Sale)
			require.JSONEq(t, c.order, string(bad.Raw))
		})
	}
}

func TestAnAnswerThatIsNoneIsNamed(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": ``, "half": `{"orders":[{"id":"7"`, "a page of HTML": `<html>`, "a list": `[]`,
		"orders of text": `{"orders":"none"}`, "asOf of text": `{"orders":[],"asOf":"noon"}`, "no orders": `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			var answer wire.Orders[json.RawMessage]
			err := exchange{path: "/orders", answer: &answer}.decode([]byte(body))
			if err == nil {
				_, err = New(Config{}, nil).page("A1", answer)
			}
			var e *work.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, work.ClusterMalformed, e.Code)
			require.Contains(t, e.Detail, "/orders")
		})
	}
}

func TestRawIsClipped(t *testing.T) {
	long := `{"id":"9","note":"` + strings.Repeat("\u00e9", MaxRaw) + `"}`
	bad := decodePage(t, long).Orders[0]
	require.NotNil(t, bad.Err)
	require.Equal(t, "A1-9", bad.ID)
	require.LessOrEqual(t, len(bad.Raw), MaxRaw)
	require.True(t, utf8.Valid(bad.Raw))
}

var safeID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func TestSaleIDsAreSafeAndDifferent(t *testing.T) {
	require.Equal(t, "CL-40711-20418", SaleID("CL-40711", "20418"))
	require.Equal(t, "A1-_232_2f_5f", SaleID("A1", "#2/_"))
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringN(1, 20, -1).Draw(t, "a"), rapid.StringN(1, 20, -1).Draw(t, "b")
		require.Regexp(t, safeID, SaleID("A1", a))
		require.Equal(t, a == b, SaleID("A1", a) == SaleID("A1", b))
	})
}

func TestACredentialNeverShowsItsKey(t *testing.T) {
	cred := Credential{Serial: "A1", Key: "s3cret-canary"}
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "cred", cred, "in", struct{ C Credential }{cred})
	b, err := json.Marshal(map[string]any{"cred": cred})
	require.NoError(t, err)
	fmt.Fprintf(&out, "%v %+v %#v %s %s", cred, cred, cred, cred, b)
	require.Contains(t, out.String(), "A1")
	require.NotContains(t, out.String(), "s3cret")
}

// Whatever a relay says: no panic, an error or an order, never both, and what
// is kept of a record fits into the ledger.
func FuzzOrdersPage(f *testing.F) {
	f.Add([]byte(`{"orders":[` + goodOrder + `],"asOf":"2026-11-04T10:00:00Z"}`))
	f.Add([]byte(`{"orders":[{"id":"\u0000","totals":{"gross":1e400}},null,[],{"lines":[{"quantity":"9e9"}]}]}`))
	f.Add([]byte(`{"orders":null,"asOf":5}`))
	c := New(Config{}, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		var answer wire.Orders[json.RawMessage]
		if (exchange{path: "/orders", answer: &answer}).decode(data) != nil {
			return
		}
		page, err := c.page("A1", answer)
		if err != nil {
			return
		}
		for _, o := range page.Orders {
			require.Regexp(t, safeID, o.ID)
			require.True(t, utf8.Valid(o.Raw) && len(o.Raw) <= MaxRaw)
			if o.Err != nil {
				require.Equal(t, work.BadRecord, o.Err.Kind())
				require.Zero(t, o.Sale)
				continue
			}
			require.Equal(t, o.ID, o.Sale.ID)
			require.False(t, o.Sale.OpenedAt.IsZero())
			b, err := json.Marshal(o.Sale)
			require.NoError(t, err)
			require.NotContains(t, string(b), `\u0000`, "PostgreSQL cannot hold it")
			_, _ = o.Sale.NetSales()
			_, _ = o.Sale.Tips()
		}
	})
}
