package people

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// tidy is a name as it is compared exactly: composed, and with single spaces.
// "é" in one or in two code points is the same letter.
func tidy(name string) string { return norm.NFC.String(strings.Join(strings.Fields(name), " ")) }

// plainLetters are letters that do not decompose.
var plainLetters = strings.NewReplacer("œ", "oe", "æ", "ae", "ø", "o", "ł", "l", "ß", "ss", "đ", "d", "ð", "d", "þ", "th", "ı", "i")

// unaccented is a lower-case text without accents.
func unaccented(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(text)) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return plainLetters.Replace(b.String())
}

// letters is a text without case, accents, spaces, hyphens, apostrophes and
// other signs: what is left of a name when spelling does not matter.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, unaccented(text))
}

// address is an e-mail address as it is compared: whole, without case.
func address(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Phone is a phone number in digits with area code, as 7shifts' matching wants
// it: the country code 1 is dropped, others are kept. It is empty for a number
// that cannot be told from others, such as one without area code.
func Phone(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, extension := range []string{"ext", "poste", "#", "x"} {
		text, _, _ = strings.Cut(text, extension)
	}
	abroad := strings.HasPrefix(text, "+")
	number := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	if rest, ok := strings.CutPrefix(number, "00"); ok {
		abroad, number = true, rest
	} else if rest, ok := strings.CutPrefix(number, "011"); ok && len(number) > 11 {
		abroad, number = true, rest
	}
	const local, longest = 10, 15 // of the North American plan; of any (E.164)
	switch {
	case len(number) == local+1 && number[0] == '1':
		return number[1:]
	case len(number) == local && !abroad:
		return number
	case abroad && len(number) > 7 && len(number) <= longest && number[0] != '1':
		return number
	}
	return ""
}
