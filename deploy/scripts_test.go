package deploy

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/vault"
)

// start is how a service's entrypoint is run here: the command of the compose
// file with its environment, container paths turned into this machine's.
type start struct {
	service types.ServiceConfig
	// tools is put before PATH.
	tools string
	// instead are variables with another value than in the compose file.
	instead map[string]string
}

// run returns what the entrypoint printed.
func (s start) run(t *testing.T) (string, error) {
	t.Helper()
	args := slices.Concat([]string(s.service.Entrypoint), []string(s.service.Command))
	require.Len(t, args, 2)
	require.Equal(t, "/bin/sh", args[0])
	c := exec.Command("sh", bound(t, s.service, args[1]))
	c.Dir = t.TempDir()
	environ := map[string]string{}
	for name, value := range s.service.Environment {
		require.NotNil(t, value, name)
		environ[name] = *value
	}
	maps.Copy(environ, s.instead)
	environ["PATH"] = s.tools + ":" + os.Getenv("PATH")
	for name, value := range environ {
		c.Env = append(c.Env, name+"="+value)
	}
	out, err := c.CombinedOutput()
	return string(out), err
}

// bound is the file of the repository that a service sees under a path.
func bound(t *testing.T, s types.ServiceConfig, path string) string {
	t.Helper()
	for _, v := range s.Volumes {
		if v.Target == path {
			return v.Source
		}
	}
	require.Failf(t, "not mounted", "%s in %s", path, s.Name)
	return ""
}

// tool makes a folder with commands of the given shell texts.
func tool(t *testing.T, commands map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range commands {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700))
	}
	return dir
}

func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// consumers each have a folder, a volume, of secrets.
var consumers = []string{"clusterbridge", "cluster", "postgres", "temporal", "ui", "grafana"}

// makeSecrets runs the one-shot service into a folder.
func makeSecrets(t *testing.T, dir string) string {
	t.Helper()
	for _, consumer := range consumers {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, consumer), 0o755))
	}
	group := strconv.Itoa(os.Getgid())
	said, err := start{
		service: everything(t).Services["secrets"], tools: filepath.Dir(binary),
		instead: map[string]string{"SECRETS": dir, "GROUP_POSTGRES": group, "GROUP_TEMPORAL": group, "GROUP_GRAFANA": group},
	}.run(t)
	require.NoError(t, err, said)
	return said
}

// snapshot is every file below a folder with its content.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	require.NoError(t, err)
	for _, file := range files {
		name, err := filepath.Rel(dir, file)
		require.NoError(t, err)
		all[name] = read(t, file)
	}
	return all
}

func TestSecretsAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	said := makeSecrets(t, dir)
	first := snapshot(t, dir)
	require.Len(t, first, 16)
	for name, content := range first {
		require.NotContains(t, said, content, "what is secret is not printed")
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		want := os.FileMode(0o640)
		if strings.HasPrefix(name, "cluster") { // the program's own user reads it
			want = 0o600
		}
		require.Equal(t, want, info.Mode().Perm(), name)
		require.GreaterOrEqual(t, len(content), 64, name)
	}
	require.Equal(t, first["postgres/temporal"], first["temporal/password"])
	require.Equal(t, first["clusterbridge/codec-token"], first["ui/codec-token"])
	require.Contains(t, first["clusterbridge/database-url"], ":"+first["postgres/clusterbridge"]+"@postgres:5432/")
	require.NotEqual(t, first["postgres/temporal"], first["postgres/clusterbridge"])
	for _, shared := range []string{"hook-secret", "office-key"} {
		require.Equal(t, first["clusterbridge/"+shared], first["cluster/"+shared], "Cluster has what it shares with us")
	}
	own := map[string]bool{}
	for _, name := range []string{"hook-secret", "office-key", "link-secret", "billing-secret", "codec-token"} {
		own[first["clusterbridge/"+name]] = true
	}
	require.Len(t, own, 5, "no secret is used for two purposes")
	require.NotEqual(t, first["clusterbridge/keyset"], first["clusterbridge/codec-keyset"])
	for _, keyset := range []string{"clusterbridge/keyset", "clusterbridge/codec-keyset"} {
		_, err := vault.Open(first[keyset], nil)
		require.NoError(t, err, keyset)
	}

	makeSecrets(t, dir)
	require.Equal(t, first, snapshot(t, dir), "a second run changes nothing")

	// A run that was cut short is finished by the next one.
	require.NoError(t, os.Remove(filepath.Join(dir, "ui", "codec-token")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "clusterbridge", "keyset"), nil, 0o600))
	makeSecrets(t, dir)
	last := snapshot(t, dir)
	require.Equal(t, first["ui/codec-token"], last["ui/codec-token"])
	require.NotEmpty(t, last["clusterbridge/keyset"])
}

