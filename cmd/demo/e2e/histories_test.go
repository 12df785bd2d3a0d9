package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
)

// closedRuns lists runs, newest first.
func closedRuns(t *testing.T, d *play.Demo, query string) []*workflowpb.WorkflowExecutionInfo {
	t.Helper()
	var all []*workflowpb.WorkflowExecutionInfo
	var next []byte
	for {
		page, err := d.Temporal().ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query, NextPageToken: next})
		require.NoError(t, err)
		all = append(all, page.GetExecutions()...)
		if next = page.GetNextPageToken(); len(next) == 0 {
			break
		}
	}
	slices.SortFunc(all, func(a, b *workflowpb.WorkflowExecutionInfo) int {
		return b.GetStartTime().AsTime().Compare(a.GetStartTime().AsTime())
	})
	return all
}

func history(t *testing.T, d *play.Demo, run *workflowpb.WorkflowExecutionInfo) []*historypb.HistoryEvent {
	t.Helper()
	return historyOf(t, d, run.GetExecution())
}

func historyOf(t *testing.T, d *play.Demo, run *commonpb.WorkflowExecution) []*historypb.HistoryEvent {
	t.Helper()
	var events []*historypb.HistoryEvent
	each := d.Temporal().GetWorkflowHistory(t.Context(), run.GetWorkflowId(), run.GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for each.HasNext() {
		e, err := each.Next()
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

// texts collects every text and every byte string of a message, however deep:
// payloads, headers, memos, summaries, details, failures, search attributes.
func texts(m proto.Message) []string {
	var found []string
	collect(m.ProtoReflect(), &found)
	return found
}

func collect(m protoreflect.Message, found *[]string) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Name() == "identity": // a process and its machine; its number may be any
		case field.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
				*found = append(*found, key.String())
				collectOne(field.MapValue(), v, found)
				return true
			})
		case field.IsList():
			for i := range value.List().Len() {
				collectOne(field, value.List().Get(i), found)
			}
		default:
			collectOne(field, value, found)
		}
		return true
	})
}

func collectOne(field protoreflect.FieldDescriptor, value protoreflect.Value, found *[]string) {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		collect(value.Message(), found)
	case protoreflect.StringKind:
		*found = append(*found, value.String())
	case protoreflect.BytesKind:
		*found = append(*found, string(value.Bytes()))
	}
}
