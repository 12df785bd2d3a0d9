package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/gateway/pace"
)

// The paces. Whoever is over gets 429 and may come again in a second.
var (
	// hookPace, per remote: Cluster calls from a few addresses for all venues; a
	// thousand venues on a Friday evening close some tens of orders a second.
	hookPace = pace.Pace{PerSecond: 200, Burst: 400}
	// receiptPace, per remote, and anyReceiptPace, for all: a failure callback
	// is rare, and anybody can send one. What is over either is found by the
	// ordinary read-back.
	receiptPace    = pace.Pace{PerSecond: 5, Burst: 50}
	anyReceiptPace = pace.Pace{PerSecond: 20, Burst: 100}
	// requestPace, per remote: requests and payments are some a day.
	requestPace = pace.Pace{PerSecond: 5, Burst: 50}
	// codecPace, per remote: a page of the Web UI asks for some tens of payloads.
	codecPace = pace.Pace{PerSecond: 20, Burst: 100}
	// pagePace, per remote: a person opens a page and sends a form; an office of
	// many has one address, and so may a mail scanner.
	pagePace = pace.Pace{PerSecond: 5, Burst: 60}
	// healthPace, per remote: probes come every few seconds.
	healthPace = pace.Pace{PerSecond: 10, Burst: 20}
)

// paced lets a remote's requests through at a pace.
func (g *Gateway) paced(p pace.Pace, next http.HandlerFunc) http.HandlerFunc {
	return g.limited(pace.New[netip.Addr](p), next, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusTooManyRequests, "slow down")
	})
}

// limited lets through what the limits allow a remote; tooMany answers the rest.
func (g *Gateway) limited(limits *pace.Limits[netip.Addr], next, tooMany http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !limits.Allow(g.remoteOf(r)) {
			w.Header().Set("Retry-After", "1")
			tooMany(w, r)
			return
		}
		next(w, r)
	}
}

// remoteOf is who a request came from: the peer, or, when that is a trusted
// proxy, the last address in X-Forwarded-For that is not one. Of IPv6 it is the
// /64 network, which is what one customer has.
func (g *Gateway) remoteOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !g.trusted(addr) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr = before.Unmap().WithZone("")
	}
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}

func (g *Gateway) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(g.o.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
