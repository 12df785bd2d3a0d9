package deploy

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

var (
	documented = regexp.MustCompile("(?m)^\\| `([A-Z0-9_]+)` \\|")
	usageLine  = regexp.MustCompile(`(?m)^Usage: clusterbridge(.*)$`)
	longFlag   = regexp.MustCompile(`--[a-z][a-z0-9-]*`)
)

// ofImages are the variables that the other images read, of those that we may
// want. Sources: temporalio/server's embedded configuration and entrypoint
// (1.32), temporal-sql-tool and temporal --help, temporalio/ui's config/docker.yaml
// (2.55), postgres' and Grafana's image documentation.
var ofImages = map[string][]string{
	"temporalio/server": {
		"DB", "DBNAME", "VISIBILITY_DBNAME", "POSTGRES_SEEDS", "DB_PORT", "POSTGRES_USER", "POSTGRES_PWD",
		"SQL_MAX_CONNS", "SQL_MAX_IDLE_CONNS", "SQL_TLS_ENABLED", "SQL_CA", "NUM_HISTORY_SHARDS", "LOG_LEVEL",
		"BIND_ON_IP", "TEMPORAL_BROADCAST_ADDRESS", "TEMPORAL_ALLOW_NO_AUTH", "TEMPORAL_SERVICES",
		"DYNAMIC_CONFIG_FILE_PATH", "PROMETHEUS_ENDPOINT",
	},
	"temporalio/admin-tools": {
		"SQL_PLUGIN", "SQL_HOST", "SQL_PORT", "SQL_USER", "SQL_PASSWORD", "SQL_TLS", "SQL_TLS_CA_FILE",
		"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE",
	},
	"temporalio/ui": {
		"TEMPORAL_ADDRESS", "TEMPORAL_DEFAULT_NAMESPACE", "TEMPORAL_UI_PORT", "TEMPORAL_CORS_ORIGINS",
		"TEMPORAL_CSRF_COOKIE_INSECURE", "TEMPORAL_NOTIFY_ON_NEW_VERSION", "TEMPORAL_CODEC_ENDPOINT",
	},
	"postgres": {"POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS", "POSTGRES_USER", "POSTGRES_DB"},
	"grafana/grafana": {
		"GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_USERS_ALLOW_SIGN_UP", "GF_ANALYTICS_REPORTING_ENABLED",
		"GF_ANALYTICS_CHECK_FOR_UPDATES", "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "GF_PLUGINS_PREINSTALL_DISABLED",
	},
}

// settings are the variables that the program documents.
func settings(t *testing.T) []string {
	t.Helper()
	text, err := output(t, nil, "settings", "--markdown")
	require.NoError(t, err, text)
	var names []string
	for _, m := range documented.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	require.Contains(t, names, "DATABASE_URL")
	return names
}

// unknownVariables says which variables of the project nobody reads: neither
// the service's image nor a script that is mounted into it.
func unknownVariables(p *types.Project, settings []string) []string {
	var problems []string
	for name, s := range p.Services {
		known := ofImages[imageName(s.Image)]
		if isOurs(s) {
			known = settings
		}
		read := strings.Join(scripts(s), "\n")
		for variable := range s.Environment {
			if !slices.Contains(known, variable) && !reads(read, variable) {
				problems = append(problems, fmt.Sprintf("%s: nothing reads %s", name, variable))
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// reads tells whether a shell script uses a variable.
func reads(script, variable string) bool {
	return regexp.MustCompile(`\$\{?` + variable + `\b`).MatchString(script)
}

// scripts are the texts of the shell scripts that are mounted into a service.
func scripts(s types.ServiceConfig) []string {
	var texts []string
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeBind && strings.HasSuffix(v.Source, ".sh") {
			text, err := os.ReadFile(v.Source)
			if err != nil {
				return []string{err.Error()}
			}
			texts = append(texts, string(text))
		}
	}
	return texts
}

// imageName is an image without registry, tag and digest.
func imageName(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") {
		name = name[:i]
	}
	return strings.TrimPrefix(name, "docker.io/")
}

// wrongCommand says what the program does not understand of a command line
// (without the program's name), or nothing.
func wrongCommand(t *testing.T, args []string) string {
	t.Helper()
	var words, flags []string
	for _, a := range args {
		if flag, _, _ := strings.Cut(a, "="); strings.HasPrefix(flag, "-") {
			flags = append(flags, flag)
		} else {
			words = append(words, a)
		}
	}
	if len(words) == 0 {
		return "" // --help
	}
	help, err := output(t, nil, append(slices.Clone(words), "--help")...)
	usage := usageLine.FindStringSubmatch(help)
	if err != nil || usage == nil {
		return fmt.Sprintf("clusterbridge does not know %q", strings.Join(words, " "))
	}
	wanted := slices.DeleteFunc(strings.Fields(usage[1]), func(word string) bool {
		return strings.HasPrefix(word, "-") || word == "[flags]"
	})
	for i, word := range words {
		// A placeholder such as <url> takes any word, a verb only itself.
		if i >= len(wanted) || (!strings.Contains(wanted[i], "<") && wanted[i] != word) {
			return fmt.Sprintf("clusterbridge does not know %q", strings.Join(words[:i+1], " "))
		}
	}
	known := longFlag.FindAllString(help, -1)
	for _, flag := range flags {
		if !slices.Contains(known, flag) {
			return fmt.Sprintf("clusterbridge %s has no flag %s", strings.Join(words, " "), flag)
		}
	}
	return ""
}

// wrongCommands checks the command and the health check of every service that
// has the program as its entrypoint.
func wrongCommands(t *testing.T, p *types.Project) []string {
	t.Helper()
	var problems []string
	say := func(service, problem string) {
		if problem != "" {
			problems = append(problems, service+": "+problem)
		}
	}
	for name, s := range p.Services {
		if !isOurs(s) || s.Build.Target != "clusterbridge" {
			continue
		}
		say(name, wrongCommand(t, s.Command))
		if s.HealthCheck != nil {
			test := s.HealthCheck.Test
			if len(test) < 3 || test[0] != "CMD" || test[1] != "/clusterbridge" {
				say(name, "the image has nothing but /clusterbridge to check health with")
				continue
			}
			say(name, wrongCommand(t, test[2:]))
		}
	}
	slices.Sort(problems)
	return problems
}
