package clustersim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// no is a refusal on its way to the client.
type no struct {
	status  int
	code    string
	message string
}

func (n *no) Error() string { return n.code + ": " + n.message }

func badRequest(message string) *no {
	return &no{http.StatusBadRequest, wire.CodeBadRequest, message}
}

// visit is one admitted call: its till, locked for reading, and the instant at
// which it is answered.
type visit struct {
	*till
	now time.Time
}

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle(s, mux, wire.PathPing, func(q wire.SerialRequest) string { return q.Serial }, s.ping)
	handle(s, mux, wire.PathOrders, func(q wire.OrdersRequest) string { return q.Serial }, s.orders)
	handle(s, mux, wire.PathDayTotals, func(q wire.DayTotalsRequest) string { return q.Serial }, s.dayTotals)
	handle(s, mux, wire.PathEmployees, func(q wire.SerialRequest) string { return q.Serial }, s.employees)
	handle(s, mux, wire.PathMenu, func(q wire.SerialRequest) string { return q.Serial }, s.menu)
	s.officeRoutes(mux)
	s.pageRoutes(mux)
	mux.HandleFunc("GET /_sim/state", s.serveState)
	mux.HandleFunc("POST /_sim/faults", s.serveFaults)
	mux.HandleFunc("POST /_sim/offline", s.serveOffline)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, &no{http.StatusNotFound, wire.CodeNoPath, "no such path"})
	})
	return mux
}

// handle routes one call of the tills' API: after the request's form comes the
// credential, then the answer.
func handle[Q any](s *Sim, mux *http.ServeMux, path string, serial func(Q) string, answer func(visit, Q) (any, *no)) {
	serve(s, mux, path, serial, func(header http.Header, q Q) ([]byte, *no) {
		return s.answer(serial(q), header.Get(wire.HeaderKey), func(v visit) (any, *no) { return answer(v, q) })
	})
}

// serve routes one call of the API: faults first, as anything can fail at any
// time, except those that let it have its effect; then the request's form; then
// the answer.
func serve[Q any](s *Sim, mux *http.ServeMux, path string, serial func(Q) string, answer func(http.Header, Q) ([]byte, *no)) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		s.count(path)
		var q Q
		refusal := readRequest(r, &q)
		fault, faulty := s.faults.next(path, serial(q))
		if faulty && !fault.Commit && !fault.before(w, r) {
			return
		}
		var body []byte
		if refusal == nil {
			body, refusal = answer(r.Header, q)
		}
		if faulty && fault.Commit && !fault.before(w, r) {
			return
		}
		switch {
		case refusal != nil:
			refuse(w, refusal)
		case faulty && fault.Truncate:
			truncate(w, body)
		default:
			write(w, http.StatusOK, body)
		}
	})
}

func encode(body any, refusal *no) ([]byte, *no) {
	if refusal != nil {
		return nil, refusal
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, &no{http.StatusInternalServerError, "internal", err.Error()}
	}
	return b, nil
}

