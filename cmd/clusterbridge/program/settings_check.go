package program

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// ownPrefix is how all variables of ours begin, but for those that other tools
// read too.
const ownPrefix = "CLUSTERBRIDGE_"

// Problems are everything that is wrong with the settings, one plain sentence
// each, naming the variable. They never hold a secret.
type Problems []string

// Error implements error with all sentences, one a line.
func (p Problems) Error() string { return strings.Join(p, "\n") }

// Load reads the settings from an environment of "NAME=value" lines. The error
// is Problems: all of them at once.
func Load(environ []string) (Settings, error) {
	given := env.ToMap(environ)
	for name, value := range given {
		// Set but empty means not set, as compose files and shells write it.
		if strings.TrimSpace(value) == "" {
			delete(given, name)
		}
	}
	var s Settings
	err := env.ParseWithOptions(&s, env.Options{Environment: given})
	problems := unparsed(err, given)
	for _, f := range Describe() {
		if given[f.Variable] == "" || problems.names(f.Variable) {
			continue
		}
		if why := f.check(reflect.ValueOf(s).FieldByIndex(f.index)); why != "" {
			problems = append(problems, f.Variable+" "+why)
		}
	}
	problems = append(problems, s.readKeyset()...)
	problems = append(problems, s.together()...)
	if len(problems) > 0 {
		return s, problems
	}
	return s, nil
}

// unparsed turns what the library could not read into sentences.
func unparsed(err error, given map[string]string) Problems {
	var aggregate env.AggregateError
	if !errors.As(err, &aggregate) {
		if err != nil {
			return Problems{"The settings cannot be read: " + err.Error() + "."}
		}
		return nil
	}
	var problems Problems
	for _, one := range aggregate.Errors {
		var parse env.ParseError
		if !errors.As(one, &parse) {
			problems = append(problems, "A setting cannot be read: "+one.Error()+".")
			continue
		}
		f := describeField(parse.Name)
		problems = append(problems, fmt.Sprintf("%s is %s, which is not %s.", f.Variable, f.quote(given[f.Variable]), f.kind()))
	}
	return problems
}

// readKeyset reads the keyset's file where that is given instead, and checks
// that it is a keyset.
func (s *Settings) readKeyset() Problems {
	variable := "CLUSTERBRIDGE_KEYSET"
	if s.Keyset == "" && s.KeysetFile != "" {
		variable = "CLUSTERBRIDGE_KEYSET_FILE"
		content, err := os.ReadFile(s.KeysetFile)
		if err != nil {
			return Problems{variable + " names a file that cannot be read."}
		}
		s.Keyset = strings.TrimSpace(string(content))
	}
	if s.Keyset == "" {
		return nil
	}
	if _, err := vault.Open(s.Keyset, nil); err != nil {
		return Problems{variable + " holds no keyset (it is a secret and not shown); clusterbridge keyset new makes one."}
	}
	return nil
}

// together checks what only several settings can contradict.
func (s Settings) together() Problems {
	var problems Problems
	if s.SevenShiftsHistoryFrom > s.SevenShiftsHistoryUntil {
		problems = append(problems, fmt.Sprintf("CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_FROM is %d, which is after CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_UNTIL, %d.",
			s.SevenShiftsHistoryFrom, s.SevenShiftsHistoryUntil))
	}
	if s.SevenShiftsHistoryFrom == s.SevenShiftsHistoryUntil && s.SevenShiftsHistoryFrom != 0 {
		problems = append(problems, "CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_FROM and CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_UNTIL are the same hour, so history could never be sent.")
	}
	return problems
}

// Unknown lists variables that look like settings and are none, such as
// misspelled ones. They are a warning and not a problem, so that workers of two
// versions can share an environment.
func Unknown(environ []string) []string {
	var unknown []string
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, ownPrefix) && !slices.ContainsFunc(Describe(), func(f Setting) bool { return f.Variable == name }) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// missing says which settings a verb needs and does not have. A variable that
// is already in a problem is not named twice.
func (s Settings) missing(variables []string, already Problems) Problems {
	var problems Problems
	for _, f := range Describe() {
		if !slices.Contains(variables, f.Variable) || already.names(f.Variable) {
			continue
		}
		if reflect.ValueOf(s).FieldByIndex(f.index).IsZero() {
			problems = append(problems, fmt.Sprintf("%s is not set. %s", f.Variable, f.Text))
		}
	}
	return problems
}

func (p Problems) names(variable string) bool {
	return slices.ContainsFunc(p, func(one string) bool { return strings.HasPrefix(one, variable+" ") })
}

// check says what is wrong with a value, or nothing.
func (f Setting) check(v reflect.Value) string {
	if why := f.checkBounds(v); why != "" {
		return why
	}
	if f.Form == "" {
		return ""
	}
	text := v.String()
	if words := strings.Split(f.Form, "|"); len(words) > 1 {
		if !slices.Contains(words, text) {
			return fmt.Sprintf("is %s; want one of %s.", f.quote(text), strings.Join(words, ", "))
		}
		return ""
	}
	if why := forms[f.Form](text); why != "" {
		return fmt.Sprintf("is %s; want %s.", f.quote(text), why)
	}
	return ""
}

var (
	wordPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	// forms say what a value should have been, or nothing when it is.
	forms = map[string]func(string) string{
		"url": func(s string) string {
			u, err := url.Parse(s)
			if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
				return "a URL that begins with https:// or http://, without a query or a password"
			}
			return ""
		},
		"postgres": func(s string) string {
			u, err := url.Parse(s)
			if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Path == "" {
				return "a URL such as postgres://user:password@host:5432/database"
			}
			return ""
		},
		"address": func(s string) string {
			_, port, err := net.SplitHostPort(s)
			if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 1 || n > 65535 {
				return "a host and a port, such as 127.0.0.1:7233"
			}
			return ""
		},
		"word": func(s string) string {
			if !wordPattern.MatchString(s) {
				return "letters, digits, '.', '_' and '-', at most 128"
			}
			return ""
		},
		"handle": func(s string) string {
			if work.CheckHandle(s) != nil {
				return "a staff handle of lower-case letters, digits, '.', '_' or '-', at most 32"
			}
			return ""
		},
		"date": func(s string) string {
			if _, err := time.Parse(time.DateOnly, s); err != nil {
				return "a date such as 2026-01-01"
			}
			return ""
		},
		"clock": func(s string) string {
			if _, err := clock.Parse(s); err != nil {
				return "epoch=<instant> origin=<instant> speed=<factor> [until=<instant>] with instants such as 2026-11-03T10:00:00Z"
			}
			return ""
		},
	}
)
