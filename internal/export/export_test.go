package export_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/export"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

func zone(t require.TestingT, name string) *time.Location {
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

func day(t require.TestingT, s string) sale.Day {
	d, err := sale.ParseDay(s)
	require.NoError(t, err)
	return d
}

// days are those of an ask; the last one may be left out.
func days(t require.TestingT, first string, last ...string) export.Range {
	r := export.Range{First: day(t, first), Last: day(t, first)}
	if len(last) > 0 {
		r.Last = day(t, last[0])
	}
	return r
}

// check is a closed sale of so much.
func check(id string, opened time.Time, net sale.Cents) sale.Sale {
	return sale.Sale{
		ID: "A1-" + id, OrderID: id, Serial: "A1", Status: sale.Closed, EmployeeID: "e7",
		OpenedAt: opened, ClosedAt: opened.Add(time.Hour), ModifiedAt: opened.Add(time.Hour),
		Totals: sale.Totals{Gross: net, Net: net},
	}
}

func tables(t require.TestingT, ask export.Ask, sales ...sale.Sale) export.Tables {
	book := export.NewBook(ask)
	for _, s := range sales {
		book.Add(s)
	}
	made, err := book.Tables()
	require.NoError(t, err)
	return made
}

// changes are business days around clock changes: by an hour at night, by half
// an hour on Lord Howe Island, and once at midnight in Newfoundland.
var changes = map[string][]string{
	"America/Toronto":     {"2026-10-31", "2027-03-13"},
	"America/Vancouver":   {"2026-10-31", "2027-03-13"},
	"America/St_Johns":    {"2026-10-31", "2010-03-13", "2010-11-06"},
	"Australia/Lord_Howe": {"2026-04-04", "2026-10-03"},
	"UTC":                 {"2026-10-31"},
}

// anySale is a sale opened at or around some days, in any state of its life.
func anySale(t *rapid.T, id string, around time.Time) sale.Sale {
	minutes := rapid.IntRange(-40*60, 4*24*60)
	seconds := rapid.IntRange(0, 59)
	gross := sale.Cents(rapid.IntRange(0, 50_000).Draw(t, "gross"))
	discount := sale.Cents(rapid.IntRange(0, int(gross)).Draw(t, "discount"))
	comp := sale.Cents(rapid.IntRange(0, int(gross-discount)).Draw(t, "comp"))
	opened := around.Add(time.Duration(minutes.Draw(t, "opened"))*time.Minute + time.Duration(seconds.Draw(t, "second"))*time.Second + 300*time.Millisecond)
	s := sale.Sale{
		ID: "A1-" + id, OrderID: id, Serial: "A1", OpenedAt: opened.UTC(), ModifiedAt: opened.UTC(),
		Status:     rapid.SampledFrom([]sale.Status{sale.Open, sale.Closed, sale.Closed, sale.Voided, sale.Refunded}).Draw(t, "status"),
		EmployeeID: rapid.SampledFrom([]string{"", "e7", "12"}).Draw(t, "employee"),
		Totals:     sale.Totals{Gross: gross, Discount: discount, Comp: comp, Net: gross - discount - comp, AutoGratuity: 180, Tax: 99, ServiceCharge: 5},
		Payments: []sale.Payment{
			{ID: "p1", Kind: sale.Card, Tip: sale.Cents(rapid.IntRange(0, 900).Draw(t, "tip"))},
			{ID: "p2", Kind: sale.Cash, Tip: 77},
		},
	}
	if s.Status != sale.Open && (s.Status != sale.Voided || rapid.Bool().Draw(t, "closed before it was voided")) {
		s.ClosedAt = opened.Add(time.Duration(rapid.IntRange(1, 30*60).Draw(t, "stayed")) * time.Minute).UTC()
	}
	if rapid.IntRange(0, 9).Draw(t, "merged") == 0 {
		s.MergedInto = "A1-other"
	}
	if s.Totals.Net > 0 && rapid.IntRange(0, 9).Draw(t, "gift") == 0 {
		s.Lines = []sale.Line{{ID: "l1", Net: s.Totals.Net, GiftCard: true}}
	}
	return s
}

// Whatever was sold: the sum over the hours is the sum over the receipts is the
// net sales of the days, to the cent and to the receipt, also when clocks
// change.
func TestHoursAndReceiptsComeToTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"America/Toronto", "America/Vancouver", "America/St_Johns", "Australia/Lord_Howe", "UTC"}).Draw(t, "zone")
		z := zone(t, name)
		first := day(t, rapid.SampledFrom(changes[name]).Draw(t, "change")).Plus(rapid.IntRange(-1, 0).Draw(t, "before"))
		ask := export.Ask{
			Location: "chez-marcel", Zone: z, Days: export.Range{First: first, Last: first.Plus(rapid.IntRange(0, 3).Draw(t, "more"))},
			ReceiptDate: rapid.SampledFrom([]sale.ReceiptDate{sale.ByOpened, sale.ByClosed}).Draw(t, "dated by"),
		}
		var sales []sale.Sale
		var want sale.Cents
		standing := 0
		for i := range rapid.IntRange(0, 30).Draw(t, "sales") {
			s := anySale(t, string(rune('A'+i)), first.Start(z))
			sales = append(sales, s)
			date, dated := ask.ReceiptDate.Date(s)
			if !dated || !ask.Days.Holds(sale.DayOf(date, z)) {
				continue
			}
			net, err := s.NetSales()
			require.NoError(t, err)
			want += net
			if s.Counts() && (s.Status != sale.Refunded || net != 0) {
				standing++
			}
		}
		got := tables(t, ask, sales...)
		require.Empty(t, got.Bad)
		require.Len(t, got.Standing(), standing)
		var byHour, byReceipt sale.Cents
		count := 0
		for _, h := range got.Hours {
			byHour, count = byHour+h.Net, count+h.Receipts
		}
		for _, r := range got.Receipts {
			byReceipt += r.Net
			require.Equal(t, sale.DayOf(r.Date, z), r.Day)
		}
		require.Equal(t, want, byHour, "hours")
		require.Equal(t, want, byReceipt, "receipts")
		require.Equal(t, standing, count)
		inStep(t, ask, got.Hours)
	})
}