func TestSecretsAreNotHalfMade(t *testing.T) {
	dir := t.TempDir()
	for _, consumer := range consumers {
		require.NoError(t, os.Mkdir(filepath.Join(dir, consumer), 0o755))
	}
	group := strconv.Itoa(os.Getgid())
	said, err := start{
		service: everything(t).Services["secrets"], tools: tool(t, map[string]string{"clusterbridge": "exit 1"}),
		instead: map[string]string{"SECRETS": dir, "GROUP_POSTGRES": group, "GROUP_TEMPORAL": group, "GROUP_GRAFANA": group},
	}.run(t)
	require.Error(t, err, said)
	require.NoFileExists(t, filepath.Join(dir, "clusterbridge", "keyset"))
}

// Every value of every service of ours is one that the program takes, with the
// secrets as the one-shot service made them.
func TestTheProgramTakesTheSettings(t *testing.T) {
	dir := t.TempDir()
	makeSecrets(t, dir)
	project := load(t, []string{"CLUSTERBRIDGE_CODEC_KEYSET_FILE=/secrets/codec-keyset"}, "demo", "cli")
	for name, s := range project.Services {
		if !isOurs(s) || name == "simulators" {
			continue
		}
		var environ []string
		for variable, value := range s.Environment {
			environ = append(environ, variable+"="+strings.Replace(*value, "/secrets/", dir+"/clusterbridge/", 1))
		}
		said, err := output(t, environ, "settings")
		require.NoError(t, err, "%s: %s", name, said)
		require.NotContains(t, said, "not a setting", name)
		for _, variable := range []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET"} {
			require.Regexp(t, `(?m)\b`+variable+`\s+\S?\s*\(set, not shown\)`, said, name)
		}
	}
}

func TestTemporalsSchema(t *testing.T) {
	service := everything(t).Services["temporal-schema"]
	record := filepath.Join(t.TempDir(), "calls")
	tools := tool(t, map[string]string{"temporal-sql-tool": `echo "$SQL_PASSWORD $*" >>` + record + `; [ "$3" != "${BROKEN:-}" ]`})
	password := map[string]string{"SQL_PASSWORD_FILE": write(t, "pw")}
	said, err := start{service: service, tools: tools, instead: password}.run(t)
	require.NoError(t, err, said)
	require.Equal(t, []string{
		"pw --database temporal create-database",
		"pw --database temporal setup-schema --version 0.0",
		"pw --database temporal update-schema --schema-name postgresql/v12/temporal",
		"pw --database temporal_visibility create-database",
		"pw --database temporal_visibility setup-schema --version 0.0",
		"pw --database temporal_visibility update-schema --schema-name postgresql/v12/visibility",
	}, strings.Split(strings.TrimSpace(read(t, record)), "\n"))

	// A step that fails ends it, so that no server starts on half a schema.
	require.NoError(t, os.Remove(record))
	password["BROKEN"] = "setup-schema"
	_, err = start{service: service, tools: tools, instead: password}.run(t)
	require.Error(t, err)
	require.Len(t, strings.Split(strings.TrimSpace(read(t, record)), "\n"), 2)
}

