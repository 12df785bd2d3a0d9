package workflows

import (
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// handle registers an Update. It is decoded strictly and, where allowed says
// no, refused without a trace. With a desk, acts wait for each other and are
// looked at once more when it is their turn. They are brought to their end
// also when the workflow is cancelled meanwhile.
func handle[In, Out any](
	ctx workflow.Context, name, description string, desk workflow.Mutex,
	allowed func() error, act func(ctx workflow.Context, in In) (Out, error),
) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name,
		func(ctx workflow.Context, raw converter.RawValue) (Out, error) {
			var in In
			var none Out
			if err := decode(raw, &in); err != nil {
				return none, err
			}
			ctx = lasting(ctx)
			if desk != nil {
				if err := desk.Lock(ctx); err != nil {
					return none, err
				}
				defer desk.Unlock()
				if err := allowed(); err != nil {
					return none, err
				}
			}
			return act(ctx, in)
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

// steered registers what every case answers: the query status, and the Updates
// Cancel and Retry.
func (c *casework) steered(ctx workflow.Context) error {
	c.desk = workflow.NewMutex(ctx)
	return errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, work.QueryStatus, c.status,
			workflow.QueryHandlerOptions{Description: "What is waited for, since when, who must act, and what happens next."}),
		handle(ctx, work.UpdateCancelOnboarding, "Stop, and undo what was begun.", nil, c.mayCancel,
			func(_ workflow.Context, in work.SteerInput) (work.ActResult, error) {
				c.cancelBy(in)
				if c.outcome != "" {
					return done("It ends as it was settled, without the last mail.")
				}
				return done("It is being cancelled; what was begun is undone.")
			}),
		handle(ctx, work.UpdateRetry, "Try or look again at once.", nil, func() error {
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
	return handle(ctx, work.UpdateContactEntered, "An operator has entered whom to write to.", c.desk,
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
		now = c.at.what
	case c.at.who != "":
		now = fmt.Sprintf("it waits for %s: %s", whoWords(c.at.who), c.at.what)
	}
	return typed(c.caseID, work.Err(work.NotNow, why+"; "+now))
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
