package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// atOnce is how soon bad input fails.
const atOnce = 10 * time.Second

// What the Web UI's start form sends is one JSON value. A wrong, missing or
// extra field fails the run at once and is named, and so is a wrong id.
func TestTheStartFormRefusesBadInput(t *testing.T) {
	d := finished(t)
	connection := work.ConnectionID(work.SevenShifts, "chez-marcel")
	good := map[string]string{
		work.Backfill:          `{"connection":"%s","by":"lea","note":"again"}`,
		work.ChangeConnection:  `{"connection":"%s","change":"pause","by":"lea","reason":"test","note":"again"}`,
		work.ReleaseQuarantine: `{"connection":"%s","records":[],"by":"lea","reason":"test","note":"again"}`,
		work.Resend:            `{"connection":"%s","from":"2026-11-03","to":"2026-11-03","by":"lea","reason":"test","note":"again"}`,
		work.ResolveUncertain:  `{"connection":"%s","uploads":[],"applied":true,"by":"lea","reason":"test","note":"again"}`,
	}
	ids := map[string]string{
		work.Backfill: work.BackfillID(connection), work.ChangeConnection: work.ActID(work.ActChange, connection, "e2e-%d"),
		work.ReleaseQuarantine: work.ActID(work.ActRelease, connection, "e2e-%d"), work.Resend: work.ActID(work.ActResend, connection, "e2e-%d"),
		work.ResolveUncertain: work.ActID(work.ActResolve, connection, "e2e-%d"),
	}
	n := 0
	for kind, form := range good {
		form = fmt.Sprintf(form, connection)
		bad := []struct{ name, id, input, says string }{
			{"misspelled", ids[kind], strings.Replace(form, `"by"`, `"bye"`, 1), `"bye"`},
			{"missing", ids[kind], strings.Replace(form, `"by":"lea",`, "", 1), `"by"`},
			{"extra", ids[kind], strings.Replace(form, "{", `{"colour":"red",`, 1), `"colour"`},
			{"wrong", ids[kind], strings.Replace(form, `"lea"`, "7", 1), `"by"`},
			{"not an object", ids[kind], `"chez-marcel"`, "JSON object"},
			{"garbage", ids[kind], strings.Repeat("x", 1<<20), "JSON object"},
			{"wrong id", "mine-" + kind, form, strings.TrimSuffix(strings.Split(ids[kind], "e2e")[0], ":")},
		}
		for _, c := range bad {
			t.Run(kind+"/"+c.name, func(t *testing.T) {
				n++
				id := strings.ReplaceAll(c.id, "%d", fmt.Sprint(n))
				_, err := d.Temporal().WorkflowService().StartWorkflowExecution(t.Context(), &workflowservice.StartWorkflowExecutionRequest{
					Namespace: "default", WorkflowId: id, RequestId: kind + id + c.name,
					WorkflowType: &commonpb.WorkflowType{Name: kind}, TaskQueue: &taskqueuepb.TaskQueue{Name: work.TaskQueue},
					Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{
						Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(c.input),
					}}},
					WorkflowIdReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
				})
				require.NoError(t, err)
				begun := time.Now()
				err = d.Temporal().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil)
				require.ErrorContains(t, err, c.says)
				require.Less(t, time.Since(begun), atOnce)
				require.Less(t, len(err.Error()), 2000, "a sentence, not an echo")
			})
		}
	}
}
