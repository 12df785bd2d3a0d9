//go:build unix

package program

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"

	"github.com/clustersystems/clusterbridge/internal/gateway"
)

// running is a verb that keeps running.
type running struct {
	t        *testing.T
	out, err *lines
	ended    chan int
}

// lines can be read while they are written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
	new chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.new <- struct{}{}:
	default:
	}
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start runs a verb until stop.
func start(t *testing.T, environ []string, args ...string) *running {
	t.Helper()
	r := &running{t: t, out: &lines{new: make(chan struct{}, 1)}, err: &lines{new: make(chan struct{}, 1)}, ended: make(chan int, 1)}
	go func() { r.ended <- Main(args, strings.NewReader(""), r.out, r.err, environ) }()
	return r
}

// find waits for what a pattern finds in the output or the log.
func (r *running) find(pattern string) string {
	r.t.Helper()
	late := time.After(30 * time.Second)
	for {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(r.out.String() + r.err.String()); found != nil {
			return found[1]
		}
		select {
		case <-r.out.new:
		case <-r.err.new:
		case code := <-r.ended:
			r.t.Fatalf("it ended with %d:\n%s%s", code, r.out, r.err)
		case <-late:
			r.t.Fatalf("no %s in:\n%s%s", pattern, r.out, r.err)
		}
	}
}

// stop is what an orchestrator does.
func (r *running) stop() {
	r.t.Helper()
	require.NoError(r.t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	select {
	case code := <-r.ended:
		require.Equal(r.t, ExitOK, code, r.err.String())
	case <-time.After(90 * time.Second):
		r.t.Fatal("it does not stop")
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, string(text))
	return string(text)
}

func TestTheGatewayServesUntilItIsStopped(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.connectMarcel()
	keyset := strings.TrimSpace(run(nil, "", "keyset", "new", "--codec").out)
	secret, token := strings.Repeat("s", 32), fmt.Sprintf("%x", sha256.Sum256([]byte("token")))
	environ := append(s.environ, "TEMPORAL_ADDRESS="+serveTemporal(t, frontend{}),
		"CLUSTERBRIDGE_GATEWAY_LISTEN=127.0.0.1:0", "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN=127.0.0.1:0",
		"CLUSTERBRIDGE_HOOK_SECRETS="+secret, "CLUSTERBRIDGE_CODEC_TOKENS="+token, "CLUSTERBRIDGE_CODEC_KEYSET="+keyset)
	g := start(t, environ, "gateway")
	public, admin := g.find(`ready: gateway .* (http://[0-9.:]+), metrics`), g.find(`ready: gateway .* metrics ([0-9.:]+)`)

	r := run(nil, "", "health", admin)
	require.Equal(t, ExitOK, r.code, r.err)
	require.Equal(t, "ready\n", r.out)
	metrics := get(t, "http://"+admin+"/metrics")
	require.Contains(t, metrics, `clusterbridge_connection_state{connection="7shifts:chez-marcel",partner="7shifts",state="initializing"} 1`)
	require.Contains(t, metrics, `temporal_request_total{`)

	hook := `{"serial":"CL-1","orderId":"1"}`
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, public+gateway.PathOrderChanged, strings.NewReader(hook))
	require.NoError(t, err)
	post.Header.Set("Content-Type", "application/json")
	gateway.SignRequest(post, secret, time.Now(), []byte(hook))
	answer, err := http.DefaultClient.Do(post)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusAccepted, answer.StatusCode)

	// What a worker would have sealed is opened.
	settings, err := Load(environ)
	require.NoError(t, err)
	sealed, err := settings.codec().Encode([]*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"open"`)}})
	require.NoError(t, err)
	body, err := json.Marshal(map[string]any{"payloads": []any{map[string]any{"metadata": sealed[0].GetMetadata(), "data": sealed[0].GetData()}}})
	require.NoError(t, err)
	answer, err = http.Post(public+"/codec/"+token+"/decode", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	opened, err := io.ReadAll(answer.Body)
	require.NoError(t, errors.Join(err, answer.Body.Close()))
	require.Contains(t, string(opened), "Im9wZW4i", "base64 of what was sealed")

	g.stop()
	require.NotContains(t, g.out.String()+g.err.String(), token)
	require.NotContains(t, g.out.String()+g.err.String(), secret)
	require.Equal(t, ExitFailed, run(nil, "", "health", admin).code)
}

func TestTheWorkerServesMetricsAndHealthWhereItIsTold(t *testing.T) {
	s := newStage(t)
	w := start(t, append(s.environ, "TEMPORAL_ADDRESS="+serveTemporal(t, frontend{}), "CLUSTERBRIDGE_WORKER_LISTEN=127.0.0.1:0"), "worker")
	admin := w.find(`"metrics and health are served","address":"([0-9.:]+)"`)
	w.find(`(ready: worker)`)
	require.Equal(t, ExitOK, run(nil, "", "health", "http://"+admin).code)
	metrics := get(t, "http://"+admin+"/metrics")
	for _, found := range []string{"clusterbridge_build_info{", `temporal_worker_start_total{`, `temporal_num_pollers{`, "go_goroutines "} {
		require.Contains(t, metrics, found)
	}
	// How connections are is told by the gateway alone.
	require.NotContains(t, metrics, "clusterbridge_ledger_up")
	w.stop()
}

func TestHealthOfWhatIsAway(t *testing.T) {
	r := run(nil, "", "health", "127.0.0.1:1")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "Nothing answers at http://127.0.0.1:1/health/ready.")
	require.Equal(t, ExitUsage, run(nil, "", "health", "gateway").code)
}
