package program

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/clustersystems/clusterbridge/internal/work"
)

func (d *desk) temporalOptions(log *slog.Logger) client.Options {
	options := client.Options{
		HostPort:  d.settings.TemporalAddress,
		Namespace: d.settings.TemporalNamespace,
		Identity:  identity(),
		Logger:    sdklog.NewStructuredLogger(log),
		// Nil without a codec: then it is the SDK's own.
		DataConverter: d.settings.converter(),
	}
	if d.watch != nil {
		options.MetricsHandler = d.watch.metrics.Temporal()
	}
	return options
}

// identity is how this process is called in the Web UI.
func identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("clusterbridge-%d@%s", os.Getpid(), host)
}

// temporal dials Temporal once.
func (d *desk) temporal(ctx context.Context) (client.Client, error) {
	if d.remote != nil {
		return d.remote, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := client.DialContext(ctx, d.temporalOptions(d.ownLog()))
	if err != nil {
		return nil, failed(err, "check TEMPORAL_ADDRESS, and that Temporal runs", "Temporal does not answer at %s.", d.settings.TemporalAddress)
	}
	d.remote = c
	return c, nil
}

// namespaceReady is how long a namespace that was just registered may take
// until all of Temporal's services know it (10 s were measured).
const namespaceReady = 60 * time.Second

// ensureNamespace registers the namespace when it is missing, and waits until
// it can be used.
func (d *desk) ensureNamespace(ctx context.Context) (made bool, err error) {
	names, err := client.NewNamespaceClient(d.temporalOptions(d.quiet()))
	if err != nil {
		return false, failed(err, "check TEMPORAL_ADDRESS", "Temporal cannot be reached at %s.", d.settings.TemporalAddress)
	}
	defer names.Close()
	dial, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = names.Describe(dial, d.settings.TemporalNamespace)
	if err == nil {
		return false, nil
	}
	if _, missing := errors.AsType[*serviceerror.NamespaceNotFound](err); !missing {
		return false, failed(err, "check TEMPORAL_ADDRESS, and that Temporal runs", "Temporal does not answer at %s.", d.settings.TemporalAddress)
	}
	const day = 24 * time.Hour
	err = names.Register(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        d.settings.TemporalNamespace,
		Description:                      "clusterbridge: Cluster POS to its partners",
		WorkflowExecutionRetentionPeriod: durationpb.New(time.Duration(d.settings.TemporalRetention) * day),
	})
	if _, raced := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); err != nil && !raced {
		return false, failed(err, "look at Temporal's log", "Temporal refused to register the namespace %s.", d.settings.TemporalNamespace)
	}
	return true, nil
}

// ensureSearchAttributes registers ours that are missing and returns them. A
// namespace that was just made is not known everywhere at once, so it is tried
// for a while.
func (d *desk) ensureSearchAttributes(ctx context.Context) (added []string, err error) {
	c, err := d.temporal(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, namespaceReady)
	defer cancel()
	for {
		if added, err = d.addMissing(ctx, c); err == nil {
			return added, nil
		}
		if _, settled := errors.AsType[*serviceerror.InvalidArgument](err); settled {
			break
		}
		select {
		case <-ctx.Done():
			return nil, failed(err, "look at Temporal's log, then: clusterbridge migrate", "Temporal did not take the search attributes within %s.", namespaceReady)
		case <-time.After(time.Second):
		}
	}
	return nil, failed(err, "give the namespace room for four Keyword search attributes, or use another: TEMPORAL_NAMESPACE", "Temporal refuses the search attributes.")
}

func (d *desk) addMissing(ctx context.Context, c client.Client) ([]string, error) {
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: d.settings.TemporalNamespace})
	if err != nil {
		return nil, err
	}
	wanted := map[string]enumspb.IndexedValueType{}
	var missing []string
	for _, name := range work.SearchAttributes {
		if _, there := have.GetCustomAttributes()[name]; !there {
			wanted[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: d.settings.TemporalNamespace, SearchAttributes: wanted,
	})
	if _, raced := errors.AsType[*serviceerror.AlreadyExists](err); raced {
		return nil, nil
	}
	return missing, err
}

// runLink is a run's page in Temporal's Web UI.
func (d *desk) runLink(workflowID string) string {
	return fmt.Sprintf("%s/namespaces/%s/workflows/%s", d.settings.TemporalUI, d.settings.TemporalNamespace, workflowID)
}
