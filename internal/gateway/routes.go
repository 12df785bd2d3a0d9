package gateway

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/time/rate"
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
	if g.o.Codec != nil {
		g.codecRoutes(mux)
	}
	g.healthRoutes(mux)
	return g.harden(mux)
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
