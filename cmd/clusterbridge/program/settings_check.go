package program

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	"github.com/clustersystems/clusterbridge/internal/partner/report"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/vault/codec"
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
	files, problems := readFiles(given)
	var s Settings
	err := env.ParseWithOptions(&s, env.Options{Environment: given})
	s.files = files
	s.dropEmpty()
	problems = append(problems, unparsed(err, given)...)
	for _, f := range Describe() {
		if f.FileOf != "" || given[f.Variable] == "" || problems.names(f.Variable) {
			continue
		}
		if why := f.check(reflect.ValueOf(s).FieldByIndex(f.index)); why != "" {
			problems = append(problems, s.source(f.Variable)+" "+why)
		}
	}
	problems = append(problems, s.checkKeysets()...)
	problems = append(problems, s.together()...)
	if len(problems) > 0 {
		return s, problems
	}
	return s, nil
}

// readFiles puts the secrets that are given in files where they would be if
// they were given by their own variables.
func readFiles(given map[string]string) (files map[string]string, problems Problems) {
	files = map[string]string{}
	for _, f := range Describe() {
		path := given[f.Variable]
		if f.FileOf == "" || path == "" {
			continue
		}
		if given[f.FileOf] != "" {
			problems = append(problems, f.Variable+" is given and so is "+f.FileOf+"; want one of them.")
			continue
		}
		content, err := os.ReadFile(path)
		text := strings.TrimSpace(string(content))
		switch {
		case err != nil:
			problems = append(problems, f.Variable+" names a file that cannot be read.")
		case text == "":
			problems = append(problems, f.Variable+" names a file that is empty.")
		case len(text) > maxSecretFile:
			problems = append(problems, fmt.Sprintf("%s names a file of more than %d bytes, which is no secret.", f.Variable, maxSecretFile))
		default:
			if list := f.goType == reflect.TypeFor[[]string](); list { // one a line
				text = strings.Join(strings.Fields(text), ",")
			}
			given[f.FileOf], files[f.Variable] = text, path
		}
	}
	return files, problems
}

// maxSecretFile bounds a secret's file; a keyset of many keys has a few
// kilobytes.
const maxSecretFile = 64 << 10

// source is the variable that a setting was given by.
func (s Settings) source(variable string) string {
	if s.files[variable+fileSuffix] != "" {
		return variable + fileSuffix
	}
	return variable
}

// dropEmpty leaves the empty entries out of lists, as "a,,b" or "a," has them.
func (s *Settings) dropEmpty() {
	for _, f := range Describe() {
		if f.FileOf != "" || f.goType != reflect.TypeFor[[]string]() {
			continue
		}
		field := reflect.ValueOf(s).Elem().FieldByIndex(f.index)
		kept := field.Interface().([]string)
		for i := range kept {
			kept[i] = strings.TrimSpace(kept[i])
		}
		field.Set(reflect.ValueOf(slices.DeleteFunc(kept, func(one string) bool { return one == "" })))
	}
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

// checkKeysets checks that the keysets are such.
func (s Settings) checkKeysets() Problems {
	var problems Problems
	if s.Keyset != "" {
		if _, err := vault.Open(s.Keyset, nil); err != nil {
			problems = append(problems, s.source("CLUSTERBRIDGE_KEYSET")+" holds no keyset (it is a secret and not shown); clusterbridge keyset new makes one.")
		}
	}
	if s.CodecKeyset != "" {
		if _, err := codec.Open(s.CodecKeyset); err != nil {
			problems = append(problems, s.source("CLUSTERBRIDGE_CODEC_KEYSET")+" holds no keyset of a codec (it is a secret and not shown); clusterbridge keyset new --codec makes one.")
		}
	}
	return problems
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
	if len(s.ReportColumns) != len(report.Defaults().Columns) {
		problems = append(problems, "CLUSTERBRIDGE_WISK_REPORT_COLUMNS wants four headers: of code, title, quantity and net sales.")
	}
	return append(problems, s.forOnboarding()...)
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
		if !slices.Contains(variables, f.Variable) || already.names(f.Variable) || already.names(f.Variable+fileSuffix) {
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
	if f.goType == reflect.TypeFor[[]string]() {
		for _, one := range v.Interface().([]string) {
			if why := f.checkForm(one); why != "" {
				return why
			}
		}
		return ""
	}
	return f.checkForm(v.String())
}

// checkForm says what is wrong with a text, or with one of a list.
func (f Setting) checkForm(text string) string {
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

const (
	// listenOff is the address of what is served nowhere.
	listenOff = "off"
	// shortestSecret is what the gateway asks of shared secrets.
	shortestSecret = 32
)

// network reads a network, or the network of one address.
func network(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(s)
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
		"listen": func(s string) string {
			_, port, err := net.SplitHostPort(s)
			if n, bad := strconv.Atoi(port); s != listenOff && (err != nil || bad != nil || n < 0 || n > 65535) {
				return "a host and a port, such as 127.0.0.1:8080, or " + listenOff
			}
			return ""
		},
		"networks": func(s string) string {
			if _, err := network(s); err != nil {
				return "networks or addresses, such as 10.0.0.0/8"
			}
			return ""
		},
		"origins": func(s string) string {
			u, err := url.Parse(s)
			if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || s != u.Scheme+"://"+u.Host {
				return "origins such as https://temporal.example.com, without a path"
			}
			return ""
		},
		"secrets": func(s string) string {
			if len(s) < shortestSecret {
				return fmt.Sprintf("at least %d characters each", shortestSecret)
			}
			return ""
		},
		"pairs": func(s string) string {
			if name, _, ok := strings.Cut(s, "="); !ok || name == "" {
				return "headers such as api-key=value"
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
		"amount":         checkAmount,
		"rate":           checkRate,
		"zone":           checkZone,
		"durations":      checkDuration,
		"mail":           checkMail,
		"CAD":            checkCurrency,
		"hour-column":    hourColumn,
		"receipt-column": receiptColumn,
		"date-pattern":   datePattern,
		"time-pattern":   timePattern,
		"clock": func(s string) string {
			if _, err := clock.Parse(s); err != nil {
				return "epoch=<instant> origin=<instant> speed=<factor> [until=<instant>] with instants such as 2026-11-03T10:00:00Z"
			}
			return ""
		},
	}
)