// inStep checks that the hours lie end to end over every day of the ask.
func inStep(t require.TestingT, ask export.Ask, hours []export.Hour) {
	at, i := ask.Days.First.Start(ask.Zone), 0
	for d := ask.Days.First; ask.Days.Holds(d); d = d.Plus(1) {
		for ; i < len(hours) && hours[i].Day == d; i++ {
			require.True(t, at.Equal(hours[i].Start), "%s begins at %s", at, hours[i].Start)
			at = hours[i].End
			require.LessOrEqual(t, at.Sub(hours[i].Start), time.Hour)
		}
		require.True(t, at.Equal(d.End(ask.Zone)), "%s ends at %s", d, at)
	}
	require.Len(t, hours, i)
}

// A row of receipts is what 7shifts would get of the sale.
func TestAReceiptIsWhat7shiftsWouldGet(t *testing.T) {
	z := zone(t, "America/Toronto")
	to := sevenshifts.New(sevenshifts.Defaults(), clock.Fixed(time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)))
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SampledFrom([]sale.ReceiptDate{sale.ByOpened, sale.ByClosed}).Draw(t, "dated by")
		s := anySale(t, "1", sale.NewDay(2026, 10, 31).Start(z))
		documents, err := to.Translate(s, partner.Connection{Zone: z, Settings: partner.Settings{ReceiptDate: by}}, false)
		require.NoError(t, err)
		got := tables(t, export.Ask{Zone: z, Days: days(t, "2026-10-25", "2026-11-10"), ReceiptDate: by}, s)
		if len(documents) == 0 {
			require.Empty(t, got.Receipts)
			require.Equal(t, s.Status == sale.Open && s.Counts(), got.Unclosed == 1)
			return
		}
		var theirs sevenshifts.Receipt
		require.NoError(t, json.Unmarshal(documents[0].Body, &theirs))
		require.Len(t, got.Receipts, 1)
		ours := got.Receipts[0]
		require.Equal(t, theirs.ReceiptID, ours.ID)
		require.True(t, theirs.ReceiptDate.Equal(ours.Date), "%s and %s", theirs.ReceiptDate, ours.Date)
		require.Equal(t, documents[0].Day, ours.Day)
		require.Equal(t, string(theirs.Status), ours.Status)
		require.Equal(t, theirs.NetTotal, ours.Net)
		require.Equal(t, theirs.GrossTotal, ours.Gross)
		require.Equal(t, theirs.TotalReceiptDiscounts, ours.Discounts)
		require.Equal(t, theirs.Tips, ours.Tips)
		tips := map[sevenshifts.TipType]sale.Cents{}
		for _, d := range theirs.TipDetails {
			tips[d.Type] = d.Value
		}
		require.Equal(t, tips[sevenshifts.TipTotal], ours.CardTips)
		require.Equal(t, tips[sevenshifts.TipGratuity], ours.Gratuity)
		require.Equal(t, theirs.ExternalUserID, ours.Employee)
	})
}

