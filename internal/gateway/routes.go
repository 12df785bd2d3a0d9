package gateway

import (
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/time/rate"

	"github.com/clustersystems/clusterbridge/internal/gateway/pace"
)

const pathMetrics = "/metrics"

func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	if len(g.o.HookSecrets) > 0 {
		mux.HandleFunc("POST "+PathOrderChanged, g.paced(hookPace, g.orderChanged))
	}
	g.anyReceipt = rate.NewLimiter(anyReceiptPace.PerSecond, anyReceiptPace.Burst)
	failed := g.paced(receiptPace, g.receiptFailed)
	mux.HandleFunc("PUT "+PathReceiptFailed, failed)
	mux.HandleFunc("POST "+PathReceiptFailed, failed)
	if g.o.Requests != nil && len(g.o.HookSecrets) > 0 {
		mux.HandleFunc("POST "+PathRequests, g.paced(requestPace, g.takeRequest))
	}
	if g.o.Requests != nil && len(g.o.BillingSecrets) > 0 {
		mux.HandleFunc("POST "+PathPayments, g.paced(requestPace, g.takePayment))
	}
	if g.o.Codec != nil {
		g.codecRoutes(mux)
	}
	if g.o.Pages != nil {
		g.pageRoutes(mux)
	}
	g.healthRoutes(mux)
	return g.harden(mux)
}

// pageRoutes serves the pages. A remote has one pace for all of them, and is
// told by a page when it is over.
func (g *Gateway) pageRoutes(mux *http.ServeMux) {
	limits := pace.New[netip.Addr](pagePace)
	for _, route := range g.o.Pages.Routes() {
		mux.HandleFunc(route.Pattern, g.limited(limits, route.Serve, g.o.Pages.TooMany))
	}
}

func (g *Gateway) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+pathMetrics, promhttp.HandlerFor(g.o.Metrics, promhttp.HandlerOpts{Registry: g.o.Metrics}))
	g.healthRoutes(mux)
	return g.harden(mux)
}

func (g *Gateway) healthRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /health/live", g.paced(healthPace, g.health.live))
	mux.HandleFunc("GET /health/ready", g.paced(healthPace, g.health.ready))
}
