package people

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Why is in what an employee and a user are alike.
type Why string

// The likenesses, the strongest first.
const (
	SameEmail   Why = "same_email"
	SameName    Why = "same_name"
	SamePhone   Why = "same_phone"
	LetterCase  Why = "letter_case" // the names differ in upper and lower case
	Accents     Why = "accents"     // and in accents
	Punctuation Why = "punctuation" // and in hyphens, apostrophes, spaces
	// Preferred: the name is the one the user wants to be called by.
	Preferred Why = "preferred_name"
	ShortForm Why = "short_form"
	Reversed  Why = "reversed_name" // last name first
	Initial   Why = "initial"       // one of the names is only its first letter
	FirstOnly Why = "first_name_only"
	// Recreated: the person seems to have a new profile, at the till or in
	// 7shifts. It comes with another likeness.
	Recreated Why = "recreated_profile"
)

var strengths = []Why{
	SameEmail, SameName, SamePhone, LetterCase, Accents, Punctuation, Preferred, ShortForm, Reversed, Initial, FirstOnly, Recreated,
}

// face is what an employee or a user is compared by.
type face struct {
	names        []name // an employee's splits, or a user's only name
	whole        string // letters of the whole name
	preferred    *name  // a user's
	email, phone string
	oneWord      part // an employee's name that cannot be split
}

func faceOfEmployee(e Employee) face {
	f := face{names: splits(e.Name), whole: letters(e.Name), email: address(e.Email), phone: Phone(e.Phone)}
	if len(f.names) == 0 {
		f.oneWord = newPart(e.Name)
	} else if strings.Contains(e.Name, ",") {
		f.whole = f.names[0].letters()
	}
	return f
}

func faceOfUser(u User) face {
	own := name{newPart(u.FirstName), newPart(u.LastName)}
	f := face{names: []name{own}, whole: own.letters(), email: address(u.Email), phone: Phone(u.Phone)}
	if u.PreferredFirstName != "" || u.PreferredLastName != "" {
		f.preferred = &name{newPart(cmp.Or(u.PreferredFirstName, u.FirstName)), newPart(cmp.Or(u.PreferredLastName, u.LastName))}
	}
	return f
}

func (n name) letters() string { return n.first.letters + n.last.letters }

// alike lists the likenesses, the strongest first; none when it is somebody
// else.
func alike(employee, user face) []Why {
	var why []Why
	if employee.email != "" && employee.email == user.email {
		why = append(why, SameEmail)
	}
	if employee.phone != "" && employee.phone == user.phone {
		why = append(why, SamePhone)
	}
	if w := alikeByName(employee, user); w != "" {
		why = append(why, w)
	}
	slices.SortFunc(why, byStrength)
	return why
}

func byStrength(a, b Why) int {
	return cmp.Compare(slices.Index(strengths, a), slices.Index(strengths, b))
}

// alikeByName is the strongest likeness of the names.
func alikeByName(employee, user face) Why {
	own := user.names[0]
	switch {
	case employee.whole == "" || user.whole == "":
		return ""
	case anyOf(employee.names, func(n name) bool { return n == own }):
		return SameName
	case anyOf(employee.names, func(n name) bool {
		return strings.EqualFold(n.first.text, own.first.text) && strings.EqualFold(n.last.text, own.last.text)
	}):
		return LetterCase
	case anyOf(employee.names, func(n name) bool { return n.first.plain == own.first.plain && n.last.plain == own.last.plain }):
		return Accents
	case employee.whole == user.whole:
		return Punctuation
	case user.preferred != nil && employee.whole == user.preferred.letters():
		return Preferred
	}
	if w := loosely(employee, own); w != "" || user.preferred == nil {
		return w
	}
	return loosely(employee, *user.preferred)
}

// loosely compares where a part of the name is not the same.
func loosely(employee face, own name) Why {
	first, last := own.first.letters, own.last.letters
	switch word := employee.oneWord; {
	case anyOf(employee.names, func(n name) bool { return last != "" && n.last.letters == last && shortOf(n.first, own.first) }):
		return ShortForm
	case anyOf(employee.names, func(n name) bool { return n.last.letters+n.first.letters == first+last }):
		return Reversed
	case anyOf(employee.names, func(n name) bool { return initialled(n.first.letters, n.last.letters, first, last) }):
		return Initial
	case word.letters != "" && (word.letters == first || shortOf(word, own.first)):
		return FirstOnly
	}
	return ""
}

// initialled tells whether one part is the same and of the other only the
// first letter stands, on either side.
func initialled(firstA, lastA, firstB, lastB string) bool {
	abbreviates := func(a, b string) bool {
		one := utf8.RuneCountInString(a) == 1 || utf8.RuneCountInString(b) == 1
		return one && firstOf(a) != "" && firstOf(a) == firstOf(b)
	}
	return (lastA == lastB && lastA != "" && abbreviates(firstA, firstB)) || (firstA == firstB && firstA != "" && abbreviates(lastA, lastB))
}

func anyOf(names []name, fits func(name) bool) bool { return slices.ContainsFunc(names, fits) }
