package sevenshiftssim

import (
	"container/heap"
	"math/rand/v2"
	"reflect"
	"time"
)

// key is a receipt's identity: unique per location (reference: 7shifts 2).
type key struct {
	Location int64
	Receipt  string
}

// receipt is what is held of one receipt. The JSON is that of the state file.
type receipt struct {
	Seq       int64     `json:"seq"` // order in which they were first held, for cursors
	UUID      string    `json:"uuid"`
	CompanyID int64     `json:"company_id"`
	Location  int64     `json:"location"`
	ID        string    `json:"id"`
	Fields    fields    `json:"fields"`
	CloseDate time.Time `json:"close_date,omitzero"`
	Created   time.Time `json:"created"`
	Modified  time.Time `json:"modified"`
}

func (r receipt) key() key { return key{r.Location, r.ID} }

func (r receipt) date() time.Time { return *r.Fields.ReceiptDate }

// write is an accepted create or update that is, or was, to be processed.
type write struct {
	Seq     int64  `json:"seq"`
	Create  bool   `json:"create,omitempty"`
	Company int64  `json:"company"`
	Key     key    `json:"key"`
	UUID    string `json:"uuid"`
	Fields  fields `json:"fields"`
	due     time.Time
}

// queue is the writes to be processed, the next one first.
type queue []*write

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].Seq < q[j].Seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*write)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// store is what the simulator holds; Sim.mu guards it.
type store struct {
	receipts map[key]*receipt
	order    []*receipt // by Seq
	uuids    map[string]key
	pending  queue
	lastDue  map[key]time.Time
	tallies  map[key]*tally
	byWrite  map[int64]key // creates whose answer is not known to have arrived
	lost     map[key]bool  // for good
	seq      int64         // of writes
	position int64         // of receipts
	timer    *time.Timer
}

func newStore() store {
	return store{
		receipts: map[key]*receipt{}, uuids: map[string]key{}, lastDue: map[key]time.Time{},
		tallies: map[key]*tally{}, byWrite: map[int64]key{}, lost: map[key]bool{},
	}
}

// known tells whether a receipt is held, or a create of it waits.
func (st *store) known(k key) bool {
	if st.receipts[k] != nil {
		return true
	}
	for _, w := range st.pending {
		if w.Create && w.Key == k {
			return true
		}
	}
	return false
}

func (st *store) stopTimer() {
	if st.timer != nil {
		st.timer.Stop()
	}
}

// accept queues a write and processes what is due. A stray one has its effect
// after straying, whatever happens to its receipt meanwhile. The caller holds
// s.mu.
func (s *Sim) accept(w *write, straying time.Duration) {
	st := &s.store
	st.seq++
	w.Seq = st.seq
	now := time.Now()
	if straying > 0 {
		w.due = now.Add(straying)
	} else {
		w.due = now.Add(s.delay())
		if last := st.lastDue[w.Key]; last.After(w.due) {
			w.due = last
		}
		st.lastDue[w.Key] = w.due
	}
	st.learn(w)
	s.journal.Append(event{Accept: w})
	if w.Create {
		s.tallyCreate(w)
	} else {
		s.counters.Updates++
	}
	heap.Push(&st.pending, w)
	s.processDue(now)
}

func (s *Sim) delay() time.Duration {
	low, high := int64(s.switches.DelayMin), int64(s.switches.DelayMax)
	if high == low {
		return time.Duration(low)
	}
	return time.Duration(low + rand.Int64N(high-low))
}

// processDue processes what is due and sets the timer for the next. The caller
// holds s.mu.
func (s *Sim) processDue(now time.Time) {
	st := &s.store
	for len(st.pending) > 0 && !st.pending[0].due.After(now) {
		s.process(heap.Pop(&st.pending).(*write))
	}
	st.stopTimer()
	if len(st.pending) > 0 {
		st.timer = time.AfterFunc(st.pending[0].due.Sub(now), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.processDue(time.Now())
		})
	}
}

// processAll processes whatever waits. The caller holds s.mu.
func (s *Sim) processAll() {
	for len(s.store.pending) > 0 {
		s.process(heap.Pop(&s.store.pending).(*write))
	}
}

// process gives a write its effect.
func (s *Sim) process(w *write) {
	st := &s.store
	if due, ok := st.lastDue[w.Key]; ok && due.Equal(w.due) {
		delete(st.lastDue, w.Key)
	}
	held := st.receipts[w.Key]
	var result *receipt
	switch {
	case st.lost[w.Key]:
		s.missed(w.Key)
	case w.Create && held != nil && s.switches.DuplicateCreate == Ignore:
	case w.Create && held != nil && s.switches.DuplicateCreate != Overwrite:
		s.failLater(w, "receipt exists already")
	case !w.Create && held == nil:
		s.failLater(w, "receipt does not exist")
	case w.Create:
		result = s.created(w, held)
	default:
		result = s.updated(w, held)
	}
	if result != nil {
		st.put(result)
	}
	s.journal.Append(event{Done: w.Seq, Receipt: result})
}

func (s *Sim) created(w *write, held *receipt) *receipt {
	now := s.clock.Now()
	r := &receipt{
		UUID: w.UUID, CompanyID: w.Company, Location: w.Key.Location, ID: w.Key.Receipt,
		Fields: w.Fields, Created: now, Modified: now,
	}
	if held != nil {
		r.Seq, r.UUID, r.Created, r.CloseDate = held.Seq, held.UUID, held.Created, held.CloseDate
	}
	r.closeAt(now)
	return r
}

func (s *Sim) updated(w *write, held *receipt) *receipt {
	r := *held
	if s.switches.ShortUpdateWipes {
		r.Fields = fields{ReceiptID: held.Fields.ReceiptID, LocationID: held.Fields.LocationID, ReceiptDate: held.Fields.ReceiptDate, Status: held.Fields.Status}
	}
	r.Fields.overlay(w.Fields)
	if s.switches.TouchUnchanged || !reflect.DeepEqual(r.Fields, held.Fields) {
		r.Modified = s.clock.Now()
	}
	r.closeAt(r.Modified)
	return &r
}

func (r *receipt) closeAt(now time.Time) {
	if *r.Fields.Status == "closed" && r.CloseDate.IsZero() {
		r.CloseDate = now
	}
}

// overlay takes over the fields that were sent.
func (f *fields) overlay(sent fields) {
	to, from := reflect.ValueOf(f).Elem(), reflect.ValueOf(sent)
	for i := range from.NumField() {
		if !from.Field(i).IsNil() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// learn remembers to which receipt a uuid belongs; an update of an unknown
// receipt has none.
func (st *store) learn(w *write) {
	if w.UUID != "" {
		st.uuids[w.UUID] = w.Key
	}
}

// put holds a receipt in place of an earlier one.
func (st *store) put(r *receipt) {
	if old := st.receipts[r.key()]; old != nil {
		*old = *r
		return
	}
	st.position++
	r.Seq = st.position
	st.receipts[r.key()] = r
	st.order = append(st.order, r)
	st.uuids[r.UUID] = r.key()
}

// forget drops a receipt.
func (st *store) forget(k key) {
	for i, r := range st.order {
		if r.key() == k {
			st.order = append(st.order[:i:i], st.order[i+1:]...)
			break
		}
	}
	delete(st.receipts, k)
}
