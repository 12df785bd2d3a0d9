package work

import (
	"errors"
	"fmt"
	"time"
)

// Kind is one of the five ways in which work goes wrong (architecture,
// section 5); it decides what happens next.
type Kind string

// The five kinds.
const (
	// BadRecord: one record is refused or makes no sense. It is quarantined
	// and the rest goes on.
	BadRecord Kind = "bad_record"
	// Transient: may work if tried again. Temporal retries with back-off; the
	// run fails visibly after its budget and the next run goes on.
	Transient Kind = "transient"
	// Limited: the partner's limit was met. The credential rests for everyone.
	Limited Kind = "limited"
	// Refused: the partner will not until a person acts. Not retried; counts
	// toward calling the connection off.
	Refused Kind = "refused"
	// Bug: bad input or a fault of ours. Not retried, loud.
	Bug Kind = "bug"
)

// Code names a problem in the registry.
type Code string

// The registry's codes. Every failure that reaches a person carries one.
const (
	BadInput            Code = "bad_input"
	WrongWorkflowID     Code = "wrong_workflow_id"
	Internal            Code = "internal"
	UnknownConnection   Code = "unknown_connection"
	ConnectionNotLive   Code = "connection_not_live"
	LedgerUnavailable   Code = "ledger_unavailable"
	SchemaTooOld        Code = "schema_too_old"
	LeaseHeld           Code = "lease_held"
	SecretUnreadable    Code = "secret_unreadable"
	ClusterUnreachable  Code = "cluster_unreachable"
	ClusterOffline      Code = "cluster_offline"
	ClusterKeyRefused   Code = "cluster_key_refused"
	ClusterNotActivated Code = "cluster_not_activated"
	ClusterNoSerial     Code = "cluster_unknown_serial"
	ClusterMalformed    Code = "cluster_malformed"
	ClusterLimited      Code = "cluster_limited"
	ClusterRefused      Code = "cluster_refused"
	ClusterOfficeKey    Code = "cluster_office_key_refused"
	OrderMalformed      Code = "order_malformed"
	OrderImplausible    Code = "order_implausible"
	PartnerUnreachable  Code = "partner_unreachable"
	PartnerMalformed    Code = "partner_malformed"
	PartnerLimited      Code = "partner_limited"
	PartnerToken        Code = "partner_token_refused"
	PartnerPlan         Code = "partner_plan_or_company_refused"
	PartnerNotFound     Code = "partner_not_found"
	PartnerRefused      Code = "partner_refused"
	DocumentRefused     Code = "document_refused"
	DocumentNeverHeld   Code = "document_never_held"
	ScheduleFailed      Code = "schedule_failed"
	StepTimedOut        Code = "step_timed_out"
	MailUnreachable     Code = "mail_unreachable"
	MailServerRefused   Code = "mail_server_refused"
	MailRefused         Code = "mail_refused"
	StillThere          Code = "still_there"
	TillForeign         Code = "till_foreign"
)

// Problem is what the registry knows about a code.
type Problem struct {
	Kind Kind
	// Title is a plain sentence without names, keys or amounts.
	Title string
	// Next says who does what; "%s" stands for the connection.
	Next string
}

