package work

import (
	"fmt"
	"strings"
)

// Updates and the query of a Backfill.
const (
	UpdatePause   = "pause"
	UpdateResume  = "resume"
	UpdateCancel  = "cancel"
	QueryProgress = "progress"
)

// SteerInput is the input of the Updates pause, resume and cancel; people send
// it, so it is decoded strictly.
type SteerInput struct {
	By     string `json:"by"`     // staff handle
	Reason string `json:"reason"` // one of Reasons
	Note   string `json:"note"`
}

// Validate implements Validator.
func (in SteerInput) Validate() error {
	// A connection is not part of the input: the workflow knows its own.
	return checkAct(ConnectionID(SevenShifts, "any"), in.By, in.Reason, in.Note)
}

// BackfillAct is the input of the activity JournalBackfill: what a person did
// with a running backfill.
type BackfillAct struct {
	Connection string `json:"connection"`
	Act        string `json:"act"` // UpdatePause, UpdateResume or UpdateCancel
	By         string `json:"by"`
	Reason     string `json:"reason"`
	Note       string `json:"note"`
}

// BackfillEnd is the input of the activity FinishBackfill.
type BackfillEnd struct {
	Connection string `json:"connection"`
	From       string `json:"from"`
	To         string `json:"to"`
	// Cancelled says that a person ended it before all days were done.
	Cancelled bool   `json:"cancelled,omitempty"`
	DryRun    bool   `json:"dryRun,omitempty"`
	Counts    Counts `json:"counts"`
}

// BackfillResult is what the UI shows of a finished Backfill.
type BackfillResult struct {
	Summary  string           `json:"summary"`
	Progress BackfillProgress `json:"progress"`
}

// KeepInput is the input of the activity KeepSchedules.
type KeepInput struct {
	// Connection narrows it to one connection's schedule; empty means all.
	Connection string `json:"connection,omitempty"`
}

// WouldBe says in words what a dry run found.
func (c Counts) WouldBe() string {
	return fmt.Sprintf("%d orders read; %d documents would be sent.", c.Orders, c.Changed)
}

// Outcome says in words what was done, without amounts.
func (c Counts) Outcome() string {
	if c == (Counts{}) {
		return "Nothing was new."
	}
	var did []string
	for _, part := range []struct {
		n    int
		what string
	}{{c.Orders, "orders read"}, {c.Changed, "documents changed"}, {c.Sent, "sent"}, {c.Lines, "lines taken"}, {c.Confirmed, "confirmed"}} {
		if part.n > 0 {
			did = append(did, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if c.Changed+c.Sent+c.Confirmed == 0 {
		did = append(did, "nothing changed")
	}
	text := strings.Join(did, ", ") + "."
	for _, part := range []struct {
		n    int
		what string
	}{{c.Repaired, "found different at the partner and repaired"}, {c.Quarantined, "put aside"},
		{c.Uncertain, "in doubt; a person has to say whether they were applied"}, {c.Waiting, "still to be sent"},
		{c.Findings, "findings to look at"}} {
		if part.n > 0 {
			text += fmt.Sprintf(" %d %s.", part.n, part.what)
		}
	}
	return text
}
