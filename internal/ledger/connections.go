package ledger

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Actor is who acts, and why.
type Actor struct {
	Handle string // a staff handle, or Program
	Reason string // one of work.Reasons; of the program, a work.Code
	Note   string // a short note without names of persons
}

// Program is the handle of what clusterbridge does by itself.
const Program = "clusterbridge"

// Connection is one location linked to one partner. Its instants are business
// time, zero where there was none yet. The lease never leaves the ledger.
type Connection struct {
	ID               string               `json:"id"` // "<partner>:<location>"
	PartnerName      string               `json:"partner"`
	LocationID       string               `json:"location_id"`
	Location         Location             `json:"location"`
	State            work.ConnectionState `json:"state"`
	StateSince       time.Time            `json:"state_since"`
	StateCode        work.Code            `json:"state_code"`
	StateWhy         string               `json:"state_why"`
	StateBeforePause work.ConnectionState `json:"state_before_pause"`
	// CompanyID and PartnerLocationID are the partner's own numbers.
	CompanyID         int64 `json:"company_id"`
	PartnerLocationID int64 `json:"partner_location_id"`
	// Secret is the id under which the vault keeps the partner's token.
	Secret   string           `json:"secret"`
	Settings partner.Settings `json:"settings"`
	// SettingsVersion counts changes of Settings: what was translated under an
	// older one is never recorded.
	SettingsVersion int       `json:"settings_version"`
	ConnectedAt     time.Time `json:"connected_at"`
	// LiveFrom is 05:00 of the business day of connecting; older orders are
	// history.
	LiveFrom time.Time `json:"live_from"`
	// HistoryFrom is the first business day that is brought in.
	HistoryFrom sale.Day `json:"history_from"`
	HistoryDone bool     `json:"history_done"`
	// Watermark is the till's clock at the start of the last whole pull; zero
	// before the first.
	Watermark time.Time `json:"watermark"`
	// RereadThrough is the last business day for which the nightly re-read was
	// planned.
	RereadThrough   sale.Day  `json:"reread_through"`
	LastRunAt       time.Time `json:"last_run_at"`
	LastSuccessAt   time.Time `json:"last_success_at"`
	LastFailureAt   time.Time `json:"last_failure_at"`
	LastFailureCode work.Code `json:"last_failure_code"`
	LastFailureWhy  string    `json:"last_failure_why"`
	Failures        int       `json:"failures"` // runs failed in a row
	Refusals        int       `json:"refusals"` // runs refused since the last success
	// FirstSaleAt is when the first document was sent; zero while the
	// connection waits for its first sale.
	FirstSaleAt time.Time `json:"first_sale_at"`
}

// ForPartner is what the partner needs to know of the connection.
func (c Connection) ForPartner() (partner.Connection, error) {
	zone, err := loadZone(c.Location.Zone)
	if err != nil {
		return partner.Connection{}, err
	}
	return partner.Connection{
		ID: c.ID, Zone: zone, CompanyID: c.CompanyID, LocationID: c.PartnerLocationID, Settings: c.Settings,
	}, nil
}

const selectConnections = `
	SELECT to_json(x) FROM (
		SELECT c.*, to_json(l) AS location FROM connections c JOIN locations l ON l.id = c.location_id
	) x `

// Connection finds a connection, or fails with UnknownConnection.
func (s *Store) Connection(ctx context.Context, id string) (Connection, error) {
	found, err := selectJSON[Connection](ctx, s.often, selectConnections+`WHERE x.id = $1`, id)
	if err != nil {
		return Connection{}, failed("reading a connection", err)
	}
	if len(found) == 0 {
		return Connection{}, unknownConnection(id)
	}
	return found[0], nil
}

// Connections are all of them, by id.
func (s *Store) Connections(ctx context.Context) ([]Connection, error) {
	all, err := selectJSON[Connection](ctx, s.db, selectConnections+`ORDER BY x.id`)
	return all, failed("reading the connections", err)
}

func unknownConnection(id string) error {
	if _, _, err := work.SplitConnection(id); err != nil {
		return err
	}
	return work.Err(work.UnknownConnection, id)
}

// NewConnection is what is known when a connection is made.
type NewConnection struct {
	Partner           string
	LocationID        string
	CompanyID         int64
	PartnerLocationID int64
	Secret            string // the token's id in the vault
	Settings          partner.Settings
	// FirstDay is the first business day that is brought in for a connection
	// made on a day, such as partner.Rules says; nil: that day.
	FirstDay func(today sale.Day) sale.Day
}

