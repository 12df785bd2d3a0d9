package words

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The two forms of a phrase that counts: "<key>.one" and "<key>.other".
const (
	oneSuffix   = ".one"
	otherSuffix = ".other"
)

// Catalogue holds short phrases by key, in every language. Whole texts are
// better kept as one template per language: a sentence glued from phrases is
// one that no translator can mend.
type Catalogue struct {
	texts map[Lang]map[string]string
}

// ReadCatalogue reads fr.txt and en.txt from a folder. A line is "key = text";
// empty lines and those that begin with # are passed over. {0}, {1} stand for
// arguments, and {n} for the number in phrases that count, of which there are
// two: "guests.one" and "guests.other".
func ReadCatalogue(files fs.FS) (*Catalogue, error) {
	c := &Catalogue{texts: map[Lang]map[string]string{}}
	for _, l := range Langs {
		name := string(l) + ".txt"
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("catalogue: %w", err)
		}
		if c.texts[l], err = readPhrases(l, string(text)); err != nil {
			return nil, fmt.Errorf("catalogue: %s: %w", name, err)
		}
	}
	return c, nil
}

var keyPattern = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)

func readPhrases(l Lang, text string) (map[string]string, error) {
	phrases := map[string]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, phrase, ok := strings.Cut(line, " = ")
		key = strings.TrimSpace(key)
		switch _, twice := phrases[key]; {
		case !ok || !keyPattern.MatchString(key):
			return nil, fmt.Errorf("line %d: want key = text", number)
		case twice:
			return nil, fmt.Errorf("line %d: %s stands here twice", number, key)
		}
		phrases[key] = l.Typeset(strings.TrimSpace(phrase))
	}
	return phrases, nil
}

// Say gives a phrase with its arguments put in; it need not use them all. A key that does not exist is
// an error, which ends the making of a page or mail: half a sentence helps
// nobody.
func (c *Catalogue) Say(l Lang, key string, args ...any) (string, error) {
	phrase, ok := c.texts[l][key]
	if !ok {
		return "", fmt.Errorf("no phrase %q in %q", key, string(l))
	}
	if want := arguments(phrase); want > len(args) {
		return "", fmt.Errorf("phrase %q takes %d arguments, not %d", key, want, len(args))
	}
	if len(args) == 0 {
		return phrase, nil
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", fmt.Sprint(arg))
	}
	return strings.NewReplacer(pairs...).Replace(phrase), nil
}

// Count gives the form of a phrase that a number takes, with the number in
// place of {n}: "3 employés".
func (c *Catalogue) Count(l Lang, key string, n int) (string, error) {
	form := key + otherSuffix
	if l.One(int64(n)) {
		form = key + oneSuffix
	}
	phrase, err := c.Say(l, form)
	return strings.ReplaceAll(phrase, "{n}", l.Number(int64(n))), err
}

var argumentPattern = regexp.MustCompile(`\{(\d+|n)\}`)

// arguments is how many a phrase takes.
func arguments(phrase string) int {
	most := 0
	for _, m := range argumentPattern.FindAllStringSubmatch(phrase, -1) {
		if i, err := strconv.Atoi(m[1]); err == nil {
			most = max(most, i+1)
		}
	}
	return most
}

// usePattern finds where templates and Go files ask for a phrase:
// {{say "key"}}, {{count "key" .N}}, c.Say(l, "key").
var usePattern = regexp.MustCompile(`(?i)\b(say|count)\(?\s*(?:[\w.]+,\s*)?"([a-z0-9_.-]+)"`)

// familyPattern finds keys that are put together where they are used, such as
// {{say (print "cause." .Cause)}}: all that begin so count as used.
var familyPattern = regexp.MustCompile(`"([a-z0-9_.-]+\.)"`)

// Problems says in sentences what is wrong with the catalogue as the sources
// (templates and Go files) use it: phrases that one language lacks, whose
// arguments differ, that nobody uses, or that are used and not there. A test of
// the catalogue's owner demands that there are none.
func (c *Catalogue) Problems(sources fs.FS) ([]string, error) {
	problems := c.differences()
	used, families, err := uses(sources)
	if err != nil {
		return nil, err
	}
	known := c.keys()
	for _, key := range used {
		if !slices.Contains(known, key) {
			problems = append(problems, key+": is used and not there")
		}
	}
	for _, key := range known {
		inFamily := slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(key, f) })
		if !inFamily && !slices.Contains(used, key) {
			problems = append(problems, key+": nobody uses it")
		}
	}
	return problems, nil
}

// differences compares the languages.
func (c *Catalogue) differences() []string {
	var problems []string
	for _, key := range c.keys() {
		first := ""
		for _, l := range Langs {
			phrase, ok := c.texts[l][key]
			switch {
			case !ok:
				problems = append(problems, fmt.Sprintf("%s: there is none in %q", key, string(l)))
			case first == "":
				first = phrase
			case placeholders(first) != placeholders(phrase):
				problems = append(problems, key+": its arguments are not the same in all languages")
			}
		}
	}
	return problems
}

// placeholders are the arguments of a phrase in one order, each once; a
// singular may leave its number out.
func placeholders(phrase string) string {
	found := map[string]bool{}
	for _, m := range argumentPattern.FindAllString(phrase, -1) {
		if m != "{n}" {
			found[m] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), "")
}

func (c *Catalogue) keys() []string {
	all := map[string]bool{}
	for _, phrases := range c.texts {
		for key := range phrases {
			all[key] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// uses are the keys and families of keys that the sources ask for.
func uses(sources fs.FS) (keys, families []string, err error) {
	err = fs.WalkDir(sources, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(sources, path)
		if err != nil {
			return err
		}
		for _, m := range usePattern.FindAllStringSubmatch(string(text), -1) {
			if strings.EqualFold(m[1], "count") {
				keys = append(keys, m[2]+oneSuffix, m[2]+otherSuffix)
			} else if !strings.HasSuffix(m[2], ".") {
				keys = append(keys, m[2])
			}
		}
		for _, m := range familyPattern.FindAllStringSubmatch(string(text), -1) {
			families = append(families, m[1])
		}
		return nil
	})
	slices.Sort(keys)
	return slices.Compact(keys), families, err
}
