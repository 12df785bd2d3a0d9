// Package activities is the only door from a workflow to the world: thin
// methods that open a connection, let the engines work for a bounded step, and
// turn what went wrong into a typed sentence.
package activities

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/delivery"
	"github.com/clustersystems/clusterbridge/internal/intake"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// stepDocuments and stepTime bound the delivery of one step; with the pull's
	// 20 s and a last request a step stays within a minute or 500 documents
	// (architecture, invariant 9).
	stepDocuments = 500
	stepTime      = 30 * time.Second
	// beatEvery is how often an activity shows that its worker lives; workflows
	// give it up after two missed beats.
	beatEvery = 8 * time.Second
)

// Sync is the door to a connection's till, ledger and partner.
type Sync struct {
	Ledger   *ledger.Store
	Vault    *vault.Vault
	Puller   *intake.Puller
	Engine   *delivery.Engine
	Partners partner.Registry
	Clock    clock.Clock
	Log      *slog.Logger
	// Office tells which keys open a till; nil: a doubled route is not watched.
	Office Office
	// CalledOffAfter is how many refused runs call a connection off; 0 never.
	CalledOffAfter int
	// OldestFirst makes backfills go from the oldest day to the newest.
	OldestFirst bool
	// DaysAtOnce is how many business days a backfill works on at a time.
	DaysAtOnce int
}

// do runs one activity: it beats while f works, gives f a channel that is
// closed when the worker stops, and scrubs what comes back.
func do[T any](ctx context.Context, log *slog.Logger, connection string, f func(ctx context.Context, stop <-chan struct{}) (T, error)) (result T, err error) {
	ended := make(chan struct{})
	defer close(ended)
	go beat(ctx, ended)
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may hold anything: it stays in this machine's log.
			log.ErrorContext(ctx, "an activity panicked", "connection", connection, "kind", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = Failure(connection, work.Err(work.Internal, "a panic"))
		}
	}()
	result, err = f(ctx, activity.GetWorkerStopChannel(ctx))
	if err == nil {
		return result, nil
	}
	if ctx.Err() != nil {
		return result, temporal.NewCanceledError()
	}
	log.WarnContext(ctx, "an activity failed", "connection", connection, "problem", describe(err))
	return result, Failure(connection, err)
}

func beat(ctx context.Context, ended <-chan struct{}) {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			activity.RecordHeartbeat(ctx)
		case <-ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// credential opens the till's key.
func (s *Sync) credential(ctx context.Context, c ledger.Connection) (cluster.Credential, error) {
	key, err := s.Vault.Get(ctx, c.Location.Secret)
	if err != nil {
		return cluster.Credential{}, err
	}
	return cluster.Credential{Serial: c.Location.Serial, Key: key.Reveal()}, nil
}

// live finds a connection in which work may be done now.
func (s *Sync) live(ctx context.Context, connection string) (ledger.Connection, error) {
	c, err := s.Ledger.Connection(ctx, connection)
	if err != nil {
		return c, err
	}
	if !c.State.Live() {
		return c, work.Err(work.ConnectionNotLive, "it is "+string(c.State))
	}
	return c, nil
}

func (s *Sync) translator(c ledger.Connection) (ledger.Translate, error) {
	to, ok := s.Partners[c.PartnerName]
	if !ok {
		return nil, work.Err(work.Internal, "this worker does not know the partner of "+c.ID)
	}
	target, err := c.ForPartner()
	if err != nil {
		return nil, err
	}
	return translator(to, target), nil
}
