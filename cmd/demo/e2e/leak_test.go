package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
)

// detailsAsked is how many runs of each type are asked for their current
// details; these are written by code, so a few of each type show all.
const detailsAsked = 10

// Invariant 1: a leaked history holds no person, no credential, no sale amount.
func TestHistoriesHoldNoSecretPersonOrAmount(t *testing.T) {
	d := finished(t)
	planted, plantedSchedule := plantCanaries(t, d)
	inCanaries := strings.Join(append(everything(t, d, planted, true), scheduleTexts(t, d, plantedSchedule)...), "\n")
	for _, place := range canaryPlaces {
		require.Contains(t, inCanaries, canary(place), "the search must be able to find what leaks")
	}

	forbidden := forbiddenWords(t, d)
	amounts := forbiddenAmounts(d)
	require.Contains(t, forbidden, "Pouding ch\u00f4meur")
	require.NotEmpty(t, amounts)
	require.Equal(t, []string{"Smoked meat"}, leaks(`{"items":[{"item":"1002","title":"Smoked meat"}]}`, forbidden, amounts), "a document's body is found by what was sold")
	require.Equal(t, []string{"123.45", "123456"}, amountsIn(`{"a":123456,"b":"x 123.45 y","c":1234567}`, map[string]bool{"123.45": true, "123456": true}))

	perType, searched := map[string]int{}, 0
	for _, run := range closedRuns(t, d, "TaskQueue = 'clusterbridge'") {
		kind := run.GetType().GetName()
		perType[kind]++
		for _, text := range everything(t, d, run.GetExecution(), perType[kind] <= detailsAsked) {
			searched++
			require.Empty(t, leaks(text, forbidden, amounts), "%s %s", kind, run.GetExecution().GetWorkflowId())
		}
	}
	schedules, err := d.Temporal().WorkflowService().ListSchedules(t.Context(), &workflowservice.ListSchedulesRequest{Namespace: "default"})
	require.NoError(t, err)
	for _, s := range schedules.GetSchedules() {
		if s.GetScheduleId() != plantedSchedule {
			for _, text := range scheduleTexts(t, d, s.GetScheduleId()) {
				require.Empty(t, leaks(text, forbidden, amounts), "schedule %s", s.GetScheduleId())
			}
		}
	}
	for _, kind := range []string{"LocationSync", "Backfill", "ScheduleKeeper", "Onboarding", "LocationOnboarding"} {
		require.Positive(t, perType[kind], kind)
	}
	t.Logf("searched %d texts of %v runs for %d words and %d amounts", searched, perType, len(forbidden), len(amounts))
}

// everything is all text of a run: history, description and, when asked, the
// details that its workflow shows.
func everything(t *testing.T, d *play.Demo, run *commonpb.WorkflowExecution, details bool) []string {
	t.Helper()
	var all []string
	for _, e := range historyOf(t, d, run) {
		all = append(all, texts(e)...)
	}
	described, err := d.Temporal().DescribeWorkflowExecution(t.Context(), run.GetWorkflowId(), run.GetRunId())
	require.NoError(t, err)
	all = append(all, texts(described)...)
	if details {
		res, err := d.Temporal().WorkflowService().QueryWorkflow(t.Context(), &workflowservice.QueryWorkflowRequest{
			Namespace: "default", Execution: run, Query: &querypb.WorkflowQuery{QueryType: "__temporal_workflow_metadata"},
		})
		require.NoError(t, err)
		all = append(all, texts(res)...)
	}
	return all
}

func scheduleTexts(t *testing.T, d *play.Demo, id string) []string {
	t.Helper()
	s, err := d.Temporal().WorkflowService().DescribeSchedule(t.Context(), &workflowservice.DescribeScheduleRequest{Namespace: "default", ScheduleId: id})
	require.NoError(t, err)
	return texts(s)
}

// Mails hold links; keys, tokens and identifiers stand in none.
func TestMailsHoldNoCredential(t *testing.T) {
	d := finished(t)
	words := d.Handed()
	require.Len(t, words, 2, "of the venues that WISK's support asked for")
	for _, s := range d.Secrets() {
		words = append(words, s.ClusterKey, s.Token)
	}
	mails := d.Mailbox().Mails("")
	require.NotEmpty(t, mails)
	for _, m := range mails {
		require.Empty(t, leaks(m.Subject+m.Text+m.HTML, words, nil), m.Subject)
	}
}

// forbiddenWords are the credentials of the demo, the people of its tills, who are
// asked for over HTTP, those on Cluster's record, and what the sites' tills sold:
// with a document's body its titles would leak.
func forbiddenWords(t *testing.T, d *play.Demo) []string {
	t.Helper()
	words := append(d.Contacts(), d.Handed()...)
	for _, s := range d.Secrets() {
		words = append(words, s.ClusterKey, s.Token)
		people := employees(t, s)
		require.NotEmpty(t, people)
		for _, p := range people {
			words = append(words, p.Name, p.Email, p.Phone)
		}
	}
	for _, item := range d.Items() {
		if len(item.Title) >= tellingTitle {
			words = append(words, item.Title)
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	slices.Sort(words)
	return slices.Compact(words)
}

// tellingTitle is the length from which a title stands in no other word.
const tellingTitle = 8

type person struct{ Name, Email, Phone string }

func employees(t *testing.T, s play.VenueSecrets) []person {
	t.Helper()
	body, err := json.Marshal(map[string]string{"serial": s.Serial})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.ClusterURL+"/employees", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("x-api-key", s.ClusterKey)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	var answer struct {
		Employees []person `json:"employees"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return answer.Employees
}

// forbiddenAmounts are the plan's amounts as they could be written. Below 100
// dollars a number of cents is looked for with a point only: counts and ports
// would be found otherwise. There are far more items than orders, so of these the
// totals from 10 dollars are looked for, with a point: less stands in the numbers
// of versions.
func forbiddenAmounts(d *play.Demo) map[string]bool {
	const telling, tellingItem = 10000, 1000
	forms := map[string]bool{}
	for _, item := range d.Items() {
		if item.Total >= tellingItem {
			forms[fmt.Sprintf("%d.%02d", item.Total/100, item.Total%100)] = true
		}
	}
	for _, cents := range d.Amounts() {
		if cents == 0 {
			continue
		}
		forms[fmt.Sprintf("%d.%02d", cents/100, cents%100)] = true
		if cents >= telling {
			forms[fmt.Sprint(cents)] = true
		}
	}
	return forms
}

func leaks(text string, words []string, amounts map[string]bool) []string {
	var found []string
	lower := strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(lower, strings.ToLower(w)) {
			found = append(found, w)
		}
	}
	return append(found, amountsIn(text, amounts)...)
}

var (
	numberPattern = regexp.MustCompile(`\d+(?:\.\d+)?`)
	// instantPattern finds fractions of seconds, which are no amounts.
	instantPattern = regexp.MustCompile(`\d\d:\d\d:\d\d(?:\.\d+)?`)
)

// amountsIn finds whole numbers that are amounts.
func amountsIn(text string, amounts map[string]bool) []string {
	var found []string
	for _, number := range numberPattern.FindAllString(instantPattern.ReplaceAllString(text, ""), -1) {
		if amounts[number] {
			found = append(found, number)
		}
	}
	slices.Sort(found)
	return found
}
