package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Outcomes of Cluster's hook, as they are counted. Who calls is told less.
const (
	hookAccepted     = "accepted"
	hookUnknown      = "unknown_till" // answered like hookAccepted
	hookBadSignature = "bad_signature"
	hookOld          = "too_old"
	hookReplayed     = "replayed"
	hookMalformed    = "malformed"
	hookUnavailable  = "unavailable"
)

// hookAnswers are the answers per outcome. An unknown till is answered like a
// known one, so that nobody can ask which tills there are.
var hookAnswers = map[string]struct {
	status int
	word   string
}{
	hookAccepted:     {http.StatusAccepted, "accepted"},
	hookUnknown:      {http.StatusAccepted, "accepted"},
	hookBadSignature: {http.StatusUnauthorized, "refused"},
	hookOld:          {http.StatusUnauthorized, "refused"},
	hookReplayed:     {http.StatusConflict, "seen before"},
	hookMalformed:    {http.StatusBadRequest, "malformed"},
	hookUnavailable:  {http.StatusServiceUnavailable, "try again later"},
}

// orderChanged takes Cluster's hint that an order changed: the connections of
// that till are synced at once, which reads what changed from Cluster's API.
func (g *Gateway) orderChanged(w http.ResponseWriter, r *http.Request) {
	body, ok := readJSON(w, r, maxHook)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hookWithin)
	defer cancel()
	outcome := g.takeHint(ctx, r.Header, body)
	g.counted.hooks.WithLabelValues(outcome).Inc()
	a := hookAnswers[outcome]
	answer(w, a.status, a.word)
}

// takeHint does the work and tells the outcome. The signature is remembered
// last: a hook that was answered "try again" may come again.
func (g *Gateway) takeHint(ctx context.Context, header http.Header, body []byte) string {
	outcome, signature := g.signed(g.hookSign(), header, body)
	if outcome != hookAccepted {
		return outcome
	}
	changed, err := decodeOrderChanged(body)
	if err != nil {
		return hookMalformed
	}
	connections, err := g.o.Ledger.LiveConnectionsOf(ctx, changed.Serial)
	if err != nil {
		g.o.Log.WarnContext(ctx, "a hook's till could not be looked up", "problem", err.Error())
		return hookUnavailable
	}
	// A timestamp may lie ahead of our clock by the tolerance, and is good until
	// the tolerance after it.
	first, err := g.o.Seen.First(ctx, signature, 2*g.o.HookTolerance)
	if err != nil {
		g.o.Log.WarnContext(ctx, "a hook's signature could not be remembered", "problem", err.Error())
		return hookUnavailable
	}
	if !first {
		return hookReplayed
	}
	if len(connections) == 0 {
		return hookUnknown
	}
	for _, c := range connections {
		if !g.debouncer.hint(c) {
			return hookUnavailable
		}
	}
	return hookAccepted
}

var errHook = errors.New("the hook's body is not what was agreed")

// decodeOrderChanged reads the body of Cluster's hook. Fields that it does not
// know are passed over, since Cluster may add some.
func decodeOrderChanged(body []byte) (orderChanged, error) {
	var o orderChanged
	if err := json.Unmarshal(body, &o); err != nil {
		return orderChanged{}, errHook
	}
	if !plain(o.Serial, maxSerial) || !plain(o.OrderID, maxOrderID) {
		return orderChanged{}, errHook
	}
	return o, nil
}

// plain tells whether a text is an id: 1 to most printable ASCII characters.
func plain(s string, most int) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return s != "" && len(s) <= most
}
