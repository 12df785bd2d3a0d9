package program

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// ran is what one run of the program wrote and how it ended.
type ran struct {
	code     int
	out, err string
}

// run runs the program with an environment and standard input.
func run(environ []string, stdin string, args ...string) ran {
	var out, err bytes.Buffer
	code := Main(args, strings.NewReader(stdin), &out, &err, environ)
	return ran{code: code, out: out.String(), err: err.String()}
}

func TestHelpNamesEveryVerb(t *testing.T) {
	r := run(nil, "", "--help")
	require.Equal(t, ExitOK, r.code, r.err)
	for _, verb := range []string{
		"worker", "gateway", "health", "migrate", "simulate", "settings", "keyset new", "keyset add-key", "location add", "location credentials", "connect 7shifts",
		"connection set receipt-date", "status", "history", "sync now", "pause", "resume", "resend",
		"backfill start", "backfill progress", "backfill pause", "backfill resume", "backfill cancel", "quarantine list", "quarantine show", "quarantine release", "quarantine discard",
		"export hourly-sales", "export receipts",
	} {
		help := run(nil, "", append(strings.Fields(verb), "--help")...)
		require.Equal(t, ExitOK, help.code, "%s: %s", verb, help.err)
		require.Contains(t, help.out, "Usage: clusterbridge "+verb)
		require.Contains(t, r.out, strings.Fields(verb)[0])
	}
	require.Equal(t, r.out, run(nil, "").out, "no arguments show the help")
}

func TestCommandsThatTheRegistryNamesExist(t *testing.T) {
	for code, problem := range work.Problems {
		_, command, found := strings.Cut(problem.Next, "clusterbridge ")
		if !found {
			continue
		}
		command, _, _ = strings.Cut(command, " %s")
		r := run(nil, "", append(strings.Fields(command), "--help")...)
		require.Equal(t, ExitOK, r.code, "%s says %q: %s", code, problem.Next, r.err)
	}
}

// Whoever is woken by an alert types what it says.
func TestCommandsThatAlertsNameExist(t *testing.T) {
	rules, err := os.ReadFile("../../../deploy/prometheus/rules/alerts.yml")
	require.NoError(t, err)
	named := regexp.MustCompile(`"clusterbridge ([a-z -]+?)(?: \{\{[^}]*\}\})?"`).FindAllStringSubmatch(string(rules), -1)
	require.Greater(t, len(named), 20)
	for _, command := range named {
		r := run(nil, "", append(strings.Fields(command[1]), "--help")...)
		require.Equal(t, ExitOK, r.code, "%s: %s", command[0], r.err)
		if !strings.HasPrefix(command[1], "--") {
			require.Contains(t, r.out, "Usage: clusterbridge "+command[1], command[0])
		}
	}
	require.Len(t, named, strings.Count(string(rules), `"clusterbridge `), "every command is checked")
}

func TestWrongCommandLinesAreUsage(t *testing.T) {
	for _, args := range [][]string{
		{"statsu"},
		{"pause"},
		{"pause", "7shifts:chez-marcel", "--reason", "boredom"},
		{"connection", "set", "receipt-date", "7shifts:chez-marcel", "yesterday"},
		{"pause", "7shifts:chez-marcel", "--reason", "test", "--note", "call anna@example.com"},
		{"quarantine", "discard", "7shifts:chez-marcel"}, // all at once is not offered
	} {
		r := run([]string{"DATABASE_URL=postgres://127.0.0.1:1/none"}, "", args...)
		require.Equal(t, ExitUsage, r.code, "%v", args)
		require.Contains(t, r.err, "Next: ", "%v", args)
		require.NotContains(t, r.err, "goroutine")
	}
}

func TestMalformedAndMissingSettingsAreToldTogether(t *testing.T) {
	r := run([]string{"CLUSTERBRIDGE_SYNC_EVERY=soon"}, "", "worker")
	require.Equal(t, ExitUsage, r.code)
	for _, variable := range []string{"CLUSTERBRIDGE_SYNC_EVERY", "DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"} {
		require.Contains(t, r.err, variable)
	}
	require.Contains(t, r.err, "Next: clusterbridge settings")
}

func TestSettingsVerbShowsProblemsToo(t *testing.T) {
	r := run([]string{"CLUSTERBRIDGE_SYNC_EVERY=soon"}, "", "settings")
	require.Equal(t, ExitUsage, r.code)
	require.Contains(t, r.out, "CLUSTERBRIDGE_OVERLAP")
	require.Contains(t, r.err, "CLUSTERBRIDGE_SYNC_EVERY")
}

func TestKeysets(t *testing.T) {
	first := strings.TrimSpace(run(nil, "", "keyset", "new").out)
	require.NotEqual(t, first, strings.TrimSpace(run(nil, "", "keyset", "new").out))
	r := run([]string{"CLUSTERBRIDGE_KEYSET=" + first}, "", "keyset", "add-key")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Greater(t, len(r.out), len(first))
	r = run([]string{"CLUSTERBRIDGE_KEYSET=canary"}, "", "keyset", "add-key")
	require.Equal(t, ExitUsage, r.code)
	require.NotContains(t, r.err, "canary")
}

func TestHandlesComeFromTheSystemsUser(t *testing.T) {
	for name, want := range map[string]string{
		"Marie": "marie", "CORP\\j.roy": "j.roy", "anna@example.com": "anna", "--x y": "xy", "": "",
		strings.Repeat("a", 50): strings.Repeat("a", 32),
	} {
		require.Equal(t, want, sanitise(name))
	}
	require.Equal(t, "marie", systemHandle([]string{"LOGNAME=other", "USER=Marie"}))
}

func TestPanicsOfTheProgramShowTheirKindOnly(t *testing.T) {
	var out bytes.Buffer
	var code int
	func() {
		defer func() { code = complain(&out, errors.New("unexpected thing")) }()
		defer func() { out.WriteString(panicPlaceOf(recover())) }()
		panic("canary-token")
	}()
	require.Equal(t, ExitFailed, code)
	require.NotContains(t, out.String(), "canary")
	require.Contains(t, out.String(), "TestPanicsOfTheProgram")
	require.Contains(t, out.String(), "Unexpected thing.")
}

func panicPlaceOf(any) string { return panicPlace() }
