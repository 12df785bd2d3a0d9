package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// ceiling asks the simulated partner as fast as it answers: the requests are
// made beforehand and the answers hardly read.
func ceiling(args []string) error {
	t, _, err := readTask(args)
	if err != nil {
		return err
	}
	requests, err := recordRequests(t)
	if err != nil {
		return err
	}
	n, host := len(requests), strings.TrimPrefix(t.Shifts, "http://")
	if t.Scene.partner() == work.Wisk {
		n, host = t.Scene.lines(), strings.TrimPrefix(t.Wisk, "http://")
	}
	begun := time.Now()
	var flying sync.WaitGroup
	errs := make(chan error, t.Flying)
	for i := range t.Flying {
		flying.Go(func() { errs <- shoot(host, requests, i, t.Flying) })
	}
	flying.Wait()
	real := time.Since(begun)
	for range t.Flying {
		if err := <-errs; err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(took{n, real})
}

// recordRequests lets the client write every request to memory.
func recordRequests(t task) ([][]byte, error) {
	var requests [][]byte
	for i, v := range t.Scene.venues() {
		b := newBare(t, v, clock.Fixed(evening()))
		b.open(v, recorder{&requests})
		b.task.Flying = 1 // the recorder is no server
		orders := make([]cluster.Order, t.Scene.of(i))
		for n := range orders {
			raw, err := json.Marshal(meal(n, t.Scene.closed(i, n)))
			if err != nil {
				return nil, err
			}
			if orders[n], err = b.decode(raw); err != nil {
				return nil, err
			}
		}
		if _, err := b.deliver(context.Background(), orders); err != nil {
			return nil, err
		}
	}
	return requests, nil
}

// decode reads one order as the client does, from a till that is this process.
func (b *bare) decode(raw []byte) (cluster.Order, error) {
	answer := fmt.Appendf(nil, `{"orders":[%s],"asOf":%q}`, raw, evening().Format(time.RFC3339))
	till := cluster.New(cluster.Config{BaseURL: "http://recorded", PageSize: 1, OrdersByModified: true, Clock: clock.Fixed(evening())}, always(answer))
	page, err := till.Orders(context.Background(), b.cred, cluster.OrdersQuery{From: b.from, To: b.until, DateField: cluster.Modified})
	if err != nil {
		return cluster.Order{}, err
	}
	return page.Orders[0], nil
}

type always []byte

func (a always) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a))}, nil
}

type recorder struct{ requests *[][]byte }

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		return nil, err
	}
	*r.requests = append(*r.requests, b.Bytes())
	return &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"uuid":"recorded"}`))}, nil
}

// shoot sends every step-th request over one connection.
func shoot(host string, requests [][]byte, from, step int) error {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for i := from; i < len(requests); i += step {
		if _, err := conn.Write(requests[i]); err != nil {
			return err
		}
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusAccepted && res.StatusCode != http.StatusOK {
			return fmt.Errorf("the partner answers %s", res.Status)
		}
	}
	return nil
}