// Connect makes a connection, which is initializing and live from 05:00 of this
// business day, and tells its id. Connecting again renews the credential and
// tries again what was called off or disconnected; the settings stay, and so
// does the partner's location once documents were sent to it. Journalled.
func (s *Store) Connect(ctx context.Context, n NewConnection, by Actor) (string, error) {
	id := work.ConnectionID(n.Partner, n.LocationID)
	if _, _, err := work.SplitConnection(id); err != nil {
		return "", err
	}
	return id, s.inTx(ctx, "connecting", func(tx *sqlx.Tx) error {
		l, err := lockLocation(ctx, tx, n.LocationID)
		if err != nil {
			return err
		}
		old, err := lockConnections(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(old) > 0 {
			return s.reconnect(ctx, tx, old[0], n, by)
		}
		return s.connect(ctx, tx, id, l, n, by)
	})
}

func (s *Store) connect(ctx context.Context, tx *sqlx.Tx, id string, l Location, n NewConnection, by Actor) error {
	zone, err := loadZone(l.Zone)
	if err != nil {
		return err
	}
	settings, err := asJSON(n.Settings)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	today := sale.DayOf(now, zone)
	first := today
	if n.FirstDay != nil {
		first = n.FirstDay(today)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO connections (id, partner, location_id, state, state_since, company_id, partner_location_id,
			secret, settings, connected_at, live_from, history_from)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $5, $10, $11)`,
		id, n.Partner, n.LocationID, work.Initializing, now, n.CompanyID, n.PartnerLocationID,
		n.Secret, settings, today.Start(zone), first.String()); err != nil {
		return err
	}
	e := by.entry(ActConnect)
	e.Connection, e.New = id, string(work.Initializing)
	return s.journal(ctx, tx, e)
}

func (s *Store) reconnect(ctx context.Context, tx *sqlx.Tx, old Connection, n NewConnection, by Actor) error {
	before, now := old.Settings.Integration, n.Settings.Integration
	moved := old.CompanyID != n.CompanyID || old.PartnerLocationID != n.PartnerLocationID || before != "" && now != "" && before != now
	if moved {
		var held int
		if err := tx.GetContext(ctx, &held, `SELECT count(*) FROM documents WHERE connection = $1 AND attempt > 0`, old.ID); err != nil {
			return err
		}
		if held > 0 {
			return work.Err(work.BadInput, fmt.Sprintf("%d documents were sent to another location of this partner; a connection cannot move", held))
		}
	}
	state := old.State
	if !state.Live() && state != work.Paused {
		state = work.Initializing
	}
	old.Settings.Integration = cmp.Or(now, before) // all other choices stay
	settings, err := asJSON(old.Settings)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE connections SET company_id = $2, partner_location_id = $3, secret = $4, failures = 0, refusals = 0, settings = $7,
			state = $5, state_since = CASE WHEN state = $5 THEN state_since ELSE $6 END,
			state_code = CASE WHEN state = $5 THEN state_code ELSE '' END,
			state_why = CASE WHEN state = $5 THEN state_why ELSE '' END
		WHERE id = $1`,
		old.ID, n.CompanyID, n.PartnerLocationID, n.Secret, state, s.clock.Now(), settings); err != nil {
		return err
	}
	e := by.entry(ActReconnect)
	e.Connection, e.Old, e.New = old.ID, string(old.State), string(state)
	return s.journal(ctx, tx, e)
}

// lockConnections reads one connection for change; none when there is none.
func lockConnections(ctx context.Context, tx *sqlx.Tx, id string) ([]Connection, error) {
	return selectJSON[Connection](ctx, tx, `SELECT to_json(c) FROM connections c WHERE c.id = $1 FOR UPDATE`, id)
}

// change runs f on one connection that nobody else changes meanwhile.
func (s *Store) change(ctx context.Context, id, doing string, f func(tx *sqlx.Tx, c Connection) error) error {
	return s.inTx(ctx, doing, func(tx *sqlx.Tx) error {
		found, err := lockConnections(ctx, tx, id)
		if err == nil && len(found) == 0 {
			err = unknownConnection(id)
		}
		if err != nil {
			return err
		}
		return f(tx, found[0])
	})
}

// SetReceiptDate says which instant dates the receipts, journalled, and tells
// whether that is new. Follow with Retranslate: until then documents stay as
// they are.
func (s *Store) SetReceiptDate(ctx context.Context, connection string, d sale.ReceiptDate, by Actor) (changed bool, err error) {
	if d != sale.ByOpened && d != sale.ByClosed {
		return false, work.Err(work.BadInput, "receipt date: want opened or closed")
	}
	return s.ChangeSettings(ctx, connection, ActReceiptDate, func(settings *partner.Settings) (was, now string, err error) {
		was, settings.ReceiptDate = string(settings.ReceiptDate), d
		return was, string(d), nil
	}, by)
}

// ChangeSettings changes a connection's settings, journalled as an act with what
// was before and after in words, and tells whether anything is new. Follow with
// Retranslate where documents depend on it.
func (s *Store) ChangeSettings(ctx context.Context, connection, act string, change func(*partner.Settings) (was, now string, err error), by Actor) (changed bool, err error) {
	err = s.change(ctx, connection, "changing settings", func(tx *sqlx.Tx, c Connection) error {
		was, now, err := change(&c.Settings)
		if changed = was != now; err != nil || !changed {
			return err
		}
		settings, err := asJSON(c.Settings)
		if err != nil {
			return err
		}
		// Settings of a newer program, unknown here, are kept.
		if _, err := tx.ExecContext(ctx, `
			UPDATE connections SET settings = settings || $2::jsonb, settings_version = settings_version + 1 WHERE id = $1`,
			c.ID, settings); err != nil {
			return err
		}
		e := by.entry(act)
		e.Connection, e.Old, e.New = c.ID, was, now
		return s.journal(ctx, tx, e)
	})
	return changed, err
}

// SetHistoryDone says whether the days before the connection are brought in.
func (s *Store) SetHistoryDone(ctx context.Context, connection string, done bool) error {
	_, err := s.db.ExecContext(ctx, `UPDATE connections SET history_done = $2 WHERE id = $1`, connection, done)
	return failed("noting the history", err)
}
