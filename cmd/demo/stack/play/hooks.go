package play

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/gateway"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

const (
	// hookEvery is how often the simulated Cluster tells what changed.
	hookEvery = 100 * time.Millisecond
	// hookWithin bounds one call of the hook; a lost one is only a later sync.
	hookWithin = 2 * time.Second
)

// prepareGateway settles where the gateway will be and which secrets it knows:
// the same at each start, so that links in mails stay good.
func (d *Demo) prepareGateway() (err error) {
	if d.hookSecret, err = d.folder.own("hooks"); err != nil {
		return err
	}
	if d.saved.Gateway, err = freeAddress(d.saved.Gateway); err != nil {
		return err
	}
	d.settings = append(d.settings, "CLUSTERBRIDGE_GATEWAY_LISTEN="+d.saved.Gateway, "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN=off",
		"CLUSTERBRIDGE_HOOK_SECRETS="+d.hookSecret)
	d.sims.tills.SetGateway(clustersim.Gateway{URL: "http://" + d.saved.Gateway, Secret: d.hookSecret})
	if d.sims.box == nil {
		return d.folder.save(d.saved)
	}
	links, err := d.folder.own("links")
	if err != nil {
		return err
	}
	office, err := d.folder.own("office")
	if err != nil {
		return err
	}
	d.settings = append(d.settings, onboardingSettings("http://"+d.saved.Gateway, d.sims.clusterURL, d.sims.smtpPort)...)
	d.settings = append(d.settings, "CLUSTERBRIDGE_LINK_SECRETS="+links, "CLUSTERBRIDGE_CLUSTER_OFFICE_KEY="+office)
	return d.folder.save(d.saved)
}

// freeAddress is a loopback address that nobody listens on: the wanted one, if
// it is free.
func freeAddress(wanted string) (string, error) {
	l, err := net.Listen("tcp", cmp.Or(wanted, "127.0.0.1:0"))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// runGateway starts the gateway in a process of its own and has the simulated
// Cluster call its hook whenever an order changes, until the demo ends.
func (d *Demo) runGateway(ctx context.Context) error {
	log, err := d.logFile(gatewayLog)
	if err != nil {
		return err
	}
	g, err := startProcess("gateway", d.o.Program, d.environ(), log, d.view.say)
	if err != nil {
		return err
	}
	d.gateway = g
	d.atEnd(func() error { g.stop(); return nil })
	calls, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.callHooks(calls, "http://"+d.saved.Gateway+gateway.PathOrderChanged, d.hookSecret)
	}()
	d.atEnd(func() error { cancel(); <-done; return nil })
	if d.sims.box == nil {
		return nil // nobody waits for it
	}
	return d.gatewayAnswers(ctx)
}

// gatewayAnswers waits until somebody listens.
func (d *Demo) gatewayAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, workerWithin)
	defer cancel()
	for {
		var dialer net.Dialer
		c, err := dialer.DialContext(ctx, "tcp", d.saved.Gateway)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the gateway did not begin to work within %v; see %s", workerWithin, d.folder.file(gatewayLog))
		case <-time.After(askEvery):
		}
	}
}

// callHooks tells of every change at the tills, once and without a retry: what
// is lost is read by the next scheduled sync.
func (d *Demo) callHooks(ctx context.Context, url, secret string) {
	caller := &http.Client{Timeout: hookWithin}
	defer caller.CloseIdleConnections()
	tick := time.NewTicker(hookEvery)
	defer tick.Stop()
	told := d.calendar.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := d.calendar.Now()
		for _, change := range d.sims.tills.Changes(told, now) {
			if err := callHook(ctx, caller, url, secret, change); err != nil {
				break // the gateway is away; so would the others be lost
			}
		}
		told = now
	}
}

func callHook(ctx context.Context, caller *http.Client, url, secret string, change clustersim.Change) error {
	body, err := json.Marshal(map[string]string{"serial": change.Serial, "orderId": change.OrderID})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	// The signer's time is real, also where business time is not.
	gateway.SignRequest(req, secret, time.Now(), body)
	res, err := caller.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
