package play

import (
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/clustersystems/clusterbridge/cmd/clusterbridge/program"
)

// shortened is a setting that the demo shortens or opens. InProduction is what
// it is there where the default does not say it in words.
type shortened struct{ Variable, Value, InProduction, Why string }

// shortenedSettings are all of them. 7shifts' rate limit, page sizes, batches and
// attempts are production's.
func shortenedSettings(size Size) []shortened {
	list := []shortened{
		{"CLUSTERBRIDGE_SYNC_EVERY", "4s", "5m, closed 1h", "a business day takes seconds"},
		{"CLUSTERBRIDGE_HOOK_DEBOUNCE", "2s", "", "likewise"},
		{"CLUSTERBRIDGE_KEEPER_EVERY", "5s", "", "a pause takes hold at once"},
		{"CLUSTERBRIDGE_PULL_LEASE", "10s", "", "a killed worker is soon forgotten"},
		{"CLUSTERBRIDGE_CLAIM_LEASE", "15s", "", "likewise"},
		{"CLUSTERBRIDGE_SEVENSHIFTS_SETTLE", "3s", "", "this 7shifts shows receipts within 1s"},
		{"CLUSTERBRIDGE_SEVENSHIFTS_PENALTY_REST", block.String(), "", "a machine that stands still bunches requests"},
		{"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_FROM", "0", "", "history by night only; here always"},
		{"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_UNTIL", "0", "", "likewise"},
		{"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_DAYS", strconv.Itoa(size.HistoryDays + spareDays), "", "connecting takes hours of business time"},
		{"CLUSTERBRIDGE_SEVENSHIFTS_LIST_DAYS", strconv.Itoa(listDays), "", "all history can be compared on the last day"},
		{"CLUSTERBRIDGE_LOG_LEVEL", "warn", "", "a log that few read"},
	}
	if !size.ByVerbs {
		// Timers of workflows are real time, also where business time is not.
		list = append(list,
			shortened{"CLUSTERBRIDGE_ONBOARDING_GATHER_FOR", "1s", "", "the venues of one contact come at once"},
			shortened{"CLUSTERBRIDGE_ONBOARDING_REMIND_AFTER", "20s,45s", "", "a reminder within a demo"},
			shortened{"CLUSTERBRIDGE_ONBOARDING_CHECK_EVERY", "1s", "", "24 hours are 20 seconds here"},
			shortened{"CLUSTERBRIDGE_ONBOARDING_POLL_EVERY", "1s", "", "the first run comes within seconds"},
			shortened{"CLUSTERBRIDGE_ONBOARDING_RETRY_FIRST", "2s", "", "likewise after a failure"},
			shortened{"CLUSTERBRIDGE_ONBOARDING_RETRY_MOST", "10s", "", "likewise"})
	}
	if size.Wisk.Sites == 0 {
		return list
	}
	list = append(list,
		shortened{"CLUSTERBRIDGE_WISK_PER_SECOND", strconv.Itoa(wiskPerSecond), "", "half a year goes up within a minute"},
		shortened{"CLUSTERBRIDGE_HISTORY_DAYS_AT_ONCE", "2", "", "six backfills share this machine with all else"})
	if months := strconv.Itoa(size.Wisk.HistoryMonths); months != production("CLUSTERBRIDGE_WISK_HISTORY_MONTHS") {
		list = append(list, shortened{"CLUSTERBRIDGE_WISK_HISTORY_MONTHS", months, "", "a quick look"})
	}
	return list
}

// production is the value that a setting has when nothing sets it.
func production(variable string) string {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[program.Settings]()) {
		if f.Tag.Get("env") == variable {
			return f.Tag.Get("envDefault")
		}
	}
	return ""
}

// printShortened writes what runs otherwise than in production.
func printShortened(w io.Writer, size Size) {
	t := table.NewWriter()
	t.SetStyle(plainTable)
	t.AppendHeader(table.Row{"set for this demo", "here", "in production", "why"})
	for _, s := range shortenedSettings(size) {
		there := s.InProduction
		if there == "" {
			there = production(s.Variable)
		}
		t.AppendRow(table.Row{s.Variable, s.Value, there, s.Why})
	}
	t.AppendRow(table.Row{"business time", fmt.Sprintf("%.0f times as fast", size.Speed), "real time", fmt.Sprintf("from %s on, whatever the date", firstLive)})
	if !size.ByVerbs {
		t.AppendRow(table.Row{"CLUSTERBRIDGE_FEE_WISK", wiskFee, "not set", "an example; 7shifts is free of charge"})
		t.AppendRow(table.Row{"activation of API access (simulator)", fmt.Sprintf("%.0f to %.0f hours", shortestActivation.Hours(), longestActivation.Hours()),
			"24 to 48 hours", "business time; the longest is never played"})
	}
	t.AppendRow(table.Row{"block of a token that is too fast (simulator)", block, "1 minute", "as PENALTY_REST above"})
	t.AppendRow(table.Row{"bound of 7shifts' lists (simulator)", fmt.Sprintf("%d days", listDays), "90 days", "as LIST_DAYS above"})
	if size.Wisk.Sites > 0 {
		t.AppendRow(table.Row{"requests that WISK takes (simulator)", fmt.Sprintf("%d a second", wiskPerSecondMax), "not published", "as WISK_PER_SECOND above"})
	}
	t.AppendRow(table.Row{"PostgreSQL's fsync (private cluster)", "off", "on", "a demo survives kill -9, not a power cut"})
	fmt.Fprintln(w, t.Render())
}

// wiskFee is what a venue pays once for WISK, before tax.
const wiskFee = "150.00"

// onboardingSettings are those without which nobody is onboarded. In production
// each is set as well, to the team's own.
func onboardingSettings(gateway, office string, smtpPort int) []string {
	return []string{
		"CLUSTERBRIDGE_GATEWAY_URL=" + gateway, "CLUSTERBRIDGE_CLUSTER_OFFICE_URL=" + office,
		"CLUSTERBRIDGE_MAIL_HOST=127.0.0.1", "CLUSTERBRIDGE_MAIL_PORT=" + strconv.Itoa(smtpPort), "CLUSTERBRIDGE_MAIL_TLS=none",
		"CLUSTERBRIDGE_MAIL_FROM=Cluster POS <integrations@clusterpos.example>",
		"CLUSTERBRIDGE_MAIL_HOUSE_ADDRESS=1 rue de la Caisse, Montreal (Quebec) H2Y 1A1",
		"CLUSTERBRIDGE_SUPPORT_ADDRESS=support@clusterpos.example",
		"CLUSTERBRIDGE_WISK_SUPPORT_ADDRESS=support@wisk.example",
		"CLUSTERBRIDGE_SEVENSHIFTS_SUPPORT_ADDRESS=support@7shifts.example",
		"CLUSTERBRIDGE_FEE_WISK=" + wiskFee,
		"CLUSTERBRIDGE_BILLING_GST_NUMBER=123456789 RT0001", "CLUSTERBRIDGE_BILLING_QST_NUMBER=1234567890 TQ0001",
		"CLUSTERBRIDGE_BILLING_HOW_TO_PAY_FR=Par virement Interac.", "CLUSTERBRIDGE_BILLING_HOW_TO_PAY_EN=By Interac transfer.",
	}
}
