package mail_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	page    = mail.Link("https://bridge.example.com/c/1k3-canary-link?lang=fr&v=2")
	status  = mail.Link("https://bridge.example.com/s/status-canary")
	reveal1 = mail.Link("https://bridge.example.com/r/reveal-1")
	reveal2 = mail.Link("https://bridge.example.com/r/reveal-2")
	apiKey  = "ck_live_canary4711"
)

var (
	marcel = mail.Venue{Name: "Chez Marcel & Filles", Address: "12, rue Principale, Montréal"}
	coin   = mail.Venue{Name: "Le Coin <Gourmand>", Address: "3400, boulevard Saint-Laurent, Montréal"}
	house  = mail.House{Name: "Cluster POS", Address: "400, boulevard De Maisonneuve Ouest, Montréal (Québec) H3A 1L4", Support: "support@clusterpos.com"}
	fee    = mail.Charge{
		Before: 150000, GST: 7500, QST: 14963, Total: 172463,
		GSTRate: 5000, QSTRate: 9975, GSTNumber: "123456789 RT0001", QSTNumber: "1234567890 TQ0001",
	}
)

func zone(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	return z
}

// sample is a message with a name of its own for the files in testdata.
type sample struct {
	name    string
	message mail.Message
	link    mail.Link // that must stand in it
}

