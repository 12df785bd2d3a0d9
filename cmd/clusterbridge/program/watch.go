package program

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/interceptor"

	"github.com/clustersystems/clusterbridge/internal/observe"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// watch is what a process that keeps running tells about itself.
type watch struct {
	metrics *observe.Metrics
	tracing *observe.Tracing // nil unless a collector is set
	systems map[string]string
}

// newWatch begins to measure, and to trace where a collector is set.
func (d *desk) newWatch(ctx context.Context, log *slog.Logger) (*watch, error) {
	metrics, err := observe.New(Version())
	if err != nil {
		return nil, failed(err, "send this line to the developers", "The metrics could not be made.")
	}
	w := &watch{metrics: metrics, systems: d.settings.systems()}
	if d.settings.TraceEndpoint == "" {
		return w, nil
	}
	w.tracing, err = observe.StartTracing(ctx, observe.TraceOptions{
		Endpoint: d.settings.TraceEndpoint, Headers: d.settings.traceHeaders(),
		Service: d.settings.TraceService, Version: Version(), Share: d.settings.TraceShare, Log: log,
	})
	if err != nil {
		return nil, failed(err, "check OTEL_EXPORTER_OTLP_ENDPOINT", "Traces cannot be sent there.")
	}
	return w, nil
}

func (w *watch) close() {
	if w.tracing != nil {
		w.tracing.Close()
	}
}

// transport measures and traces the requests to outside systems.
func (w *watch) transport(base http.RoundTripper) http.RoundTripper {
	var tracer trace.Tracer
	if w.tracing != nil {
		tracer = w.tracing.Tracer()
	}
	return w.metrics.Transport(base, w.systems, tracer)
}

// interceptors count and trace what a worker does.
func (w *watch) interceptors() ([]interceptor.WorkerInterceptor, error) {
	all := []interceptor.WorkerInterceptor{w.metrics.Interceptor()}
	if w.tracing == nil {
		return all, nil
	}
	tracing, err := w.tracing.Interceptor()
	if err != nil {
		return nil, failed(err, "send this line to the developers", "Runs cannot be traced.")
	}
	return append(all, tracing), nil
}

// systems names the outside systems by their hosts.
func (s Settings) systems() map[string]string {
	systems := map[string]string{}
	for name, address := range map[string]string{"cluster": s.ClusterURL, work.SevenShifts: s.SevenShiftsURL, work.Wisk: s.WiskURL} {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			systems[u.Host] = name
		}
	}
	return systems
}

// traceHeaders are those that the collector of traces wants.
func (s Settings) traceHeaders() map[string]string {
	headers := map[string]string{}
	for _, pair := range s.TraceHeaders {
		name, value, _ := strings.Cut(pair, "=")
		if plain, err := url.PathUnescape(value); err == nil { // as the standard has them written
			value = plain
		}
		headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return headers
}

// listenOn opens a listener, none when it is off.
func listenOn(ctx context.Context, address, variable string) (net.Listener, error) {
	if address == listenOff {
		return nil, nil //nolint:nilnil // off is no error
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, failed(err, "set "+variable+" to another address", "Nothing can listen on %s.", address)
	}
	return l, nil
}
