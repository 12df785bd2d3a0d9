package program

import (
	"crypto/x509"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var (
	amountPattern = regexp.MustCompile(`^([0-9]{1,6})(?:\.([0-9]{2}))?$`)
	ratePattern   = regexp.MustCompile(`^([0-9]{1,2})(?:\.([0-9]{1,3}))?$`)
)

// amount reads dollars as cents; Load has refused what is none.
func amount(s string) sale.Cents { return sale.Cents(scaled(amountPattern, s, 2)) }

// percent reads per cent as thousandths of them.
func percent(s string) words.Rate { return words.Rate(scaled(ratePattern, s, 3)) }

// scaled reads a decimal with some places as a whole number of the last place.
func scaled(pattern *regexp.Regexp, s string, places int) int64 {
	parts := pattern.FindStringSubmatch(s)
	if parts == nil {
		return 0
	}
	n, _ := strconv.ParseInt(parts[1]+parts[2]+strings.Repeat("0", places-len(parts[2])), 10, 64)
	return n
}

func checkAmount(s string) string {
	if !amountPattern.MatchString(s) {
		return "an amount such as 150.00"
	}
	return ""
}

func checkRate(s string) string {
	if !ratePattern.MatchString(s) {
		return "a rate in per cent such as 9.975"
	}
	return ""
}

func checkZone(s string) string {
	if _, err := loadZone(s); err != nil {
		return "an IANA zone such as America/Toronto"
	}
	return ""
}

func checkDuration(s string) string {
	if d, err := time.ParseDuration(s); err != nil || d <= 0 {
		return "durations such as 72h"
	}
	return ""
}

func checkCurrency(s string) string {
	if s != "CAD" {
		return "CAD"
	}
	return ""
}

func checkMail(s string) string {
	if mail.CheckAddress(s) != nil {
		return "one mail address"
	}
	return ""
}

// onboards tells whether venues are onboarded here at all.
func (s Settings) onboards() bool { return s.MailHost != "" }

// forOnboarding are the settings that onboarding wants besides.
func (s Settings) forOnboarding() Problems {
	if !s.onboards() {
		return nil
	}
	var problems Problems
	wants := func(given bool, variable, why string) {
		if !given {
			problems = append(problems, variable+" is not set. "+why)
		}
	}
	const beside = "It is needed beside CLUSTERBRIDGE_MAIL_HOST."
	wants(s.MailFrom != "", "CLUSTERBRIDGE_MAIL_FROM", beside)
	wants(s.MailHouseAddress != "", "CLUSTERBRIDGE_MAIL_HOUSE_ADDRESS", beside)
	wants(s.GatewayURL != "", "CLUSTERBRIDGE_GATEWAY_URL", beside)
	wants(len(s.LinkSecrets) > 0, "CLUSTERBRIDGE_LINK_SECRETS", beside)
	if amount(s.WiskFee) > 0 || amount(s.SevenShiftsFee) > 0 {
		const fee = "It is needed beside a fee."
		wants(s.GSTNumber != "", "CLUSTERBRIDGE_BILLING_GST_NUMBER", fee)
		wants(s.QSTNumber != "", "CLUSTERBRIDGE_BILLING_QST_NUMBER", fee)
		wants(s.HowToPayFr != "", "CLUSTERBRIDGE_BILLING_HOW_TO_PAY_FR", fee)
		wants(s.HowToPayEn != "", "CLUSTERBRIDGE_BILLING_HOW_TO_PAY_EN", fee)
	}
	return problems
}

// room is what the onboarding's room is set to.
func (s Settings) room() onboarding.Settings {
	fees := map[string]sale.Cents{work.SevenShifts: amount(s.SevenShiftsFee)}
	if s.WiskFee != "" {
		fees[work.Wisk] = amount(s.WiskFee)
	}
	return onboarding.Settings{
		Gateway: strings.TrimRight(s.GatewayURL, "/"), Plan: s.plan(), Fees: fees,
		Billing: onboarding.Billing{
			Currency: s.Currency, GSTRate: percent(s.GSTRate), QSTRate: percent(s.QSTRate), GSTNumber: s.GSTNumber, QSTNumber: s.QSTNumber,
			HowToPay: mail.Bilingual{French: s.HowToPayFr, English: s.HowToPayEn}, PayURL: s.PayURL,
		},
		Supports: map[string]onboarding.Support{
			work.Wisk:        {Address: s.WiskSupport, Language: words.Lang(s.WiskSupportLang)},
			work.SevenShifts: {Address: s.SevenShiftsSupport, Language: words.Lang(s.SevenShiftsSupportL)},
		},
		ByHand: s.Keys == "manual", KeyInline: s.KeyInMail,
		RevealFor: s.RevealFor, TokenFor: s.TokenFor, StatusFor: s.StatusFor, Zone: s.DefaultZone,
	}
}

func (s Settings) plan() work.OnboardingPlan {
	reminders := make([]time.Duration, len(s.RemindAfter))
	for i, one := range s.RemindAfter {
		reminders[i], _ = time.ParseDuration(one) // Load has refused others
	}
	return work.OnboardingPlan{
		GatherFor: s.GatherFor, RemindAfter: reminders, ExpireAfter: s.ExpireAfter, Hook: s.Billing == "hook",
		TokenTries: s.TokenTries, CheckEvery: s.CheckEvery, PollEvery: s.PollEvery,
		TroubleFirst: s.TroubleFirst, TroubleMost: s.TroubleMost,
	}
}

// post is what the mail room's way out is set to.
func (s Settings) post() (*mail.Post, error) {
	out := mail.PostSettings{
		Host: s.MailHost, Port: s.MailPort, TLS: mail.TLSMode(s.MailTLS), User: s.MailUser, Password: vault.NewSecret(s.MailPassword),
		From: s.MailFrom, ReplyTo: s.MailReplyTo, Helo: s.MailHelo, Timeout: s.MailTimeout,
	}
	if s.MailCAFile != "" {
		pem, err := os.ReadFile(s.MailCAFile)
		if err != nil {
			return nil, usage("CLUSTERBRIDGE_MAIL_CA_FILE names a file that cannot be read.", "clusterbridge settings")
		}
		out.Roots = x509.NewCertPool()
		if !out.Roots.AppendCertsFromPEM(pem) {
			return nil, usage("CLUSTERBRIDGE_MAIL_CA_FILE holds no certificate in PEM.", "clusterbridge settings")
		}
	}
	post, err := mail.NewPost(out)
	if err != nil {
		return nil, usage(sentence(err.Error()), "clusterbridge settings")
	}
	return post, nil
}

func (s Settings) house() mail.House {
	return mail.House{Name: s.MailHouseName, Address: s.MailHouseAddress, Support: s.SupportAddress}
}

func (s Settings) signer() (*link.Signer, error) { return link.New(s.LinkSecrets...) }
