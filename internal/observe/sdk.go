package observe

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// sdkLabels are the tags of the SDK's metrics that are kept; a metric has all
// of them, as Prometheus wants it, and those that it does not use are empty.
var sdkLabels = []string{
	"namespace", "task_queue", "worker_type", "poller_type", "workflow_type", "activity_type",
	"operation", "status_code", "failure_reason", "cause",
}

// sdkBuckets, in seconds: calls of the frontend take milliseconds, a task that
// waits for a worker may wait minutes, long polls and runs too.
var sdkBuckets = []float64{.005, .025, .1, .5, 1, 5, 15, 60, 300, 1800}

// sdkMetrics brings what Temporal's SDK measures into a registry: counters as
// <name>_total and timers as <name>_seconds, as Temporal's own dashboards name
// them.
type sdkMetrics struct {
	registry prometheus.Registerer

	mu     sync.Mutex
	counts map[string]*prometheus.CounterVec
	gauges map[string]*prometheus.GaugeVec
	timers map[string]*prometheus.HistogramVec
}

func newSDKMetrics(r prometheus.Registerer) *sdkMetrics {
	return &sdkMetrics{
		registry: r, counts: map[string]*prometheus.CounterVec{},
		gauges: map[string]*prometheus.GaugeVec{}, timers: map[string]*prometheus.HistogramVec{},
	}
}

// Temporal is for client.Options.MetricsHandler.
func (m *Metrics) Temporal() client.MetricsHandler { return sdkHandler{metrics: m.sdk} }

// sdkHelp is that of all of them: the SDK gives none.
const sdkHelp = "Measured by Temporal's SDK."

// sdkHandler implements client.MetricsHandler for one set of tags.
type sdkHandler struct {
	metrics *sdkMetrics
	tags    [10]string // as sdkLabels
}

// WithTags implements client.MetricsHandler.
func (h sdkHandler) WithTags(tags map[string]string) client.MetricsHandler {
	for i, label := range sdkLabels {
		if value, given := tags[label]; given {
			h.tags[i] = value
		}
	}
	return h
}

// Counter implements client.MetricsHandler.
func (h sdkHandler) Counter(name string) client.MetricsCounter {
	if !strings.HasSuffix(name, "_total") {
		name += "_total"
	}
	return sdkCounter{vec(h.metrics, h.metrics.counts, name, func() *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: sdkHelp}, sdkLabels)
	}).WithLabelValues(h.tags[:]...)}
}

// Gauge implements client.MetricsHandler.
func (h sdkHandler) Gauge(name string) client.MetricsGauge {
	return sdkGauge{vec(h.metrics, h.metrics.gauges, name, func() *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: sdkHelp}, sdkLabels)
	}).WithLabelValues(h.tags[:]...)}
}

// Timer implements client.MetricsHandler.
func (h sdkHandler) Timer(name string) client.MetricsTimer {
	name += "_seconds"
	return sdkTimer{vec(h.metrics, h.metrics.timers, name, func() *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: sdkHelp, Buckets: sdkBuckets}, sdkLabels)
	}).WithLabelValues(h.tags[:]...)}
}

// vec is the metric of a name, made when it is first asked for. One that
// cannot be registered counts for itself alone.
func vec[V prometheus.Collector](m *sdkMetrics, known map[string]V, name string, build func() V) V {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := known[name]; ok {
		return v
	}
	v := build()
	_ = m.registry.Register(v)
	known[name] = v
	return v
}

type (
	sdkCounter struct{ prometheus.Counter }
	sdkGauge   struct{ prometheus.Gauge }
	sdkTimer   struct{ prometheus.Observer }
)

// Inc implements client.MetricsCounter.
func (c sdkCounter) Inc(n int64) { c.Add(float64(n)) }

// Update implements client.MetricsGauge.
func (g sdkGauge) Update(v float64) { g.Set(v) }

// Record implements client.MetricsTimer.
func (t sdkTimer) Record(d time.Duration) { t.Observe(d.Seconds()) }
