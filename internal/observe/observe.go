// Package observe tells how clusterbridge is doing: metrics in Prometheus' form
// that answer an operator's questions, and traces from a sync run to the
// partner's call. Nothing in it holds a name, a token, an amount or the id of a
// person; labels are bounded, so that no outside system can make them many.
package observe

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// namespace begins every metric of ours.
const namespace = "clusterbridge"

// Metrics is what one process counts.
type Metrics struct {
	// Registry is served by the process' /metrics.
	Registry *prometheus.Registry

	api  *apiMetrics
	runs *runMetrics
	sdk  *sdkMetrics
}

// New makes the metrics of a process of this version.
func New(version string) (*Metrics, error) {
	m := &Metrics{Registry: prometheus.NewRegistry()}
	m.api, m.runs, m.sdk = newAPIMetrics(), newRunMetrics(), newSDKMetrics(m.Registry)
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the label says which build this is.",
	}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	return m, errors.Join(
		m.Registry.Register(collectors.NewGoCollector()),
		m.Registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
		m.Registry.Register(build),
		m.Registry.Register(m.api.seconds),
		m.Registry.Register(m.runs.runs), m.Registry.Register(m.runs.steps), m.Registry.Register(m.runs.records),
	)
}