// Problems is the one registry of what can go wrong.
var Problems = map[Code]Problem{
	BadInput:            {Bug, "The input is not what this workflow takes.", "Correct the named field and start it again."},
	WrongWorkflowID:     {Bug, "The workflow was started under an id that is not its own.", "Start it again under the id named here."},
	Internal:            {Bug, "clusterbridge met a state it does not know.", "Send the run's link to the developers."},
	UnknownConnection:   {Bug, "There is no such connection.", "See the connections with: clusterbridge status"},
	ConnectionNotLive:   {Bug, "The connection is not in a state in which this can be done.", "See why with: clusterbridge status %s"},
	LedgerUnavailable:   {Transient, "The ledger (PostgreSQL) did not answer.", "It is retried; if it lasts, look at PostgreSQL."},
	SchemaTooOld:        {Bug, "The ledger's schema is older than this program.", "Run: clusterbridge migrate"},
	LeaseHeld:           {Transient, "Another run is working on this connection.", "Nothing to do: the other run does the work."},
	SecretUnreadable:    {Refused, "The stored credential cannot be opened with this keyset.", "Set the right CLUSTERBRIDGE_KEYSET, or connect again: clusterbridge connect"},
	ClusterUnreachable:  {Transient, "Cluster's API did not answer.", "It is retried; nothing is lost meanwhile."},
	ClusterOffline:      {Transient, "The till is offline.", "The venue checks the terminal and its internet; missed days are filled when it is back."},
	ClusterKeyRefused:   {Refused, "Cluster refuses the API key.", "Store a good key: clusterbridge location credentials %s"},
	ClusterNotActivated: {Refused, "Cluster has not activated API access for this location yet (24 to 48 hours).", "Wait for the activation, then: clusterbridge sync now %s"},
	ClusterNoSerial:     {Refused, "Cluster does not know this serial number.", "Read the serial on the terminal (Settings, Serial #), then correct the location."},
	ClusterMalformed:    {Transient, "Cluster's answer could not be read.", "It is retried; if it lasts, Cluster has changed its API."},
	ClusterLimited:      {Limited, "Cluster asks us to slow down.", "Nothing to do: work resumes by itself."},
	ClusterRefused:      {Bug, "Cluster refused the request itself.", "Send the run's link to the developers."},
	ClusterOfficeKey:    {Refused, "Cluster's back office refuses clusterbridge's own key.", "Ask Cluster for a good key, put it into the settings and restart the workers."},
	OrderMalformed:      {BadRecord, "The order could not be read.", "See it with: clusterbridge quarantine list %s"},
	OrderImplausible:    {BadRecord, "The order's numbers contradict each other or are out of range.", "See it with: clusterbridge quarantine list %s"},
	PartnerUnreachable:  {Transient, "The partner did not answer, or failed.", "It is retried; nothing is lost meanwhile."},
	PartnerMalformed:    {Transient, "The partner's answer could not be read.", "It is retried; if it lasts, the partner has changed its API."},
	PartnerLimited:      {Limited, "The partner asks us to slow down.", "Nothing to do: the credential rests and work resumes by itself."},
	PartnerToken:        {Refused, "The partner refuses the token.", "Have a company admin renew it (7shifts: Settings, Developer Tools; its technical contact must be an active admin), then: clusterbridge connect 7shifts"},
	PartnerPlan:         {Refused, "The partner refuses this company: its plan is too low, or the token is another company's.", "Have the venue check its plan with the partner, then: clusterbridge sync now %s"},
	PartnerNotFound:     {Refused, "The partner does not know this company or location.", "Connect again and pick the location: clusterbridge connect 7shifts"},
	PartnerRefused:      {Bug, "The partner refused the request itself.", "Send the run's link to the developers."},
	DocumentRefused:     {BadRecord, "The partner refuses this document.", "See it with: clusterbridge quarantine list %s"},
	DocumentNeverHeld:   {BadRecord, "The partner accepted this document several times but never holds it.", "See it with: clusterbridge quarantine list %s"},
	StepTimedOut:        {Transient, "A step of the work did not end in time; its worker may have been stopped.", "It is tried again at the next run; if it lasts, look at the workers' logs."},
	MailUnreachable:     {Transient, "The mail server did not answer, or asks to try again later.", "It is retried with the same Message-ID; if it lasts, look at the mail server."},
	MailServerRefused:   {Transient, "The mail server refuses us: our sign-in, its certificate, or our sender's address.", "Correct the settings CLUSTERBRIDGE_MAIL_...; the mail is then sent by itself."},
	MailRefused:         {Refused, "The mail server refuses this recipient or this message for good.", "Ask the venue for a good address, by telephone, and enter it: the mail is then sent there."},
	StillThere:          {Transient, "Something of the connection is still there.", "It is looked at again; if it lasts, end what is named."},
	TillForeign:         {Refused, "The venue or the partner's location is connected to something else already.", "See with: clusterbridge status"},
	ScheduleFailed:      {Transient, "A schedule could not be brought in line with the ledger.", "It is tried again in a few minutes; look at the named schedule."},
}

// Error is a typed, scrubbed failure: its text may stand in a history.
type Error struct {
	Code Code
	// Detail is a short addition, free of names, secrets and amounts.
	Detail string
	// Ambiguous says that a request may or may not have had its effect.
	Ambiguous bool
	// Rest is how long a limited credential rests, in real time.
	Rest time.Duration
	// Cause is for logs on this machine only; it never reaches a history.
	Cause error
}

// Err makes an Error. Detail must be fit to stand in a history.
func Err(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

// Errf makes an Error that keeps its cause for the logs.
func Errf(code Code, cause error, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...), Cause: cause}
}

// Error implements error with the scrubbed sentence.
func (e *Error) Error() string {
	title := Problems[e.Code].Title
	if title == "" {
		title = string(e.Code)
	}
	if e.Detail == "" {
		return title
	}
	return title + " (" + e.Detail + ")"
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Kind is the kind of the error's code.
func (e *Error) Kind() Kind { return Problems[e.Code].Kind }

// Sentence is the whole human sentence: what happened, and what to do next.
func (e *Error) Sentence(connection string) string {
	next := Problems[e.Code].Next
	if connection == "" {
		connection = "<connection>"
	}
	return e.Error() + " Next: " + replaceConnection(next, connection)
}

func replaceConnection(next, connection string) string {
	for i := 0; i+1 < len(next); i++ {
		if next[i:i+2] == "%s" {
			return next[:i] + connection + next[i+2:]
		}
	}
	return next
}

// WaitingFor says who has to act on a problem, as the search attribute of the
// same name has it: venue, cluster, partner or operator.
func WaitingFor(code Code) string {
	switch code {
	case ClusterOffline, PartnerToken, PartnerPlan:
		return "venue"
	case ClusterNotActivated, ClusterUnreachable, ClusterMalformed, ClusterLimited:
		return "cluster"
	case PartnerUnreachable, PartnerMalformed, PartnerLimited:
		return "partner"
	default:
		return "operator"
	}
}

// KindOf is the kind of any error: that of the Error in its chain, or Bug.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind()
	}
	return Bug
}
