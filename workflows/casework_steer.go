package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// handle registers an Update. It is decoded strictly and, where allowed says
// no, refused without a trace. What it does is brought to its end also when the
// workflow is cancelled meanwhile.
func handle[In, Out any](
	ctx workflow.Context, name, description string, allowed func() error, act func(ctx workflow.Context, in In) (Out, error),
) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name,
		func(ctx workflow.Context, raw converter.RawValue) (Out, error) {
			var in In
			if err := decode(raw, &in); err != nil {
				var none Out
				return none, err
			}
			return act(lasting(ctx), in)
		},
		workflow.UpdateHandlerOptions{
			Description: description,
			Validator: func(raw converter.RawValue) error {
				var in In
				if err := decode(raw, &in); err != nil {
					return err
				}
				return allowed()
			},
		})
}

// handleAct registers an Update that runs activities. Such acts wait for each
// other, and are looked at once more when it is their turn.
func handleAct[In, Out any](
	ctx workflow.Context, c *casework, name, description string, allowed func() error, act func(ctx workflow.Context, in In) (Out, error),
) error {
	return handle(ctx, name, description, allowed, func(ctx workflow.Context, in In) (out Out, err error) {
		if err = c.desk.Lock(ctx); err != nil {
			return out, err
		}
		if err = allowed(); err == nil {
			out, err = act(ctx, in)
		}
		c.desk.Unlock()
		c.told(ctx)
		return out, err
	})
}

// told lets the work go on with what a person's act changed, and gives the
// ledger a moment to know, so that the page that comes next is up to date.
func (c *casework) told(ctx workflow.Context) {
	moved := false
	// A new coroutine runs after all those that an act may have woken.
	workflow.Go(ctx, func(workflow.Context) { moved = true })
	err := workflow.Await(ctx, func() bool { return moved })
	if err == nil {
		err = rest(ctx, pagesWithin, "Let the ledger know", c.mirrored)
	}
	if err != nil {
		workflow.GetLogger(ctx).Warn("cut short", "case", c.caseID)
	}
}

// steered registers what every case answers: the query status, and the Updates
// Cancel and Retry.
func (c *casework) steered(ctx workflow.Context) error {
	c.desk = workflow.NewMutex(ctx)
	return errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, work.QueryStatus, c.status,
			workflow.QueryHandlerOptions{Description: "What is waited for, since when, who must act, and what happens next."}),
		handle(ctx, work.UpdateCancelOnboarding, "Stop, and undo what was begun.", c.mayCancel,
			func(ctx workflow.Context, in work.SteerInput) (work.ActResult, error) {
				c.cancelBy(in)
				c.told(ctx)
				if c.outcome != "" {
					return done("It ends as it was settled, without the last mail.")
				}
				return done("It is being cancelled; what was begun is undone.")
			}),
		handle(ctx, work.UpdateRetry, "Try or look again at once.", func() error {
			if !c.mayRetry() {
				return c.refuse("there is nothing to try again")
			}
			return nil
		}, func(_ workflow.Context, _ work.SteerInput) (work.ActResult, error) {
			c.retries++
			return done("It is tried again at once.")
		}),
	)
}

// contactEntered registers ContactEntered: for when allowed says so, and for a
// mail that could not be sent, which is tried again to the new address.
func (c *casework) contactEntered(ctx workflow.Context, allowed func() error, then func(ctx workflow.Context, contact string)) error {
	return handleAct(ctx, c, work.UpdateContactEntered, "An operator has entered whom to write to.",
		func() error {
			if c.trouble.code == work.MailRefused {
				return nil // also of a mail with which a case ends
			}
			return allowed()
		},
		func(ctx workflow.Context, _ work.SteerInput) (work.ActResult, error) {
			var found work.ContactResult
			if err := c.perform(ctx, actReadContact, work.CaseInput{Case: c.caseID}, &found); err != nil {
				return work.ActResult{}, err
			}
			if found.Contact == "" {
				return work.ActResult{}, c.refuse("no contact has been entered yet: clusterbridge onboarding contact " + c.caseID)
			}
			then(ctx, found.Contact)
			if c.trouble.code != "" {
				c.retries++
			}
			return done("The contact is known.")
		})
}

func (c *casework) mayCancel() error {
	switch {
	case c.bound != "":
		return c.refuse(c.bound)
	case c.cancelled == nil && c.at.stage != work.StageEnded:
		return nil
	}
	return c.going()
}

func (c *casework) mayRetry() bool {
	return c.trouble.code != "" || c.untold != "" || c.at.again
}

// going refuses what comes when the case is over.
func (c *casework) going() error {
	switch {
	case c.outcome != "":
		return c.refuse("it has ended, or is about to")
	case c.cancelled != nil:
		return c.refuse("it is being cancelled already")
	}
	return nil
}

// during refuses what makes no sense in the stage in which the case is.
func (c *casework) during(why string, stages ...work.Stage) error {
	if err := c.going(); err != nil {
		return err
	}
	if !slices.Contains(stages, c.at.stage) {
		return c.refuse(why)
	}
	return nil
}

// refuse says why something cannot be done now, and what is waited for instead.
func (c *casework) refuse(why string) error {
	now := "clusterbridge is at work: " + c.at.what
	switch {
	case c.at.stage == work.StageEnded:
		now = strings.TrimSuffix(c.at.what, ".")
	case c.at.who != "":
		now = fmt.Sprintf("it waits for %s: %s", whoWords(c.at.who), c.at.what)
	}
	return notNow(why+"; "+now, "clusterbridge onboarding show "+c.caseID)
}

// notNow is the refusal of an Update that makes no sense now.
func notNow(why, next string) error {
	return temporal.NewApplicationErrorWithOptions("This cannot be done now: "+why+". Next: "+next,
		string(work.BadInput), temporal.ApplicationErrorOptions{NonRetryable: true})
}

// perform runs the activity of a person's act. Its failure goes back to who sent
// the Update.
func (c *casework) perform(ctx workflow.Context, activity string, in, out any) error {
	acting := withCase(ctx, c.caseID, personPriority, "")
	return typed(c.connection, workflow.ExecuteActivity(acting, activity, in).Get(ctx, out))
}

// actOf is what an activity is told of a person's act on the case.
func (c *casework) actOf(update, by, reason, note string) work.CaseAct {
	return work.CaseAct{Case: c.caseID, Act: update, By: by, Reason: reason, Note: note}
}

// done answers an Update.
func done(format string, args ...any) (work.ActResult, error) {
	return work.ActResult{Summary: fmt.Sprintf(format, args...), Changed: 1}, nil
}
