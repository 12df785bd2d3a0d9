package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

const (
	// headersWithin ends a connection that dawdles over its headers.
	headersWithin = 5 * time.Second
	// requestWithin is enough for 4 MiB over a slow line.
	requestWithin = 30 * time.Second
	// answerWithin, from the end of the headers on: the slowest answer is that
	// of a codec request of 4 MiB over a slow line, read and written.
	answerWithin = 60 * time.Second
	// idleWithin keeps a connection for the next hook of a busy evening.
	idleWithin = 2 * time.Minute
	// maxHeaders: ours are some hundred bytes, a signed-in Web UI's token a few
	// thousand.
	maxHeaders = 16 << 10
	// drainWithin is how long requests under way may take when the gateway
	// stops; orchestrators commonly wait 30 seconds before they kill.
	drainWithin = 15 * time.Second
)

// Serve answers on both listeners until ctx ends, then lets requests under way
// end, starts the syncs still owed, and returns nil. admin may be nil: then
// metrics are not served. It closes the listeners and the gateway.
func (g *Gateway) Serve(ctx context.Context, public, admin net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	g.answerOn(ctx, group, public, g.public)
	if admin != nil {
		g.answerOn(ctx, group, admin, g.admin)
	}
	group.Go(func() error { g.forget(ctx); return nil })
	err := group.Wait()
	g.Close()
	return err
}

// ServeAdmin answers with metrics and health alone until ctx ends, for a
// process that is no gateway, and closes the listener.
func ServeAdmin(ctx context.Context, l net.Listener, log *slog.Logger, metrics *prometheus.Registry, checks []Check) error {
	// What is asked of it is counted nowhere: it is no gateway's traffic.
	counted, err := newCounters(prometheus.NewRegistry())
	if err != nil {
		return err
	}
	g := &Gateway{o: Options{Log: log, Metrics: metrics}, counted: counted, health: &health{checks: checks, log: log}}
	group, ctx := errgroup.WithContext(ctx)
	g.answerOn(ctx, group, l, g.adminRoutes())
	return group.Wait()
}

// answerOn serves until ctx ends, and then lets requests under way end.
func (g *Gateway) answerOn(ctx context.Context, group *errgroup.Group, l net.Listener, h http.Handler) {
	server := g.server(h)
	group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
		defer cancel()
		if err := server.Shutdown(drain); err != nil {
			return server.Close()
		}
		return nil
	})
}

func (g *Gateway) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headersWithin, ReadTimeout: requestWithin, WriteTimeout: answerWithin,
		IdleTimeout: idleWithin, MaxHeaderBytes: maxHeaders,
		ErrorLog: slog.NewLogLogger(g.o.Log.Handler(), slog.LevelDebug),
	}
}

// forget drops old signatures now and then, until ctx ends.
func (g *Gateway) forget(ctx context.Context) {
	every := time.NewTicker(forgetEvery)
	defer every.Stop()
	for {
		if err := g.o.Seen.Forget(ctx); err != nil && ctx.Err() == nil {
			g.o.Log.WarnContext(ctx, "old hooks could not be forgotten", "problem", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}
