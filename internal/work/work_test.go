package work_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const goodChange = `{"connection":"7shifts:chez-marcel","change":"pause","by":"lea","reason":"venue_asked","note":"kitchen closed"}`

func TestStrictInputs(t *testing.T) {
	cases := map[string]struct{ input, says string }{
		"misspelled":     {strings.Replace(goodChange, `"reason"`, `"raeson"`, 1), `unknown field "raeson"`},
		"missing":        {strings.Replace(goodChange, `"by":"lea",`, "", 1), `field "by" is missing`},
		"null":           {strings.Replace(goodChange, `"lea"`, "null", 1), `field "by" is missing`},
		"extra":          {strings.Replace(goodChange, `{`, `{"colour":"red",`, 1), `unknown field "colour"`},
		"wrong case":     {strings.Replace(goodChange, `"by"`, `"By"`, 1), `unknown field "By"`},
		"wrong type":     {strings.Replace(goodChange, `"lea"`, "7", 1), `field "by" cannot be a number`},
		"not an object":  {`"7shifts:chez-marcel"`, "want one JSON object"},
		"empty":          {``, "want one JSON object"},
		"trailing":       {goodChange + goodChange, "want one JSON object"},
		"a megabyte":     {strings.Repeat("x", 1<<20), "want one JSON object"},
		"a person":       {strings.Replace(goodChange, "lea", "lea@example.com", 1), `field "by"`},
		"mail in note":   {strings.Replace(goodChange, "kitchen closed", "ask lea@example.com", 1), `field "note"`},
		"no such change": {strings.Replace(goodChange, "pause", "explode", 1), `field "change"`},
		"no such reason": {strings.Replace(goodChange, "venue_asked", "because", 1), `field "reason"`},
		"bad connection": {strings.Replace(goodChange, "7shifts:", "8shifts:", 1), "want <partner>:<location>"},
		"needless value": {strings.Replace(goodChange, `{`, `{"value":"opened",`, 1), `field "value"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var in work.ChangeInput
			err := work.DecodeStrict([]byte(c.input), &in)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, work.Bug, work.KindOf(err))
			require.Less(t, len(err.Error()), 500, "a sentence, not an echo")
		})
	}
	var in work.ChangeInput
	require.NoError(t, work.DecodeStrict([]byte(goodChange), &in))
	require.Equal(t, "lea", in.By)
}

func TestLenientInputsPassOverWhatAnotherVersionWrote(t *testing.T) {
	var in work.SyncInput
	require.NoError(t, work.DecodeLenient([]byte(`{"connection":"7shifts:chez-marcel","fromTheFuture":1}`), &in))
	require.Error(t, work.DecodeLenient([]byte(`{}`), &work.SyncInput{}), "still validated")
}

func TestEveryProblemIsWhole(t *testing.T) {
	for code, p := range work.Problems {
		require.NotEmpty(t, p.Kind, code)
		require.NotEmpty(t, p.Next, code)
		require.True(t, strings.HasSuffix(p.Title, "."), code)
		require.NotContains(t, work.Err(code, "").Sentence("7shifts:chez-marcel"), "%", code)
	}
	sentence := work.Err(work.OrderMalformed, "order 7").Sentence("7shifts:chez-marcel")
	require.Equal(t, "The order could not be read. (order 7) Next: See it with: clusterbridge quarantine list 7shifts:chez-marcel", sentence)
}

func TestKindOfFindsTheKindThroughWrapping(t *testing.T) {
	err := fmt.Errorf("while pulling: %w", &work.Error{Code: work.PartnerLimited, Rest: time.Minute})
	require.Equal(t, work.Limited, work.KindOf(err))
	require.Equal(t, work.Bug, work.KindOf(fmt.Errorf("anything else")))
}
