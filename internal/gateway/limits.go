package gateway

import (
	"container/list"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

// pace is a sustained rate in requests a second, and how many may come at once.
type pace struct {
	perSecond rate.Limit
	burst     int
}

// The paces. Whoever is over gets 429 and may come again in a second.
var (
	// hookPace, per remote: Cluster calls from a few addresses for all venues; a
	// thousand venues on a Friday evening close some tens of orders a second.
	hookPace = pace{200, 400}
	// receiptPace, per remote, and anyReceiptPace, for all: a failure callback
	// is rare, and anybody can send one. What is over either is found by the
	// ordinary read-back.
	receiptPace    = pace{5, 50}
	anyReceiptPace = pace{20, 100}
	// codecPace, per remote: a page of the Web UI asks for some tens of payloads.
	codecPace = pace{20, 100}
	// healthPace, per remote: probes come every few seconds.
	healthPace = pace{10, 20}
)

// mostRemotes bounds the memory of one limit (some 200 bytes each); beyond it
// the remote not seen for longest is forgotten, and begins anew.
const mostRemotes = 4096

// remotes limits each remote to a pace.
type remotes struct {
	pace   pace
	mu     sync.Mutex
	byAddr map[netip.Addr]*list.Element
	recent *list.List // of *remote, the one seen last first
}

type remote struct {
	addr  netip.Addr
	limit *rate.Limiter
}

func newRemotes(p pace) *remotes {
	return &remotes{pace: p, byAddr: map[netip.Addr]*list.Element{}, recent: list.New()}
}

func (l *remotes) allow(addr netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, known := l.byAddr[addr]
	if known {
		l.recent.MoveToFront(e)
	} else {
		if l.recent.Len() >= mostRemotes {
			oldest := l.recent.Back()
			delete(l.byAddr, l.recent.Remove(oldest).(*remote).addr)
		}
		e = l.recent.PushFront(&remote{addr, rate.NewLimiter(l.pace.perSecond, l.pace.burst)})
		l.byAddr[addr] = e
	}
	return e.Value.(*remote).limit.Allow()
}

// paced lets a remote's requests through at a pace.
func (g *Gateway) paced(p pace, next http.HandlerFunc) http.HandlerFunc {
	limit := newRemotes(p)
	return func(w http.ResponseWriter, r *http.Request) {
		if !limit.allow(g.remoteOf(r)) {
			w.Header().Set("Retry-After", "1")
			answer(w, http.StatusTooManyRequests, "slow down")
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
