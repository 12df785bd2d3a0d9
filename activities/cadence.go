package activities

// This file is the one place that says what starts a LocationSync and when: a
// Temporal schedule per connection. A sharded sweep for fleets of many
// thousands would replace it.

import (
	"fmt"
	"hash/fnv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// catchUp is how late a missed run is still started when Temporal was down:
	// the next run does the work of all missed ones.
	catchUp = 10 * time.Minute
	// jitter spreads the runs of venues that open at the same time.
	jitter = 15 * time.Second
	// runTimeout ends a run that no worker takes up, so that it does not keep
	// back the next ones for ever; a run itself takes seconds to minutes.
	runTimeout = time.Hour
	// livePriority goes before the backfill's (Temporal's keys go from 1 to 5).
	livePriority = 2
	// defaultMinutes is how often a venue is synced while it is open, unless
	// minutesOf knows better; at night it is once an hour.
	defaultMinutes = 15
	// noteMark begins the note of every pause that the keeper made itself; other
	// pauses are a person's and stand.
	noteMark = "clusterbridge: "
)

// minutesOf is how often a venue is synced while it is open: sales and labour
// are watched through the day, inventory is not.
var minutesOf = map[string]int{work.SevenShifts: 5, work.Wisk: 15}

// Cadence says how often schedules fire, in real time.
type Cadence struct {
	// SyncEvery is a fixed interval for all connections, for the demo; zero
	// follows each venue's opening hours.
	SyncEvery time.Duration
	// KeepEvery is how often the ScheduleKeeper runs.
	KeepEvery time.Duration
}

// wanted is one schedule as the ledger wants it.
type wanted struct {
	id         string
	spec       client.ScheduleSpec
	action     *client.ScheduleWorkflowAction
	attributes temporal.SearchAttributes
	// pause is why it must not fire, empty when it must.
	pause string
}

// scheduled tells whether a connection in this state has a schedule at all.
func scheduled(s work.ConnectionState) bool {
	return s.Live() || s == work.Paused || s == work.CalledOff
}

// wantedSync is a connection's schedule.
func (c Cadence) wantedSync(conn ledger.Connection) wanted {
	attributes := []temporal.SearchAttributeUpdate{
		temporal.NewSearchAttributeKeyKeyword(work.AttrConnection).ValueSet(conn.ID),
		temporal.NewSearchAttributeKeyKeyword(work.AttrPartner).ValueSet(conn.PartnerName),
		temporal.NewSearchAttributeKeyKeyword(work.AttrState).ValueSet(string(conn.State)),
	}
	w := wanted{
		id: work.SyncScheduleID(conn.ID), spec: c.spec(conn), attributes: temporal.NewSearchAttributes(append(attributes, waiting(conn)...)...),
		action: &client.ScheduleWorkflowAction{
			ID: work.SyncScheduleID(conn.ID), Workflow: work.LocationSync, TaskQueue: work.TaskQueue,
			Args:                     []any{work.SyncInput{Connection: conn.ID}},
			WorkflowExecutionTimeout: runTimeout,
			TypedSearchAttributes:    temporal.NewSearchAttributes(attributes...),
			StaticSummary:            fmt.Sprintf("Sync %s to %s", conn.Location.TradeName, conn.PartnerName),
			Priority:                 temporal.Priority{PriorityKey: livePriority, FairnessKey: conn.LocationID},
		},
	}
	switch conn.State {
	case work.Paused:
		w.pause = noteMark + "the connection is paused; clusterbridge resume " + conn.ID
	case work.CalledOff:
		w.pause = noteMark + "the connection is called off; clusterbridge resume " + conn.ID
	default:
	}
	return w
}

