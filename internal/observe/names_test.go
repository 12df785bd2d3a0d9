package observe

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	dashboardFile = "../../deploy/grafana/dashboards/clusterbridge.json"
	alertsFile    = "../../deploy/prometheus/rules/alerts.yml"
)

// query is an expression and where it stands.
type query struct{ at, text string }

// dashboard are the expressions of the Grafana dashboard.
func dashboard(t *testing.T) []query {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			Title, Type string
			GridPos     struct{ H, W, X, Y int }
			Targets     []struct {
				Expr       string
				Datasource struct{ UID string }
			}
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	var all []query
	for _, p := range board.Panels {
		require.NotEmpty(t, p.Title)
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		require.True(t, p.Type == "row" || len(p.Targets) > 0, p.Title)
		for _, target := range p.Targets {
			// deploy/grafana/provisioning names it so.
			require.Equal(t, "prometheus", target.Datasource.UID, p.Title)
			all = append(all, query{p.Title, target.Expr})
		}
	}
	for _, v := range board.Templating.List {
		metric, _, ok := strings.Cut(strings.TrimPrefix(v.Definition, "label_values("), ", ")
		require.True(t, ok, v.Name)
		all = append(all, query{v.Name, metric})
	}
	require.Greater(t, len(all), 30)
	return all
}

type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// alerts are Prometheus' rules.
func alerts(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile(alertsFile)
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	var all []alert
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	require.Greater(t, len(all), 15)
	return all
}

// known is what one really gathers: names of series with their labels.
type known struct {
	series, labels map[string]bool
	own            map[string]bool // metrics of ours, without suffixes
}

// gathered uses everything once and gathers.
func gathered(t *testing.T) known {
	t.Helper()
	m := newMetrics(t)
	s, _ := newLedger(t)
	_, err := s.RecordFailure(t.Context(), marcel, work.ClusterOffline, "", work.Transient, 0)
	require.NoError(t, err)
	waitingPeople(t, s)
	require.NoError(t, m.WatchLedger(s, quiet()))
	use(t, m, s)

	k := known{series: map[string]bool{}, labels: map[string]bool{}, own: map[string]bool{}}
	families, err := m.Registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		name := f.GetName()
		k.series[name] = true
		if strings.HasPrefix(name, namespace+"_") {
			k.own[name] = true
		}
		if f.GetMetric()[0].GetHistogram() != nil {
			k.series[name+"_bucket"], k.series[name+"_sum"], k.series[name+"_count"] = true, true, true
		}
		for _, series := range f.GetMetric() {
			for _, label := range series.GetLabel() {
				k.labels[label.GetName()] = true
			}
		}
	}
	for _, name := range sdkNames(t) {
		k.series[name] = true
	}
	for _, label := range append(slices.Clone(sdkLabels), "job", "instance", "le") {
		k.labels[label] = true
	}
	k.series["up"] = true // Prometheus' own
	return k
}

// use uses what counts only when it is used.
func use(t *testing.T, m *Metrics, s *ledger.Store) {
	t.Helper()
	_, systems := answering(t)
	answers := roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK}, nil })
	_, err := m.Transport(answers, systems, nil).RoundTrip(httptest.NewRequest(http.MethodGet, "http://x/v2/whoami", http.NoBody))
	require.NoError(t, err)
	require.NoError(t, runOnce(t, m, func(context.Context) (work.StepResult, error) { return work.StepResult{}, nil }, m.Interceptor()))

	secret := strings.Repeat("s", 32)
	g, err := gateway.New(gateway.Options{
		Log: quiet(), Metrics: m.Registry, Ledger: s, Seen: gateway.SeenTogether(s.DB()), Trigger: started{},
		Checks: gateway.LedgerChecks(s), HookSecrets: []string{secret},
	})
	require.NoError(t, err)
	hook := `{"serial":"A1","orderId":"1"}`
	post := httptest.NewRequest(http.MethodPost, gateway.PathOrderChanged, strings.NewReader(hook))
	post.Header.Set("Content-Type", "application/json")
	gateway.SignRequest(post, secret, time.Now(), []byte(hook))
	put := httptest.NewRequest(http.MethodPut, gateway.PathReceiptFailed, strings.NewReader(`{"uuid":"1","message":""}`))
	put.Header.Set("Content-Type", "application/json")
	for _, r := range []*http.Request{post, put} {
		answer := httptest.NewRecorder()
		g.Handler().ServeHTTP(answer, r)
		require.Less(t, answer.Code, http.StatusBadRequest, answer.Body.String())
	}
	g.Close() // starts the sync that the hook wants
}

// started is a trigger that does nothing.
type started struct{}

func (started) Trigger(context.Context, string) error { return nil }

