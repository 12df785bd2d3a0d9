package delivery

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// memBook is the part of the ledger that uploading needs, in memory: thousands
// of histories a second. TestTheBooksAgree holds it to PostgreSQL's.
type memBook struct {
	documents map[string]*memDocument
	lines     map[string][]*memLine
	uploads   map[int64]ledger.UploadState
}

type memDocument struct {
	partner.Document
	resend, sentResend, intentResend int
	sentHash, intentHash             string
	attempt                          int64
	tries                            int
	leased, expired                  bool
	created, ambiguous               bool
	quarantined, uncertain           bool
}

type memLine struct {
	partner.Line
	upload  int64
	refused string
}

func newMemBook() *memBook {
	return &memBook{documents: map[string]*memDocument{}, lines: map[string][]*memLine{}, uploads: map[int64]ledger.UploadState{}}
}

func (b *memBook) record(sales []sale.Sale, _ ledger.Connection, translate ledger.Translate) error {
	for _, s := range sales {
		documents, err := translate(s, b.documents[s.ID] != nil)
		if err != nil {
			return err
		}
		for _, d := range documents {
			b.want(d)
		}
	}
	return nil
}

// want marks what the partner should hold, as RecordPage does.
func (b *memBook) want(d partner.Document) {
	have := b.documents[d.ID]
	if have == nil {
		b.documents[d.ID] = &memDocument{Document: d, sentResend: -1}
		return
	}
	if have.Hash != d.Hash || !have.Date.Equal(d.Date) {
		have.Document = d
		have.tries, have.quarantined = 0, false
	}
}

func (d *memDocument) due() bool {
	return !d.quarantined && !d.uncertain && (d.Hash != d.sentHash || d.resend != d.sentResend || d.ambiguous || d.leased)
}

func (b *memBook) expire() {
	for _, d := range b.documents {
		d.expired = d.leased
	}
}

func (b *memBook) sorted() []*memDocument {
	var all []*memDocument
	for _, d := range b.documents {
		all = append(all, d)
	}
	slices.SortFunc(all, func(x, y *memDocument) int { return cmp.Or(x.Date.Compare(y.Date), cmp.Compare(x.ID, y.ID)) })
	return all
}

func (b *memBook) Claim(_ context.Context, _ string, _ ledger.Due, n int, _ time.Duration) ([]ledger.Claim, error) {
	var claims []ledger.Claim
	for _, d := range b.sorted() {
		if len(claims) == n || !d.due() || d.leased && !d.expired {
			continue
		}
		d.ambiguous = d.ambiguous || d.leased
		d.attempt++
		d.leased, d.expired, d.intentHash, d.intentResend = true, false, d.Hash, d.resend
		claims = append(claims, ledger.Claim{
			Delivery: partner.Delivery{Document: d.Document, Created: d.created, Ambiguous: d.ambiguous},
			Attempt:  d.attempt, Resend: d.resend, SentResend: d.sentResend, Tries: d.tries,
		})
	}
	return claims, nil
}

func (b *memBook) Lines(_ context.Context, _ string, documents []string) (map[string][]ledger.HeldLine, error) {
	held := map[string][]ledger.HeldLine{}
	for _, id := range documents {
		for _, l := range b.lines[id] {
			held[id] = append(held[id], ledger.HeldLine{Line: l.Line, Upload: l.upload, State: b.uploads[l.upload], Refused: l.refused})
		}
	}
	return held, nil
}

func (b *memBook) Titles(context.Context, string, []string) (map[string]string, error) {
	return map[string]string{}, nil
}

func (b *memBook) newUpload(state ledger.UploadState) int64 {
	number := int64(len(b.uploads) + 1)
	b.uploads[number] = state
	return number
}