// Complaints 3 and 37: the hours of the nights on which the clocks change.
func TestHoursOfTheNightsOnWhichClocksChange(t *testing.T) {
	starts := func(name, d string) []string {
		z := zone(t, name)
		var all []string
		for _, h := range tables(t, export.Ask{Zone: z, Days: days(t, d), ReceiptDate: sale.ByOpened}).Hours {
			all = append(all, h.Start.Format("15:04 -07:00"))
		}
		return all
	}
	back := starts("America/Toronto", "2026-10-31")
	require.Len(t, back, 25)
	require.Equal(t, []string{"05:00 -04:00", "06:00 -04:00"}, back[:2])
	require.Equal(t, []string{"00:00 -04:00", "01:00 -04:00", "01:00 -05:00", "02:00 -05:00", "03:00 -05:00", "04:00 -05:00"}, back[19:])
	forward := starts("America/Toronto", "2027-03-13")
	require.Len(t, forward, 23)
	require.Equal(t, []string{"01:00 -05:00", "03:00 -04:00", "04:00 -04:00"}, forward[20:])
	require.Len(t, starts("America/Toronto", "2026-11-01"), 24)
	half := starts("Australia/Lord_Howe", "2026-04-04") // 24.5 hours
	require.Equal(t, []string{"01:00 +11:00", "01:30 +10:30", "02:00 +10:30", "03:00 +10:30", "04:00 +10:30"}, half[20:])
	late := starts("America/St_Johns", "2010-11-06") // back by an hour at 00:01
	require.Equal(t, []string{"23:00 -02:30", "00:00 -02:30", "23:01 -03:30", "00:00 -03:30", "01:00 -03:30"}, late[18:23])
}

func TestTheNewestOfARecordCounts(t *testing.T) {
	z := zone(t, "America/Toronto")
	ask := export.Ask{Zone: z, Days: days(t, "2026-11-02"), ReceiptDate: sale.ByOpened}
	opened := day(t, "2026-11-02").Start(z).Add(7 * time.Hour)
	older, newer := check("1", opened, 1000), check("1", opened, 1200)
	newer.ModifiedAt = older.ModifiedAt.Add(time.Minute)
	for _, sales := range [][]sale.Sale{{older, newer}, {newer, older}, {newer, newer}} {
		got := tables(t, ask, sales...)
		require.Len(t, got.Receipts, 1)
		require.Equal(t, sale.Cents(1200), got.Receipts[0].Net)
	}

	moved := newer // to another day
	moved.OpenedAt, moved.ModifiedAt = opened.AddDate(0, 0, 1), moved.ModifiedAt.Add(time.Minute)
	require.Empty(t, tables(t, ask, newer, moved).Receipts)
}

