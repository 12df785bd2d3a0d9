package observe

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const stepName = "SyncStep"

// syncOnce is a sync run of one step.
func syncOnce(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	return workflow.ExecuteActivity(ctx, stepName).Get(ctx, nil)
}

// runOnce runs syncOnce with a step on a worker with these interceptors.
func runOnce(t *testing.T, m *Metrics, step func(context.Context) (work.StepResult, error), with ...interceptor.WorkerInterceptor) error {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetMetricsHandler(m.Temporal())
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: with})
	env.RegisterWorkflowWithOptions(syncOnce, workflow.RegisterOptions{Name: work.LocationSync})
	env.RegisterActivityWithOptions(step, activity.RegisterOptions{Name: stepName})
	env.ExecuteWorkflow(work.LocationSync)
	require.True(t, env.IsWorkflowCompleted())
	return env.GetWorkflowError()
}

func TestATraceGoesFromTheRunToThePartnersCall(t *testing.T) {
	server, systems := answering(t)
	m, kept := newMetrics(t), tracetest.NewInMemoryExporter()
	tracing := newTracing(TraceOptions{Service: "clusterbridge", Version: "test", Share: 1, Log: quiet()}, sdktrace.WithSyncer(kept))
	defer tracing.Close()
	follow, err := tracing.Interceptor()
	require.NoError(t, err)
	through := &http.Client{Transport: m.Transport(http.DefaultTransport, systems, tracing.Tracer())}
	defer through.CloseIdleConnections()
	var logged strings.Builder
	log := slog.New(WithTraceIDs(slog.NewJSONHandler(&logged, nil)))
	err = runOnce(t, m, func(ctx context.Context) (work.StepResult, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, server.URL+"/v2/company/30001/receipts/ext:70001:CL-1-canary", strings.NewReader(`{"net_total": 4242}`))
		if err != nil {
			return work.StepResult{}, err
		}
		r.Header.Set("Authorization", "Bearer canary")
		answer, err := through.Do(r)
		if err != nil {
			return work.StepResult{}, err
		}
		log.InfoContext(ctx, "sent")
		return work.StepResult{Counts: work.Counts{Sent: 1}}, answer.Body.Close()
	}, m.Interceptor(), follow)
	require.NoError(t, err)

	spans := map[string]tracetest.SpanStub{}
	for _, s := range kept.GetSpans() {
		spans[s.Name] = s
		all, err := json.Marshal(s)
		require.NoError(t, err)
		require.NotContains(t, string(all), "canary", s.Name)
		require.NotContains(t, string(all), "4242", s.Name)
	}
	call := spans["7shifts PUT /v2/company/{id}/receipts/{id}"]
	for _, name := range []string{"RunActivity:SyncStep", "StartActivity:SyncStep", "RunWorkflow:LocationSync"} {
		parent, there := spans[name]
		require.True(t, there, "no span %s among %d", name, len(spans))
		require.Equal(t, parent.SpanContext.SpanID(), call.Parent.SpanID(), "what lies above %s", call.Name)
		require.Equal(t, parent.SpanContext.TraceID(), call.SpanContext.TraceID())
		call = parent
	}
	require.False(t, call.Parent.IsValid(), "a run begins its own trace")
	require.Contains(t, logged.String(), `"trace_id":"`+call.SpanContext.TraceID().String()+`"`)
}

// A collector that is away costs traces and nothing else.
func TestTracesGoToTheCollector(t *testing.T) {
	came := make(chan *http.Request, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { came <- r }))
	defer collector.Close()
	o := TraceOptions{Endpoint: collector.URL + "/", Headers: map[string]string{"Api-Key": "x"}, Service: "clusterbridge", Share: 1, Log: quiet()}
	tracing, err := StartTracing(t.Context(), o)
	require.NoError(t, err)
	_, span := tracing.Tracer().Start(t.Context(), "a run")
	span.End()
	tracing.Close()
	r := <-came
	require.Equal(t, "/v1/traces", r.URL.Path)
	require.Equal(t, "x", r.Header.Get("Api-Key"))

	o.Endpoint = "http://127.0.0.1:1"
	away, err := StartTracing(t.Context(), o)
	require.NoError(t, err)
	_, span = away.Tracer().Start(t.Context(), "a run")
	span.End()
	began := time.Now()
	away.Close()
	require.Less(t, time.Since(began), 2*flushWithin)
}

func TestRunsAndStepsAreCountedByTheirCode(t *testing.T) {
	m := newMetrics(t)
	require.NoError(t, runOnce(t, m, func(context.Context) (work.StepResult, error) {
		return work.StepResult{Counts: work.Counts{Orders: 3, Sent: 2}}, nil
	}, m.Interceptor()))
	require.Error(t, runOnce(t, m, func(context.Context) (work.StepResult, error) {
		return work.StepResult{Counts: work.Counts{Orders: 100}}, temporal.NewApplicationError("The till is offline.", string(work.ClusterOffline))
	}, m.Interceptor()))
	require.Error(t, runOnce(t, m, func(context.Context) (work.StepResult, error) {
		return work.StepResult{}, temporal.NewApplicationError("canary", "canary-type")
	}, m.Interceptor()))
	text := scrape(t, m)
	for _, line := range []string{
		`clusterbridge_runs_total{code="ok",kind="ok",workflow="LocationSync"} 1`,
		`clusterbridge_runs_total{code="cluster_offline",kind="transient",workflow="LocationSync"} 1`,
		`clusterbridge_runs_total{code="internal",kind="bug",workflow="LocationSync"} 1`,
		`clusterbridge_step_seconds_count{activity="SyncStep",code="ok"} 1`,
		`clusterbridge_step_seconds_count{activity="SyncStep",code="cluster_offline"} 1`,
		`clusterbridge_records_total{what="orders"} 3`,
		`clusterbridge_records_total{what="sent"} 2`,
	} {
		require.Contains(t, text, line+"\n")
	}
	require.NotContains(t, text, "canary")
}

// The SDK's own metrics arrive under the names that Temporal's dashboards use.
func TestTheSDKsMetricsArrive(t *testing.T) {
	m := newMetrics(t)
	h := m.Temporal().WithTags(map[string]string{"namespace": "default", "unknown": "x"})
	h.WithTags(map[string]string{"operation": "PollActivityTaskQueue"}).Counter("temporal_request").Inc(2)
	h.Counter("temporal_local_activity_total").Inc(1)
	h.WithTags(map[string]string{"worker_type": "ActivityWorker"}).Gauge("temporal_worker_task_slots_used").Update(3)
	h.Timer("temporal_activity_execution_latency").Record(time.Second)
	require.NoError(t, runOnce(t, m, func(context.Context) (work.StepResult, error) { return work.StepResult{}, nil }))
	text := scrape(t, m)
	for _, found := range []string{
		`temporal_request_total{activity_type="",cause="",failure_reason="",namespace="default",operation="PollActivityTaskQueue",`,
		`temporal_local_activity_total{`,
		`worker_type="ActivityWorker",workflow_type=""} 3`,
		`temporal_activity_execution_latency_seconds_sum{`,
		`temporal_activity_execution_latency_seconds_count{`,
	} {
		require.Contains(t, text, found)
	}
}
