package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// endOrphan clears the way for a server in a directory whose lock is ours. A
// server that outlived its starter is ended; a pid file whose number now
// belongs to a stranger, which PostgreSQL would take for a living server, is
// removed; one of a dead process PostgreSQL removes itself, after looking for
// leftover shared memory.
func endOrphan(ctx context.Context, data string, bin binaries) error {
	name := filepath.Join(data, "postmaster.pid")
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 {
		return os.Remove(name)
	}
	if !alive(pid) {
		return nil
	}
	if !serves(ctx, pid, data) {
		return os.Remove(name)
	}
	if err := interrupt(pid, bin, data); err != nil {
		return fmt.Errorf("a PostgreSQL left over in %s (process %d) cannot be stopped: %w", data, pid, err)
	}
	for waited := time.Duration(0); serves(ctx, pid, data); waited += lookEvery {
		if waited == killAfter {
			quit(pid)
		}
		if waited > 2*killAfter {
			return fmt.Errorf("a PostgreSQL left over in %s (process %d) does not stop", data, pid)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
	return nil
}

// serves says whether a process is a PostgreSQL on this very directory, by its
// command line.
func serves(ctx context.Context, pid int, data string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		if _, noProc := os.Stat("/proc/self/cmdline"); noProc == nil {
			return false
		}
		line, err = exec.CommandContext(ctx, "ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
		if err != nil {
			return false
		}
	}
	return strings.Contains(string(line), "postgres") && strings.Contains(string(line), data)
}
