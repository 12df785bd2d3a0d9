package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
)

func TestHealthNamesWhatFailsAndNoMore(t *testing.T) {
	s := newLedger(t)
	broken := Check{"temporal", func(context.Context) error { return errors.New("dial postgres://user:password@host") }}
	v := serve(t, s, nil)
	a := v.do(http.MethodGet, v.url+"/health/ready", "", nil)
	require.Equal(t, 200, a.status)
	require.JSONEq(t, `{"status":"ready","checks":{"postgresql":"ok","schema":"ok"}}`, a.body)
	require.Equal(t, 200, v.do(http.MethodGet, v.adminURL+"/health/ready", "", nil).status)

	v = serve(t, s, func(o *Options) { o.Checks = append(o.Checks, broken) })
	a = v.do(http.MethodGet, v.url+"/health/ready", "", nil)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, `"temporal":"failed"`)
	require.Contains(t, a.body, `"postgresql":"ok"`)
	require.NotContains(t, a.body, "password")
	require.Equal(t, 200, v.do(http.MethodGet, v.url+"/health/live", "", nil).status, "alive all the same")

	s.DB().MustExec(`DELETE FROM goose_db_version WHERE version_id > 1`)
	v = serve(t, s, nil)
	a = v.do(http.MethodGet, v.url+"/health/ready", "", nil)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, `"schema":"failed"`)
}

func TestMetricsTellWhatHappened(t *testing.T) {
	v := serve(t, newLedger(t), nil)
	v.hook(change(serial, "1"), secret, november)
	v.triggers.wait(t)
	v.hook(change(serial, "1"), secret, november)
	v.do(http.MethodPut, v.url+PathReceiptFailed, `{"uuid":"x"}`, nil)
	v.do(http.MethodGet, v.url+"/nothing/here", "", nil)
	text := v.do(http.MethodGet, v.adminURL+"/metrics", "", nil).body
	for _, line := range []string{
		`clusterbridge_gateway_order_changed_total{outcome="accepted"} 1`,
		`clusterbridge_gateway_order_changed_total{outcome="replayed"} 1`,
		`clusterbridge_gateway_receipt_failed_total{outcome="nothing_to_do"} 1`,
		`clusterbridge_gateway_requests_total{route="POST /hooks/cluster/order-changed",status="202"} 1`,
		`clusterbridge_gateway_requests_total{route="none",status="404"} 1`,
	} {
		require.Contains(t, text, line)
	}
}

func TestAPanicIsAnsweredAndTellsNothing(t *testing.T) {
	v := serve(t, newLedger(t), func(o *Options) {
		o.Checks = []Check{{"a", func(context.Context) error { return nil }}}
		o.Seen = panics{}
	})
	a := v.hook(change(serial, "1"), secret, november)
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.NotContains(t, a.body+v.logged.String(), "a name and a key")
	require.Contains(t, v.logged.String(), "panics.First")
	require.Equal(t, 200, v.do(http.MethodGet, v.url+"/health/live", "", nil).status)
}

type panics struct{}

func (panics) First(context.Context, []byte, time.Duration) (bool, error) { panic("a name and a key") }
func (panics) Forget(context.Context) error                               { return nil }

func TestRemotesAreWhoTheyAre(t *testing.T) {
	g := &Gateway{o: Options{TrustedProxies: loopback()}}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"192.0.2.7:4000", "", "192.0.2.7"},
		{"192.0.2.7:4000", "198.51.100.1", "192.0.2.7"}, // a stranger's word
		{"127.0.0.1:4000", "198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:4000", "203.0.113.9, 198.51.100.1, 127.0.0.2", "198.51.100.1"},
		{"127.0.0.1:4000", "nonsense", "127.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:4000", "", "2001:db8:1:2::"},
		{"[::ffff:192.0.2.7]:4000", "", "192.0.2.7"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		require.Equal(t, netip.MustParseAddr(c.want), g.remoteOf(r), "%+v", c)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	good := Options{Log: quiet(), Ledger: stub{}, Seen: panics{}, Trigger: &triggers{}, Checks: []Check{{}}}
	_, err := New(good)
	require.NoError(t, err)
	for name, spoil := range map[string]func(*Options){
		"no log":          func(o *Options) { o.Log = nil },
		"no checks":       func(o *Options) { o.Checks = nil },
		"short secret":    func(o *Options) { o.HookSecrets = []string{"short"} },
		"empty secret":    func(o *Options) { o.HookSecrets = []string{""} },
		"codec, no token": func(o *Options) { o.Codec = &CodecOptions{Origins: []string{ui}} },
		"codec, no codec": func(o *Options) { o.Codec = &CodecOptions{Origins: []string{ui}, Tokens: []string{token}} },
	} {
		o := good
		spoil(&o)
		_, err := New(o)
		require.Error(t, err, name)
	}
}

type stub struct{}

func (stub) LiveConnectionsOf(context.Context, string) ([]string, error) { return nil, nil }
func (stub) ReadBackSoon(context.Context, string, string) (int, error)   { return 0, nil }

func TestASyncIsTriggeredUnlessItsScheduleIsPaused(t *testing.T) {
	paused := func(yes bool) *client.ScheduleDescription {
		return &client.ScheduleDescription{Schedule: client.Schedule{State: &client.ScheduleState{Paused: yes}}}
	}
	for name, c := range map[string]struct {
		found     *client.ScheduleDescription
		err       error
		triggered bool
		want      error
	}{
		"runs":    {paused(false), nil, true, nil},
		"paused":  {paused(true), nil, false, ErrStands},
		"missing": {nil, serviceerror.NewNotFound("no schedule"), false, ErrStands},
		"away":    {nil, serviceerror.NewUnavailable("away"), false, serviceerror.NewUnavailable("away")},
	} {
		t.Run(name, func(t *testing.T) {
			schedules, handle := mocks.NewScheduleClient(t), mocks.NewScheduleHandle(t)
			schedules.On("GetHandle", mock.Anything, "sync:"+marcel).Return(handle)
			handle.On("Describe", mock.Anything).Return(c.found, c.err)
			if c.triggered {
				handle.On("Trigger", mock.Anything, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE}).Return(nil)
			}
			require.Equal(t, c.want, Schedules{schedules}.Trigger(t.Context(), marcel))
		})
	}
}