// waiting is who has to act, on the schedule only: its list then shows each
// venue once and as it is now, while a failed run keeps its attributes for
// good, and a new run waits for nobody yet.
func waiting(conn ledger.Connection) []temporal.SearchAttributeUpdate {
	if (conn.State != work.Failing && conn.State != work.CalledOff) || conn.StateCode == "" {
		return nil
	}
	who := temporal.NewSearchAttributeKeyKeyword(work.AttrWaitingFor)
	return []temporal.SearchAttributeUpdate{who.ValueSet(work.WaitingFor(conn.StateCode))}
}

// spec spreads connections over time by a hash of their id.
func (c Cadence) spec(conn ledger.Connection) client.ScheduleSpec {
	h := fnv.New32a()
	_, _ = h.Write([]byte(conn.ID))
	spread := time.Duration(h.Sum32()) * time.Second
	if c.SyncEvery > 0 {
		return client.ScheduleSpec{
			Intervals: []client.ScheduleIntervalSpec{{Every: c.SyncEvery, Offset: spread % c.SyncEvery}},
			Jitter:    min(jitter, c.SyncEvery/10),
		}
	}
	minutes := minutesOf[conn.PartnerName]
	if minutes == 0 {
		minutes = defaultMinutes
	}
	at := times{minutes: minutes, minute: int(spread/time.Minute) % minutes, second: int(spread/time.Second) % 60}
	return client.ScheduleSpec{
		Calendars: append(at.open(conn.Location.Hours), at.hourly()),
		Jitter:    jitter, TimeZoneName: conn.Location.Zone,
	}
}

// times makes calendars of one connection.
type times struct{ minutes, minute, second int }

func (t times) hourly() client.ScheduleCalendarSpec {
	c := t.calendar("every hour", 0, 23)
	c.Minute = []client.ScheduleRange{{Start: t.minute, End: t.minute, Step: 1}}
	return c
}

// open covers the opening hours and the hour after, when bills are closed and
// tips entered. A venue whose hours are not known counts as open.
func (t times) open(hours ledger.Hours) []client.ScheduleCalendarSpec {
	if len(hours) == 0 {
		return []client.ScheduleCalendarSpec{t.calendar("opening hours not known", 0, 23)}
	}
	var calendars []client.ScheduleCalendarSpec
	for day := time.Sunday; day <= time.Saturday; day++ {
		span, opens := hours[day]
		from, fromErr := time.Parse("15:04", span.Open)
		until, untilErr := time.Parse("15:04", span.Close)
		if !opens || fromErr != nil || untilErr != nil {
			continue
		}
		first, last := from.Hour(), until.Hour()+1
		if !until.After(from) {
			last += 24
		}
		calendars = append(calendars, t.calendar("open", first, min(last, 23), day))
		if last >= 24 {
			calendars = append(calendars, t.calendar("open after midnight", 0, last-24, (day+1)%7))
		}
	}
	return calendars
}

func (t times) calendar(comment string, fromHour, toHour int, days ...time.Weekday) client.ScheduleCalendarSpec {
	c := client.ScheduleCalendarSpec{
		Second: []client.ScheduleRange{{Start: t.second, End: t.second, Step: 1}},
		Minute: []client.ScheduleRange{{Start: t.minute, End: 59, Step: t.minutes}},
		Hour:   []client.ScheduleRange{{Start: fromHour, End: toHour, Step: 1}}, Comment: comment,
	}
	for _, d := range days {
		c.DayOfWeek = append(c.DayOfWeek, client.ScheduleRange{Start: int(d), End: int(d), Step: 1})
	}
	return c
}

// wantedKeeper is the keeper's own schedule.
func (c Cadence) wantedKeeper() wanted {
	return wanted{
		id:   work.ScheduleKeeperID,
		spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: c.KeepEvery}}},
		action: &client.ScheduleWorkflowAction{
			ID: work.ScheduleKeeperID, Workflow: work.ScheduleKeeper, TaskQueue: work.TaskQueue,
			WorkflowExecutionTimeout: runTimeout, StaticSummary: "Keep schedules in line with the ledger",
			Priority: temporal.Priority{PriorityKey: 1},
		},
	}
}

var policy = client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: catchUp}