func (b *memBook) MintUploads(_ context.Context, _ string, m ledger.Minting) (ledger.Minted, error) {
	out := ledger.Minted{Lost: map[string]bool{}}
	for _, a := range m.Attempts {
		d := b.documents[a.ID]
		out.Lost[a.ID] = d.attempt != a.Attempt || !d.leased || d.expired
		if !out.Lost[a.ID] {
			delete(out.Lost, a.ID)
		}
	}
	for _, upload := range m.Uploads {
		number := b.newUpload(ledger.UploadIntended)
		out.Numbers = append(out.Numbers, number)
		for _, l := range upload {
			switch {
			case out.Lost[l.Document]:
			case l.Settled():
			case l.Was != "":
				b.line(l.Document, l.Seq).upload = number
			default:
				if b.line(l.Document, l.Seq) != nil {
					return out, errors.New("a line was minted twice")
				}
				frozen := l.Line
				frozen.ID = "" // the partner's to make
				b.lines[l.Document] = append(b.lines[l.Document], &memLine{Line: frozen, upload: number})
			}
		}
	}
	return out, nil
}

func (b *memBook) line(document string, seq int) *memLine {
	for _, l := range b.lines[document] {
		if l.Seq == seq {
			return l
		}
	}
	return nil
}

func (b *memBook) SettleUploads(_ context.Context, _ string, ends []ledger.UploadEnd) error {
	var freed []int64
	apart := map[ledger.UploadState]int64{}
	for _, e := range ends {
		was := b.uploads[e.Number]
		if was != ledger.UploadIntended && (e.State != ledger.UploadAccepted || was != ledger.UploadUnsent && was != ledger.UploadUncertain) {
			continue
		}
		b.uploads[e.Number] = e.State
		if was == ledger.UploadUncertain {
			freed = append(freed, e.Number)
		}
		for _, x := range e.Exceptions {
			l := b.line(x.Document, x.Seq)
			if l.upload != e.Number {
				continue
			}
			if x.Refused != "" {
				l.refused = x.Refused
				continue
			}
			if apart[x.State] == 0 {
				apart[x.State] = b.newUpload(x.State)
			}
			l.upload = apart[x.State]
		}
	}
	b.free(freed)
	return nil
}

func (b *memBook) free(uploads []int64) {
	for id, lines := range b.lines {
		touched, waits := false, false
		for _, l := range lines {
			touched = touched || slices.Contains(uploads, l.upload)
			waits = waits || b.uploads[l.upload] == ledger.UploadUncertain
		}
		if d := b.documents[id]; touched && !waits && d.uncertain {
			d.uncertain = false
		}
	}
}

func (b *memBook) uncertain() map[int64][]partner.Line {
	found := map[int64][]partner.Line{}
	for _, lines := range b.lines {
		for _, l := range lines {
			if b.uploads[l.upload] == ledger.UploadUncertain {
				found[l.upload] = append(found[l.upload], l.Line)
			}
		}
	}
	return found
}

func (b *memBook) resolve(number int64, item string, applied bool) {
	state := ledger.UploadNotApplied
	if applied {
		state = ledger.UploadApplied
	}
	own := b.newUpload(state)
	for _, lines := range b.lines {
		for _, l := range lines {
			if l.upload == number && l.Item == item {
				l.upload = own
			}
		}
	}
	b.free([]int64{own})
}

func (b *memBook) resend(id string) {
	if d := b.documents[id]; d != nil {
		d.resend++
	}
}

func (b *memBook) release() {
	for _, d := range b.documents {
		d.quarantined, d.tries = false, 0
	}
}

func (b *memBook) open() (due []string) {
	for _, d := range b.sorted() {
		if d.due() || d.quarantined || d.uncertain {
			due = append(due, d.ID)
		}
	}
	return due
}

func (b *memBook) Settle(_ context.Context, _ string, outcomes []ledger.Outcome) (int, error) {
	settled := 0
	for _, o := range outcomes {
		d := b.documents[o.ID]
		if d.attempt != o.Attempt || !d.leased {
			continue
		}
		settled++
		d.leased, d.expired = false, false
		accepted := o.Result == ledger.Accepted
		d.ambiguous = o.Result == ledger.Uncertain || !accepted && (d.ambiguous || o.Ambiguous)
		d.uncertain = o.Result == ledger.Uncertain
		d.quarantined = o.Result == ledger.Refused && d.Hash == d.intentHash && d.resend == d.intentResend
		if accepted {
			d.created, d.tries, d.sentHash, d.sentResend = true, 0, d.intentHash, d.intentResend
		} else if o.Result != ledger.NotSent {
			d.tries++
		}
	}
	return settled, nil
}
