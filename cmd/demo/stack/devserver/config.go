package devserver

import (
	"io"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
)

const (
	storeName   = sqliteplugin.PluginName
	clusterName = "active"
)

// serviceOrder gives each service its port; the frontend's is first.
var serviceOrder = []primitives.ServiceName{
	primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
}

var countAll = &workflowservice.CountWorkflowExecutionsRequest{}

func serverConfig(file string, ports []int) *config.Config {
	frontend := address(ports[0])
	services := map[string]config.Service{}
	for i, name := range serviceOrder {
		services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: ports[i], BindOnIP: loopback}}
	}
	return &config.Config{
		Global: config.Global{
			Membership: config.Membership{BroadcastAddress: loopback},
		},
		Persistence: config.Persistence{
			DefaultStore:     storeName,
			VisibilityStore:  storeName,
			NumHistoryShards: 1, // one process: more shards only cost memory
			DataStores:       map[string]config.DataStore{storeName: {SQL: database(file)}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services,
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
		PublicClient: config.PublicClient{HostPort: frontend},
	}
}

// database is SQLite with a write-ahead log; one connection, because more were
// measured three to four times slower (lock retries).
func database(file string) *config.SQL {
	return &config.SQL{PluginName: storeName, DatabaseName: file, MaxConns: 1, MaxIdleConns: 1,
		ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "normal"}}
}

// newLogger writes the server's errors; an embedded server that starts and
// stops with its clients warns about things that are no news.
func newLogger(w io.Writer) log.Logger {
	if w == nil {
		return log.NewNoopLogger()
	}
	return &errorLogger{Logger: log.NewNoopLogger(), w: w}
}

type errorLogger struct {
	log.Logger
	w io.Writer
}

// Error writes one line; tags are left out but the error itself.
func (l *errorLogger) Error(msg string, tags ...tag.Tag) {
	line := "temporal: " + msg
	for _, t := range tags {
		if t.Key() == "error" {
			if text, ok := t.Value().(string); ok {
				line += ": " + text
			}
		}
	}
	_, _ = io.WriteString(l.w, line+"\n")
}
