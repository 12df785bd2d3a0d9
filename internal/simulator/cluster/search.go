package clustersim

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// candidates are the venues of today that fit all that was given.
func (s *Sim) candidates(q wire.LocationSearch) []wire.Candidate {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	found := []wire.Candidate{}
	for _, t := range s.sorted() {
		if !t.known(s.now()) || (q.Serial != "" && t.Serial != strings.TrimSpace(q.Serial)) ||
			(q.TradeName != "" && !sameName(q.TradeName, t.TradeName)) || (q.Address != "" && !sameAddress(q.Address, t.Address)) {
			continue
		}
		contact := t.Contact
		if changed, ok := s.office.held.Contacts[t.Serial]; ok {
			contact = changed
		}
		found = append(found, wire.Candidate{
			Serial: wire.Text(t.Serial), TradeName: wire.Text(t.TradeName), Address: wire.Text(t.Address),
			Zone: wire.Text(t.Zone), Language: wire.Text(t.Language), Contact: contact,
		})
	}
	slices.SortStableFunc(found, func(a, b wire.Candidate) int { return cmp.Compare(a.TradeName, b.TradeName) })
	return found
}

// sameName compares trade names without case, accents, apostrophes and other
// punctuation; a name of several words also fits one that has more of them, as
// "Chez Marcel" does "Chez Marcel (Vieux-Port)".
func sameName(asked, known string) bool {
	a, k := wordsOf(asked), wordsOf(known)
	return len(a) > 0 && (strings.Join(a, "") == strings.Join(k, "") || holds(k, a))
}

// sameAddress compares addresses likewise, with usual abbreviations written
// out. One may tell more than the other: the city, the postal code.
func sameAddress(asked, known string) bool {
	a, k := streetOf(asked), streetOf(known)
	if len(a) == 0 || len(k) == 0 {
		return false
	}
	return holds(k, a) || holds(a, k)
}

func holds(all, some []string) bool {
	return !slices.ContainsFunc(some, func(word string) bool { return !slices.Contains(all, word) })
}

// ligatures are letters that are not taken apart with their accents.
var ligatures = strings.NewReplacer("\u0153", "oe", "\u00e6", "ae", "\u00f8", "o")

// wordsOf folds a text to its plain lower-case words.
func wordsOf(text string) []string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(ligatures.Replace(strings.ToLower(text))) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return slices.DeleteFunc(strings.Fields(b.String()), func(word string) bool { return word == "et" || word == "and" })
}

// writtenOut are the abbreviations of addresses in Canada.
var writtenOut = map[string]string{
	"st": "saint", "ste": "sainte", "av": "avenue", "ave": "avenue", "boul": "boulevard", "blvd": "boulevard", "bd": "boulevard",
	"ch": "chemin", "rd": "road", "o": "ouest", "w": "ouest", "west": "ouest", "e": "est", "east": "est", "n": "nord", "north": "nord",
	"s": "sud", "south": "sud", "mtl": "montreal",
}

var (
	// saysLittle are words that one writes and another leaves out.
	saysLittle = []string{"rue", "street", "qc", "quebec", "on", "ontario", "ns", "canada", "no"}
	// postalHalf is either half of a Canadian postal code, which stands alone
	// or together.
	postalHalf = regexp.MustCompile(`^([a-z]\d[a-z]|\d[a-z]\d|[a-z]\d[a-z]\d[a-z]\d)$`)
)

// streetOf is what an address says of the place: number, street, city.
func streetOf(address string) []string {
	words := wordsOf(address)
	for i, word := range words {
		words[i] = cmp.Or(writtenOut[word], word)
	}
	return slices.DeleteFunc(words, func(word string) bool { return slices.Contains(saysLittle, word) || postalHalf.MatchString(word) })
}
