package work_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const goodRequest = `{"partner":"wisk","requester":"partner_support","by":"lea","note":"ticket 4711","venues":[
	{"tradeName":"Chez Marcel","address":"12, rue Ontario, Montréal"},
	{"tradeName":"Crescent","address":"34, rue Crescent, Montréal","language":"en","serial":"CL-0001"}]}`

func TestRequestsAreCheckedToTheLastVenue(t *testing.T) {
	var in work.OnboardingInput
	require.NoError(t, work.DecodeStrict([]byte(goodRequest), &in))
	require.Len(t, in.Venues, 2)
	for name, c := range map[string]struct{ old, new, says string }{
		"a venue's field misspelled": {`"language"`, `"langauge"`, `field "venues", 2: unknown field "langauge"`},
		"a venue's field missing":    {`"address":"12, rue Ontario, Montréal"`, `"serial":"CL-1"`, `field "venues", 1: field "address" is missing`},
		"a venue that is a word":     {`{"tradeName":"Chez Marcel","address":"12, rue Ontario, Montréal"}`, `"Chez Marcel"`, `field "venues", 1: want one JSON object`},
		"venues that are no list":    {`"venues":[`, `"venues":{"a":[`, "want one JSON object"},
		"an empty name":              {`"Crescent"`, `" "`, `field "venues", 2, "tradeName"`},
		"a mail address":             {`34, rue Crescent`, `ask lea@example.com`, "no mail addresses"},
		"a language":                 {`"en"`, `"es"`, "want fr or en"},
		"a partner":                  {`"wisk"`, `"square"`, `field "partner"`},
		"a requester":                {`"partner_support"`, `"lea"`, `field "requester"`},
		"a route":                    {`"by"`, `"route":"donkey","by"`, `field "route"`},
	} {
		err := work.DecodeStrict([]byte(strings.Replace(goodRequest, c.old, c.new, 1)), &work.OnboardingInput{})
		require.ErrorContains(t, err, c.says, name)
	}
	twice := strings.Replace(goodRequest, `Montréal"},`, `Montréal","serial":"CL-0001"},`, 1)
	require.ErrorContains(t, work.DecodeStrict([]byte(twice), &work.OnboardingInput{}), "1 and 2 have one serial number")
	require.ErrorContains(t, work.DecodeStrict([]byte(strings.Replace(goodRequest, `"venues":[`, `"venues":[],"old":[`, 1)), &work.OnboardingInput{}), `unknown field "old"`)
}

func TestActsOnACaseAreChecked(t *testing.T) {
	const who = `,"by":"lea","reason":"venue_asked","note":"by telephone"}`
	for input, says := range map[string]string{
		`{"decision":"confirm"` + who:                                     "",
		`{"decision":"maybe"` + who:                                       "confirm or decline",
		`{"decision":"decline","why":"DROP TABLE"` + who:                  `field "why"`,
		`{"decision":"confirm","by":"lea","reason":"why not","note":"x"}`: `field "reason"`,
	} {
		checkInput(t, input, &work.DecideInput{}, says)
	}
	for input, says := range map[string]string{
		`{"route":"pull","modifiers":"off"` + who:                                "",
		`{"route":"upload","modifiers":"off"` + who:                              "noClusterIntegration",
		`{"route":"upload","modifiers":"off","noClusterIntegration":true` + who:  "",
		`{"route":"upload","modifiers":"both","noClusterIntegration":true` + who: `field "modifiers"`,
	} {
		checkInput(t, input, &work.EntryInput{}, says)
	}
	for input, says := range map[string]string{
		`{"location":7,"receiptDate":"opened","workday":true` + who:  "",
		`{"location":7,"receiptDate":"opened","workday":false` + who: "5 a.m.",
		`{"location":0,"receiptDate":"opened","workday":true` + who:  `field "location"`,
	} {
		checkInput(t, input, &work.PlaceInput{}, says)
	}
	checkInput(t, `{"reference":"INV-2026/17"`+who, &work.PaymentInput{}, "")
	checkInput(t, `{"reference":"4111 1111 1111 1111"`+who, &work.PaymentInput{}, `field "reference"`)
	checkInput(t, `{"connection":"7shifts:chez-marcel","what":"partner-key"`+who, &work.RotateInput{}, `field "what"`)
	checkInput(t, `{"connection":"7shifts:chez-marcel","what":"token"`+who, &work.RotateInput{}, "")
}

func checkInput(t *testing.T, input string, v any, says string) {
	t.Helper()
	err := work.DecodeStrict([]byte(input), v)
	if says == "" {
		require.NoError(t, err, input)
		return
	}
	require.ErrorContains(t, err, says, input)
}