// sdkNames are the metrics that Temporal's SDK can count, as they arrive.
func sdkNames(t *testing.T) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "go.temporal.io/sdk")
	list.Env = append(os.Environ(), "GOWORK=off")
	dir, err := list.Output()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal/common/metrics/constants.go"))
	require.NoError(t, err)
	var names []string
	for _, found := range regexp.MustCompile(`(TemporalMetricsPrefix|TemporalRequest|TemporalLongRequest) \+ "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		name := map[string]string{"TemporalMetricsPrefix": "temporal_", "TemporalRequest": "temporal_request", "TemporalLongRequest": "temporal_long_request"}[found[1]] + found[2]
		switch {
		case strings.HasSuffix(name, "_latency"):
			names = append(names, name+"_seconds_bucket", name+"_seconds_sum", name+"_seconds_count")
		case strings.Contains(name, "_slots_") || strings.HasSuffix(name, "_size") || name == "temporal_num_pollers":
			names = append(names, name)
		default:
			names = append(names, name+"_total")
		}
	}
	require.Greater(t, len(names), 40)
	return names
}

var (
	quoted   = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	window   = regexp.MustCompile(`\[[^\]]*\]`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	matchers = regexp.MustCompile(`\{([^}]*)\}`)
	word     = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	// ofPromQL are the words of the language that we use.
	ofPromQL = []string{
		"sum", "max", "min", "count", "topk", "rate", "increase", "delta", "min_over_time",
		"histogram_quantile", "absent", "vector", "and", "or", "by",
	}
)

// strangers are the words of an expression that are neither the language's nor
// known metrics and labels. names gets the metrics that it uses.
func (k known) strangers(text string, names map[string]bool) []string {
	var found []string
	text = window.ReplaceAllString(quoted.ReplaceAllString(text, ""), "")
	for _, pattern := range []*regexp.Regexp{grouping, matchers} {
		for _, group := range pattern.FindAllStringSubmatch(text, -1) {
			for _, label := range word.FindAllString(group[1], -1) {
				if !k.labels[label] {
					found = append(found, label)
				}
			}
		}
		text = pattern.ReplaceAllString(text, " ")
	}
	for _, name := range word.FindAllString(text, -1) {
		switch {
		case slices.Contains(ofPromQL, name):
		case k.series[name]:
			names[name] = true
		default:
			found = append(found, name)
		}
	}
	return found
}

func TestDashboardAndAlertsNameOnlyWhatExists(t *testing.T) {
	k, used := gathered(t), map[string]bool{}
	for _, q := range dashboard(t) {
		require.Empty(t, k.strangers(q.text, used), "%s: %s", q.at, q.text)
	}
	for _, a := range alerts(t) {
		require.Empty(t, k.strangers(a.Expr, used), "%s: %s", a.Alert, a.Expr)
	}
	for own := range k.own {
		require.True(t, slices.ContainsFunc([]string{"", "_bucket", "_sum", "_count"}, func(suffix string) bool { return used[own+suffix] }),
			"%s is in no panel and no alert", own)
	}
	// A check that cannot go red proves nothing.
	for _, wrong := range []string{
		`sum(clusterbridge_document_waiting)`, `clusterbridge_documents_waiting{line="live"}`, `sum by (conection) (clusterbridge_ledger_up)`,
		`rate(clusterbridge_runs[5m])`, `temporal_request_latency_seconds`, `summ(clusterbridge_ledger_up)`,
	} {
		require.Len(t, k.strangers(wrong, map[string]bool{}), 1, wrong)
	}
}

func TestEveryAlertSaysWhatToTypeNext(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range alerts(t) {
		require.False(t, seen[a.Alert], "%s stands there twice", a.Alert)
		seen[a.Alert] = true
		require.Contains(t, []string{"page", "ticket"}, a.Labels["severity"], a.Alert)
		require.NotEmpty(t, a.Annotations["summary"], a.Alert)
		require.Contains(t, a.Annotations["description"], `"clusterbridge `, a.Alert)
		for _, label := range regexp.MustCompile(`\$labels\.([a-z_]+)`).FindAllStringSubmatch(a.Annotations["summary"]+a.Annotations["description"], -1) {
			// The rest of the labels are those of what was scraped.
			require.True(t, label[1] == "instance" || strings.Contains(a.Expr, label[1]), "%s: its result has no label %s", a.Alert, label[1])
		}
	}
	for _, wanted := range []string{"NoWorker", "LedgerDown", "ConnectionStale", "BacklogNotFalling", "RecordsPutAside", "ConnectionCalledOff", "PartnerSlowsUsDown"} {
		require.True(t, seen[wanted], wanted)
	}
}