func TestBadRecordsAreNamedAndTheOthersStay(t *testing.T) {
	z := zone(t, "America/Toronto")
	ask := export.Ask{Zone: z, Days: days(t, "2026-11-02"), ReceiptDate: sale.ByOpened}
	opened := day(t, "2026-11-02").Start(z)
	contradicts, negative, elsewhere := check("2", opened, 500), check("3", opened, 500), check("4", opened.AddDate(0, 0, -3), 500)
	contradicts.Totals.Net, elsewhere.Totals.Net = 499, 499
	negative.Totals.Discount, negative.Totals.Net = -100, 600

	book := export.NewBook(ask)
	book.AddBad("A1-9", "it is no order")
	book.AddBad("A1-1", "read again below")
	for _, s := range []sale.Sale{check("1", opened, 1000), contradicts, negative, elsewhere} {
		book.Add(s)
	}
	book.AddBad("A1-1", "a page of before") // what could be read stays read
	got, err := book.Tables()
	require.NoError(t, err)
	require.Len(t, got.Receipts, 1)
	const why = "its amounts contradict each other or are out of range"
	require.Equal(t, []export.Bad{{"A1-2", why}, {"A1-3", why}, {"A1-9", "it is no order"}}, got.Bad)

	book.Add(check("5", opened, math.MaxInt64))
	_, err = book.Tables()
	require.ErrorIs(t, err, sale.ErrOverflow)
}

func TestRanges(t *testing.T) {
	r := days(t, "2026-11-01", "2026-11-05")
	require.Equal(t, 5, r.Days())
	require.Equal(t, "2026-11-01 to 2026-11-05", r.String())
	for at, want := range map[string][2]string{
		"2026-10-01": {"", "2026-11-01 to 2026-11-05"},
		"2026-11-01": {"", "2026-11-01 to 2026-11-05"},
		"2026-11-02": {"2026-11-01", "2026-11-02 to 2026-11-05"},
		"2026-11-05": {"2026-11-01 to 2026-11-04", "2026-11-05"},
		"2026-11-06": {"2026-11-01 to 2026-11-05", ""},
	} {
		before, from := r.Cut(day(t, at))
		for i, part := range []export.Range{before, from} {
			require.Equal(t, want[i] == "", part.Empty(), at)
			if !part.Empty() {
				require.Equal(t, want[i], part.String(), at)
			}
		}
		require.Equal(t, 5, before.Days()+from.Days(), at)
	}
}

var (
	hourly   = []string{"date=Date", "hour=Hour", "offset=UTC offset", "net_sales=Net sales", "receipts=Receipts"}
	receipts = []string{"receipt_id=ID", "date=Date", "time=Time", "status=Status", "net=Net", "gross=Gross", "discounts=Discounts", "card_tips=Card tips", "gratuity=Gratuity", "tips=Tips", "employee=Employee"}
)

// write gives a table as CSV.
func write[R any](t *testing.T, columns export.Columns[R], f export.Format, rows []R) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, export.Write(&b, columns, f, rows))
	return b.String()
}

func TestTheTemplateDecidesHowAFileLooks(t *testing.T) {
	z := zone(t, "America/Toronto")
	opened := day(t, "2026-11-02").Start(z).Add(20*time.Hour + 5*time.Minute)
	s := check("7", opened, 1234)
	s.Totals.Gross, s.Totals.Discount, s.Totals.AutoGratuity = 1334, 100, 50
	s.Payments = []sale.Payment{{Kind: sale.Card, Tip: 7}}
	got := tables(t, export.Ask{Location: "chez-marcel", Zone: z, Days: days(t, "2026-11-02"), ReceiptDate: sale.ByOpened}, s)

	plain, err := export.NewFormat("YYYY-MM-DD", "HH:mm")
	require.NoError(t, err)
	columns, err := export.ReceiptColumns(receipts)
	require.NoError(t, err)
	require.Equal(t, `ID,Date,Time,Status,Net,Gross,Discounts,Card tips,Gratuity,Tips,Employee
A1-7,2026-11-03,01:05,closed,12.34,13.34,1.00,0.07,0.50,0.57,e7
`, write(t, columns, plain, got.Receipts))

	french, err := export.NewFormat("D/M/YY", "h:mm:ss AM")
	require.NoError(t, err)
	french.DecimalComma, french.Delimiter, french.BOM = true, ';', true
	short, err := export.ReceiptColumns([]string{"location = Établissement", "business_day=Jour ; ouvrable", "date=Date", "time=Heure", "date_utc=UTC", "net=Ventes", "offset=Décalage"})
	require.NoError(t, err)
	require.Equal(t, "\ufeff"+`Établissement;"Jour ; ouvrable";Date;Heure;UTC;Ventes;Décalage
chez-marcel;2/11/26;3/11/26;1:05:00 AM;2026-11-03T06:05:00Z;12,34;UTC-05:00
`, write(t, short, french, got.Receipts))

	cents := plain
	cents.Cents = true
	hours, err := export.HourColumns([]string{"business_day=Day", "date=Date", "hour=From", "end=To", "start_utc=UTC", "net_sales=Net", "receipts=N", "location=L"})
	require.NoError(t, err)
	lines := strings.Split(write(t, hours, cents, got.Hours), "\n")
	require.Len(t, lines, 1+24+1)
	require.Equal(t, "2026-11-02,2026-11-03,01:00,02:00,2026-11-03T06:00:00Z,1234,1,chez-marcel", lines[1+20])
	require.Equal(t, "2026-11-02,2026-11-02,05:00,06:00,2026-11-02T10:00:00Z,0,0,chez-marcel", lines[1])
}

