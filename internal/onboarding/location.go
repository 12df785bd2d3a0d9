package onboarding

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// addingTries is how often a location is tried to be added, while others add
// theirs at the same moment.
const addingTries = 5

// location is our location of a case's till, added if it is new.
func (r *Room) location(ctx context.Context, c ledger.Case, secret string, by ledger.Actor) (ledger.Location, error) {
	var l ledger.Location
	var err error
	for range addingTries {
		var there bool
		if l, there, err = r.locationOf(ctx, c.Serial); err != nil || there && l.Secret != "" {
			return l, err
		}
		if there {
			return l, r.Ledger.SetLocationSecret(ctx, l.ID, secret, by)
		}
		l = ledger.Location{
			TradeName: c.Name(), Address: c.Data.Venue.Address, Zone: r.Zone(c).String(),
			Language: string(Lang(c)), Serial: c.Serial, Secret: secret,
		}
		if l.ID, err = r.freeID(ctx, cmp.Or(c.Data.Asked.Location, Slug(c.Name()))); err != nil {
			return l, err
		}
		// Another onboarding of this till, or of a venue of this name, may have
		// been faster.
		if err = r.Ledger.AddLocation(ctx, l, by); !hasCode(err, work.BadInput) {
			return l, err
		}
	}
	return l, err
}

// longestID is that of a location's id (work.CheckLocationID).
const longestID = 40

// ligatures are letters that are not taken apart with their accents.
var ligatures = strings.NewReplacer("\u0153", "oe", "\u00e6", "ae")

// roomForNumber is what an id leaves for a number behind it.
const roomForNumber = len("-99")

// Slug makes a location's id of a trade name: lower-case letters, digits and
// hyphens, without accents; of a long one the first words.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, sign := range norm.NFD.String(ligatures.Replace(strings.ToLower(name))) {
		switch {
		case unicode.Is(unicode.Mn, sign), sign == '\'', sign == '\u2019':
			continue // an accent, an elision
		case sign >= 'a' && sign <= 'z', sign >= '0' && sign <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(sign)
		default:
			gap = true
		}
	}
	return cmp.Or(shortened(b.String()), "venue")
}

// shortened leaves room for a number, and cuts between words where it can.
func shortened(id string) string {
	const most = longestID - roomForNumber
	if len(id) <= most {
		return id
	}
	if at := strings.LastIndexByte(id[:most+1], '-'); at > 0 {
		return id[:at]
	}
	return id[:most]
}

// freeID is an id that no location has: with a number behind, where two venues
// have one name.
func (r *Room) freeID(ctx context.Context, wanted string) (string, error) {
	all, err := r.Ledger.Locations(ctx)
	if err != nil {
		return "", err
	}
	used := map[string]bool{}
	for _, l := range all {
		used[l.ID] = true
	}
	id := wanted
	for n := 2; used[id]; n++ {
		id = fmt.Sprintf("%s-%d", shortened(wanted), n)
	}
	return id, nil
}
