package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// hookOrders are closed one by one at hookVenues, at random instants. Each
	// venue closes one every closeEvery, more than a full house does.
	hookOrders = 1000
	hookVenues = 100
	closeEvery = 10 * time.Second
	hookSeed   = 3
	// hookFirst numbers the first of them, far from the orders of a scene.
	hookFirst = 1_000_000
	// hookRest is how long the last orders may take.
	hookRest = time.Minute
	// hookSecret signs the hooks of the simulated Cluster.
	hookSecret = "a-secret-of-the-benchmark-and-of-nothing-else"
)

// hook measures from an order's closing at the till to sent, through the
// gateway's hook, a triggered schedule and a whole sync run, with the
// gateway's usual debouncing.
func hook(ctx context.Context, r *rig) ([]result, error) {
	w, err := r.worker(0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.stop() }()
	s := scene{Name: "hook", Venues: hookVenues}
	if err := r.play(ctx, s); err != nil {
		return nil, err
	}
	if err := r.schedules(ctx, s); err != nil {
		return nil, err
	}
	waits, err := r.closeAndWait(ctx, s, hookOrders)
	if err != nil {
		return nil, err
	}
	if err := r.sims.checkReceipts(ctx, hookOrders); err != nil {
		return nil, err
	}
	return []result{
		shown("hook: order closed to sent, p50 of 1,000 orders", quantile(waits, 0.5), "s"),
		shown("hook: order closed to sent, p99 of 1,000 orders", quantile(waits, 0.99), "s"),
	}, nil
}

// closeAndWait closes so many orders at a scene's tills and tells how long each
// took to be sent, in seconds, sorted.
func (r *rig) closeAndWait(ctx context.Context, s scene, orders int) ([]float64, error) {
	g, address, err := r.gateway()
	if err != nil {
		return nil, err
	}
	defer func() { _ = g.stop() }()
	closings, err := r.closeOrders(ctx, s, orders, address)
	if err != nil {
		return nil, err
	}
	waits, err := r.waits(ctx, s, closings)
	slices.Sort(waits)
	return waits, err
}

// schedules has the keeper make the venues' schedules and waits for the last.
func (r *rig) schedules(ctx context.Context, s scene) error {
	keeper := r.temporal.ScheduleClient().GetHandle(ctx, work.ScheduleKeeperID)
	if err := keeper.Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for _, v := range s.venues() {
		for {
			_, err := r.temporal.ScheduleClient().GetHandle(ctx, work.SyncScheduleID(v.connection())).Describe(ctx)
			if err == nil {
				break
			}
			if waited := sleep(ctx, 100*time.Millisecond); waited != nil {
				return errors.Join(errors.New("the schedules were not made"), err)
			}
		}
	}
	return nil
}

// gateway starts a gateway process and tells where it takes hooks.
func (r *rig) gateway() (g *child, address string, err error) {
	g, err = serve(r.environ("CLUSTERBRIDGE_GATEWAY_LISTEN=127.0.0.1:0", "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN=off",
		"CLUSTERBRIDGE_HOOK_SECRETS="+hookSecret), r.log, roleProgram, "gateway")
	if err != nil {
		return nil, "", err
	}
	for _, word := range strings.Fields(g.said) {
		if strings.HasPrefix(word, "http://") {
			return g, strings.TrimSuffix(word, ",") + gateway.PathOrderChanged, nil
		}
	}
	return nil, "", errors.Join(errors.New("the gateway did not say where it listens"), g.stop())
}

// closeOrders closes the orders at their instants and tells Cluster's news to
// the gateway; it returns when each was closed, by sale.
func (r *rig) closeOrders(ctx context.Context, s scene, orders int, address string) (map[string]time.Time, error) {
	dice := rand.New(rand.NewPCG(hookSeed, hookSeed)) //nolint:gosec // a plan must be repeatable
	all := s.venues()
	over := closeEvery * time.Duration(orders) / time.Duration(len(all))
	closings := make(map[string]time.Time, orders)
	var mu sync.Mutex
	var errs []error
	var under sync.WaitGroup
	for i := range orders {
		v, n, at := all[i%len(all)], hookFirst+i, time.Duration(dice.Int64N(int64(over)))
		under.Go(func() {
			if sleep(ctx, at) != nil {
				return
			}
			c, err := r.closeOne(ctx, v, n, address)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			closings[cluster.SaleID(c.Serial, string(meal(n, c.At).ID))] = c.At
		})
	}
	under.Wait()
	return closings, errors.Join(append(errs, ctx.Err())...)
}

func (r *rig) closeOne(ctx context.Context, v venue, n int, address string) (closed, error) {
	c := closed{Serial: v.serial(), N: n}
	if err := r.sims.tell(ctx, "/close", c, &c); err != nil {
		return c, err
	}
	body, err := json.Marshal(map[string]string{"serial": c.Serial, "orderId": string(meal(n, c.At).ID)})
	if err != nil {
		return c, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return c, err
	}
	req.Header.Set("Content-Type", "application/json")
	gateway.SignRequest(req, hookSecret, time.Now(), body)
	res, err := caller.Do(req)
	if err != nil {
		return c, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		return c, fmt.Errorf("the gateway answers %s", res.Status)
	}
	return c, nil
}

// waits reads from the ledger when each order was sent, in seconds after it
// was closed.
func (r *rig) waits(ctx context.Context, s scene, closings map[string]time.Time) ([]float64, error) {
	until := time.Now().Add(hookRest)
	for {
		var sent []struct {
			Sale string    `db:"sale_id"`
			At   time.Time `db:"sent_at"`
		}
		if err := r.store.DB().SelectContext(ctx, &sent, `
			SELECT sale_id, sent_at FROM documents WHERE connection LIKE $1 AND lane = $2 AND sent_at IS NOT NULL`,
			s.partner()+":"+s.Name+"-%", ledger.Live); err != nil {
			return nil, err
		}
		if len(sent) == len(closings) {
			waits := make([]float64, len(sent))
			for i, one := range sent {
				waits[i] = seconds(one.At.Sub(closings[one.Sale]))
			}
			return waits, nil
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("%d of %d orders were sent", len(sent), len(closings))
		}
		if err := sleep(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}
