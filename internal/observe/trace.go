package observe

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// TraceOptions say where traces go.
type TraceOptions struct {
	// Endpoint is the collector's base URL, for OTLP over HTTP; traces go to
	// /v1/traces below it.
	Endpoint string
	// Headers are sent with them, and may hold a secret.
	Headers map[string]string
	// Service and Version name this process.
	Service, Version string
	// Share is which part of all runs is traced, 0 to 1.
	Share float64
	// Log is told when traces are lost.
	Log *slog.Logger
}

const (
	// tracerName is whose spans these are.
	tracerName = "github.com/clustersystems/clusterbridge"
	// flushWithin bounds the sending of the last spans when a process stops.
	flushWithin = 5 * time.Second
)

// Tracing sends the traces of one process.
type Tracing struct {
	provider *sdktrace.TracerProvider
	log      *slog.Logger
}

// StartTracing begins to send traces in the background. A collector that is
// away costs traces and nothing else.
func StartTracing(ctx context.Context, o TraceOptions) (*Tracing, error) {
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(strings.TrimRight(o.Endpoint, "/")+"/v1/traces"), otlptracehttp.WithHeaders(o.Headers))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	// The library has one place per process for what goes wrong in the
	// background; left alone, it writes to standard error past the log.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		o.Log.Warn("traces were lost", "problem", err.Error())
	}))
	return newTracing(o, sdktrace.WithBatcher(exporter)), nil
}

func newTracing(o TraceOptions, to sdktrace.TracerProviderOption) *Tracing {
	about := resource.NewSchemaless(
		attribute.String("service.name", o.Service), attribute.String("service.version", o.Version))
	return &Tracing{log: o.Log, provider: sdktrace.NewTracerProvider(to, sdktrace.WithResource(about),
		// A run decides once for all that happens in it.
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Share))))}
}

// Tracer makes spans.
func (t *Tracing) Tracer() trace.Tracer { return t.provider.Tracer(tracerName) }

// Interceptor gives every run of a worker a trace, with its steps in it. It is
// for workers alone: on a client it would tie all runs of a schedule to the
// moment in which the schedule was made.
func (t *Tracing) Interceptor() (interceptor.WorkerInterceptor, error) {
	return opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
		Tracer: t.Tracer(),
		// Ids only: baggage could hold anything.
		DisableBaggage: true, TextMapPropagator: propagation.TraceContext{},
		// What another version wrote must not stop a run.
		AllowInvalidParentSpans: true,
	})
}

// Close sends what is left.
func (t *Tracing) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.WarnContext(ctx, "the last traces were lost", "problem", err.Error())
	}
}

// WithTraceIDs is a log handler that adds the ids of the trace and the span in
// which a line is written, so that a log line leads to its trace and back.
func WithTraceIDs(next slog.Handler) slog.Handler { return traced{next} }

type traced struct{ slog.Handler }

// Handle implements slog.Handler.
func (t traced) Handle(ctx context.Context, line slog.Record) error {
	if at := trace.SpanContextFromContext(ctx); at.IsValid() {
		line.AddAttrs(slog.String("trace_id", at.TraceID().String()), slog.String("span_id", at.SpanID().String()))
	}
	return t.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
