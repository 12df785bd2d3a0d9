// Package mailboxsim is a strict mail server for the demo and tests: it takes
// mails over real SMTP, refuses what a careful server refuses, keeps what it
// took where tests, programs (JSON) and people (pages) can read it, and has a
// fault for everything that mail servers do to senders. It shares no code with
// the mail room, so that it checks it.
package mailboxsim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/emersion/go-smtp"

	"github.com/clustersystems/clusterbridge/internal/clock"
)

// Options make a simulator.
type Options struct {
	// Clock is business time, which dates the arrival of mails; nil means the
	// machine's. Delays are real time.
	Clock clock.Clock
	// Log gets what would interest the server's operators; nil means nobody.
	Log *slog.Logger
	// StateFile keeps the mails, as JSON lines that are only appended; used by
	// Open.
	StateFile string
	// StartTLS offers STARTTLS, with a certificate of the server's own.
	StartTLS bool
	// TLS speaks TLS from the first byte on, instead.
	TLS bool
	// User and Password are asked for when set; they are taken over TLS only.
	User, Password string
}

// Sim is the simulated mail server. ServeSMTP takes mails; ServeHTTP shows them.
// All methods may be called at any time, also while it serves.
type Sim struct {
	options     Options
	clock       clock.Clock
	log         *slog.Logger
	mux         *http.ServeMux
	server      *smtp.Server
	certificate tls.Certificate

	mu       sync.Mutex
	mails    []Mail
	contents map[string]string // digest of the first copy, by Message-ID
	copies   map[string]int    // by Message-ID
	counters Counters
	broken   []Violation
	faults   []*Fault
	journal  *journal
	changed  chan struct{} // closed and made anew when a mail comes

	connMu  sync.Mutex
	conns   map[io.Closer]bool // and the listener, until it is closed
	closing chan struct{}
	close   sync.Once
}

// New makes a simulator that keeps nothing.
func New(o Options) (*Sim, error) {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	certificate, err := newCertificate()
	if err != nil {
		return nil, fmt.Errorf("simulated mail server: %w", err)
	}
	s := &Sim{
		options: o, clock: o.Clock, log: o.Log, certificate: certificate,
		contents: map[string]string{}, copies: map[string]int{}, conns: map[io.Closer]bool{},
		changed: make(chan struct{}), closing: make(chan struct{}),
	}
	s.mux = s.routes()
	s.server = s.newServer()
	return s, nil
}

// Open makes a simulator that keeps its mails in Options.StateFile, and begins
// with what the file holds.
func Open(o Options) (*Sim, error) {
	s, err := New(o)
	if err != nil || o.StateFile == "" {
		return s, err
	}
	if err := s.load(o.StateFile); err != nil {
		return nil, fmt.Errorf("simulated mail server: state file: %w", err)
	}
	return s, nil
}

// ServeSMTP takes mails at a listener until Close. It may be called once.
func (s *Sim) ServeSMTP(l net.Listener) error {
	s.track(l)
	l = &tracking{l, s}
	if s.options.TLS {
		l = tls.NewListener(l, s.serverTLS())
	}
	err := s.server.Serve(l)
	select {
	case <-s.closing:
		return nil
	default:
		return err
	}
}

// Close ends delays and connections, waits for them to be gone, and closes the
// state file.
func (s *Sim) Close() error {
	var err error
	s.close.Do(func() {
		close(s.closing)
		for _, c := range s.open() {
			_ = c.Close()
		}
		if err = s.server.Shutdown(context.Background()); errors.Is(err, net.ErrClosed) {
			err = nil // the listener was closed above
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		err = errors.Join(err, s.journal.close())
	})
	return err
}

// RootCAs is what a client has to trust to speak TLS with the simulator.
func (s *Sim) RootCAs() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.certificate.Leaf)
	return pool
}

// ServeHTTP implements http.Handler: the pages and /_sim/.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/state", s.serveState)
	mux.HandleFunc("GET /_sim/mails", s.serveMails)
	mux.HandleFunc("POST /_sim/faults", s.serveFaults)
	mux.HandleFunc("GET /{$}", s.serveList)
	mux.HandleFunc("GET /mails/{number}", s.serveMail)
	mux.HandleFunc("GET /mails/{number}/html", s.serveHTML)
	mux.HandleFunc("GET /mails/{number}/source", s.serveSource)
	mux.HandleFunc("GET /mails/{number}/files/{file}", s.serveFile)
	return mux
}

// tracking knows the open connections of a listener, to end them at Close.
type tracking struct {
	net.Listener
	sim *Sim
}

func (l *tracking) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{Conn: c, sim: l.sim}
	l.sim.track(tracked)
	return tracked, nil
}

// track makes Close end a connection or listener, also one that comes when
// Close has looked already.
func (s *Sim) track(c io.Closer) {
	s.connMu.Lock()
	s.conns[c] = true
	s.connMu.Unlock()
	select {
	case <-s.closing:
		_ = c.Close()
	default:
	}
}

func (s *Sim) open() []io.Closer {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	return slices.Collect(maps.Keys(s.conns))
}

type trackedConn struct {
	net.Conn
	sim *Sim
}

func (c *trackedConn) Close() error {
	c.sim.connMu.Lock()
	delete(c.sim.conns, c)
	c.sim.connMu.Unlock()
	return c.Conn.Close()
}
