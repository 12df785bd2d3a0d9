package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// pidFile is in the state folder while a demo runs, as in the stack.
const pidFile = "pid"

// clean removes the state folder. The stack itself removes PostgreSQL's data
// first: a demo started as root keeps that where an unprivileged user can read
// it.
func clean(state string) error {
	if pid, running := runningDemo(state); running {
		return fmt.Errorf("the demo is running as process %d; end it first (Ctrl-C there, or: kill %d)", pid, pid)
	}
	if _, err := os.Stat(state); errors.Is(err, fs.ErrNotExist) {
		fmt.Println("nothing to clean: there is no", state)
		return nil
	}
	if stack := stackBinary(state); exists(stack) {
		cmd := exec.Command(stack, "clean")
		cmd.Env = append(os.Environ(), "DEMO_STATE="+state)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("PostgreSQL's data could not be removed: %w", err)
		}
	}
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	fmt.Println("removed", state)
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func runningDemo(state string) (int, bool) {
	text, err := os.ReadFile(filepath.Join(state, pidFile))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0, false
	}
	process, err := os.FindProcess(pid)
	return pid, err == nil && process.Signal(syscall.Signal(0)) == nil
}
