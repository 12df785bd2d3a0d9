package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/partner"
)

// The naive design: a workflow that reads a page, then runs one activity per
// receipt, and continues as new. No ledger: Temporal's history is the
// state. It is what one would write first.
const (
	naiveQueue    = "naive"
	naiveWorkflow = "NaiveSync"
	naivePage     = "Page"
	naiveSend     = "Send"
	naiveTimeout  = time.Minute
)

// naiveInput is where a run begins.
type naiveInput struct {
	Venue int
	Token string
	Sent  int
}

// naivePageResult is a page's receipts: there is no ledger to keep them, so
// they travel through the history.
type naivePageResult struct {
	Receipts []partner.Document
	Next     string
}

type naiveReceipt struct {
	Venue   int
	Receipt partner.Document
}

func naiveSync(flying int) func(ctx workflow.Context, in naiveInput) (int, error) {
	return func(ctx workflow.Context, in naiveInput) (int, error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: naiveTimeout})
		var page naivePageResult
		if err := workflow.ExecuteActivity(ctx, naivePage, in).Get(ctx, &page); err != nil {
			return 0, err
		}
		room := workflow.NewSemaphore(ctx, int64(flying))
		all := workflow.NewWaitGroup(ctx)
		var failed error
		for _, receipt := range page.Receipts {
			if err := room.Acquire(ctx, 1); err != nil {
				return 0, err
			}
			all.Add(1)
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer all.Done()
				defer room.Release(1)
				err := workflow.ExecuteActivity(ctx, naiveSend, naiveReceipt{in.Venue, receipt}).Get(ctx, nil)
				failed = errors.Join(failed, err)
			})
		}
		all.Wait(ctx)
		in.Sent += len(page.Receipts)
		if in.Token = page.Next; failed != nil || in.Token == "" {
			return in.Sent, failed
		}
		return 0, workflow.NewContinueAsNewError(ctx, naiveWorkflow, in)
	}
}

// naiveDoor holds the activities.
type naiveDoor struct{ loops []*bare }

func (d *naiveDoor) page(ctx context.Context, in naiveInput) (naivePageResult, error) {
	page, err := d.loops[in.Venue].page(ctx, in.Token)
	if err != nil {
		return naivePageResult{}, err
	}
	result := naivePageResult{Next: page.NextPage}
	for _, o := range page.Orders {
		documents, err := d.loops[in.Venue].translate(o)
		if err != nil {
			return naivePageResult{}, err
		}
		result.Receipts = append(result.Receipts, documents...)
	}
	return result, nil
}

func (d *naiveDoor) send(ctx context.Context, in naiveReceipt) error {
	_, err := d.loops[in.Venue].session.Send(ctx, partner.Delivery{Document: in.Receipt})
	return err
}

// naiveWorker is the process of that role; its arguments are the task and
// Temporal's address.
func naiveWorker(args []string) error {
	t, c, err := readTask(args)
	if err != nil {
		return err
	}
	temporal, err := client.Dial(client.Options{HostPort: args[1], Namespace: namespace, Logger: quiet()})
	if err != nil {
		return err
	}
	defer temporal.Close()
	door := &naiveDoor{}
	for _, v := range t.Scene.venues() {
		door.loops = append(door.loops, newBare(t, v, c))
	}
	w := worker.New(temporal, naiveQueue, worker.Options{DisableRegistrationAliasing: true})
	w.RegisterWorkflowWithOptions(naiveSync(t.Flying), workflow.RegisterOptions{Name: naiveWorkflow})
	w.RegisterActivityWithOptions(door.page, activity.RegisterOptions{Name: naivePage})
	w.RegisterActivityWithOptions(door.send, activity.RegisterOptions{Name: naiveSend})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := w.Start(); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, ready)
	<-ctx.Done()
	w.Stop()
	return nil
}