// samples show every kind, and the kinds that have several faces with each.
func samples(t testing.TB) []sample {
	z := zone(t)
	asked, expires := time.Date(2026, 11, 24, 14, 30, 0, 0, z), time.Date(2026, 12, 24, 14, 30, 0, 0, z)
	wisk, shifts := mail.Partner(work.Wisk), mail.Partner(work.SevenShifts)
	one, two := []mail.Venue{marcel}, []mail.Venue{marcel, coin}
	request := mail.ConfirmationRequest{Partner: wisk, AskedBy: mail.PartnerSupport, Venues: two, Fee: fee, Link: page, Expires: expires}
	free := mail.ConfirmationRequest{Partner: shifts, AskedBy: mail.VenueAdmin, Venues: one, Employees: true, Link: page, Expires: expires}
	revealed := mail.Handover{Expires: expires, Venues: []mail.VenueCredential{
		{Venue: marcel, Serial: "A1B2C3", Reveal: reveal1}, {Venue: coin, Serial: "D4E5F6", Reveal: reveal2},
	}}
	inline := mail.Handover{Venues: []mail.VenueCredential{{Venue: marcel, Serial: "A1B2C3", Key: vault.NewSecret(apiKey)}}}
	invoice := mail.Invoice{
		Number: "CB-2026-0042", Date: asked, Partner: wisk, Charge: fee,
		Lines: []mail.InvoiceLine{{Venue: marcel, Amount: 75000}, {Venue: coin, Amount: 75000}},
		HowToPay: mail.Bilingual{
			French:  "Par virement Interac à paiements@clusterpos.com, ou par chèque à l'ordre de Systèmes Cluster inc.",
			English: "By Interac e-transfer to payments@clusterpos.com, or by cheque to Cluster Systems Inc.",
		},
		PayLink: page,
	}
	report := mail.DailyReport{Venue: marcel, Day: sale.NewDay(2026, 11, 24), Revision: 1, File: mail.Attachment{
		Name: "chez-marcel-2026-11-24.csv", Type: mail.CSV, Data: []byte("POS Code,Item Name,Quantity Sold,Net Sales\r\n1,Poutine,2,31.00\r\n"),
	}}
	revised := report
	revised.Revision = 2
	return []sample{
		{"request-acknowledged", mail.RequestAcknowledged{Partner: wisk, Venues: two, Reference: "R-1042", Status: page}, page},
		{"request-acknowledged-7shifts", mail.RequestAcknowledged{Partner: shifts, Venues: one, Reference: "R-1043"}, ""},
		{"confirmation-request", request, page},
		{"confirmation-request-7shifts", free, page},
		{"confirmation-reminder", mail.ConfirmationReminder{ConfirmationRequest: request, Asked: asked}, page},
		{"confirmation-reminder-7shifts", mail.ConfirmationReminder{ConfirmationRequest: free, Asked: asked}, page},
		{"confirmation-expired-requester", mail.ConfirmationExpired{Reader: mail.ToRequester, Partner: wisk, Venues: two, Asked: asked}, ""},
		{"confirmation-expired-venue", mail.ConfirmationExpired{Reader: mail.ToVenue, Partner: wisk, Venues: two, Asked: asked}, ""},
		{"declined-requester", mail.Declined{Reader: mail.ToRequester, Partner: wisk, Venues: one}, ""},
		{"declined-venue", mail.Declined{Reader: mail.ToVenue, Partner: wisk, Venues: one}, ""},
		{"invoice", invoice, page},
		{"payment-received", mail.PaymentReceived{Number: "CB-2026-0042", Date: asked, Partner: wisk, Venues: two, Charge: fee}, ""},
		{"payment-received-7shifts", mail.PaymentReceived{Number: "CB-2026-0043", Date: asked, Partner: shifts, Venues: one, Charge: fee}, ""},
		{"credentials", mail.Credentials{Handover: revealed}, reveal2},
		{"credentials-inline", mail.Credentials{Handover: inline}, ""},
		{"credentials-to-support", mail.CredentialsToSupport{Handover: revealed}, reveal1},
		{"credentials-to-support-inline", mail.CredentialsToSupport{Handover: inline}, ""},
		{"token-needed", mail.TokenNeeded{Venue: marcel, Link: page, Expires: expires}, page},
		{"live", mail.Live{Partner: shifts, Venue: marcel, Activated: asked, HistoryFrom: sale.NewDay(2026, 8, 26), Status: status}, status},
		{"live-wisk", mail.Live{Partner: wisk, Venue: marcel, Activated: asked, HistoryFrom: sale.NewDay(2026, 5, 24)}, ""},
		{"cancelled-requester", mail.Cancelled{Reader: mail.ToRequester, Partner: wisk, Venues: two}, ""},
		{"cancelled-venue", mail.Cancelled{Reader: mail.ToVenue, Partner: wisk, Venues: one, Refund: 172463}, ""},
		{"cancelled-venue-unpaid", mail.Cancelled{Reader: mail.ToVenue, Partner: shifts, Venues: one}, ""},
		{"offboarded", mail.Offboarded{Partner: wisk, Venue: marcel, Ended: asked}, ""},
		{"offboarded-7shifts", mail.Offboarded{Partner: shifts, Venue: marcel, Ended: asked}, ""},
		{"people-attention", mail.PeopleAttention{Venue: marcel, Count: 14, Link: page, Expires: asked.AddDate(0, 0, 3)}, page},
		{"people-attention-one", mail.PeopleAttention{Venue: marcel, Count: 1, Link: page, Expires: asked.AddDate(0, 0, 3)}, page},
		{"tips-readiness", mail.TipsReadiness{
			Venue: marcel, From: sale.NewDay(2026, 11, 8), To: sale.NewDay(2026, 11, 21), Assigned: 1234567, Unassigned: 81210, Link: page,
			Causes: []mail.UnassignedTips{
				{Cause: mail.NotClockedIn, Receipts: 31, Amount: 50000}, {Cause: mail.UnknownEmployee, Receipts: 12, Amount: 20010},
				{Cause: mail.PunchNoRole, Receipts: 4, Amount: 8000}, {Cause: mail.PunchOpen, Receipts: 2, Amount: 2000},
				{Cause: mail.IgnoredEmployee, Receipts: 1, Amount: 800}, {Cause: mail.OutsideShift, Receipts: 1, Amount: 300},
				{Cause: mail.NoEmployee, Receipts: 1, Amount: 100},
			},
		}, page},
		{"tips-readiness-all", mail.TipsReadiness{Venue: marcel, From: sale.NewDay(2026, 11, 8), To: sale.NewDay(2026, 11, 21), Assigned: 1234567, Link: page}, page},
		{"called-off", mail.CalledOff{Partner: shifts, Venue: marcel, Code: work.PartnerToken, Since: asked, Link: page}, page},
		{"called-off-other", mail.CalledOff{Partner: wisk, Venue: marcel, Code: work.PartnerRefused, Since: asked}, ""},
		{"daily-report", report, ""},
		{"daily-report-revised", revised, ""},
		{"item-findings", mail.ItemFindings{Venue: marcel, Link: page, Items: []mail.ItemFinding{
			{Code: "2041", Before: "Pinte blonde", Now: "Pinte rousse", Seen: sale.NewDay(2026, 11, 20)},
			{Code: "77", Before: "Frites", Now: "Frites maison", Seen: sale.NewDay(2026, 11, 1)},
		}}, page},
	}
}

func sampleOf(t testing.TB, name string) mail.Message {
	t.Helper()
	for _, s := range samples(t) {
		if s.name == name {
			return s.message
		}
	}
	t.Fatalf("there is no sample %q", name)
	return nil
}

var once = sync.OnceValues(func() (*mail.Composer, error) { return mail.NewComposer(house) })

func composer(t testing.TB) *mail.Composer {
	t.Helper()
	c, err := once()
	require.NoError(t, err)
	return c
}
