package observe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clustersystems/clusterbridge/internal/ledger"
)

const (
	// lookFor is how long an answer of the ledger is given again: several
	// Prometheus and curious people cost it one query.
	lookFor = 5 * time.Second
	// lookWithin bounds the query: below the ten seconds that a scrape has.
	lookWithin = 8 * time.Second
)

// Overviewer is what is asked about the ledger; ledger.Store is one.
type Overviewer interface {
	Overview(ctx context.Context) (ledger.Overview, error)
}

// WatchLedger adds the ledger's metrics: how every connection is. One process
// of a deployment is enough, which is the gateway.
func (m *Metrics) WatchLedger(store Overviewer, log *slog.Logger) error {
	return m.Registry.Register(&ledgerMetrics{store: store, log: log})
}

// ledgerMetrics asks the ledger when it is scraped.
type ledgerMetrics struct {
	store Overviewer
	log   *slog.Logger

	mu    sync.Mutex
	asked time.Time
	known bool
	last  ledger.Overview
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	descUp = describe("ledger_up", "1 when the ledger answered, 0 when it did not; then all other metrics of it are missing.")

	descState    = describe("connection_state", "1 for the state that a connection is in.", "connection", "partner", "state")
	descAge      = describe("connection_last_success_age_seconds", "Business time since a synced connection's last successful run or, before the first, since it was connected.", "connection", "partner")
	descFailures = describe("connection_failures", "Runs that failed in a row, with the code of the last failure; only of connections that fail.", "connection", "partner", "code")

	descWaiting     = describe("documents_waiting", "Documents that are wanted and not sent.", "connection", "partner", "lane")
	descWaitingAge  = describe("documents_waiting_age_seconds", "Business time since the document that waits longest is wanted; 0 when none does.", "connection", "partner", "lane")
	descUnconfirmed = describe("documents_unconfirmed", "Documents that were sent and are not read back yet.", "connection", "partner")
	descOverdue     = describe("documents_readback_overdue", "Documents whose read-back has been due for more than 90 minutes.", "connection", "partner")
	descUncertain   = describe("documents_uncertain", "Documents of which an attempt had an unknown effect that nothing has resolved yet.", "connection", "partner")
	descQuarantine  = describe("quarantine_open", "Records that were put aside and wait for a person.", "connection", "partner", "kind")
	descParked      = describe("documents_parked", "Documents of which a person has to say whether the partner applied them.", "connection", "partner")
	descFindings    = describe("findings_open", "Findings about items and routes that nobody has looked at.", "connection", "partner")
	descDoubled     = describe("route_doubled", "1 when the partner reads the till as well, so that its sales count twice.", "connection", "partner")

	descOnboardings = describe("onboardings_open", "Onboardings that are open, by stage and who has to act; none acts where the program works.", "partner", "stage", "waiting_for")
	descOnboarding  = describe("onboardings_waiting_age_seconds", "Business time since the one that waits longest at a stage does.", "partner", "stage", "waiting_for")
	descMails       = describe("mails_waiting", "Mails that could not be sent yet.", "kind", "code")
	descMailAge     = describe("mails_waiting_age_seconds", "Business time since the first of them should have been sent.", "kind", "code")

	descGranted = describe("permits_granted_total", "Permits given to requests, all credentials together.")
	descVoided  = describe("permits_voided_total", "Permits that could not be used in time, and were replaced.")
	descResting = describe("credentials_resting", "Credentials that rest because a partner asked to slow down.")
)

// Describe implements prometheus.Collector.
func (l *ledgerMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descUp, descState, descAge, descFailures, descWaiting, descWaitingAge, descUnconfirmed, descOverdue, descUncertain, descQuarantine,
		descParked, descFindings, descDoubled, descOnboardings, descOnboarding, descMails, descMailAge,
		descGranted, descVoided, descResting,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (l *ledgerMetrics) Collect(to chan<- prometheus.Metric) {
	now, up := l.look()
	put := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	if !up {
		put(descUp, prometheus.GaugeValue, 0)
		return
	}
	put(descUp, prometheus.GaugeValue, 1)
	put(descGranted, prometheus.CounterValue, float64(now.Granted))
	put(descVoided, prometheus.CounterValue, float64(now.Voided))
	put(descResting, prometheus.GaugeValue, float64(now.Resting))
	for _, o := range now.Onboardings {
		put(descOnboardings, prometheus.GaugeValue, float64(o.Count), o.Partner, o.What, o.Why)
		put(descOnboarding, prometheus.GaugeValue, since(now.At, o.Since), o.Partner, o.What, o.Why)
	}
	for _, mail := range now.Mails {
		put(descMails, prometheus.GaugeValue, float64(mail.Count), mail.What, mail.Why)
		put(descMailAge, prometheus.GaugeValue, since(now.At, mail.Since), mail.What, mail.Why)
	}
	l.connections(now, put)
}

// connections are the metrics of each connection.
func (l *ledgerMetrics) connections(now ledger.Overview, put func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
	for _, c := range now.Connections {
		gauge := func(d *prometheus.Desc, value float64, more ...string) {
			put(d, prometheus.GaugeValue, value, append([]string{c.Connection, c.Partner}, more...)...)
		}
		gauge(descState, 1, string(c.State))
		if c.State.Live() {
			gauge(descAge, since(now.At, c.Since))
		}
		if c.Failures > 0 {
			gauge(descFailures, float64(c.Failures), string(c.Code))
		}
		gauge(descWaiting, float64(c.Live), "live")
		gauge(descWaiting, float64(c.History), "history")
		gauge(descWaitingAge, since(now.At, c.LiveFrom), "live")
		gauge(descWaitingAge, since(now.At, c.HistoryFrom), "history")
		gauge(descUnconfirmed, float64(c.Unconfirmed))
		gauge(descOverdue, float64(c.Overdue))
		gauge(descUncertain, float64(c.Uncertain))
		gauge(descQuarantine, float64(c.BadOrders), "order")
		gauge(descQuarantine, float64(c.BadDocuments), "document")
		gauge(descParked, float64(c.Parked))
		gauge(descFindings, float64(c.Findings))
		if c.Doubled {
			gauge(descDoubled, 1)
		}
	}
}

// since is the whole seconds from one business instant to another; 0 for none.
func since(now, then time.Time) float64 {
	if then.IsZero() {
		return 0
	}
	return max(now.Sub(then).Round(time.Second).Seconds(), 0)
}

// look asks the ledger; those who ask meanwhile get the same answer.
func (l *ledgerMetrics) look() (now ledger.Overview, up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asked.IsZero() && time.Since(l.asked) < lookFor { //nolint:forbidigo // a real duration
		return l.last, l.known
	}
	// A scrape has no context of its own here.
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	now, err := l.store.Overview(ctx)
	if err != nil {
		l.log.WarnContext(ctx, "the ledger could not be asked for metrics", "problem", err.Error())
	}
	l.asked, l.last, l.known = time.Now(), now, err == nil //nolint:forbidigo // a real duration
	return l.last, l.known
}
