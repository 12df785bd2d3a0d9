// Package devserver runs a Temporal server and its Web UI inside this process,
// on SQLite: the embedded default of the demo and of the end-to-end tests.
package devserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
)

// Version is that of the embedded Temporal server.
const Version = headers.ServerVersion

// loopback is the only address the embedded server listens on: it has no
// authentication.
const loopback = "127.0.0.1"

// readyWithin bounds the wait for the first answer; measured 0.5 to 2 s, more
// when a machine is busy compiling.
const readyWithin = 60 * time.Second

// Options say how to run an embedded server.
type Options struct {
	// File is the SQLite file; its folder must exist.
	File string
	// Namespace is made before the start, with SearchAttributes of type
	// Keyword.
	Namespace        string
	SearchAttributes []string
	// Log gets the server's own messages, warnings and above; nil drops them.
	Log io.Writer
}

// Server is a running embedded Temporal server.
type Server struct {
	server  temporal.Server
	address string
	options Options
	ports   []int
}

// Start runs a server and returns once it answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	ports, err := freePorts(len(serviceOrder))
	if err != nil {
		return nil, err
	}
	return startOn(ctx, o, ports)
}

// Restart stops the server and starts it again on the same ports and file, as
// after a crash of its machine: whoever talks to it finds it gone meanwhile.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	again, err := startOn(ctx, s.options, s.ports)
	if err == nil {
		s.server = again.server
	}
	return err
}

func startOn(ctx context.Context, o Options, ports []int) (*Server, error) {
	cfg := serverConfig(o.File, ports)
	if err := prepare(cfg, o); err != nil {
		return nil, err
	}
	srv, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(ports)),
		temporal.WithLogger(newLogger(o.Log)),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamic()),
	)
	if err != nil {
		return nil, fmt.Errorf("embedded Temporal: %w", err)
	}
	if err := srv.Start(); err != nil {
		return nil, fmt.Errorf("embedded Temporal: %w", err)
	}
	s := &Server{server: srv, address: address(ports[0]), options: o, ports: ports}
	if err := waitReady(ctx, s.address, o.Namespace); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Address is where clients connect, host:port.
func (s *Server) Address() string { return s.address }

// Stop ends the server gracefully; it takes about a second.
func (s *Server) Stop() error { return s.server.Stop() }

func prepare(cfg *config.Config, o Options) error {
	store := cfg.Persistence.DataStores[storeName].SQL
	if _, err := os.Stat(o.File); errors.Is(err, os.ErrNotExist) {
		// A set-up that was cut leaves no half-made schema under the real name;
		// without a write-ahead log the new file is whole and can be renamed.
		fresh := *store
		fresh.DatabaseName = o.File + ".new"
		fresh.ConnectAttributes = map[string]string{"mode": "rwc"}
		if err := removeDatabase(fresh.DatabaseName); err != nil {
			return err
		}
		if err := sqlite.SetupSchema(&fresh); err != nil {
			return fmt.Errorf("embedded Temporal: schema: %w", err)
		}
		if err := os.Rename(fresh.DatabaseName, o.File); err != nil {
			return fmt.Errorf("embedded Temporal: %w", err)
		}
	}
	attributes := map[string]enums.IndexedValueType{}
	for _, name := range o.SearchAttributes {
		attributes[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
	}
	namespace, err := sqlite.NewNamespaceConfig(clusterName, o.Namespace, false, attributes)
	if err != nil {
		return fmt.Errorf("embedded Temporal: namespace: %w", err)
	}
	if err := sqlite.CreateNamespaces(store, namespace); err != nil {
		return fmt.Errorf("embedded Temporal: namespace: %w", err)
	}
	return nil
}

func removeDatabase(file string) error {
	left, err := filepath.Glob(file + "*")
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

func waitReady(ctx context.Context, at, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	for {
		c, err := client.DialContext(ctx, client.Options{HostPort: at, Namespace: namespace, Logger: quiet})
		if err == nil {
			_, err = c.CountWorkflow(ctx, countAll)
			c.Close()
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("embedded Temporal does not answer after %v: %w", readyWithin, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func staticHosts(ports []int) map[primitives.ServiceName]static.Hosts {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for i, name := range serviceOrder {
		hosts[name] = static.SingleLocalHost(address(ports[i]))
	}
	return hosts
}

// dynamic is what was measured to matter on a small machine: queues polled
// without 50 ms quanta, timers without a second of shift, and fairness, which
// the server leaves off.
func dynamic() dynamicconfig.StaticClient {
	const polls = 2000 // a second; the default of 20 makes each step wait 50 ms
	return dynamicconfig.StaticClient{
		dynamicconfig.TransferProcessorMaxPollRPS.Key():                  polls,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():                     polls,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key():                polls,
		dynamicconfig.TimerProcessorMaxTimeShift.Key():                   20 * time.Millisecond,
		dynamicconfig.MatchingEnableFairness.Key():                       true,
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():           1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key():          1,
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key():      true,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
	}
}

// freePorts finds n free ports by binding all before releasing any.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", address(0))
		if err != nil {
			return nil, fmt.Errorf("no free port on %s: %w", loopback, err)
		}
		defer l.Close() // all stay bound until the last is found
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

func address(port int) string { return fmt.Sprintf("%s:%d", loopback, port) }
