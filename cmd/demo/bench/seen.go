package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// caller asks the processes of the benchmark, which all are on this machine.
var caller = &http.Client{Timeout: time.Minute}

// tell tells the simulators' process what to do.
func (s *sims) tell(ctx context.Context, path string, in, out any) error {
	return call(ctx, http.MethodPost, s.control+path, nil, in, out)
}

// call exchanges JSON with one of the simulators' listeners.
func call(ctx context.Context, method, address string, header http.Header, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if header != nil {
		req.Header = header
	}
	res, err := caller.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the simulators answer %s to %s", res.Status, req.URL.Path)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// seen is what the simulated 7shifts saw.
func (s *sims) seen(ctx context.Context) (sevenshiftssim.State, error) {
	var state sevenshiftssim.State
	err := call(ctx, http.MethodGet, s.shifts+"/_sim/state", nil, nil, &state)
	return state, err
}

// check looks at what the simulated partner holds after a scene. It fails when
// anything happened that a measurement must not count.
func (s *sims) check(ctx context.Context, played scene) error {
	if played.partner() == work.Wisk {
		return s.checkWisk(ctx, played)
	}
	if err := s.checkReceipts(ctx, played.Orders); err != nil {
		return err
	}
	for i, v := range played.venues() {
		if err := s.checkDays(ctx, v, played.firstDay(), played.daily(i)); err != nil {
			return err
		}
	}
	return nil
}

// checkReceipts looks for so many receipts, each created once and never
// updated.
func (s *sims) checkReceipts(ctx context.Context, receipts int) error {
	state, err := s.seen(ctx)
	switch {
	case err != nil:
		return err
	case len(state.Violations) > 0:
		return fmt.Errorf("7shifts saw what must not be: %s", state.Violations[0].What)
	case state.Receipts != receipts || state.Counters.Creates != receipts || state.Counters.Updates != 0:
		return fmt.Errorf("7shifts holds %d receipts after %d creates and %d updates; want %d", state.Receipts, state.Counters.Creates, state.Counters.Updates, receipts)
	}
	return nil
}

// checkDays compares a venue's sales at 7shifts, by business day, with the
// meals that were eaten, from a day to today.
func (s *sims) checkDays(ctx context.Context, v venue, from sale.Day, meals map[string]int) error {
	query := url.Values{
		"location_id": {fmt.Sprint(v.location())}, "start_date": {from.String()}, "end_date": {today().String()},
	}
	var report struct {
		Data []struct {
			Date  string `json:"date"`
			Sales int64  `json:"actual_sales"`
		} `json:"data"`
	}
	header := http.Header{"Authorization": {"Bearer " + v.token()}}
	if err := call(ctx, http.MethodGet, s.shifts+"/v2/reports/daily_sales_and_labor?"+query.Encode(), header, nil, &report); err != nil {
		return err
	}
	price := meal(0, evening()).Totals.Net
	for _, day := range report.Data {
		if want := int64(meals[day.Date]) * price; day.Sales != want {
			return fmt.Errorf("7shifts counts %d cents for %s on %s; want %d", day.Sales, v.id(), day.Date, want)
		}
	}
	return nil
}

// checkWisk compares the sums that the simulated WISK holds, by venue, business
// day and item, with the meals that were eaten; every line came once.
func (s *sims) checkWisk(ctx context.Context, played scene) error {
	var state wisksim.State
	if err := call(ctx, http.MethodGet, s.wisk+"/_sim/state", nil, nil, &state); err != nil {
		return err
	}
	switch lines := played.lines(); {
	case len(state.Violations) > 0:
		return fmt.Errorf("WISK saw what must not be: %s", state.Violations[0].What)
	case state.Counters.Lines != lines || state.Counters.Applied != lines:
		return fmt.Errorf("WISK holds %d lines of %d that came; want %d", state.Counters.Applied, state.Counters.Lines, lines)
	}
	for i, v := range played.venues() {
		var days []wisksim.DaySales
		if err := call(ctx, http.MethodGet, s.wisk+"/_sim/sales?venue="+url.QueryEscape(v.token()), nil, nil, &days); err != nil {
			return err
		}
		if err := sameSums(days, played.daily(i)); err != nil {
			return fmt.Errorf("%s: %w", v.id(), err)
		}
	}
	return nil
}

// sameSums compares a venue's sums at WISK with the meals eaten by day: of each
// item of the menu one a meal.
func sameSums(days []wisksim.DaySales, meals map[string]int) error {
	if len(days) != len(meals) {
		return fmt.Errorf("WISK knows %d business days; want %d", len(days), len(meals))
	}
	for _, day := range days {
		n := meals[day.Day]
		if len(day.Items) != len(menu()) {
			return fmt.Errorf("WISK knows %d items on %s; want %d", len(day.Items), day.Day, len(menu()))
		}
		for i, item := range menu() { // in the order of its ids, as WISK's items are
			got := day.Items[i]
			total := sale.Cents(int64(n) * item.Price).String()
			if got.PLU != string(item.ID) || string(got.Quantity) != fmt.Sprint(n) || string(got.Total) != total {
				return fmt.Errorf("WISK counts %s of item %s for %s on %s; want %d for %s", got.Quantity, got.PLU, got.Total, day.Day, n, total)
			}
		}
	}
	return nil
}

// lines are how many lines WISK gets of a scene: one for each item of a meal.
func (s scene) lines() int { return s.Orders * len(menu()) }
