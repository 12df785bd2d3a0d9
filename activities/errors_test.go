package activities

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Every problem of the registry becomes a failure with its code, a whole
// sentence, and no cause.
func TestFailuresCarryCodeAndSentenceAndNothingElse(t *testing.T) {
	for c, p := range work.Problems {
		cause := errors.New("Post https://relay/orders?key=canary-7731")
		failure, ok := errors.AsType[*temporal.ApplicationError](Failure("7shifts:chez-marcel", work.Errf(c, cause, "detail")))
		require.True(t, ok)
		require.Equal(t, string(c), failure.Type())
		require.Contains(t, failure.Message(), "Next: ")
		require.NotContains(t, failure.Message(), "%s")
		require.NotContains(t, failure.Error(), "canary")
		require.NoError(t, failure.Unwrap())
		retried := p.Kind == work.Transient || p.Kind == work.Limited
		require.Equal(t, !retried, failure.NonRetryable(), c)
	}
	limited, _ := errors.AsType[*temporal.ApplicationError](Failure("", &work.Error{Code: work.PartnerLimited, Rest: time.Minute}))
	require.Equal(t, time.Minute, limited.NextRetryDelay())
}

func TestUnknownErrorsAndPanicsAreScrubbed(t *testing.T) {
	suite := testsuite.WorkflowTestSuite{}
	for _, f := range []func() error{
		func() error { return errors.New("token canary-7731") },
		func() error { panic("token canary-7731") },
	} {
		env := suite.NewTestActivityEnvironment()
		env.RegisterActivity(failing)
		what = f
		_, err := env.ExecuteActivity(failing, "")
		failure, ok := errors.AsType[*temporal.ApplicationError](err)
		require.True(t, ok)
		require.Equal(t, string(work.Internal), failure.Type())
		require.NotContains(t, err.Error(), "canary")
	}
}

var what func() error

func failing(ctx context.Context, _ string) (string, error) {
	return do(ctx, slog.New(slog.DiscardHandler), "7shifts:chez-marcel", func(context.Context, <-chan struct{}) (string, error) {
		return "", what()
	})
}

func TestWorseIsWhatNeedsAPerson(t *testing.T) {
	offline, token := work.Err(work.ClusterOffline, ""), work.Err(work.PartnerToken, "")
	require.Equal(t, error(token), worse(offline, token))
	require.Equal(t, error(token), worse(token, offline))
	require.Equal(t, error(offline), worse(offline, nil))
	require.NoError(t, worse(nil, nil))
}