func TestTemporalsNamespace(t *testing.T) {
	service := everything(t).Services["temporal-namespace"]
	for name, c := range map[string]struct {
		temporal, tries string
		want            []string
		fails           bool
	}{
		"made": {temporal: `case "$*" in *describe*) exit 1;; esac`, want: []string{
			"operator cluster health", "operator namespace describe --namespace default",
			"operator namespace create --namespace default --retention 7d",
		}},
		"there already": {temporal: ``, want: []string{"operator cluster health", "operator namespace describe --namespace default"}},
		"no server":     {temporal: `exit 1`, tries: "2", want: []string{"operator cluster health", "operator cluster health"}, fails: true},
		"refused": {temporal: `case "$*" in *namespace*) exit 1;; esac`, fails: true, want: []string{
			"operator cluster health", "operator namespace describe --namespace default",
			"operator namespace create --namespace default --retention 7d",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			record := filepath.Join(t.TempDir(), "calls")
			said, err := start{
				service: service, instead: map[string]string{"TRIES": c.tries, "PAUSE": "0"},
				tools: tool(t, map[string]string{"temporal": `[ "$TEMPORAL_ADDRESS" = temporal:7233 ] && echo "$*" >>` + record + "\n" + c.temporal}),
			}.run(t)
			require.Equal(t, c.fails, err != nil, said)
			require.Equal(t, c.want, strings.Split(strings.TrimSpace(read(t, record)), "\n"))
		})
	}
}

func TestTemporalsServerGetsItsPassword(t *testing.T) {
	said, err := start{service: everything(t).Services["temporal"], instead: map[string]string{
		"POSTGRES_PWD_FILE": write(t, "pw"), "ENTRYPOINT": filepath.Join(tool(t, map[string]string{"entry": `echo "$DB $POSTGRES_USER $POSTGRES_PWD"`}), "entry"),
	}}.run(t)
	require.NoError(t, err, said)
	require.Equal(t, "postgres12 temporal pw\n", said)

	_, err = start{service: everything(t).Services["temporal"], instead: map[string]string{"POSTGRES_PWD_FILE": "/nowhere", "ENTRYPOINT": "true"}}.run(t)
	require.Error(t, err)
}

func TestTheWebUIOpensPayloadsOnlyWhenTheyAreSealed(t *testing.T) {
	entry := filepath.Join(tool(t, map[string]string{"entry": `echo "endpoint=${TEMPORAL_CODEC_ENDPOINT-none}"`}), "entry")
	for keyset, want := range map[string]string{"": "endpoint=none\n", "/secrets/codec-keyset": "endpoint=http://127.0.0.1:8080/codec/tok\n"} {
		said, err := start{service: everything(t).Services["temporal-ui"], instead: map[string]string{
			"CODEC_KEYSET_FILE": keyset, "CODEC_TOKEN_FILE": write(t, "tok"), "ENTRYPOINT": entry,
		}}.run(t)
		require.NoError(t, err, said)
		require.Equal(t, want, said)
	}
}

// psql reads the passwords from their files by itself; no argument holds one.
func TestRolesOfPostgres(t *testing.T) {
	project := everything(t)
	script := bound(t, project.Services["postgres"], "/docker-entrypoint-initdb.d/10-roles.sh")
	record := filepath.Join(t.TempDir(), "calls")
	c := exec.Command("sh", script)
	c.Env = []string{"PATH=" + tool(t, map[string]string{"psql": `echo "$*" >` + record + `; cat >>` + record}) + ":" + os.Getenv("PATH")}
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	said := read(t, record)
	require.Contains(t, said, "ON_ERROR_STOP=1")
	require.Contains(t, said, "--username=postgres")
	for _, file := range regexp.MustCompile(`\$\{SECRETS:-/secrets\}/([a-z]+)`).FindAllStringSubmatch(said, -1) {
		require.Contains(t, []string{"clusterbridge", "temporal"}, file[1])
	}
	require.Contains(t, said, "CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'temporal';")
	require.Equal(t, "temporal", *project.Services["temporal-schema"].Environment["SQL_USER"])
	require.Equal(t, "temporal", *project.Services["temporal"].Environment["POSTGRES_USER"])
}

