package program

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// frontend is as much of Temporal's frontend as a worker and a gateway need to
// start; it has no work. The real server's tests are in cmd/demo/e2e.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
}

func (frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func (frontend) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{NamespaceInfo: &namespacepb.NamespaceInfo{Name: "default"}}, nil
}

func (frontend) DescribeSchedule(context.Context, *workflowservice.DescribeScheduleRequest) (*workflowservice.DescribeScheduleResponse, error) {
	return nil, serviceerror.NewNotFound("no schedules here")
}

func (frontend) CreateSchedule(context.Context, *workflowservice.CreateScheduleRequest) (*workflowservice.CreateScheduleResponse, error) {
	return &workflowservice.CreateScheduleResponse{}, nil
}

func (frontend) PollWorkflowTaskQueue(ctx context.Context, _ *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	<-ctx.Done()
	return &workflowservice.PollWorkflowTaskQueueResponse{}, nil
}

func (frontend) PollActivityTaskQueue(ctx context.Context, _ *workflowservice.PollActivityTaskQueueRequest) (*workflowservice.PollActivityTaskQueueResponse, error) {
	<-ctx.Done()
	return &workflowservice.PollActivityTaskQueueResponse{}, nil
}

// serveTemporal serves a frontend and gives its address.
func serveTemporal(t *testing.T, with workflowservice.WorkflowServiceServer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, answers := grpc.NewServer(grpc.UnaryInterceptor(statuses)), health.NewServer()
	answers.SetServingStatus("temporal.api.workflowservice.v1.WorkflowService", healthpb.HealthCheckResponse_SERVING)
	workflowservice.RegisterWorkflowServiceServer(server, with)
	healthpb.RegisterHealthServer(server, answers)
	var ended sync.WaitGroup
	ended.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() { server.Stop(); ended.Wait() })
	return l.Addr().String()
}

// statuses sends Temporal's errors as what they are.
func statuses(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	answer, err := handler(ctx, req)
	return answer, serviceerror.ToStatus(err).Err()
}

// taker is a frontend whose workflows are begun and take Updates, and answer what
// a test says. What they do with an Update is tested where they are.
type taker struct {
	frontend
	mu      sync.Mutex
	began   map[string]string // inputs by id
	updates []update
	answer  any
	refuses error
	ended   bool // no workflow runs
}

// update is what a workflow was told.
type update struct{ workflow, name, input string }

func (f *taker) be(answer any, refuses error, ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer, f.refuses, f.ended = answer, refuses, ended
}

// last is the newest Update.
func (f *taker) last() update {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.updates) == 0 {
		return update{}
	}
	return f.updates[len(f.updates)-1]
}

func (f *taker) times() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.updates)
}

// input is what the workflow of an id was begun with.
func (f *taker) input(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.began[id]
}

func (f *taker) StartWorkflowExecution(_ context.Context, r *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, again := f.began[r.GetWorkflowId()]; again {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "run")
	}
	f.began[r.GetWorkflowId()] = payloadText(r.GetInput())
	return &workflowservice.StartWorkflowExecutionResponse{RunId: "run", Started: true}, nil
}

func (f *taker) UpdateWorkflowExecution(_ context.Context, r *workflowservice.UpdateWorkflowExecutionRequest) (*workflowservice.UpdateWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil, serviceerror.NewNotFound("workflow execution already completed")
	}
	input := r.GetRequest().GetInput()
	f.updates = append(f.updates, update{r.GetWorkflowExecution().GetWorkflowId(), input.GetName(), payloadText(input.GetArgs())})
	outcome := &updatepb.Outcome{Value: &updatepb.Outcome_Success{}}
	if f.refuses != nil {
		outcome.Value = &updatepb.Outcome_Failure{Failure: failure(f.refuses)}
	} else if f.answer != nil {
		payloads, err := converter.GetDefaultDataConverter().ToPayloads(f.answer)
		if err != nil {
			return nil, err
		}
		outcome.Value = &updatepb.Outcome_Success{Success: payloads}
	}
	return &workflowservice.UpdateWorkflowExecutionResponse{
		UpdateRef: &updatepb.UpdateRef{WorkflowExecution: r.GetWorkflowExecution(), UpdateId: r.GetRequest().GetMeta().GetUpdateId()},
		Outcome:   outcome, Stage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
	}, nil
}

// GetWorkflowExecutionHistory tells how a run ended.
func (f *taker) GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	event := &historypb.HistoryEvent{EventId: 1}
	if f.refuses != nil {
		event.EventType = enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
		event.Attributes = &historypb.HistoryEvent_WorkflowExecutionFailedEventAttributes{
			WorkflowExecutionFailedEventAttributes: &historypb.WorkflowExecutionFailedEventAttributes{Failure: failure(f.refuses)},
		}
	} else {
		payloads, err := converter.GetDefaultDataConverter().ToPayloads(f.answer)
		if err != nil {
			return nil, err
		}
		event.EventType = enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
		event.Attributes = &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
			WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: payloads},
		}
	}
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{event}}}, nil
}

// failure is a refusal as a workflow of ours sends it.
func failure(err error) *failurepb.Failure {
	problem := err.(*work.Error) //nolint:errorlint,forcetypeassert // tests give no other
	return &failurepb.Failure{Message: problem.Sentence(""), FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
		ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: string(problem.Code), NonRetryable: true},
	}}
}

// payloadText is a single payload's JSON.
func payloadText(p *commonpb.Payloads) string {
	if len(p.GetPayloads()) != 1 {
		return ""
	}
	var plain json.RawMessage = p.GetPayloads()[0].GetData()
	return string(plain)
}
