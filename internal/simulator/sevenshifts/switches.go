package sevenshiftssim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// Duration is written as text, such as "150ms".
type Duration = kit.Duration

// What a create does when the receipt exists, and what an update does when it
// does not (reference: 7shifts 3.3 and 3.4, all assumed).
const (
	Overwrite = "overwrite"  // 202, the second wins
	Ignore    = "ignore"     // 202, the first wins
	AsyncFail = "async_fail" // 202, then the failure callback
	Conflict  = "conflict"   // 409
	NotFound  = "not_found"  // 404
)

// Switches are the behaviours that the reference leaves open (7shifts 11).
type Switches struct {
	// DuplicateCreate is overwrite, ignore, async_fail or conflict.
	DuplicateCreate string `json:"duplicate_create"`
	// UnknownUpdate is async_fail or not_found.
	UnknownUpdate string `json:"unknown_update"`
	// DelayMin and DelayMax bound how long, in real time, a 202'd write waits
	// to be processed. Writes of one receipt keep their order.
	DelayMin Duration `json:"delay_min"`
	DelayMax Duration `json:"delay_max"`
	// CallbackURL gets the failure callback; empty means nobody does.
	CallbackURL string `json:"callback_url"`
	// RefuseNegative answers 400 to a negative net_total (complaint 9).
	RefuseNegative bool `json:"refuse_negative"`
	// RefuseUnevenTips answers 400 when tips is not the sum of tip_details.
	// Otherwise it is accepted silently, and counted as a violation here.
	RefuseUnevenTips bool `json:"refuse_uneven_tips"`
	// ShortUpdateWipes makes an update reset the fields that it leaves out,
	// instead of keeping them (complaint 10).
	ShortUpdateWipes bool `json:"short_update_wipes"`
	// TouchUnchanged moves modified_date also when an update changes nothing.
	TouchUnchanged bool `json:"touch_unchanged"`
	// ListDays is how far back lists reach; older bounds are a 400. 0 lifts it.
	ListDays int `json:"list_days"`
	// PerSecond requests in one second are let through per token; one more
	// blocks the token for Block, in real time. 0 lifts the limit.
	PerSecond int      `json:"per_second"`
	Block     Duration `json:"block"`
	// RetryAfter states the rest of the block with a 429.
	RetryAfter bool `json:"retry_after"`
	// TokenRefused answers 401 to all: the token's contact was deactivated.
	TokenRefused bool `json:"token_refused"`
	// PlanRefused answers 403 to all: the company's plan is too low.
	PlanRefused bool `json:"plan_refused"`
	// SingleCompanyFrom is when a token stops reaching other companies than
	// its own, in business time.
	SingleCompanyFrom time.Time `json:"single_company_from"`
	// FractionTimes answers 2026-11-04T12:00:00.000Z instead of +00:00.
	FractionTimes bool `json:"fraction_times"`
	// TopUUID answers a create with {"uuid"} instead of {"data":{"uuid"}}.
	TopUUID bool `json:"top_uuid"`
	// OldIDField lists the uuid as "id", as version 2022-10-01 did.
	OldIDField bool `json:"old_id_field"`
	// LegacyErrors answers errors in the older of the two shapes.
	LegacyErrors bool `json:"legacy_errors"`
	// ShiftLowerBound reads receipt_date[gte] in the location's local time.
	ShiftLowerBound bool `json:"shift_lower_bound"`
	// SummaryByWorkday buckets receipts_summary by workday instead of by UTC
	// date, and ReportsByUTC daily_sales_and_labor by UTC date instead of by
	// workday (complaint 7).
	SummaryByWorkday bool `json:"summary_by_workday"`
	ReportsByUTC     bool `json:"reports_by_utc"`
	// OneMappingPerUser refuses a second external id of one user at a location.
	OneMappingPerUser bool `json:"one_mapping_per_user"`
	// DeactivationKeepsMapping lets the mappings of a deactivated user stay, as
	// ones of an inactive user (complaints 16 and 18 say that they go).
	DeactivationKeepsMapping bool `json:"deactivation_keeps_mapping"`
	// InactiveMappable lets inactive users be mapped.
	InactiveMappable bool `json:"inactive_mappable"`
	// BulkReasons gives more reasons than the documented not_found:
	// already_mapped, ambiguous, inactive.
	BulkReasons bool `json:"bulk_reasons"`
	// BulkPicksFirst takes the first of several users who match, instead of
	// nobody.
	BulkPicksFirst bool `json:"bulk_picks_first"`
	// BulkOverwrites lets the bulk endpoint map an external id anew that has
	// another user.
	BulkOverwrites bool `json:"bulk_overwrites"`
	// ObjectAsType answers the bulk endpoint's object as {"type":…}, as its guide
	// shows it.
	ObjectAsType bool `json:"object_as_type"`
	// TipPools: 7shifts has enabled tip pools for the partner; otherwise they
	// are a 403.
	TipPools bool `json:"tip_pools"`
	// PoolOutInclusive lets the second of clocking out belong to the punch,
	// PoolOpenCounts a punch count that is still open, for a day, and
	// PoolApprovedOnly only approved punches.
	PoolOutInclusive bool `json:"pool_out_inclusive"`
	PoolOpenCounts   bool `json:"pool_open_counts"`
	PoolApprovedOnly bool `json:"pool_approved_only"`
	// HookURL gets the webhooks; empty means nobody does. They are signed in
	// hexadecimal, with HookBase64 in base64, and with HookUnsigned not at all.
	HookURL      string `json:"hook_url"`
	HookBase64   bool   `json:"hook_base64"`
	HookUnsigned bool   `json:"hook_unsigned"`
}

// Defaults are the behaviours that the reference proposes.
func Defaults() Switches {
	return Switches{
		DuplicateCreate: Overwrite, UnknownUpdate: AsyncFail,
		RefuseNegative: true, TouchUnchanged: true, ListDays: 90,
		PerSecond: 10, Block: Duration(time.Minute),
		SingleCompanyFrom: time.Date(2026, time.October, 31, 0, 0, 0, 0, time.UTC),
		TopUUID:           true,
		OneMappingPerUser: true,
	}
}

func (w Switches) check() error {
	switch {
	case !slices.Contains([]string{Overwrite, Ignore, AsyncFail, Conflict}, w.DuplicateCreate):
		return fmt.Errorf("duplicate_create: %q is no mode", w.DuplicateCreate)
	case !slices.Contains([]string{AsyncFail, NotFound}, w.UnknownUpdate):
		return fmt.Errorf("unknown_update: %q is no mode", w.UnknownUpdate)
	case w.DelayMin < 0 || w.DelayMax < w.DelayMin:
		return errors.New("delay_min and delay_max: want 0 <= min <= max")
	case w.PerSecond < 0 || w.Block < 0 || w.ListDays < 0:
		return errors.New("per_second, block and list_days cannot be negative")
	}
	return nil
}

// Switches are the present behaviours.
func (s *Sim) Switches() Switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches
}

// Switch changes behaviours; a change that makes no sense is refused whole.
func (s *Sim) Switch(change func(*Switches)) error {
	return s.turn(func(next *Switches) error {
		change(next)
		return nil
	})
}

func (s *Sim) turn(change func(*Switches) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.switches
	if err := change(&next); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return err
	}
	s.switches = next
	return nil
}
