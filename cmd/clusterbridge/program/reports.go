package program

import (
	"context"
	"fmt"
	"net/http"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/report"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
)

// wiskByRoute is WISK with the days that travel by report: uploads are one
// partner folder, reports another, and neither knows of the other.
type wiskByRoute struct {
	*wisk.Partner
	days *report.Partner
}

var (
	_ partner.Additive  = wiskByRoute{}
	_ partner.WholeDays = wiskByRoute{}
)

// Whole implements partner.WholeDays.
func (w wiskByRoute) Whole(c partner.Connection, day sale.Day) bool { return w.days.Whole(c, day) }

// TranslateDay implements partner.WholeDays.
func (w wiskByRoute) TranslateDay(day sale.Day, sales []sale.Sale, known []string, c partner.Connection) ([]partner.Document, error) {
	return w.days.TranslateDay(day, sales, known, c)
}

// Open implements partner.Partner: only reports are sent one by one.
func (w wiskByRoute) Open(c partner.Connection, _ string, _ http.RoundTripper) partner.Session {
	return w.days.Open(c)
}

// reportPost sends reports through the mail room.
type reportPost struct {
	ledger   *ledger.Store
	outbox   *mail.Outbox
	composer *mail.Composer
	to       string
	lang     words.Lang
}

// Send implements report.Post. The key tells content and revision: what was
// sent under it is never another day's state.
func (p reportPost) Send(ctx context.Context, r report.Report) error {
	c, err := p.ledger.Connection(ctx, r.Connection)
	if err != nil {
		return err
	}
	composed, err := p.composer.Compose(mail.DailyReport{
		Venue: mail.Venue{Name: c.Location.TradeName, Address: c.Location.Address}, Day: r.Day, Revision: r.Revision,
		File: mail.Attachment(r.File),
	}, p.lang)
	if err != nil {
		return err
	}
	const signs = 12 // of the hash: enough to tell the states of a day apart
	key := fmt.Sprintf("report:%s/%s/%d-%s", r.Connection, r.Day, r.Revision, r.Hash[:signs])
	return p.outbox.Send(ctx, key, vault.NewSecret(p.to), composed)
}

// post is where reports go; nil where no mail is sent.
func (s Settings) reportPost(room *onboarding.Room) report.Post {
	if room == nil {
		return nil
	}
	return reportPost{ledger: room.Ledger, outbox: room.Outbox, composer: room.Composer, to: s.ReportAddress, lang: words.Lang(s.WiskSupportLang)}
}

// report is what the partner's package is set to.
func (s Settings) report() report.Config {
	config := report.Defaults()
	config.Format, config.ModifierPrefix, config.Delimiter = s.ReportFormat, s.WiskModifiers, delimiters[s.ReportDelimiter]
	copy(config.Columns[:], s.ReportColumns)
	return config
}
