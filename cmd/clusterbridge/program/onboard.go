package program

import (
	"context"
	"encoding/json"
	"os"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

type onboardVerb struct {
	Partner   string   `help:"Partner: ${enum}." enum:"7shifts,wisk" required:""`
	Requester string   `help:"Who asked: ${enum}." enum:"partner_support,venue_admin" default:"partner_support"`
	Venue     []string `help:"A venue, once for each: \"trade name; address; language; serial number; our id\". All after the address may be left out." placeholder:"VENUE" sep:"none"`
	File      string   `help:"File with the venues instead, a JSON list as the Web UI takes it." type:"existingfile" placeholder:"FILE"`
	Route     string   `help:"How sales will reach WISK, where that is known: upload, pull or report." enum:",upload,pull,report" default:""`
	Request   string   `help:"The request's number (default: a new one). The same number never begins twice." placeholder:"NUMBER"`
	By        string   `help:"Your staff handle, for the journal (default: CLUSTERBRIDGE_BY, or your user name)." placeholder:"HANDLE"`
	Note      string   `help:"Where the request came from, such as a ticket's number; no names of persons." default:"${note}"`
}

func (onboardVerb) needs() []string { return []string{"TEMPORAL_ADDRESS"} }

// Run begins an onboarding.
func (v *onboardVerb) Run(ctx context.Context, d *desk) error {
	actor, err := d.actor(act{By: v.By, Reason: "other", Note: v.Note})
	if err != nil {
		return err
	}
	in := work.OnboardingInput{Partner: v.Partner, Requester: v.Requester, Route: v.Route, By: actor.Handle, Note: actor.Note}
	if in.Venues, err = v.venues(); err != nil {
		return err
	}
	if err := in.Validate(); err != nil {
		return about(err, "")
	}
	if v.Request == "" {
		v.Request = strings.ToLower(d.actNumber())
	}
	if err := work.CheckRequest(v.Request); err != nil {
		return about(err, "")
	}
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	id := work.OnboardingID(v.Partner, v.Request)
	_, err = c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: work.TaskQueue, StaticSummary: plural(len(in.Venues), "venue") + " to " + v.Partner,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, WorkflowExecutionErrorWhenAlreadyStarted: true,
	}, work.Onboarding, in)
	if isA[*serviceerror.WorkflowExecutionAlreadyStarted](err) {
		return failed(err, "clusterbridge onboarding list", "The request %s has been begun already.", v.Request)
	}
	if err != nil {
		return d.startFailed(err)
	}
	d.say("Request %s: %s to %s. The venues' contacts on Cluster's record are asked.", v.Request, plural(len(in.Venues), "venue"), v.Partner)
	for i := range in.Venues {
		d.say("  %s  %s", work.CaseID(v.Partner, v.Request, i+1), in.Venues[i].TradeName)
	}
	d.say("In the Web UI: %s", d.runLink(id))
	d.say("Next: clusterbridge onboarding list")
	return nil
}

// venues are those of the file, or of the flags.
func (v *onboardVerb) venues() ([]work.VenueInput, error) {
	if v.File != "" {
		content, err := os.ReadFile(v.File)
		if err != nil {
			return nil, usage("The file of venues cannot be read.", "the same command with another --file")
		}
		var list struct {
			Venues []work.VenueInput `json:"venues"`
		}
		wrapped, err := json.Marshal(map[string]json.RawMessage{"venues": content})
		if err == nil {
			err = work.DecodeStrict(wrapped, &list)
		}
		if err != nil {
			return nil, usage("The file of venues is not a JSON list of them: "+err.Error(), "see docs/inputs/onboarding.json")
		}
		return list.Venues, nil
	}
	all := make([]work.VenueInput, len(v.Venue))
	for i, text := range v.Venue {
		fields := strings.Split(text, ";")
		into := []*string{&all[i].TradeName, &all[i].Address, &all[i].Language, &all[i].Serial, &all[i].Location}
		if len(fields) < 2 || len(fields) > len(into) {
			return nil, usage("A venue is not \"trade name; address; language; serial number; our id\".", `--venue "Chez Marcel; 12, rue Ontario, Montréal"`)
		}
		for j, field := range fields {
			*into[j] = strings.TrimSpace(field)
		}
	}
	return all, nil
}
