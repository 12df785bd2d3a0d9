package wisksim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Item is a POS item: WISK creates one at the first sight of a code, and a
// person maps it to what it uses (reference: WISK section 4).
type Item struct {
	PLU       string    `json:"plu_number"`
	Title     string    `json:"title"`  // last seen
	Titles    []string  `json:"titles"` // all seen, the first one first
	FirstSeen time.Time `json:"first_seen"`
	// MappedTo is what a person mapped it to; empty is not mapped.
	MappedTo string `json:"mapped_to,omitempty"`
	// NeedsReview: the title changed after it was mapped.
	NeedsReview bool `json:"needs_review,omitempty"`
	// Archived items' sales are in no total, nor were they ever.
	Archived bool `json:"archived,omitempty"`
}

// see learns of an item from a line that is held.
func (v *venue) see(held Held) {
	l := held.Line
	item := v.items[l.PLU]
	if item == nil {
		item = &Item{PLU: l.PLU, Title: l.Title, FirstSeen: held.At}
		v.items[l.PLU] = item
	}
	if item.Title != l.Title {
		item.Title, item.NeedsReview = l.Title, item.MappedTo != ""
	}
	if !slices.Contains(item.Titles, l.Title) {
		item.Titles = append(item.Titles, l.Title)
	}
}

// ItemAct is what a person does with a POS item.
type ItemAct struct {
	Venue string `json:"venue"`
	PLU   string `json:"plu_number"`
	// Act is map, archive or restore. Mapping again ends a review.
	Act string `json:"act"`
	// To is what the item is mapped to.
	To string `json:"to,omitempty"`
}

// The words of ItemAct.Act.
const (
	ActMap     = "map"
	ActArchive = "archive"
	ActRestore = "restore"
)

// ActOnItem does what a person does with a POS item.
func (s *Sim) ActOnItem(a ItemAct) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.venue(a.Venue); err != nil {
		return err
	}
	if err := s.redoItem(a); err != nil {
		return err
	}
	s.journal.Append(event{Item: &a})
	return nil
}

// MapItem maps a POS item; mapping it again ends a review.
func (s *Sim) MapItem(venueID, plu, to string) error {
	return s.ActOnItem(ItemAct{Venue: venueID, PLU: plu, Act: ActMap, To: to})
}

// ArchiveItem hides a POS item's sales, also those of the past.
func (s *Sim) ArchiveItem(venueID, plu string) error {
	return s.ActOnItem(ItemAct{Venue: venueID, PLU: plu, Act: ActArchive})
}

// RestoreItem shows an archived POS item's sales again, also those of the past.
func (s *Sim) RestoreItem(venueID, plu string) error {
	return s.ActOnItem(ItemAct{Venue: venueID, PLU: plu, Act: ActRestore})
}

func (s *Sim) redoItem(a ItemAct) error {
	item := s.hold(a.Venue).items[a.PLU]
	switch {
	case item == nil:
		return fmt.Errorf("no such POS item: %q", a.PLU)
	case a.Act == ActMap && strings.TrimSpace(a.To) == "":
		return errors.New("to: what is it mapped to?")
	}
	switch a.Act {
	case ActMap:
		item.MappedTo, item.NeedsReview = a.To, false
	case ActArchive, ActRestore:
		item.Archived = a.Act == ActArchive
	default:
		return fmt.Errorf("act: %q is none of map, archive, restore", a.Act)
	}
	return nil
}

// Items lists a venue's POS items by their code.
func (s *Sim) Items(venueID string) ([]Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.venue(venueID)
	if err != nil {
		return nil, err
	}
	return v.sortedItems(), nil
}

func (v *venue) sortedItems() []Item {
	list := []Item{}
	for _, plu := range slices.Sorted(maps.Keys(v.items)) {
		item := *v.items[plu]
		item.Titles = slices.Clone(item.Titles)
		list = append(list, item)
	}
	return list
}
