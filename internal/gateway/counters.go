package gateway

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// counters are the gateway's metrics.
type counters struct {
	requests *prometheus.CounterVec   // route, status
	seconds  *prometheus.HistogramVec // route
	hooks    *prometheus.CounterVec   // outcome
	receipts *prometheus.CounterVec   // outcome
	triggers *prometheus.CounterVec   // outcome
}

func newCounters(registry *prometheus.Registry) (*counters, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "clusterbridge", Subsystem: "gateway", Name: name, Help: help}, labels)
	}
	c := &counters{
		requests: counter("requests_total", "Requests answered, by route and status.", "route", "status"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "clusterbridge", Subsystem: "gateway", Name: "request_seconds",
			Help: "How long answering took, by route.", Buckets: prometheus.DefBuckets,
		}, []string{"route"}),
		hooks:    counter("order_changed_total", "Hooks of Cluster, by what became of them.", "outcome"),
		receipts: counter("receipt_failed_total", "Failure callbacks of 7shifts, by what became of them.", "outcome"),
		triggers: counter("triggers_total", "Syncs that hooks wanted to start, by what became of them.", "outcome"),
	}
	return c, errors.Join(
		registry.Register(c.requests), registry.Register(c.seconds), registry.Register(c.hooks),
		registry.Register(c.receipts), registry.Register(c.triggers),
	)
}
