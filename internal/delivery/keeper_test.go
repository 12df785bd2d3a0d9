package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

// keeper is a book with what a history does to it beside delivering.
type keeper interface {
	book
	record(sales []sale.Sale, c ledger.Connection, translate ledger.Translate) error
	// expire ends the leases of dead workers and all waits.
	expire()
	uncertain() map[int64][]partner.Line
	resolve(upload int64, item string, applied bool)
	resend(sale string)
	release()
	// open are the documents that are not delivered.
	open() []string
}

// mortal is a book whose worker may die: what it asks after that fails.
type mortal struct {
	keeper
	crash moment
	dead  bool
}

// moment is when a worker dies.
type moment string

const (
	never        moment = ""
	afterClaim   moment = "after claim"
	afterMint    moment = "after mint"
	beforeSettle moment = "before settle"
	afterLines   moment = "after the lines were settled"
)

var errDead = errors.New("the worker is dead")

func (m *mortal) die(at moment) error {
	if m.dead || m.crash == at {
		m.dead = true
		return errDead
	}
	return nil
}

// revive starts another worker, after the leases of the dead one have ended.
func (m *mortal) revive() {
	m.crash, m.dead = never, false
	m.expire()
}

func (m *mortal) Claim(ctx context.Context, c string, d ledger.Due, n int, lease time.Duration) ([]ledger.Claim, error) {
	if m.dead {
		return nil, errDead
	}
	claims, err := m.keeper.Claim(ctx, c, d, n, lease)
	if len(claims) > 0 && err == nil {
		err = m.die(afterClaim)
	}
	return claims, err
}

func (m *mortal) MintUploads(ctx context.Context, c string, minting ledger.Minting) (ledger.Minted, error) {
	if m.dead {
		return ledger.Minted{}, errDead
	}
	minted, err := m.keeper.MintUploads(ctx, c, minting)
	return minted, errors.Join(err, m.die(afterMint))
}

func (m *mortal) SettleUploads(ctx context.Context, c string, ends []ledger.UploadEnd) error {
	if err := m.die(beforeSettle); err != nil {
		return err
	}
	return errors.Join(m.keeper.SettleUploads(ctx, c, ends), m.die(afterLines))
}

func (m *mortal) Settle(ctx context.Context, c string, outcomes []ledger.Outcome) (int, error) {
	if m.dead {
		return 0, errDead
	}
	return m.keeper.Settle(ctx, c, outcomes)
}

// onPostgres is the real ledger, with a location of its own for each history.
type onPostgres struct {
	*ledger.Store
	t          require.TestingT
	connection string
	version    int
	holder     string
}

func openLedger(t *testing.T) *ledger.Store {
	t.Helper()
	url := postgres.ForTest(t)
	_, _, err := ledger.Migrate(t.Context(), url)
	require.NoError(t, err)
	s, err := ledger.Open(t.Context(), url, clock.Fixed(time.Date(2026, 11, 6, 15, 0, 0, 0, time.UTC)), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

var lea = ledger.Actor{Handle: "lea", Reason: "test", Note: "as agreed"}

func newOnPostgres(t require.TestingT, s *ledger.Store, n int) *onPostgres {
	ctx := context.Background()
	id := fmt.Sprintf("venue-%d", n)
	require.NoError(t, s.AddLocation(ctx, ledger.Location{ID: id, TradeName: id, Zone: "America/Toronto", Serial: id}, lea))
	connection, err := s.Connect(ctx, ledger.NewConnection{
		Partner: work.Wisk, LocationID: id, Settings: partner.Settings{ReceiptDate: sale.ByOpened}, FirstDay: partner.Rules{HistoryMonths: 6}.FirstDay,
	}, lea)
	require.NoError(t, err)
	b := &onPostgres{Store: s, t: t, connection: connection, holder: "run"}
	held, err := s.AcquireLease(ctx, connection, b.holder, time.Hour)
	require.NoError(t, err)
	require.True(t, held)
	return b
}

func (b *onPostgres) record(sales []sale.Sale, _ ledger.Connection, translate ledger.Translate) error {
	ctx := context.Background()
	c, err := b.Connection(ctx, b.connection)
	if err != nil {
		return err
	}
	b.version++
	page := ledger.Page{ReadBegan: time.Date(2026, 11, 6, 0, 0, b.version, 0, time.UTC)}
	for _, s := range sales {
		// Read again as a whole: a changed mode changes documents of sales that
		// did not change.
		s.Guests = b.version
		page.Snapshots = append(page.Snapshots, ledger.Snapshot{Sale: s, ReadBegan: page.ReadBegan, Reread: true})
	}
	_, err = b.RecordPage(ctx, c, b.holder, page, translate)
	return err
}

func (b *onPostgres) exec(query string, args ...any) {
	_, err := b.DB().Exec(query, append([]any{b.connection}, args...)...)
	require.NoError(b.t, err)
}

func (b *onPostgres) expire() {
	b.exec(`UPDATE documents SET retry_at = NULL, lease_until = lease_until - interval '1 hour' WHERE connection = $1`)
}

func (b *onPostgres) uncertain() map[int64][]partner.Line {
	found := map[int64][]partner.Line{}
	ids := []string{}
	require.NoError(b.t, b.DB().Select(&ids, `SELECT id FROM documents WHERE connection = $1`, b.connection))
	held, err := b.Lines(context.Background(), b.connection, ids)
	require.NoError(b.t, err)
	for _, lines := range held {
		for _, l := range lines {
			if l.State == ledger.UploadUncertain {
				found[l.Upload] = append(found[l.Upload], l.Line)
			}
		}
	}
	list, err := b.UncertainUploads(context.Background(), b.connection)
	require.NoError(b.t, err)
	require.Len(b.t, list, len(found))
	return found
}

func (b *onPostgres) resolve(upload int64, item string, applied bool) {
	n, err := b.ResolveUploads(context.Background(), b.connection, ledger.Resolution{
		Uploads: []int64{upload}, Items: []string{item}, Applied: applied,
	}, lea)
	require.NoError(b.t, err)
	require.Positive(b.t, n)
}

func (b *onPostgres) resend(id string) {
	b.exec(`UPDATE documents SET resend = resend + 1 WHERE connection = $1 AND id = $2`, id)
}

func (b *onPostgres) release() {
	_, err := b.Release(context.Background(), b.connection, nil, false, lea)
	require.NoError(b.t, err)
}

func (b *onPostgres) open() []string {
	ids := []string{}
	require.NoError(b.t, b.DB().Select(&ids, `
		SELECT id FROM documents WHERE connection = $1 AND (due OR quarantined OR uncertain) ORDER BY id`, b.connection))
	return ids
}