func TestWrongTemplatesAreRefusedAtOnce(t *testing.T) {
	for column, said := range map[string]string{
		"nett=Net":     `there is no field "nett"; the fields are business_day, date, hour, end, offset, start_utc, net_sales, receipts, location`,
		"net_sales":    `the field "net_sales" has no header`,
		"hour= ":       `the field "hour" has no header`,
		"hour==SUM(A)": `the header of "hour" begins as a formula does`,
	} {
		_, err := export.HourColumns(append(append([]string{}, hourly...), column))
		require.ErrorContains(t, err, said, column)
	}
	_, err := export.ReceiptColumns([]string{"hour=Hour"})
	require.ErrorContains(t, err, "the fields are receipt_id, business_day, date, time, offset, date_utc, status, net, gross, discounts, card_tips, gratuity, tips, employee, location")
	_, err = export.ReceiptColumns(nil)
	require.ErrorContains(t, err, "there are no columns")

	for _, wrong := range []string{"", "YYYY-MM", "YYYY-MM-DD-DD", "2006-01-02", "YYYY-MM-MM", "DD/mm/YYYY", "YYYYTMMTDD"} {
		require.Error(t, export.CheckDate(wrong), wrong)
	}
	for _, wrong := range []string{"", "HH", "hh:mm", "HH:mm AM", "HH:mm:ss:ss", "HH:MM", "HH h:mm AM", "15:04"} {
		require.Error(t, export.CheckTime(wrong), wrong)
	}
	_, err = export.NewFormat("YYYY", "HH:mm")
	require.ErrorContains(t, err, "want a pattern such as YYYY-MM-DD")
}

// What a till's ids hold never runs as a formula on a manager's machine.
func TestNoCellIsAFormula(t *testing.T) {
	z := zone(t, "America/Toronto")
	opened := day(t, "2026-11-02").Start(z)
	plain, err := export.NewFormat("YYYY-MM-DD", "HH:mm")
	require.NoError(t, err)
	columns, err := export.ReceiptColumns([]string{"employee=Employee", "net=Net"})
	require.NoError(t, err)
	for employee, cell := range map[string]string{
		"=HYPERLINK(1)": "'=HYPERLINK(1)", "+1": "'+1", "-1": "'-1", "@x": "'@x", " =1": "' =1", "\t=1": "'\t=1", "＝1": "'＝1",
		"e-7": "e-7", "": "", "12": "12", `a"b`: `"a""b"`, "=a,b": `"'=a,b"`,
	} {
		s := check("1", opened, 5)
		s.EmployeeID = employee
		got := tables(t, export.Ask{Zone: z, Days: days(t, "2026-11-02"), ReceiptDate: sale.ByOpened}, s)
		require.Equal(t, "Employee,Net\n"+cell+",0.05\n", write(t, columns, plain, got.Receipts), employee)
	}
}
