package wisksim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	cluster "github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

const (
	// clusterTimeout bounds one call to Cluster.
	clusterTimeout = 30 * time.Second
	// maxAnswer bounds what is read of one answer.
	maxAnswer = 64 << 20
	// maxPages ends a listing that goes round in circles.
	maxPages = 10_000
	// window is how much one query asks for.
	window = 7 * 24 * time.Hour
	// overlap is how far a pull looks back before the last one, for what
	// reached the relay late.
	overlap = 24 * time.Hour
	// fallback is how far it looks back where the relay cannot tell what was
	// modified.
	fallback = 7 * 24 * time.Hour
	// ahead is how far a till's clock may be ahead of ours.
	ahead = 24 * time.Hour
)

// What can be at fault with a pair of credentials (reference: WISK section 1
// and Cluster sections 1 and 3).
const (
	TroubleKey        = "key"        // the API key is refused
	TroubleSerial     = "serial"     // the serial number is not known
	TroubleActivation = "activation" // API access is not activated yet
	TroubleOffline    = "offline"    // the terminal is offline
	TroubleAnswer     = "answer"     // Cluster gives no answer that can be read
)

// PairError is a pair that cannot be read.
type PairError struct{ Serial, Trouble string }

var troubles = map[string]string{
	TroubleKey:        "Cluster refuses the API key",
	TroubleSerial:     "Cluster does not know the serial number",
	TroubleActivation: "Cluster has not activated API access yet",
	TroubleOffline:    "the terminal is offline",
	TroubleAnswer:     "Cluster gives no answer that can be read",
}

// Error implements error.
func (e *PairError) Error() string { return e.Serial + ": " + troubles[e.Trouble] }

var troubleOf = map[int]string{
	http.StatusUnauthorized: TroubleKey, http.StatusNotFound: TroubleSerial,
	http.StatusForbidden: TroubleActivation, http.StatusServiceUnavailable: TroubleOffline,
}

// errNoModified is the answer of a relay that cannot filter by modification.
var errNoModified = errors.New("the relay cannot filter by modification")

// call makes one request to Cluster.
func (s *Sim) call(ctx context.Context, p Pair, path string, question, into any) error {
	trouble := &PairError{p.Serial, TroubleAnswer}
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.ClusterURL+path, bytes.NewReader(body))
	if err != nil {
		return trouble
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(cluster.HeaderKey, p.Key)
	res, err := s.client.Do(req)
	if err != nil {
		return trouble
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return trouble
	}
	if res.StatusCode == http.StatusOK {
		if json.Unmarshal(data, into) != nil {
			return trouble
		}
		return nil
	}
	var refusal cluster.Refusal
	if json.Unmarshal(data, &refusal) == nil && refusal.Error == cluster.CodeDateField {
		return errNoModified
	}
	if word, ok := troubleOf[res.StatusCode]; ok {
		trouble.Trouble = word
	}
	return trouble
}

// ping checks a pair (reference: Cluster section 1).
func (s *Sim) ping(ctx context.Context, p Pair) error {
	var answer cluster.Ping
	if err := s.call(ctx, p, cluster.PathPing, cluster.SerialRequest{Serial: p.Serial}, &answer); err != nil {
		return err
	}
	if !answer.Online || string(answer.Serial) != p.Serial {
		return &PairError{p.Serial, TroubleOffline}
	}
	return nil
}

// pull reads what changed at an integration's tills, history the first time. A
// till that cannot be read does not keep the others from being read.
func (s *Sim) pull(ctx context.Context, i *integration) error {
	i.busy.Lock()
	defer i.busy.Unlock()
	s.mu.Lock()
	now, months, at := s.clock.Now(), s.switches.HistoryMonths, i.Integration
	_, unknown := s.venue(at.Venue)
	s.mu.Unlock()
	if at.Removed || at.Status == CalledOff || unknown != nil {
		return nil
	}
	read, malformed := map[string]time.Time{}, 0
	maps.Copy(read, at.Read)
	var failed []error
	for _, p := range at.Pairs {
		q := cluster.OrdersRequest{Serial: p.Serial, To: cluster.At(now.Add(ahead)), DateField: cluster.DateModified}
		if last, ok := read[p.Serial]; ok {
			q.From = cluster.At(last.Add(-overlap))
		} else {
			q.From, q.DateField = cluster.At(now.AddDate(0, -months, 0)), cluster.DateOpened
		}
		bad, err := s.read(ctx, i, p, q)
		if errors.Is(err, errNoModified) {
			q.From, q.DateField = cluster.At(now.Add(-fallback)), cluster.DateOpened
			bad, err = s.read(ctx, i, p, q)
		}
		malformed += bad
		if err != nil {
			failed = append(failed, err)
			continue
		}
		read[p.Serial] = now
	}
	if ctx.Err() != nil {
		return ctx.Err() // who asked has left: no failure of the till's
	}
	err := errors.Join(failed...)
	s.settle(i, read, malformed, err)
	return err
}

// read reads a query in windows and holds its lines; malformed counts the
// orders that could not be read.
func (s *Sim) read(ctx context.Context, i *integration, p Pair, q cluster.OrdersRequest) (malformed int, err error) {
	for end := q.To.Time; err == nil && q.From.Before(end); q.From = q.To {
		if q.To = cluster.At(q.From.Add(window)); q.To.After(end) {
			q.To = cluster.At(end)
		}
		var bad int
		bad, err = s.readPages(ctx, i, p, q)
		malformed += bad
	}
	return malformed, err
}

// readPages reads all pages of one query.
func (s *Sim) readPages(ctx context.Context, i *integration, p Pair, q cluster.OrdersRequest) (malformed int, err error) {
	for range maxPages {
		var page cluster.Orders[json.RawMessage]
		if err := s.call(ctx, p, cluster.PathOrders, q, &page); err != nil {
			return malformed, err
		}
		var orders []cluster.Order
		for _, raw := range page.Orders {
			var o cluster.Order
			if json.Unmarshal(raw, &o) != nil || o.ID == "" || o.OpenedAt.IsZero() {
				malformed++
				continue
			}
			orders = append(orders, o)
		}
		s.take(i, p.Serial, orders)
		if page.NextPage == "" {
			return malformed, nil
		}
		q.PageToken = string(page.NextPage)
	}
	return malformed, &PairError{p.Serial, TroubleAnswer}
}

// take holds the lines of orders in the place of what their earlier versions
// said.
func (s *Sim) take(i *integration, serial string, orders []cluster.Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := batch{Venue: i.Venue, Source: i.source(), At: s.clock.Now()}
	v := s.venues[i.Venue]
	for _, o := range orders {
		order := fmt.Sprintf("%d/%s/%s", i.ID, serial, o.ID)
		lines := i.translate(serial, o)
		if v.says(order, lines) {
			continue
		}
		b.Gone = append(b.Gone, order)
		for _, l := range lines {
			s.seq++
			b.Came++
			b.Hold = append(b.Hold, Held{Seq: s.seq, Source: b.Source, Order: order, At: b.At, Line: l})
		}
	}
	if len(b.Gone) > 0 {
		i.LastImport = b.At
		s.do(b)
	}
}

// lineID names a pulled line; part tells the lines apart that one line of the
// till became.
func lineID(serial string, order, line cluster.Text, part int) string {
	return serial + ":" + string(order) + ":" + string(line) + ":" + strconv.Itoa(part)
}
