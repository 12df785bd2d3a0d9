package wisksim

import (
	"slices"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// Loss is a line to lose: the next one of an item on a business day that is
// accepted.
type Loss struct {
	Venue string `json:"venue"`
	Day   string `json:"day"` // YYYY-MM-DD, in the venue's zone
	PLU   string `json:"plu_number"`
}

// Lose makes a venue accept the next line of an item on a business day, each
// time that it comes, and never hold it: what a correct sender cannot notice,
// and a comparison has to. It is not kept in the state file; the line that was
// lost is.
func (s *Sim) Lose(l Loss) error {
	if err := checkDays(l.Day); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.venue(l.Venue)
	if err != nil {
		return err
	}
	v.losing = append(v.losing, l)
	return nil
}

// loses tells whether a good line that came is to be lost, and uses up the loss
// that it fits.
func (v *venue) loses(l given) bool {
	if v.lost[l.line.ID] {
		return true
	}
	if v.byID[l.line.ID] != nil {
		return false // it is held already
	}
	i := slices.IndexFunc(v.losing, func(loss Loss) bool {
		return loss.PLU == l.line.PLU && loss.Day == kit.Workday(l.content.date, v.zone)
	})
	if i < 0 {
		return false
	}
	v.losing = slices.Delete(v.losing, i, i+1)
	v.lost[l.line.ID] = true
	return true
}

// CountLines is how many lines a venue holds whose ids begin alike.
func (s *Sim) CountLines(venueID, prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	if v := s.venues[venueID]; v != nil {
		for _, held := range v.lines {
			n += one(strings.HasPrefix(held.Line.ID, prefix))
		}
	}
	return n
}
