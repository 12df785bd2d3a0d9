package wisksim

import (
	"net/http"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
)

// accepted is the body of a 200 where the switch wants one.
type accepted struct {
	Status string `json:"status"`
	Lines  int    `json:"lines"`
}

// upload gives a request its effect.
func (s *Sim) upload(venueID, mediaType string, body []byte) answer {
	w := s.Switches()
	lines, noted, refused := parse(mediaType, body, w)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, what := range noted {
		s.violated(what)
	}
	if refused != nil {
		s.counters.RefusedUploads++
		return *refused
	}
	return s.accept(s.venues[venueID], lines, w)
}

// accept holds the lines of an upload as the switches want it, and tells the
// lines at fault. The caller holds s.mu.
func (s *Sim) accept(v *venue, lines []given, w Switches) answer {
	atFault, onlyDuplicates := s.judge(v, lines, w)
	b := batch{Venue: v.ID, Source: SourceUpload, At: s.clock.Now(), Came: len(lines)}
	partly := len(atFault) == 0 || w.PartialRefusal
	for _, l := range lines {
		switch {
		case l.fault == "" && partly && v.loses(l):
			b.Lost = append(b.Lost, l.line)
		case l.fault == "" && partly:
			s.plan(&b, v, l.line, w.SameID)
		case l.formed: // its id is minted all the same
			b.Refused = append(b.Refused, l.line)
		default:
			b.Malformed++
		}
	}
	b.Failed = len(atFault) > 0
	s.do(b)
	if !b.Failed {
		if w.Answer == AnswerEmpty {
			return answer{status: http.StatusOK}
		}
		return answer{status: http.StatusOK, body: accepted{"ok", len(lines)}}
	}
	refusal := wire.Refusal{Error: wire.CodeBadLines, Message: "Lines are at fault"}
	if onlyDuplicates {
		refusal = wire.Refusal{Error: wire.CodeDuplicate, Message: "Lines came before"}
	}
	if w.NameLines {
		refusal.Lines = atFault
	}
	return answer{status: http.StatusBadRequest, body: refusal}
}

// judge notes ids that come again with other content, and finds the lines
// that WISK refuses. The caller holds s.mu.
func (s *Sim) judge(v *venue, lines []given, w Switches) (atFault []wire.RefusedLine, onlyDuplicates bool) {
	onlyDuplicates = true
	came := map[string]content{} // in this batch
	for i := range lines {
		l := &lines[i]
		if l.formed {
			inBatch, twice := came[l.line.ID]
			first, again := v.frozen[l.line.ID]
			if !again {
				first, again = inBatch, twice
			}
			if again && !first.same(l.content) {
				s.violated(otherContent)
			}
			switch {
			case w.refuses(l.line):
				l.fault = wire.LineRefused
			case w.SameID == Refuse && (v.byID[l.line.ID] != nil || twice):
				l.fault = wire.LineDuplicate
			}
			came[l.line.ID] = l.content
		}
		if l.fault != "" {
			atFault = append(atFault, wire.RefusedLine{ID: l.line.ID, Error: l.fault})
			onlyDuplicates = onlyDuplicates && l.fault == wire.LineDuplicate
		}
	}
	return atFault, onlyDuplicates
}

// plan adds what becomes of a good line to a batch. The caller holds s.mu.
func (s *Sim) plan(b *batch, v *venue, l wire.Line, mode string) {
	held := v.byID[l.ID]
	for i := range b.Hold { // the same id twice in one batch
		if b.Hold[i].Line.ID == l.ID {
			held = &b.Hold[i]
		}
	}
	if held != nil {
		b.Repeats++
	}
	switch {
	case held == nil || mode == DoubleCount:
		s.seq++
		b.Hold = append(b.Hold, Held{Seq: s.seq, Source: b.Source, At: b.At, Line: l})
	case mode == Replace:
		b.Hold = append(b.Hold, Held{Seq: held.Seq, Source: b.Source, At: held.At, Line: l, Changed: b.At})
	}
}
