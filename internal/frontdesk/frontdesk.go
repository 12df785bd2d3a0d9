// Package frontdesk is between the gateway and the onboardings: it tells pages
// what waits for an answer, and brings answers, requests and payments to the
// workflows that wait for them.
package frontdesk

import (
	"context"
	"errors"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Desk implements pages.Desk and gateway.Requests.
type Desk struct {
	Room     *onboarding.Room
	Temporal client.Client
}

var (
	_ pages.Desk       = (*Desk)(nil)
	_ gateway.Requests = (*Desk)(nil)
)

// tell sends an Update to a case's workflow and waits until it has happened.
// ErrGone when the workflow has ended; *work.Error for what it refuses.
func (d *Desk) tell(ctx context.Context, c ledger.Case, update string, in, result any) error {
	handle, err := d.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: c.Workflow, UpdateName: update, Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, result)
	}
	return told(err)
}

// told turns what an Update ends with into an error of ours.
func told(err error) error {
	if err == nil {
		return nil
	}
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return pages.ErrGone
	}
	if failure, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		code := work.Code(failure.Type())
		if work.Problems[code].Kind == "" {
			code = work.Internal
		}
		said, _, _ := strings.Cut(failure.Message(), " Next: ")
		return work.Err(code, said)
	}
	return work.Errf(work.LedgerUnavailable, err, "Temporal did not take it")
}

// hasCode tells whether an error is a problem of a code.
func hasCode(err error, code work.Code) bool {
	e, ok := errors.AsType[*work.Error](err)
	return ok && e.Code == code
}

// byVenue is an act of somebody who held a link.
func byVenue(note string) work.SteerInput {
	return work.SteerInput{By: work.ByVenue, Reason: "venue_asked", Note: note}
}

// Ask implements gateway.Requests. A request that was begun before, however long
// ago, is not begun again.
func (d *Desk) Ask(ctx context.Context, request string, in work.OnboardingInput) error {
	known, err := d.Room.Ledger.CasesOf(ctx, in.Partner+":"+request)
	if err != nil || len(known) > 0 {
		return err
	}
	_, err = d.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: work.OnboardingID(in.Partner, request), TaskQueue: work.TaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:         "Request from " + in.Requester,
	}, work.Onboarding, in)
	if _, again := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); again {
		return nil
	}
	if err != nil {
		return work.Errf(work.LedgerUnavailable, err, "Temporal did not take the request")
	}
	return nil
}

// Paid implements gateway.Requests. The payment is kept first; that the workflow
// looks at once is a help, since it looks by itself as well.
func (d *Desk) Paid(ctx context.Context, p gateway.Payment) error {
	caseID, err := d.Room.NotePayment(ctx, ledger.Payment{
		ID: p.ID, Number: p.Invoice, Kind: p.Kind, Amount: sale.Cents(p.AmountCents), Currency: p.Currency, At: p.At,
	})
	if err != nil || caseID == "" {
		return err
	}
	c, err := d.Room.Ledger.Case(ctx, caseID)
	if err != nil {
		return err
	}
	in := work.SteerInput{By: work.ByGateway, Reason: "other", Note: "the billing system told of a payment"}
	if err := d.tell(ctx, c, work.UpdatePaymentNoticed, in, nil); err != nil {
		d.Room.Log.InfoContext(ctx, "a payment is kept; its onboarding looks later", "case", caseID)
	}
	return nil
}
