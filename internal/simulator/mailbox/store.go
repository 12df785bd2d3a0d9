package mailboxsim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Counters tell what happened since the start.
type Counters struct {
	Refused int `json:"refused"` // for what a mail or its sender was, not by a fault
	Faults  int `json:"faults"`  // mails spoilt on purpose
}

// Violation is something that a mail server would take, but that breaks what
// clusterbridge promises: it fails the run.
type Violation struct {
	At   time.Time `json:"at"` // business time of the first
	What string    `json:"what"`
	// Times it happened.
	Times int `json:"times"`
}

// keep takes a mail in.
func (s *Sim) keep(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Arrived = s.clock.Now()
	s.journal.append(event{Mail: &m})
	s.enter(m)
	s.log.Info("mail", "number", len(s.mails), "message_id", m.MessageID)
	close(s.changed)
	s.changed = make(chan struct{})
}

// enter numbers a mail and compares it with earlier copies. The caller holds
// s.mu.
func (s *Sim) enter(m Mail) {
	s.copies[m.MessageID]++
	m.Number, m.Copy = len(s.mails)+1, s.copies[m.MessageID]
	s.mails = append(s.mails, m)
	digest := m.digest()
	first, known := s.contents[m.MessageID]
	if !known {
		s.contents[m.MessageID] = digest
	} else if first != digest {
		s.violated(m, "two mails with one Message-ID but different content")
	}
	if !strings.EqualFold(m.To, m.EnvelopeTo) || !strings.EqualFold(m.From, m.EnvelopeFrom) {
		s.violated(m, "a mail whose envelope and header name different people")
	}
}

// boundaryPattern is the one thing that may differ between copies: programs
// draw the marks between parts at random.
var boundaryPattern = regexp.MustCompile(`boundary="?[^";]*"?`)

// digest is what has to be the same in all copies of a mail.
func (m Mail) digest() string {
	h := sha256.New()
	for _, header := range m.Headers {
		fmt.Fprintf(h, "%s: %s\n", header.Name, boundaryPattern.ReplaceAllString(header.Value, ""))
	}
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00", m.EnvelopeTo, m.EnvelopeFrom, m.Text, m.HTML)
	for _, f := range m.Files {
		fmt.Fprintf(h, "%s\x00%s\x00%x\x00", f.Name, f.Type, sha256.Sum256(f.Data))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// violated notes a violation. The caller holds s.mu.
func (s *Sim) violated(m Mail, what string) {
	what += " (" + m.MessageID + ")"
	s.log.Warn("violation", "what", what)
	for i := range s.broken {
		if s.broken[i].What == what {
			s.broken[i].Times++
			return
		}
	}
	s.broken = append(s.broken, Violation{At: m.Arrived, What: what, Times: 1})
}

// Mails are the mails to an address, or all when it is empty, oldest first.
func (s *Sim) Mails(to string) []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(to)
}

func (s *Sim) find(to string) []Mail {
	found := []Mail{}
	for _, m := range s.mails {
		if to == "" || strings.EqualFold(m.EnvelopeTo, to) {
			found = append(found, m)
		}
	}
	return found
}

// WaitFor is the first mail to an address (any when empty) that fits, now or
// as soon as it comes. Its error is the context's.
func (s *Sim) WaitFor(ctx context.Context, to string, fits func(Mail) bool) (Mail, error) {
	for {
		s.mu.Lock()
		all, changed := s.find(to), s.changed
		s.mu.Unlock()
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return all[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Mail{}, ctx.Err()
		}
	}
}

// Copies tells how many copies of each mail came, by Message-ID.
func (s *Sim) Copies() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.copies)
}

// Violations lists what must not have happened; they never go away.
func (s *Sim) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Violation{}, s.broken...)
}

var (
	hrefPattern = regexp.MustCompile(`href="([^"]*)"`)
	linkPattern = regexp.MustCompile(`https?://[^\s<>"]+`)
)

// Links are the addresses that a reader of the mail can open, in order, each
// once. Those that stand in only one of the two parts are among them.
func (m Mail) Links() []string {
	var links []string
	for _, found := range hrefPattern.FindAllStringSubmatch(m.HTML, -1) {
		links = append(links, html.UnescapeString(found[1]))
	}
	links = append(links, linkPattern.FindAllString(m.Text, -1)...)
	var once []string
	for _, l := range links {
		if !slices.Contains(once, l) && !strings.HasPrefix(l, "#") {
			once = append(once, l)
		}
	}
	return once
}
