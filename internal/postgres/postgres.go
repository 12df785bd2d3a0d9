// Package postgres finds or starts a PostgreSQL for the demo and for tests.
// Production brings its own and never comes here.
//
// The chain: DATABASE_URL; else server binaries of this machine, run as a
// private cluster on loopback; else a pinned download into the user's cache;
// else, within seconds, one sentence that says what to do.
package postgres

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// Options say what is wanted.
type Options struct {
	// DatabaseURL is a PostgreSQL to use as it is; nothing is started then.
	DatabaseURL string
	// Dir is where a private cluster and its log shall lie; it is made. Started
	// as root, the server runs as another user, and if that one cannot reach
	// Dir the cluster lies elsewhere, always in the same place for the same
	// Dir: see Server.DataDir.
	Dir string
	// Fast gives up safety against a crash of the machine (not of a process).
	Fast bool
	// NoDownload ends the chain at the binaries of this machine.
	NoDownload bool
	// Log gets a line for every step that a person should see; may be nil.
	Log io.Writer

	// repository replaces Maven Central, and globs and path the places where
	// binaries are looked for: tests only.
	repository string
	globs      []string
	path       string
	cache      string
}

// Server is a PostgreSQL that answers.
type Server struct {
	url      string
	describe string
	cluster  *cluster
}

// URL is the connection string, with a database of clusterbridge's own; it
// holds no password unless the one of DATABASE_URL does.
func (s *Server) URL() string { return s.url }

// Describe is a sentence for people: which PostgreSQL, as whom, and where its
// data lies. It never holds a password.
func (s *Server) Describe() string { return s.describe }

// DataDir is where the data lies; empty when the server is not ours.
func (s *Server) DataDir() string {
	if s.cluster == nil {
		return ""
	}
	return s.cluster.data
}

// Done is closed when a server of ours has ended; nil when it is not ours.
func (s *Server) Done() <-chan struct{} {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.ended
}

// Stop ends a server of ours at once and in good order: clients are cut off,
// committed work is kept. It does nothing to a server that is not ours, and
// nothing the second time.
func (s *Server) Stop() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.stop()
}

// Start walks the chain. The context bounds the starting only; the server
// runs until Stop, or until this process ends where the system can tie them
// together (Linux). Its errors are sentences for people.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.DatabaseURL != "" {
		return given(ctx, o.DatabaseURL)
	}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	home, err := place(o.Dir, account)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(home)
	if err != nil {
		return nil, err
	}
	o.Dir = home
	bin, err := binariesFor(ctx, o, account, dataVersion(home))
	if err != nil {
		return nil, closing(lock, err)
	}
	c, err := startCluster(ctx, o, home, bin, account)
	if err != nil {
		return nil, closing(lock, err)
	}
	c.lock = lock
	s := &Server{url: c.url(database), cluster: c}
	s.describe = fmt.Sprintf("PostgreSQL %s from %s, on 127.0.0.1:%d, data in %s", bin.version, bin.dir, c.port, c.data)
	if account != nil {
		s.describe += ", run as user " + account.name
	}
	return s, nil
}

// Remove deletes what Start made for a Dir, wherever it lies. The server must
// have been stopped.
func Remove(dir string) error {
	account, err := serverAccount()
	if err != nil {
		return err
	}
	for _, p := range places(dir, account) {
		if err := os.RemoveAll(p); err != nil {
			return err
		}
	}
	return nil
}

func given(ctx context.Context, database string) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	db, err := connect(database)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL is not a PostgreSQL connection string")
	}
	defer db.Close()
	var version, name string
	row := db.QueryRowContext(ctx, "SELECT current_setting('server_version'), current_database()")
	if err := row.Scan(&version, &name); err != nil {
		return nil, fmt.Errorf("the PostgreSQL of DATABASE_URL (%s) does not answer: %w", host(database), scrubbed(err, database))
	}
	return &Server{
		url:      database,
		describe: fmt.Sprintf("PostgreSQL %s of DATABASE_URL, database %s on %s", version, name, host(database)),
	}, nil
}

// host is where a connection string points to, without user and password.
func host(database string) string {
	if u, err := url.Parse(database); err == nil && u.Host != "" {
		return u.Host
	}
	for _, field := range strings.Fields(database) {
		if key, value, _ := strings.Cut(field, "="); key == "host" {
			return value
		}
	}
	return "the default host"
}

// scrubbed keeps a driver's message unless it repeats the connection string.
func scrubbed(err error, database string) error {
	secret := ""
	if u, parseErr := url.Parse(database); parseErr == nil && u.User != nil {
		secret, _ = u.User.Password()
	}
	text := err.Error()
	if strings.Contains(text, database) || secret != "" && strings.Contains(text, secret) {
		return fmt.Errorf("the driver refuses it")
	}
	return err
}

func closing(c io.Closer, err error) error {
	_ = c.Close()
	return err
}
