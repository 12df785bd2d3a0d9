package wire_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
)

// The line of the guide's example (reference: WISK section 2).
func TestALineAsItTravels(t *testing.T) {
	at := time.Date(2019, 1, 3, 21, 37, 30, 999, time.FixedZone("", -5*60*60))
	line := wire.Line{ID: "1", Date: wire.Date(at), PLU: "4", Title: "Martini", Quantity: "-1", Total: "-10.00"}
	data, err := json.Marshal([]wire.Line{line})
	require.NoError(t, err)
	require.JSONEq(t, `[{"id":"1","date":"2019-01-04T02:37:30Z","plu_number":"4","title":"Martini","quantity":-1,"total":-10}]`, string(data))
	require.Contains(t, string(data), `"total":-10.00`)
	var back []wire.Line
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, []wire.Line{line}, back, "to the letter")
}

func TestOnlyPlainNumbersAreDecimals(t *testing.T) {
	for text, ok := range map[string]bool{
		"0": true, "-1": true, "0.5": true, "10.00": true, "999999999999999.123456789": true,
		"": false, "1e2": false, "1.": false, ".5": false, "01": false, "+1": false, "1,5": false,
		"1000000000000000": false, `"1"`: false, "null": false, "true": false, "{}": false, "NaN": false,
	} {
		var d wire.Decimal
		require.Equal(t, ok, wire.Decimal(text).OK(), text)
		require.Equal(t, ok, json.Unmarshal([]byte(text), &d) == nil, text)
		_, err := json.Marshal(wire.Decimal(text))
		require.Equal(t, ok, err == nil, text)
	}
	require.Equal(t, 2, wire.Decimal("-10.00").Digits())
	require.Zero(t, wire.Decimal("10").Digits())
}
