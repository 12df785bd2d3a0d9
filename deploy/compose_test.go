package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// oneShots do one thing and end; everything else is to be kept running.
var oneShots = []string{"secrets", "temporal-schema", "temporal-namespace", "migrate", "demo-venues", "cli"}

func TestEveryVariableIsReadBySomebody(t *testing.T) {
	require.Empty(t, unknownVariables(everything(t), settings(t)))
}

// A check that cannot go red proves nothing: every variable is misspelled in
// turn, and has to be found.
func TestAMisspelledVariableIsFound(t *testing.T) {
	project, known := everything(t), settings(t)
	tried := 0
	for name, s := range project.Services {
		for _, variable := range slices.Sorted(maps.Keys(s.Environment)) {
			wrong := variable[:len(variable)-1]
			if slices.Contains(known, wrong) {
				continue
			}
			value := s.Environment[variable]
			delete(s.Environment, variable)
			s.Environment[wrong] = value
			require.Contains(t, unknownVariables(project, known), name+": nothing reads "+wrong)
			delete(s.Environment, wrong)
			s.Environment[variable] = value
			tried++
		}
	}
	require.Greater(t, tried, 50)
}

func TestEveryCommandAndFlagIsTheBinarys(t *testing.T) {
	project := everything(t)
	require.Empty(t, wrongCommands(t, project))

	simulators := project.Services["simulators"]
	right := simulators.Command
	for _, wrong := range [][]string{{"simulat"}, {"simulate", "--stat=/state"}, {"simulate", "now"}, {"keyset", "nwe"}} {
		simulators.Command = wrong
		project.Services["simulators"] = simulators
		require.Len(t, wrongCommands(t, project), 1, wrong)
	}
	simulators.Command = right
}

func TestProfiles(t *testing.T) {
	production := load(t, nil)
	for _, name := range []string{"secrets", "postgres", "temporal-schema", "temporal", "temporal-namespace", "temporal-ui", "migrate", "worker", "gateway", "prometheus", "grafana"} {
		require.Contains(t, production.Services, name)
	}
	require.NotContains(t, production.Services, "simulators")
	worker := production.Services["worker"]
	require.Equal(t, 2, worker.GetScale())

	demo := load(t, nil, "demo")
	require.Contains(t, demo.Services, "simulators")
	require.Contains(t, demo.Services, "demo-venues")
	// What the simulators listen on is where everybody looks for them.
	command := strings.Join(demo.Services["simulators"].Command, " ")
	for variable, flag := range map[string]string{
		"CLUSTERBRIDGE_CLUSTER_URL": "--cluster-listen", "CLUSTERBRIDGE_CLUSTER_OFFICE_URL": "--cluster-listen",
		"CLUSTERBRIDGE_SEVENSHIFTS_URL": "--sevenshifts-listen", "CLUSTERBRIDGE_WISK_URL": "--wisk-listen",
	} {
		url := demo.Services["worker"].Environment[variable]
		require.NotNil(t, url)
		host, port, _ := strings.Cut(strings.TrimPrefix(*url, "http://"), ":")
		require.Contains(t, demo.Services, host)
		require.Contains(t, command, flag+"=0.0.0.0:"+port)
	}
	mail := demo.Services["worker"].Environment
	require.Contains(t, demo.Services, *mail["CLUSTERBRIDGE_MAIL_HOST"])
	require.Contains(t, command, "--smtp-listen=0.0.0.0:"+*mail["CLUSTERBRIDGE_MAIL_PORT"])
	_, port, _ := strings.Cut(*demo.Services["gateway"].Environment["CLUSTERBRIDGE_GATEWAY_LISTEN"], ":")
	require.Contains(t, command, "--gateway=http://gateway:"+port)
}

