package observe

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Outcomes that are no code of the registry.
const (
	done      = "ok"
	cancelled = "cancelled"
	continued = "continued"
)

// stepBuckets, in seconds: a step with nothing to do takes some 0.1 s, a full
// one a minute and a half.
var stepBuckets = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 180}

// runMetrics count what workers did.
type runMetrics struct {
	runs    *prometheus.CounterVec   // workflow, code, kind
	steps   *prometheus.HistogramVec // activity, code
	records *prometheus.CounterVec   // what
}

func newRunMetrics() *runMetrics {
	return &runMetrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "runs_total",
			Help: "Runs of workflows that ended, by the registry's code of their failure and its kind; ok, cancelled and continued are no failures.",
		}, []string{"workflow", "code", "kind"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "step_seconds", Buckets: stepBuckets,
			Help: "How long attempts of activities took, by the code of their failure or ok.",
		}, []string{"activity", "code"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "records_total",
			Help: "Orders read, documents changed, sent, confirmed and repaired, and records put aside by steps that ended well.",
		}, []string{"what"}),
	}
}

// Interceptor counts the runs and steps of a worker.
func (m *Metrics) Interceptor() interceptor.WorkerInterceptor {
	return &counting{metrics: m.runs}
}

type counting struct {
	interceptor.WorkerInterceptorBase
	metrics *runMetrics
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (c *counting) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &countedActivity{metrics: c.metrics}
	i.Next = next
	return i
}

// InterceptWorkflow implements interceptor.WorkerInterceptor.
func (c *counting) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	i := &countedWorkflow{metrics: c.metrics}
	i.Next = next
	return i
}

type countedActivity struct {
	interceptor.ActivityInboundInterceptorBase
	metrics *runMetrics
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *countedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	began := time.Now() //nolint:forbidigo // a real duration is measured
	result, err := a.Next.ExecuteActivity(ctx, in)
	took := time.Since(began) //nolint:forbidigo // a real duration is measured
	code, _ := outcome(err)
	a.metrics.steps.WithLabelValues(activity.GetInfo(ctx).ActivityType.Name, code).Observe(took.Seconds())
	if step, ok := result.(work.StepResult); ok && err == nil {
		a.metrics.count(step.Counts)
	}
	return result, err
}

func (m *runMetrics) count(c work.Counts) {
	for what, n := range map[string]int{
		"orders": c.Orders, "changed": c.Changed, "sent": c.Sent,
		"confirmed": c.Confirmed, "repaired": c.Repaired, "quarantined": c.Quarantined,
	} {
		m.records.WithLabelValues(what).Add(float64(n))
	}
}

type countedWorkflow struct {
	interceptor.WorkflowInboundInterceptorBase
	metrics *runMetrics
}

// ExecuteWorkflow implements interceptor.WorkflowInboundInterceptor.
func (w *countedWorkflow) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	result, err := w.Next.ExecuteWorkflow(ctx, in)
	if !workflow.IsReplaying(ctx) {
		code, kind := outcome(err)
		w.metrics.runs.WithLabelValues(workflow.GetInfo(ctx).WorkflowType.Name, code, kind).Inc()
	}
	return result, err
}

// outcome is the registry's code and kind of what a run or a step ended with;
// whatever has none is a bug of ours.
func outcome(err error) (code, kind string) {
	switch {
	case err == nil:
		return done, done
	case workflow.IsContinueAsNewError(err):
		return continued, continued
	case temporal.IsCanceledError(err), errors.Is(err, context.Canceled):
		return cancelled, cancelled
	}
	known := work.Internal
	if failure, ok := errors.AsType[*temporal.ApplicationError](err); ok && work.Problems[work.Code(failure.Type())].Kind != "" {
		known = work.Code(failure.Type())
	}
	return string(known), string(work.Problems[known].Kind)
}
