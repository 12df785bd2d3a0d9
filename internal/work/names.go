// Package work holds what workflows, activities and their callers share:
// names, ids, inputs, results and error kinds. It is pure.
package work

import (
	"fmt"
	"regexp"
	"strings"
)

// TaskQueue is the one queue of everything that people start.
const TaskQueue = "clusterbridge"

// Workflow types, as the Web UI shows them.
const (
	LocationSync      = "LocationSync"
	Backfill          = "Backfill"
	ScheduleKeeper    = "ScheduleKeeper"
	ChangeConnection  = "ChangeConnection"
	ReleaseQuarantine = "ReleaseQuarantine"
	Resend            = "Resend"
	ResolveUncertain  = "ResolveUncertain"
)

// Search attributes, registered by the program itself (`migrate`). All are of
// Temporal's type Keyword.
const (
	AttrConnection = "Connection"
	AttrPartner    = "Partner"
	AttrState      = "ConnectionState"
	AttrWaitingFor = "WaitingFor"
)

// SearchAttributes lists them all.
var SearchAttributes = []string{AttrConnection, AttrPartner, AttrState, AttrWaitingFor}

// ScheduleKeeperID is the id of the keeper's schedule and of its runs.
const ScheduleKeeperID = "schedule-keeper"

// Partner names, as they stand in connection ids.
const (
	SevenShifts = "7shifts"
	Wisk        = "wisk"
)

// ConnectionID is "<partner>:<location>".
func ConnectionID(partner, location string) string { return partner + ":" + location }

// SyncScheduleID is the id of a connection's schedule: "sync:<connection>".
func SyncScheduleID(connection string) string { return "sync:" + connection }

// BackfillID is the id of a connection's backfill: "backfill:<connection>".
func BackfillID(connection string) string { return "backfill:" + connection }

// ActID is the id of a person's act: "<act>:<connection>:<n>".
func ActID(act, connection, n string) string { return act + ":" + connection + ":" + n }

// Acts, the first part of an ActID.
const (
	ActChange   = "change"
	ActRelease  = "release"
	ActResend   = "resend"
	ActResolve  = "resolve"
	ActOffboard = "offboard"
	ActRotate   = "rotate"
)

var (
	locationPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	handlePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)
)

// CheckLocationID refuses what is not a slug of at most 40 characters.
func CheckLocationID(id string) error {
	if !locationPattern.MatchString(id) {
		return Err(BadInput, fmt.Sprintf("location %q: want lower-case letters, digits and hyphens, at most 40", clip(id)))
	}
	return nil
}

// CheckHandle refuses what is not a staff handle: never a mail address.
func CheckHandle(handle string) error {
	if !handlePattern.MatchString(handle) {
		return Err(BadInput, "field \"by\": want a staff handle of lower-case letters, digits, '.', '_' or '-', at most 32")
	}
	return nil
}

// SplitConnection takes a connection id apart.
func SplitConnection(connection string) (partner, location string, err error) {
	partner, location, ok := strings.Cut(connection, ":")
	if !ok || (partner != SevenShifts && partner != Wisk) {
		return "", "", Err(BadInput, fmt.Sprintf("connection %q: want <partner>:<location>, such as 7shifts:chez-marcel", clip(connection)))
	}
	return partner, location, CheckLocationID(location)
}
