package sevenshifts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// TipPool is a tip pool's rules, as far as they are needed (reference: 7shifts
// 9). 7shifts has to enable tip pools for a partner: until then all calls about
// them end with ErrForbidden in the chain.
type TipPool struct {
	UUID       string `json:"uuid"`
	LocationID int64  `json:"location_id"`
	Name       string `json:"name"`
	Enabled    bool   `json:"enabled"`
	// ContributionType is POS_PERCENT_TIPS_AND_SALES or MANUAL_ENTRY: only the
	// first takes what receipts bring.
	ContributionType string `json:"contribution_type"`
	DistributionType string `json:"distribution_type"`
	// UnassignedPercent of what is unassigned goes into the pool, as that of
	// unassigned contributors.
	UnassignedPercent float64           `json:"sales_tip_percentage"`
	Stakeholders      []TipStakeholder  `json:"tip_pool_stakeholders"`
	Contributions     []TipContribution `json:"tip_pool_contributions"`
	Cadence           *TipCadence       `json:"tip_pool_cadence_settings"` // nil: not told
}

// TipStakeholder is a role or department that contributes to a pool or gets
// from it.
type TipStakeholder struct {
	Type         string  `json:"stakeholder_type"`    // CONTRIBUTION or DISTRIBUTION
	Subtype      string  `json:"stakeholder_subtype"` // ROLE or DEPARTMENT
	RoleID       int64   `json:"role_id"`
	DepartmentID int64   `json:"department_id"`
	Amount       float64 `json:"stake_amount"` // percent or points
}

// TipContribution is a kind of tip that goes into a pool.
type TipContribution struct {
	Source string `json:"source"` // CASH, CREDIT_CARD, DECLARED, AUTO_GRATUITY, TOTAL_PAYMENT
}

// TipCadence is how often a pool is shared out.
type TipCadence struct {
	Type  string `json:"cadence_type"`      // DAILY, WEEKLY, BIWEEKLY, SEMI_MONTHLY, MONTHLY
	Start string `json:"period_start_date"` // with WEEKLY and BIWEEKLY, as stated
}

// TipPools lists a company's tip pools; this list has no pages.
func (c *Client) TipPools(ctx context.Context, company int64) ([]TipPool, error) {
	return list[TipPool](ctx, c, fmt.Sprintf("/v2/company/%d/tip_pool_settings", company), nil)
}

// TipRow is a row of a tip report: of a user in the summary, of a punch in the
// detail, or of what is unassigned. Names are not read. What an answer leaves
// out is 0.
type TipRow struct {
	UserID      int64      `json:"user_id"`
	PunchID     int64      `json:"time_punch_id"`
	Net         sale.Cents `json:"net_sales"`
	Card        sale.Cents `json:"cc_tips"`
	Withheld    sale.Cents `json:"cc_tips_withheld"`
	Gratuity    sale.Cents `json:"auto_grat_tips"`
	Cash        sale.Cents `json:"cash_tips"`
	Declared    sale.Cents `json:"declared_tips"`
	HoursWorked float64    `json:"hours_worked"`
	TipIn       sale.Cents `json:"tip_in"`
	TipOut      sale.Cents `json:"tip_out"`
}

// LogValue hides the amounts.
func (TipRow) LogValue() slog.Value { return slog.StringValue("row of a tip report") }

// TipSummary is one pool over a range of days.
type TipSummary struct {
	PoolUUID   string   `json:"tip_pool_uuid"`
	PoolName   string   `json:"tip_pool_name"`
	Assigned   []TipRow `json:"assigned_tips"` // per user
	Unassigned TipRow   `json:"unassigned_tips"`
}

// TipDay is one day of the detailed report.
type TipDay struct {
	Day   sale.Day     `json:"date"`
	Pools []TipPoolDay `json:"tip_pools"`
}

// TipPoolDay is one pool on one day. Of an unassigned row UserID and PunchID
// may be set: who clocked in without a role is named there (that it is by these
// fields is assumed).
type TipPoolDay struct {
	PoolUUID   string   `json:"tip_pool_uuid"`
	PoolName   string   `json:"tip_pool_name"`
	Assigned   []TipRow `json:"assigned_tips"` // per punch
	Unassigned []TipRow `json:"unassigned_tips"`
}

// TipSummary gives the tip pools of a location over days, both inclusive.
func (c *Client) TipSummary(ctx context.Context, company, location int64, from, to sale.Day) ([]TipSummary, error) {
	var answer struct {
		Data *[]TipSummary `json:"data"`
	}
	if err := c.get(ctx, tipReport(company, location, "summary"), daysOf(from, to), &answer); err != nil {
		return nil, err
	}
	if answer.Data == nil {
		return nil, unreadable(errors.New("no data"), false)
	}
	return *answer.Data, nil
}

// TipDetail gives the tip pools of a location day by day and punch by punch,
// both days inclusive.
func (c *Client) TipDetail(ctx context.Context, company, location int64, from, to sale.Day) ([]TipDay, error) {
	var answer struct {
		Data *struct {
			Rows *[]TipDay `json:"report_rows"`
		} `json:"data"`
	}
	if err := c.get(ctx, tipReport(company, location, "detailed"), daysOf(from, to), &answer); err != nil {
		return nil, err
	}
	if answer.Data == nil || answer.Data.Rows == nil {
		return nil, unreadable(errors.New("no report rows"), false)
	}
	return *answer.Data.Rows, nil
}

func tipReport(company, location int64, kind string) string {
	return fmt.Sprintf("/v2/company/%d/locations/%d/tip_pool_%s_report", company, location, kind)
}

func daysOf(from, to sale.Day) url.Values {
	return url.Values{"start_date": {from.String()}, "end_date": {to.String()}}
}
