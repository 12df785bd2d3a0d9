package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq"
)

// ErrInUse says that another process works in the directory.
var ErrInUse = errors.New("another process uses this PostgreSQL directory")

const (
	// superuser and database are those of a private cluster.
	superuser = "clusterbridge"
	database  = "clusterbridge"
	// startWithin covers crash recovery of what a demo holds, on a slow disk.
	startWithin = 60 * time.Second
	// initWithin covers initdb on a loaded machine (it takes a second).
	initWithin = 2 * time.Minute
	// portTries bounds the picking of a free port, which another process may
	// take before the server does.
	portTries = 5
	// lookEvery is how often a starting or ending server is looked at.
	lookEvery = 20 * time.Millisecond
	// logTail is how much of the server's log a failure shows, in bytes.
	logTail = 600
)

// cluster is a private PostgreSQL in a directory: data, server.log and lock.
type cluster struct {
	data  string
	bin   binaries
	port  int
	pid   int
	lock  *os.File
	ended chan struct{}
	once  sync.Once
	err   error
}

func (c *cluster) url(name string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", superuser, c.port, name)
}

// dataVersion is the major version of the data in a directory; 0 for none.
func dataVersion(home string) int {
	text, err := os.ReadFile(filepath.Join(home, "data", "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return major
}

func startCluster(ctx context.Context, o Options, home string, bin binaries, a *account) (*cluster, error) {
	c := &cluster{data: filepath.Join(home, "data"), bin: bin}
	if dataVersion(home) == 0 {
		if err := c.initialize(ctx, o, home, a); err != nil {
			return nil, err
		}
	}
	if err := endOrphan(ctx, c.data, bin); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		err := c.launch(ctx, o, home, a)
		if err == nil {
			break
		}
		if try == portTries || !strings.Contains(err.Error(), "could not bind") {
			return nil, err
		}
	}
	if err := c.createDatabase(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// initialize makes the cluster beside its place and moves it there when it is
// whole, so that a start that was cut off leaves nothing half made.
func (c *cluster) initialize(ctx context.Context, o Options, home string, a *account) error {
	fmt.Fprintf(o.Log, "Making a private PostgreSQL %s cluster in %s\n", c.bin.version, c.data)
	ctx, cancel := context.WithTimeout(ctx, initWithin)
	defer cancel()
	fresh := filepath.Join(home, "data.new")
	for _, leftover := range []string{fresh, c.data} {
		if err := os.RemoveAll(leftover); err != nil {
			return err
		}
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := a.own(fresh); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.bin.tool("initdb"), "-D", fresh, "-U", superuser, "-A", "trust",
		"-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env = rootDir(), environ()
	a.as(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb failed: %w: %s", err, tail(out))
	}
	return os.Rename(fresh, c.data)
}

// environ is the environment without what would steer PostgreSQL.
func environ() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch {
		case strings.HasPrefix(name, "PG"), strings.HasPrefix(name, "LC_"), name == "TZ", name == "HOME":
		default:
			env = append(env, pair)
		}
	}
	return env
}

func (c *cluster) arguments(fast bool) []string {
	args := []string{
		"-D", c.data,
		"-p", strconv.Itoa(c.port),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=",
		"-c", "max_connections=200",
		"-c", "jit=off", // short queries only
		"-c", "timezone=UTC",
		"-c", "log_timezone=UTC",
	}
	if fast {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	return args
}

func (c *cluster) launch(ctx context.Context, o Options, home string, a *account) error {
	var err error
	if c.port, err = freePort(); err != nil {
		return err
	}
	logName := filepath.Join(home, "server.log")
	log, err := os.Create(logName)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.bin.tool("postgres"), c.arguments(o.Fast)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = rootDir(), environ(), log, log
	a.as(cmd)
	c.ended, c.once = make(chan struct{}), sync.Once{}
	started := make(chan error)
	go func(ended chan struct{}) {
		// The kernel ties the server to the thread that starts it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in its log
		}
	}(c.ended)
	if err := <-started; err != nil {
		return fmt.Errorf("PostgreSQL did not start: %w", err)
	}
	c.pid = cmd.Process.Pid
	if err := c.awaitAnswer(ctx); err != nil {
		_ = c.stop()
		text, _ := os.ReadFile(logName)
		return fmt.Errorf("PostgreSQL did not start: %w; the end of %s: %s", err, logName, tail(text))
	}
	return nil
}

func (c *cluster) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	db, err := connect(c.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-c.ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(lookEvery):
		}
	}
}

func (c *cluster) createDatabase(ctx context.Context) error {
	db, err := connect(c.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+database)
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Code == "42P04" { // it exists
		return nil
	}
	return err
}

// stop shuts down fast; the second call waits for the first.
func (c *cluster) stop() error {
	c.once.Do(func() {
		defer func() {
			if c.lock != nil {
				_ = c.lock.Close()
			}
		}()
		select {
		case <-c.ended:
			return
		default:
		}
		if err := interrupt(c.pid, c.bin, c.data); err != nil {
			c.err = fmt.Errorf("PostgreSQL (process %d) could not be told to stop: %w", c.pid, err)
			return
		}
		select {
		case <-c.ended:
		case <-time.After(killAfter):
			quit(c.pid)
			<-c.ended
		}
	})
	return c.err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func tail(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) > logTail {
		text = text[len(text)-logTail:]
	}
	return string(text)
}
