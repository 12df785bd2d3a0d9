package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	// testServers is how many test binaries may run at once on a machine; go
	// test runs as many as there are cores.
	testServers = 64
	// testPrefix is what the names of test databases begin with; what a killed
	// run has left is dropped by it.
	testPrefix = "clusterbridge_test_"
	// testWithin bounds making or dropping a test's database.
	testWithin = 30 * time.Second
)

// shared is the one server of a test binary, started when the first test asks.
var shared struct {
	sync.Mutex
	server   *Server
	err      error
	number   atomic.Int64
	template string // of Prepared's databases, once there is one
}

// ForTest gives the URL of a new, empty database, dropped when the test ends.
// The server is the one of DATABASE_URL, whose user must be allowed to make
// databases, or a private one shared by the tests of a binary: Main stops it.
// Its cluster is kept in the user's cache and taken up by the next run.
func ForTest(t testing.TB) string {
	t.Helper()
	s, err := sharedServer()
	if err != nil {
		t.Fatalf("a PostgreSQL for tests: %v", err)
	}
	return copyOf(t, s, "template1")
}

// Prepared is ForTest with a database that was prepared, such as migrated: once
// for all tests of a binary, which get copies. All of them prepare it alike.
func Prepared(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	s, err := sharedServer()
	if err != nil {
		t.Fatalf("a PostgreSQL for tests: %v", err)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.template == "" {
		name := testName()
		if err := administer(s.URL(), "CREATE DATABASE "+name); err != nil {
			t.Fatalf("a database for all tests: %v", err)
		}
		if err := prepare(withDatabase(s.URL(), name)); err != nil {
			t.Fatalf("preparing a database for all tests: %v", err)
		}
		shared.template = name
	}
	return copyOf(t, s, shared.template)
}

func testName() string { return fmt.Sprintf("%s%d_%d", testPrefix, os.Getpid(), shared.number.Add(1)) }

func copyOf(t testing.TB, s *Server, template string) string {
	t.Helper()
	name := testName()
	if err := administer(s.URL(), "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatalf("a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := administer(s.URL(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("dropping the test's database: %v", err)
		}
	})
	return withDatabase(s.URL(), name)
}

// Main is what a test binary that uses ForTest calls from its TestMain: it
// runs the tests, stops the server, looks for leaked goroutines and exits.
func Main(m *testing.M, options ...goleak.Option) {
	goleak.VerifyTestMain(thenStop{m}, options...)
}

type thenStop struct{ m *testing.M }

// Run implements goleak.TestingM.
func (r thenStop) Run() int {
	code := r.m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return code
	}
	if shared.template != "" {
		if err := administer(shared.server.URL(), "DROP DATABASE IF EXISTS "+shared.template+" WITH (FORCE)"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if err := shared.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

func sharedServer() (*Server, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = startShared()
	}
	return shared.server, shared.err
}

func startShared() (*Server, error) {
	ctx := context.Background()
	if given := os.Getenv("DATABASE_URL"); given != "" {
		return Start(ctx, Options{DatabaseURL: given})
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	for slot := range testServers {
		o := Options{Dir: filepath.Join(cache, "clusterbridge", fmt.Sprintf("test-postgres-%d", slot)), Fast: true, Log: os.Stderr}
		s, err := Start(ctx, o)
		if errors.Is(err, ErrInUse) {
			continue
		}
		if err != nil && hasData(o.Dir) { // spoilt, or of a version that is gone
			if err = Remove(o.Dir); err == nil {
				s, err = Start(ctx, o)
			}
		}
		if err != nil {
			return nil, err
		}
		return s, dropLeftovers(s.URL())
	}
	return nil, fmt.Errorf("more than %d test runs at once", testServers)
}

func hasData(dir string) bool {
	account, err := serverAccount()
	if err != nil {
		return false
	}
	home, err := place(dir, account)
	return err == nil && dataVersion(home) > 0
}

// dropLeftovers drops the databases of a run that was killed; the private
// server is nobody else's.
func dropLeftovers(server string) error {
	db, err := connect(server)
	if err != nil {
		return err
	}
	defer db.Close()
	var names []string
	if err := db.Select(&names, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", testPrefix); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := db.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

func administer(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), testWithin)
	defer cancel()
	db, err := connect(server)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// withDatabase is a connection string with another database, in either of
// PostgreSQL's two forms.
func withDatabase(server, name string) string {
	if strings.HasPrefix(server, "postgres://") || strings.HasPrefix(server, "postgresql://") {
		if u, err := url.Parse(server); err == nil {
			u.Path = "/" + name
			return u.String()
		}
	}
	return server + " dbname=" + name
}