// Who makes links, who opens them and who shows them agree; so do those who share
// a secret with Cluster.
func TestOnboardingIsSetUpAlike(t *testing.T) {
	project := load(t, []string{"PORT_GATEWAY=9080"}, "demo", "cli")
	for _, name := range []string{"worker", "gateway", "cli"} {
		environment := project.Services[name].Environment
		require.Equal(t, "http://127.0.0.1:9080", *environment["CLUSTERBRIDGE_GATEWAY_URL"], name)
		require.Equal(t, "/secrets/link-secret", *environment["CLUSTERBRIDGE_LINK_SECRETS_FILE"], name)
		require.Equal(t, "/secrets/office-key", *environment["CLUSTERBRIDGE_CLUSTER_OFFICE_KEY_FILE"], name)
	}
	require.Equal(t, "Ceci est une démonstration : rien n'est à payer.", *project.Services["worker"].Environment["CLUSTERBRIDGE_BILLING_HOW_TO_PAY_FR"])
	gateway := project.Services["gateway"]
	require.Equal(t, "9080", gateway.Ports[0].Published)
	require.Equal(t, "/secrets/billing-secret", *gateway.Environment["CLUSTERBRIDGE_BILLING_SECRETS_FILE"])
	require.NotContains(t, project.Services["worker"].Environment, "CLUSTERBRIDGE_BILLING_SECRETS_FILE")
	command := project.Services["simulators"].Command
	require.Contains(t, command, "--hook-secret-file="+*gateway.Environment["CLUSTERBRIDGE_HOOK_SECRETS_FILE"])
	require.Contains(t, command, "--office-key-file="+*gateway.Environment["CLUSTERBRIDGE_CLUSTER_OFFICE_KEY_FILE"])
}

// What production has to say anew is what the defaults say.
func TestProductionIsToldEveryDefault(t *testing.T) {
	defaults, err := os.ReadFile("clusterbridge/defaults.env")
	require.NoError(t, err)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	named := regexp.MustCompile(`(?m)^([A-Z0-9_]+)=`).FindAllStringSubmatch(string(defaults), -1)
	require.Greater(t, len(named), 15)
	for _, m := range named {
		require.Contains(t, string(readme), "\n"+m[1]+"=")
	}
}

func TestWhatAnOperatorSetsReachesTheServices(t *testing.T) {
	project := load(t, []string{"TEMPORAL_NAMESPACE=pilot", "PORT_UI=9233", "VERSION_TEMPORAL=1.32.2", "CLUSTERBRIDGE_CODEC_KEYSET_FILE=/secrets/codec-keyset"})
	require.Equal(t, "pilot", *project.Services["worker"].Environment["TEMPORAL_NAMESPACE"])
	require.Equal(t, "pilot", *project.Services["temporal-namespace"].Environment["TEMPORAL_NAMESPACE"])
	require.Equal(t, "/secrets/codec-keyset", *project.Services["worker"].Environment["CLUSTERBRIDGE_CODEC_KEYSET_FILE"])
	require.Equal(t, "/secrets/codec-keyset", *project.Services["temporal-ui"].Environment["CODEC_KEYSET_FILE"])
	// The schema's version is the server's.
	require.Equal(t, "temporalio/server:1.32.2", project.Services["temporal"].Image)
	require.Equal(t, "temporalio/admin-tools:1.32.2", project.Services["temporal-schema"].Image)
	require.Contains(t, *project.Services["gateway"].Environment["CLUSTERBRIDGE_CODEC_ORIGINS"], "http://127.0.0.1:9233")
}

func TestNothingIsPublishedBeyondThisMachine(t *testing.T) {
	for name, s := range everything(t).Services {
		for _, port := range s.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "%s publishes %d", name, port.Target)
		}
		require.NotEqual(t, "host", s.NetworkMode, name)
	}
	require.Empty(t, everything(t).Services["postgres"].Ports)
	require.True(t, everything(t).Networks["back"].Internal)
}

func TestImagesArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?[a-z0-9.-]*(@sha256:[0-9a-f]{64})?$`)
	for name, s := range everything(t).Services {
		if s.Build != nil {
			require.Contains(t, []string{"clusterbridge", "clusterbridge-tools"}, imageName(s.Image), name)
			require.NotContains(t, s.Image, "latest", name)
			continue
		}
		require.Regexp(t, pinned, s.Image, name)
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(dockerfile), -1) {
		if m[1] != "scratch" {
			require.Regexp(t, pinned, m[1])
		}
	}
}

func TestContainersAreClosed(t *testing.T) {
	for name, s := range everything(t).Services {
		require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, s.User, "%s: not root", name)
		require.True(t, s.ReadOnly, "%s: its file system", name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Empty(t, s.CapAdd, name)
		require.False(t, s.Privileged, name)
		require.Contains(t, s.SecurityOpt, "no-new-privileges:true", name)
		require.NotEmpty(t, s.Tmpfs, name)
		require.NotNil(t, s.Logging, "%s: logs that do not fill the disk", name)
		for _, v := range s.Volumes {
			require.NotContains(t, v.Source, "docker.sock", name)
			if v.Type == types.VolumeTypeBind {
				require.True(t, v.ReadOnly, "%s: %s", name, v.Source)
				require.FileExists(t, existing(t, v.Source))
			}
			if strings.HasPrefix(v.Source, "secrets-") && name != "secrets" {
				require.True(t, v.ReadOnly, "%s: %s", name, v.Source)
			}
		}
	}
}

// existing turns a folder into a file of it, since Docker would make an empty
// folder of a source that is missing.
func existing(t *testing.T, source string) string {
	t.Helper()
	info, err := os.Stat(source)
	require.NoError(t, err)
	if !info.IsDir() {
		return source
	}
	entries, err := os.ReadDir(source)
	require.NoError(t, err)
	require.NotEmpty(t, entries, source)
	for _, e := range entries {
		if !e.IsDir() {
			return filepath.Join(source, e.Name())
		}
	}
	return existing(t, filepath.Join(source, entries[0].Name()))
}

func TestServicesAreWatchedAndStartInOrder(t *testing.T) {
	project := everything(t)
	for name, s := range project.Services {
		once := slices.Contains(oneShots, name)
		if once {
			require.Empty(t, s.Restart, "%s ends when it is done", name)
		} else {
			require.Equal(t, types.RestartPolicyUnlessStopped, s.Restart, name)
			require.NotNil(t, s.HealthCheck, name)
			require.NotEmpty(t, s.HealthCheck.Test, name)
		}
		for other, on := range s.DependsOn {
			want := types.ServiceConditionHealthy
			if slices.Contains(oneShots, other) {
				want = types.ServiceConditionCompletedSuccessfully
			}
			require.Equal(t, want, on.Condition, "%s waits for %s", name, other)
		}
		// Whoever reads a secret waits until it was made.
		if name != "secrets" && slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return strings.HasPrefix(v.Source, "secrets-") }) {
			require.True(t, waitsFor(project, name, "secrets"), name)
		}
	}
	for _, edge := range [][2]string{
		{"temporal-schema", "postgres"}, {"temporal", "temporal-schema"}, {"temporal-namespace", "temporal"},
		{"migrate", "temporal-namespace"}, {"worker", "migrate"}, {"gateway", "migrate"}, {"demo-venues", "simulators"},
	} {
		require.Contains(t, project.Services[edge[0]].DependsOn, edge[1])
	}
}

func waitsFor(p *types.Project, name, other string) bool {
	for next := range p.Services[name].DependsOn {
		if next == other || waitsFor(p, next, other) {
			return true
		}
	}
	return false
}

// Secrets come from files, and no volume of them is mounted where it need not.
func TestNoSecretInTheFile(t *testing.T) {
	secret := regexp.MustCompile(`(?i)(password|pwd|secret|token|keyset|key)$`)
	for name, s := range everything(t).Services {
		for variable, value := range s.Environment {
			require.False(t, secret.MatchString(variable), "%s: %s is not to be in the environment", name, variable)
			if value != nil {
				require.NotRegexp(t, `://[^/@]*:[^/@]*@`, *value, "%s: %s", name, variable)
			}
		}
		for _, v := range s.Volumes {
			consumer, ok := strings.CutPrefix(v.Source, "secrets-")
			if !ok || name == "secrets" {
				continue
			}
			of := map[string][]string{
				"postgres": {"postgres"}, "grafana": {"grafana"}, "ui": {"temporal-ui"}, "cluster": {"simulators"}, "temporal": {"temporal", "temporal-schema"},
				"clusterbridge": {"migrate", "worker", "gateway", "cli", "demo-venues"},
			}[consumer]
			require.Contains(t, of, name, v.Source)
		}
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	require.Contains(t, strings.Split(string(ignored), "\n"), "*", "nothing reaches the builder but what is named")
}

// Prometheus asks where the services answer.
func TestScrapeTargets(t *testing.T) {
	project := everything(t)
	text, err := os.ReadFile("prometheus/prometheus.yml")
	require.NoError(t, err)
	for service, variable := range map[string]string{"worker": "CLUSTERBRIDGE_WORKER_LISTEN", "gateway": "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN", "temporal": "PROMETHEUS_ENDPOINT"} {
		listen := project.Services[service].Environment[variable]
		require.NotNil(t, listen)
		_, port, _ := strings.Cut(*listen, ":")
		require.Regexp(t, `(`+service+`:`+port+`|names: \[`+service+`\]\s+type: A\s+port: `+port+`)`, string(text))
	}
}
