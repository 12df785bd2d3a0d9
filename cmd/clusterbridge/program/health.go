package program

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type healthVerb struct {
	Address string `arg:"" help:"Where a worker or gateway serves health, such as 127.0.0.1:9091, or a whole URL." placeholder:"HOST:PORT"`
}

func (healthVerb) toleratesProblems() {}

const (
	pathReady = "/health/ready"
	// healthWithin is how long a process may take to answer: its own checks
	// take two seconds at most, and probes commonly wait five.
	healthWithin = 4 * time.Second
	// maxHealth bounds what is shown of an answer.
	maxHealth = 2 << 10
)

// Run asks a running process whether it is ready: for the health checks of
// images that hold nothing but this program.
func (v *healthVerb) Run(ctx context.Context, d *desk) error {
	address, err := healthURL(v.Address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return usage("This is no address.", "clusterbridge health 127.0.0.1:9091")
	}
	// Never through a proxy: it is this machine or a neighbour.
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return failed(err, "look whether it runs, and at its log", "Nothing answers at %s.", address)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxHealth))
	if err != nil || answer.StatusCode != http.StatusOK {
		return failed(err, "look at its log", "%s is not ready: %d %s", address, answer.StatusCode, strings.TrimSpace(string(body)))
	}
	d.say("ready")
	return nil
}

// healthURL is what to ask; the path may be left out.
func healthURL(address string) (string, error) {
	if !strings.Contains(address, "://") {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return "", usage("This is no address.", "clusterbridge health 127.0.0.1:9091")
		}
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", usage("This is no address.", "clusterbridge health 127.0.0.1:9091")
	}
	if u.Path == "" {
		u.Path = pathReady
	}
	return u.String(), nil
}
