package play

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
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

// runGateway starts the gateway in a process of its own and has the simulated
// Cluster call its hook whenever an order changes, until the demo ends.
func (d *Demo) runGateway(context.Context) error {
	secret, address, err := hookSecretAndAddress()
	if err != nil {
		return err
	}
	log, err := d.logFile(gatewayLog)
	if err != nil {
		return err
	}
	settings := append(d.environ(), "CLUSTERBRIDGE_GATEWAY_LISTEN="+address, "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN=off",
		"CLUSTERBRIDGE_HOOK_SECRETS="+secret)
	g, err := startProcess("gateway", d.o.Program, settings, log, d.view.say)
	if err != nil {
		return err
	}
	d.atEnd(func() error { g.stop(); return nil })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.callHooks(ctx, "http://"+address+gateway.PathOrderChanged, secret)
	}()
	d.atEnd(func() error { cancel(); <-done; return nil })
	return nil
}

func hookSecretAndAddress() (secret, address string, err error) {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	return hex.EncodeToString(random), l.Addr().String(), l.Close()
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