// The demo connects the venues that the simulators tell of, with commands that
// the program understands.
func TestDemoVenues(t *testing.T) {
	told := simulatedCommands(t)
	require.NotEmpty(t, told)
	service := everything(t).Services["demo-venues"]
	require.Equal(t, "/state", *service.Environment["STATE"])
	record := filepath.Join(t.TempDir(), "calls")
	tools := tool(t, map[string]string{"clusterbridge": `for a in "$@"; do printf '%s\t' "$a"; done >>` + record + `; echo >>` + record + `; [ "$1" != status ] || [ -n "${CONNECTED:-}" ]`})
	said, err := start{service: service, tools: tools}.run(t)
	require.NoError(t, err, said)
	var venues []string
	for line := range strings.Lines(read(t, record)) {
		args := strings.Split(strings.TrimSuffix(line, "\t\n"), "\t")
		require.Empty(t, wrongCommand(t, args), line)
		switch args[0] {
		case "location":
			venues = append(venues, fmt.Sprint(args[2], " ", value(args, "--serial"), " ", value(args, "--zone"), " ", value(args, "--language"), " ", value(args, "--key-file")))
		case "connect":
			venues = append(venues, strings.TrimSpace(fmt.Sprint(args[1], ":", value(args, "--location"), " ", value(args, "--token-file"), value(args, "--venue-file"), " ", value(args, "--modifiers"))))
		}
	}
	require.Equal(t, told, venues)

	require.NoError(t, os.Remove(record))
	said, err = start{service: service, tools: tools, instead: map[string]string{"CONNECTED": "yes"}}.run(t)
	require.NoError(t, err, said)
	require.NotContains(t, read(t, record), "connect\t", "what is connected is left alone")
}

// value is a flag's value on a command line, with = or a space.
func value(args []string, flag string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, flag+"="); ok {
			return v
		}
		if a == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// simulatedCommands starts the simulators for real and returns, per venue that
// they tell of, what `location add` and `connect` take.
func simulatedCommands(t *testing.T) []string {
	t.Helper()
	state := t.TempDir()
	c := exec.Command(binary, "simulate", "--cluster-listen=127.0.0.1:0", "--sevenshifts-listen=127.0.0.1:0", "--wisk-listen=127.0.0.1:0",
		"--mailbox-listen=127.0.0.1:0", "--smtp-listen=127.0.0.1:0", "--state="+state)
	c.Env = []string{}
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	add := regexp.MustCompile(`location add (\S+) .*--zone (\S+) --language (\S+) --serial (\S+) --key-file (\S+)`)
	connect := regexp.MustCompile(`connect (\S+) --location (\S+)(?: --no-cluster-integration --modifiers (\S+))? --(?:token|venue)-file (\S+)`)
	var venues []string
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
		if m := add.FindStringSubmatch(lines.Text()); m != nil {
			require.FileExists(t, m[5])
			venues = append(venues, fmt.Sprint(m[1], " ", m[4], " ", m[2], " ", m[3], " ", strings.Replace(m[5], state, "/state", 1)))
		}
		if m := connect.FindStringSubmatch(lines.Text()); m != nil {
			require.FileExists(t, m[4])
			venues = append(venues, strings.TrimSpace(fmt.Sprint(m[1], ":", m[2], " ", strings.Replace(m[4], state, "/state", 1), " ", m[3])))
		}
	}
	return venues
}
