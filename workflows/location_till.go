package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// openTill opens the way to the till: Cluster activates API access, which takes
// 24 to 48 hours, and issues a key; where keys are not issued by an API an
// operator puts one in.
func (l *location) openTill(ctx workflow.Context) error {
	l.begun.keys = true
	l.stand(ctx, standing{
		stage: work.StageActivation, what: "clusterbridge opens the way to the till: API access, and a key", next: l.afterTill(),
	})
	for n := 0; ; n++ {
		keyIn, retries := l.keyIn, l.retries
		var till work.TillResult
		if err := l.do(ctx, actOpenTill, l.caseInput(), &till, never); err != nil {
			return err
		}
		var err error
		switch till.State {
		case work.TillReady:
			return nil
		case work.TillManual:
			err = l.wait(ctx, l.withoutKey(), func() bool { return l.keyIn != keyIn })
		default:
			_, err = l.waitFor(ctx, l.inactive(), look(l.plan.CheckEvery, steadyLooks, n), "Look for the activation",
				func() bool { return l.retries != retries || l.keyIn != keyIn })
		}
		if err != nil {
			return err
		}
	}
}

func (l *location) inactive() standing {
	return standing{
		stage: work.StageActivation, who: "cluster", what: "Cluster's activation of API access to the till, which takes 24 to 48 hours",
		next: "it is looked at by itself, and with Retry at once; then " + l.afterTill(), again: true,
	}
}

func (l *location) withoutKey() standing {
	return standing{
		stage: work.StageKey, who: "operator", what: "the till's API key, which an operator puts in on standard input",
		next: "it is tried; then " + l.afterTill(), ways: []way{{verb: "credentials put", update: work.UpdateCredentialsEntered}},
	}
}

func (l *location) afterTill() string {
	if l.plan.TakesToken {
		return "the venue is asked for 7shifts' access token"
	}
	return "serial number and key go to the venue and to WISK's support"
}

// handleKey registers CredentialsEntered. A key also comes when the one before
// was refused; what it troubles is then tried again.
func (l *location) handleKey(ctx workflow.Context) error {
	return handleAct(ctx, &l.casework, work.UpdateCredentialsEntered, "An operator has put in the till's key.",
		func() error {
			if l.trouble.code != "" && l.begun.keys {
				return l.going()
			}
			return l.during("no key is waited for", work.StageKey)
		},
		func(_ workflow.Context, _ work.SteerInput) (work.ActResult, error) {
			l.keyIn++
			l.retries++
			return done("The key is tried.")
		})
}
