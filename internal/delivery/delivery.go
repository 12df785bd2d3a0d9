// Package delivery brings what the ledger wants to the partners: it claims what
// differs, respects the credential's limit, sends, settles and confirms. Calls
// are made at least once; ids that are a pure function of the order, intents
// written before the call and read-back make that one effect.
package delivery

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// claimLease is how long a claimed document is ours, in real time. When it
	// runs out another worker takes the outcome for unknown, so it must outlast
	// sending and settling; sendWithin leaves a margin of settleWithin.
	claimLease = 2 * time.Minute
	// sendWithin is how long after its claim a document may still be sent: one
	// send is at most two requests of the partner's timeout (20 s) each.
	sendWithin = 45 * time.Second
	// settleWithin bounds writing the outcomes, also when the step was told to
	// stop.
	settleWithin = 15 * time.Second
	// A claim batch takes around a second: large enough that the ledger's round
	// trips do not count, small enough that little is in doubt when a worker
	// dies. It grows and shrinks between these.
	minBatch  = 8
	maxBatch  = 256
	fastBatch = 500 * time.Millisecond
	slowBatch = 2 * time.Second
	// failuresInARow is how many documents may fail one after the other before
	// the step takes the partner, not the documents, to be sick.
	failuresInARow = 5
	// A document whose attempt failed waits from retryFirst, doubling, to
	// retryMost.
	retryFirst = 2 * time.Second
	retryMost  = 5 * time.Minute
	// restDefault is what a step rests after a refusal for speed that states no
	// time: the limiter knows better and answers at once when asked too early.
	restDefault = 5 * time.Second
	// readBackBatch is how many documents are read back at a time: the listing
	// of a busy evening.
	readBackBatch = 250
	// maxTries is how often a document is repaired before a person must look.
	maxTries = 5
)

// Engine delivers the documents of connections.
type Engine struct {
	Ledger   *ledger.Store
	Partners partner.Registry
	Limiter  *limit.Limiter
	Vault    *vault.Vault
	Clock    clock.Clock
	// Base carries the requests of all sessions beneath their limits.
	Base http.RoundTripper
	Log  *slog.Logger
	// ClaimLease shortens the time after which a killed worker's documents are
	// taken over, for demo and tests; zero means the production value.
	ClaimLease time.Duration
	// RetryFirst shortens the first wait after a failed attempt, for demo and
	// tests; zero means the production value.
	RetryFirst time.Duration
}

// Budget ends a step early.
type Budget struct {
	// Documents is how many may be sent or read back.
	Documents int
	// Until is when no more is begun, in real time.
	Until time.Time
	// Stop is closed by a worker that stops; nil never is.
	Stop <-chan struct{}
}

func (b *Budget) spent() bool {
	select {
	case <-b.Stop:
		return true
	default:
		return b.Documents <= 0 || time.Now().After(b.Until) //nolint:forbidigo // a real duration is measured
	}
}

// Result is what a step did.
type Result struct {
	Counts work.Counts
	// More says that the budget, not the work, came to its end.
	More bool
	// Rest is how long to wait before the next step, in real time, and Why what
	// for.
	Rest time.Duration
	Why  string
}

// open makes a session whose requests hold the credential's limit.
func (e *Engine) open(ctx context.Context, c ledger.Connection, lane ledger.Lane) (partner.Session, partner.Partner, error) {
	to, ok := e.Partners[c.PartnerName]
	if !ok {
		return nil, nil, work.Err(work.Internal, "this worker does not know the partner of "+c.ID)
	}
	target, err := c.ForPartner()
	if err != nil {
		return nil, nil, err
	}
	token, transport, err := e.gate(ctx, c, to.Rules(), lane)
	if err != nil {
		return nil, nil, err
	}
	return to.Open(target, token.Reveal(), transport), to, nil
}

// gate opens a connection's credential, and gives the transport that holds its
// limit. History leaves a share of it to live work. A connection without a
// credential asks nobody under one.
func (e *Engine) gate(ctx context.Context, c ledger.Connection, rules partner.Rules, lane ledger.Lane) (vault.Secret, http.RoundTripper, error) {
	if c.Secret == "" {
		return vault.Secret{}, e.Base, nil
	}
	token, err := e.Vault.Get(ctx, c.Secret)
	if err != nil {
		return token, nil, err
	}
	credential, err := e.Vault.CredentialHash(ctx, token)
	if err != nil {
		return token, nil, err
	}
	gate := e.Limiter.Gate(credential, rules.PerSecond, rules.PenaltyRest)
	if lane == ledger.History {
		gate = gate.Yielding(rules.LiveShare)
	}
	return token, gate.Transport(e.Base), nil
}
