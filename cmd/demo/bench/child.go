package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The processes that the command runs of itself, by first argument.
const (
	roleSimulators   = "simulators"
	roleProgram      = "clusterbridge"
	roleBare         = "bare-loop"
	roleBareBackfill = "bare-backfill"
	roleNaive        = "naive-worker"
	roleCeiling      = "ceiling"
)

const (
	// readyWithin bounds a child's start on a busy machine.
	readyWithin = time.Minute
	// endWithin is how long a child may take to end in order.
	endWithin = 20 * time.Second
	// ready begins the line with which a child says that it serves.
	ready = "ready"
)

// child is a process of a role that serves until it is stopped.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	said  string // behind "ready"
	done  chan error
}

func command(ctx context.Context, environ []string, log io.Writer, args ...string) (*exec.Cmd, io.Closer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env, cmd.Stderr = environ, log
	stdin, err := cmd.StdinPipe() // see run in main.go
	return cmd, stdin, err
}

// serve starts a child and waits for its "ready" line.
func serve(environ []string, log io.Writer, args ...string) (*child, error) {
	cmd, stdin, err := command(context.Background(), environ, log, args...)
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, stdin: stdin, done: make(chan error, 1)}
	lines := make(chan string, 1)
	var read sync.WaitGroup
	read.Go(func() {
		defer close(lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			if said, ok := strings.CutPrefix(s.Text(), ready); ok && len(lines) == 0 {
				lines <- said
			}
		}
	})
	go func() {
		read.Wait()
		c.done <- cmd.Wait()
	}()
	select {
	case said, ok := <-lines:
		if c.said = said; ok {
			return c, nil
		}
		return nil, fmt.Errorf("%s ended at once: %w", args[0], <-c.done)
	case <-time.After(readyWithin):
		return nil, errors.Join(fmt.Errorf("%s was not ready within %v", args[0], readyWithin), c.stop())
	}
}

// stop ends a child in order, and the hard way when that takes too long.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-c.done:
		return err
	case <-time.After(endWithin):
		_ = c.cmd.Process.Kill()
		<-c.done //nolint:errcheck // killed, so not in order either way
		return errors.New("a process did not end in order")
	}
}

// compute runs a child to its end and reads the JSON that it prints.
func compute(ctx context.Context, environ []string, log io.Writer, into any, args ...string) error {
	cmd, stdin, err := command(ctx, environ, log, args...)
	if err != nil {
		return err
	}
	defer stdin.Close()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return json.Unmarshal(out, into)
}

// profile writes a CPU profile of this process when BENCH_PROFILE says where.
func profile(role string) (end func() error, err error) {
	folder := os.Getenv("BENCH_PROFILE")
	if folder == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%s-%d.pprof", role, os.Getpid())))
	if err != nil {
		return nil, err
	}
	return func() error { pprof.StopCPUProfile(); return f.Close() }, pprof.StartCPUProfile(f)
}
