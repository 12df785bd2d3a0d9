package play

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopWithin is how long a worker may take to finish its step when asked to
// end; then it is killed, which loses nothing.
const stopWithin = 15 * time.Second

// restartAfter is the pause before a worker that ended by itself starts again.
const restartAfter = time.Second

// runVerb runs clusterbridge once and returns what it printed. A failure is
// the verb's own sentence.
func runVerb(ctx context.Context, program, environ []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program[0], append(program[1:len(program):len(program)], args...)...)
	cmd.Env = environ
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("clusterbridge %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// shown is a verb as a person would type it.
func shown(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if strings.ContainsAny(a, " '\"&") || a == "" {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return "clusterbridge " + strings.Join(quoted, " ")
}

// worker is a process of clusterbridge, a worker as a rule, that is started
// again when it ends by itself, as a supervisor would do in production.
type worker struct {
	verb             string // what it runs as
	program, environ []string
	log              io.Writer
	told             func(format string, args ...any)

	mu      sync.Mutex
	current *exec.Cmd
	gone    chan struct{} // closed when the current process has ended
	ending  bool
	done    chan struct{}
}

// startWorker starts the process; told gets a line whenever it ended and was
// started again.
func startWorker(program, environ []string, log io.Writer, told func(string, ...any)) (*worker, error) {
	return startProcess("worker", program, environ, log, told)
}

// startProcess does the same with another verb that runs until it is stopped.
func startProcess(verb string, program, environ []string, log io.Writer, told func(string, ...any)) (*worker, error) {
	w := &worker{verb: verb, program: program, environ: environ, log: log, told: told, done: make(chan struct{})}
	if err := w.launch(); err != nil {
		return nil, err
	}
	go w.supervise()
	return w, nil
}

// pid is the process that runs now.
func (w *worker) pid() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current.Process.Pid
}

func (w *worker) launch() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending {
		return errors.New("the " + w.verb + " is being stopped")
	}
	cmd := exec.Command(w.program[0], append(w.program[1:len(w.program):len(w.program)], w.verb)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(slices.Clip(w.environ), tiedVariable+"=1"), w.log, w.log
	// Nothing is ever written to it: it closes when the demo is gone.
	if _, err := cmd.StdinPipe(); err != nil {
		return err
	}
	// A Ctrl-C at the terminal goes to the demo, which ends the worker in order.
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the %s does not start: %w", w.verb, err)
	}
	w.current, w.gone = cmd, make(chan struct{})
	return nil
}

func (w *worker) supervise() {
	defer close(w.done)
	for {
		w.mu.Lock()
		cmd, gone := w.current, w.gone
		w.mu.Unlock()
		_ = cmd.Wait()
		close(gone)
		w.mu.Lock()
		ending := w.ending
		w.mu.Unlock()
		if ending {
			return
		}
		time.Sleep(restartAfter)
		if err := w.launch(); err != nil {
			return
		}
		w.told("the %s %d ended (%s); started again as %d", w.verb, cmd.Process.Pid, cmd.ProcessState, w.pid())
	}
}

// kill ends the process the hard way, as a power cut would, and waits until it is
// gone. One that has just ended is gone already.
func (w *worker) kill() error {
	w.mu.Lock()
	process, gone := w.current.Process, w.gone
	w.mu.Unlock()
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-gone
	return nil
}

// stop ends the process in order, and the hard way when that takes too long.
func (w *worker) stop() {
	w.mu.Lock()
	w.ending = true
	process := w.current.Process
	w.mu.Unlock()
	_ = process.Signal(syscall.SIGTERM)
	select {
	case <-w.done:
	case <-time.After(stopWithin):
		_ = process.Signal(os.Kill)
		<-w.done
	}
}
