package activities

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// plan is what to do with a schedule that is there.
type plan struct {
	change bool
	paused bool
	note   string
	count  func(*work.KeeperResult)
}

// compare finds how a schedule differs from what is wanted. A pause that does
// not carry our mark is a person's: it stands, whatever the ledger says.
func (k *Schedules) compare(have *client.ScheduleDescription, w wanted) plan {
	state := have.Schedule.State
	byUs := strings.HasPrefix(state.Note, noteMark)
	drifted := k.drifted(have, w)
	p := plan{change: drifted, paused: state.Paused, note: state.Note}
	var turned func(*work.KeeperResult)
	switch {
	case state.Paused && !byUs:
		turned = func(r *work.KeeperResult) { r.LeftPausedByPerson++ }
	case w.pause != "" && (!state.Paused || state.Note != w.pause):
		p.change, p.paused, p.note = true, true, w.pause
		turned = func(r *work.KeeperResult) { r.Paused++ }
	case w.pause == "" && state.Paused:
		p.change, p.paused, p.note = true, false, ""
		turned = func(r *work.KeeperResult) { r.Unpaused++ }
	}
	p.count = func(r *work.KeeperResult) {
		if drifted {
			r.Updated++
		}
		if turned != nil {
			turned(r)
		}
	}
	return p
}

// drifted tells whether anything but the pause differs.
func (k *Schedules) drifted(have *client.ScheduleDescription, w wanted) bool {
	action, ok := have.Schedule.Action.(*client.ScheduleWorkflowAction)
	rules := have.Schedule.Policy
	return !ok || have.Schedule.Spec == nil || rules == nil ||
		rules.Overlap != policy.Overlap || rules.CatchupWindow != policy.CatchupWindow || rules.PauseOnFailure ||
		have.Schedule.State.LimitedActions ||
		canonical(*have.Schedule.Spec) != canonical(w.spec) ||
		k.identity(action) != k.identity(w.action) ||
		keywords(have.TypedSearchAttributes) != keywords(w.attributes) ||
		keywords(action.TypedSearchAttributes) != keywords(w.action.TypedSearchAttributes)
}

// identity is what an action starts, as text.
func (k *Schedules) identity(a *client.ScheduleWorkflowAction) string {
	args := make([]string, len(a.Args))
	for i, arg := range a.Args {
		args[i] = k.argument(arg)
	}
	return fmt.Sprint(a.ID, a.Workflow, a.TaskQueue, args, a.WorkflowExecutionTimeout, a.WorkflowRunTimeout,
		a.StaticSummary, a.StaticDetails, a.Priority, a.RetryPolicy != nil)
}

// argument is an input as JSON; Temporal gives it back as a payload.
func (k *Schedules) argument(arg any) string {
	if payload, ok := arg.(*commonpb.Payload); ok {
		dc := k.Converter
		if dc == nil {
			dc = converter.GetDefaultDataConverter()
		}
		var in work.SyncInput
		if dc.FromPayload(payload, &in) != nil {
			return "unreadable"
		}
		arg = in
	}
	text, err := json.Marshal(arg)
	if err != nil {
		return "unreadable"
	}
	return string(text)
}

func keywords(attributes temporal.SearchAttributes) string {
	var text []string
	for _, name := range work.SearchAttributes {
		value, _ := attributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(name))
		text = append(text, name+"="+value)
	}
	return strings.Join(text, " ")
}

// canonical is a spec as text, the same before and after Temporal filled in
// its defaults.
func canonical(s client.ScheduleSpec) string {
	var lines []string
	for _, c := range s.Calendars {
		lines = append(lines, fmt.Sprint("at", ranges(c.Second, 0, 0), ranges(c.Minute, 0, 0), ranges(c.Hour, 0, 0),
			ranges(c.DayOfMonth, 1, 31), ranges(c.Month, 1, 12), ranges(c.DayOfWeek, 0, 6), len(c.Year), c.Comment))
	}
	for _, i := range s.Intervals {
		lines = append(lines, fmt.Sprint("every", i.Every, i.Offset))
	}
	slices.Sort(lines)
	return fmt.Sprint(lines, len(s.Skip), len(s.CronExpressions), s.StartAt.Unix(), s.EndAt.Unix(), s.Jitter, s.TimeZoneName)
}

func ranges(rs []client.ScheduleRange, first, last int) string {
	if len(rs) == 0 {
		rs = []client.ScheduleRange{{Start: first, End: last, Step: 1}}
	}
	text := ""
	for _, r := range rs {
		text += fmt.Sprintf(" %d-%d/%d", r.Start, max(r.End, r.Start), max(r.Step, 1))
	}
	return text
}