func readRequest(r *http.Request, q any) *no {
	if r.Method != http.MethodPost {
		return &no{http.StatusMethodNotAllowed, wire.CodeBadRequest, "only POST"}
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return &no{http.StatusUnsupportedMediaType, wire.CodeBadRequest, "only application/json"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil {
		return badRequest("the body broke off")
	}
	if len(body) > maxRequest {
		return &no{http.StatusRequestEntityTooLarge, wire.CodeBadRequest, "the body is too large"}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(q); err != nil {
		return badRequest(err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badRequest("one JSON object, please")
	}
	return nil
}

// answer admits the call and encodes its answer, all under one lock.
func (s *Sim) answer(serial, key string, answer func(visit) (any, *no)) ([]byte, *no) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := visit{now: s.now()}
	var err *no
	if v.till, err = s.admit(serial, key, v.now); err != nil {
		return nil, err
	}
	return encode(answer(v))
}

// admit checks in the order of a careful server: a key that is nobody's, or was
// revoked, learns nothing of serial numbers. A key counts as used once it is
// known to be this till's, whatever the till then says.
func (s *Sim) admit(serial, key string, now time.Time) (*till, *no) {
	issued, known := s.office.find(key)
	byHand := key != "" && slices.ContainsFunc(s.sorted(), func(t *till) bool { return t.Key == key })
	if !known && !byHand {
		return nil, &no{http.StatusUnauthorized, wire.CodeBadKey, "the API key is not known"}
	}
	t := s.tills[serial]
	switch {
	case serial == "":
		return nil, badRequest("serial is missing")
	case t == nil || !t.known(now):
		return nil, &no{http.StatusNotFound, wire.CodeNoSerial, "the serial number is not known"}
	case t.Key != key && (!known || issued.serial != serial):
		return nil, &no{http.StatusUnauthorized, wire.CodeBadKey, "the API key is another location's"}
	}
	notYet := t.NotActivated
	if known {
		notYet = !s.office.use(issued, now)
	}
	switch {
	case notYet:
		return nil, &no{http.StatusForbidden, wire.CodeNotActivated, "API access is not activated yet"}
	case t.offline(now):
		return nil, &no{http.StatusServiceUnavailable, wire.CodeOffline, "the terminal is offline"}
	}
	return t, nil
}

func (s *Sim) asOf(now time.Time) wire.Instant {
	if s.options.NoAsOf {
		return wire.Instant{}
	}
	return wire.At(now.UTC())
}

func (s *Sim) ping(v visit, _ wire.SerialRequest) (any, *no) {
	return wire.Ping{
		Online: true, Serial: wire.Text(v.Serial),
		PosTime: wire.At(v.now.Add(s.options.ClockSkew).In(v.zone)), AsOf: s.asOf(v.now),
	}, nil
}

func (s *Sim) orders(v visit, q wire.OrdersRequest) (any, *no) {
	switch {
	case q.From.Bad || q.To.Bad || q.From.IsZero() || q.To.IsZero():
		return nil, badRequest("from and to: ISO instants with an offset")
	case q.To.Before(q.From.Time):
		return nil, badRequest("to is before from")
	case q.Limit < 0 || q.Limit > s.options.MaxLimit:
		return nil, badRequest("limit is out of range")
	case q.DateField == wire.DateModified && s.options.NoModified:
		return nil, &no{http.StatusBadRequest, wire.CodeDateField, "dateField: opened or closed"}
	case q.DateField != wire.DateOpened && q.DateField != wire.DateClosed && q.DateField != wire.DateModified:
		return nil, badRequest("dateField: opened, closed or modified")
	}
	from, ok := readToken(q)
	if !ok {
		return nil, badRequest("pageToken is not of this query")
	}
	limit := s.options.PageLimit
	if q.Limit > 0 {
		limit = min(limit, q.Limit)
	}
	page, next := s.page(s.find(v.till, q, v.now), from, limit)
	answer := wire.Orders[any]{Orders: make([]any, len(page)), NextPage: wire.Text(next), AsOf: s.asOf(v.now)}
	for i, found := range page {
		answer.Orders[i] = found.order
		if found.raw != nil {
			answer.Orders[i] = found.raw
		}
	}
	return answer, nil
}

func (s *Sim) dayTotals(v visit, q wire.DayTotalsRequest) (any, *no) {
	day, err := sale.ParseDay(q.BusinessDate)
	if err != nil {
		return nil, badRequest("businessDate: YYYY-MM-DD")
	}
	sum := s.totals(v.till, day.Start(v.zone), day.End(v.zone), v.now)
	sum.BusinessDate, sum.AsOf = wire.Text(day.String()), s.asOf(v.now)
	return sum, nil
}

func (s *Sim) employees(v visit, _ wire.SerialRequest) (any, *no) {
	list := slices.Clone(v.Employees)
	if list == nil {
		list = []Employee{}
	}
	for i := range list {
		if s.options.NoContacts {
			list[i].Email, list[i].Phone = "", ""
		}
	}
	return wire.Employees{Employees: list, AsOf: s.asOf(v.now)}, nil
}

func (s *Sim) menu(v visit, _ wire.SerialRequest) (any, *no) {
	menu := v.menuAt(v.now)
	menu.AsOf = s.asOf(v.now)
	return menu, nil
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

func refuse(w http.ResponseWriter, n *no) {
	body, _ := json.Marshal(wire.Refusal{Error: n.code, Message: n.message}) // two strings cannot fail
	write(w, n.status, body)
}
