package program

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/frontdesk"
	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
)

type gatewayVerb struct{}

func (gatewayVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run serves hooks, health, metrics and the codec endpoint until the process is
// told to stop; requests under way and syncs still owed then end in order.
func (v *gatewayVerb) Run(ctx context.Context, d *desk) error {
	log := d.logger()
	d.warnUnknown()
	watched, err := d.newWatch(ctx, log)
	if err != nil {
		return err
	}
	defer watched.close()
	d.watch = watched
	g, err := d.newGateway(ctx, log)
	if err != nil {
		return err
	}
	public, admin, err := d.gatewayListeners(ctx)
	if err != nil {
		g.Close()
		return err
	}
	at := "nowhere"
	if admin != nil {
		at = admin.Addr().String()
	}
	// One line that a person or a script can wait for.
	d.say("ready: gateway %s, process %d, http://%s, metrics %s", Version(), os.Getpid(), public.Addr(), at)
	log.InfoContext(ctx, "gateway is ready", "version", Version(), "address", public.Addr().String(), "metrics", at,
		"hook", len(d.settings.HookSecrets) > 0, "codec", d.codecOptions() != nil)
	if err := g.Serve(ctx, public, admin); err != nil {
		return failed(err, "clusterbridge gateway", "The gateway cannot serve any more.")
	}
	log.InfoContext(context.WithoutCancel(ctx), "gateway has stopped")
	return nil
}

// newGateway wires the gateway.
func (d *desk) newGateway(ctx context.Context, log *slog.Logger) (*gateway.Gateway, error) {
	store, err := d.ledger(ctx)
	if err != nil {
		return nil, err
	}
	remote, err := d.temporal(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.watch.metrics.WatchLedger(store, log); err != nil {
		return nil, failed(err, "send this line to the developers", "The ledger's metrics could not be made.")
	}
	desk, err := d.frontdesk(ctx, remote)
	if err != nil {
		return nil, err
	}
	options := gateway.Options{
		Log: log, Metrics: d.watch.metrics.Registry,
		Ledger: store, Seen: gateway.SeenTogether(store.DB()), Trigger: gateway.Schedules{Client: remote.ScheduleClient()},
		Checks:      append(gateway.LedgerChecks(store), gateway.TemporalCheck(remote)),
		HookSecrets: d.settings.HookSecrets, HookTolerance: d.settings.HookTolerance, Debounce: d.settings.HookDebounce,
		Codec: d.codecOptions(), TrustedProxies: d.settings.trustedProxies(),
	}
	if desk != nil {
		options.Requests, options.BillingSecrets = desk, d.settings.BillingSecrets
		if options.Pages, err = d.pages(desk, log); err != nil {
			return nil, err
		}
	}
	g, err := gateway.New(options)
	if err != nil {
		return nil, failed(err, "clusterbridge settings", "The gateway cannot be made of these settings.")
	}
	return g, nil
}

// frontdesk is who takes requests and what people say on pages; nil where nobody
// is onboarded.
func (d *desk) frontdesk(ctx context.Context, remote client.Client) (*frontdesk.Desk, error) {
	base := d.watch.transport(http.DefaultTransport.(*http.Transport).Clone())
	room, err := d.room(ctx, base)
	if err != nil || room == nil {
		return nil, err
	}
	return &frontdesk.Desk{Room: room, Temporal: remote}, nil
}

func (d *desk) pages(desk *frontdesk.Desk, log *slog.Logger) (*pages.Pages, error) {
	made, err := pages.New(pages.Options{
		Desk: desk, Signer: desk.Room.Links, Clock: d.clock(), Log: log,
		PublicURL: d.settings.GatewayURL, House: d.settings.MailHouseName, Support: d.settings.SupportAddress,
	})
	if err != nil {
		return nil, failed(err, "clusterbridge settings", "%s", sentence(err.Error()))
	}
	return made, nil
}

// codecOptions are those of the endpoint, nil when it is off.
func (d *desk) codecOptions() *gateway.CodecOptions {
	s := d.settings
	sealer := s.codec()
	if sealer == nil || len(s.CodecTokens) == 0 || len(s.CodecOrigins) == 0 {
		return nil
	}
	return &gateway.CodecOptions{Codec: sealer, Tokens: s.CodecTokens, Origins: s.CodecOrigins}
}

// gatewayListeners opens both addresses; admin is nil when it is off.
func (d *desk) gatewayListeners(ctx context.Context) (public, admin net.Listener, err error) {
	if d.settings.GatewayListen == listenOff {
		return nil, nil, usage("A gateway that is off serves nothing.", "set CLUSTERBRIDGE_GATEWAY_LISTEN")
	}
	public, err = listenOn(ctx, d.settings.GatewayListen, "CLUSTERBRIDGE_GATEWAY_LISTEN")
	if err != nil {
		return nil, nil, err
	}
	admin, err = listenOn(ctx, d.settings.GatewayAdminListen, "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN")
	if err != nil {
		return nil, nil, errors.Join(err, public.Close())
	}
	return public, admin, nil
}
