// Demo plays clusterbridge on one machine: an embedded Temporal server with its
// Web UI, PostgreSQL, a simulated Cluster, 7shifts, WISK and mailbox, and worker
// and gateway in processes of their own.
//
//	go run ./cmd/demo          play three business days; Ctrl-C ends it
//	go run ./cmd/demo clean    remove its state
//
// This program only builds and starts the stack (cmd/demo/stack) and uses
// nothing but the standard library, so that the first line comes at once.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	root, err := findRoot()
	if err != nil {
		return err
	}
	state := stateFolder(root)
	switch {
	case len(args) == 1 && args[0] == "clean":
		return clean(state)
	case len(args) > 0:
		return fmt.Errorf("unknown argument %q; want none, or: clean", args[0])
	}
	fmt.Println("clusterbridge demo: six venues are onboarded, three business days played, from simulated tills to a simulated 7shifts and WISK")
	if err := checkGo(root); err != nil {
		return err
	}
	stack := stackBinary(state)
	if err := build(root, stack); err != nil {
		return err
	}
	return become(stack, append(os.Environ(), "DEMO_STATE="+state))
}

// stateFolder is where everything of the demo lives: DEMO_STATE, or .demo in
// the repository.
func stateFolder(root string) string {
	if dir := os.Getenv("DEMO_STATE"); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			return abs
		}
	}
	return filepath.Join(root, ".demo")
}

// stackBinary is where the stack is built to.
func stackBinary(state string) string { return filepath.Join(state, "bin", "stack") }

// findRoot is the folder with go.work, here or above.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.work")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.work in %s or above; start the demo inside the repository", dir)
		}
	}
}

// become replaces this process by the stack, so that signals and the exit
// status are its own; where the system cannot, it runs the stack as a child.
func become(stack string, env []string) error {
	_ = syscall.Exec(stack, []string{stack}, env)
	cmd := exec.Command(stack)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code > 0 {
		os.Exit(code)
	}
	return err
}
