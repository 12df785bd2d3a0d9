package people

import (
	"slices"
	"strings"
)

// part is a first or a last name, with the forms by which it is compared.
type part struct {
	text    string // tidy
	plain   string // unaccented
	letters string
}

func newPart(text string) part {
	text = tidy(text)
	return part{text, unaccented(text), letters(text)}
}

// name is a first and a last name.
type name struct{ first, last part }

// splits are the ways in which one text may be a first and a last name: at
// every space, or at the comma of "Last, First". A text of one word has none.
func splits(text string) []name {
	if last, first, ok := strings.Cut(text, ","); ok {
		n := name{newPart(first), newPart(last)}
		if n.first.text == "" || n.last.text == "" {
			return nil
		}
		return []name{n}
	}
	words := strings.Fields(tidy(text))
	var all []name
	for i := 1; i < len(words); i++ {
		all = append(all, name{newPart(strings.Join(words[:i], " ")), newPart(strings.Join(words[i:], " "))})
	}
	return all
}

// shortForms are groups of first names of which one may stand for another, in
// French and English, where neither begins with the other.
var shortForms = [][]string{
	{"alex", "alexandre", "alexandra", "alexander", "alessandro", "sandra", "sandy", "sacha", "sasha"},
	{"andy", "andrew", "andre"}, {"abby", "abigail", "abigaelle"}, {"becky", "rebecca"},
	{"bill", "billy", "will", "willy", "william"}, {"bob", "bobby", "rob", "robbie", "bert", "robert", "roberto"},
	{"charlie", "chuck", "carl", "charles", "charlotte"}, {"chris", "kris", "christophe", "christopher", "christian", "christine", "christina", "kristine"},
	{"cathy", "cath", "kate", "katie", "kathy", "kat", "catherine", "katherine", "kathryn", "katia"},
	{"dan", "danny", "daniel", "daniele", "danielle"}, {"dave", "davy", "david"}, {"dick", "rick", "ricky", "rich", "richard"},
	{"ed", "eddy", "eddie", "ted", "teddy", "edward", "edouard", "edmond"}, {"fanny", "steph", "stephanie", "stefanie"},
	{"fred", "freddy", "frederic", "frederick", "frederique", "alfred"}, {"gaby", "gab", "gabe", "gabriel", "gabrielle"},
	{"gerry", "jerry", "gerard", "gerald", "jerome"}, {"gui", "guy", "guillaume"}, {"hank", "harry", "henry", "henri"},
	{"isa", "izzy", "zab", "bella", "isabelle", "isabel", "isabella"}, {"jack", "jacques", "john", "johnny", "jon", "jonathan"},
	{"jim", "jimmy", "jamie", "james"}, {"jo", "joe", "joey", "joseph", "josee", "joelle", "joanie"},
	{"jeff", "geoff", "jeffrey", "geoffrey", "geoffroy"}, {"larry", "laurie", "lawrence", "laurent", "laurence"},
	{"liz", "lizzie", "lise", "lisa", "beth", "betty", "eliza", "elisa", "elizabeth", "elisabeth"},
	{"lou", "louis", "louise", "luigi"}, {"maddie", "mado", "madeleine", "madeline"}, {"manu", "manuel", "emmanuel", "emmanuelle", "emanuel"},
	{"meg", "maggie", "peggy", "margaret", "margot", "marguerite"}, {"matt", "mat", "mathieu", "matthieu", "matthew", "mathew", "mathias"},
	{"mike", "mick", "mickey", "mitch", "michael", "michel", "mikael", "michelle", "mitchell"},
	{"nick", "nico", "nicky", "nicolas", "nicholas", "nicole"}, {"pat", "patty", "patrick", "patrice", "patricia"},
	{"pete", "peter", "pierre", "piotr"}, {"phil", "philippe", "philip", "phillip"}, {"steve", "steven", "stephen", "stephane"},
	{"sue", "suzie", "susie", "susan", "suzanne"}, {"terry", "thierry", "terence"}, {"tim", "timmy", "timothy", "timothee"},
	{"tina", "christina", "martina", "valentina"}, {"tom", "tommy", "thomas"}, {"tony", "anthony", "antoine", "antonio", "anton"},
	{"vicky", "victoria", "victoire"}, {"vince", "vinny", "vincent"}, {"zach", "zack", "zak", "zachary", "zacharie"},
}

// groupsOf finds the groups of a first name.
var groupsOf = func() map[string][]int {
	groups := map[string][]int{}
	for i, group := range shortForms {
		for _, first := range group {
			groups[first] = append(groups[first], i)
		}
	}
	return groups
}()

// shortOf tells whether one first name may be the short form of another.
func shortOf(a, b part) bool {
	return sameGroup(a, b) || begins(a, b) || begins(b, a) || initialsOf(a, b) || initialsOf(b, a)
}

func sameGroup(a, b part) bool {
	other := groupsOf[b.letters]
	return slices.ContainsFunc(groupsOf[a.letters], func(group int) bool { return slices.Contains(other, group) })
}

// begins tells whether a is the beginning of b, such as Max of Maxime, or its
// first word, such as Marie of Marie-Claude.
func begins(a, b part) bool {
	const shortest = 3
	return len(a.letters) >= shortest && len(a.letters) < len(b.letters) && strings.HasPrefix(b.letters, a.letters)
}

// initialsOf tells whether a is the initials of the words of b, such as JF of
// Jean-François.
func initialsOf(a, b part) bool {
	words := strings.FieldsFunc(b.plain, func(r rune) bool { return r == '-' || r == ' ' || r == '\u2010' || r == '\u2011' })
	if len(words) < 2 {
		return false
	}
	var initials strings.Builder
	for _, w := range words {
		initials.WriteString(firstOf(letters(w)))
	}
	return a.letters == initials.String()
}

// firstOf is the first letter of letters, empty if there is none.
func firstOf(letters string) string {
	for _, r := range letters {
		return string(r)
	}
	return ""
}
