package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/version"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// What a first build downloads and compiles, measured with an empty module
// cache and an empty build cache on two cores.
const (
	firstModules  = 225
	firstMegabyte = 210
	firstPackages = 1800
	firstMinutes  = 5
)

// checkGo says in one sentence when Go is older than go.work wants. With a
// stock Go the go command itself fetches the right one before we run.
func checkGo(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		want, ok := strings.CutPrefix(strings.TrimSpace(line), "go ")
		if ok && version.Compare(runtime.Version(), "go"+want) < 0 {
			return fmt.Errorf("this is Go %[2]s and %[1]s or newer is needed: get it from https://go.dev/dl/", want, strings.TrimPrefix(runtime.Version(), "go"))
		}
	}
	return nil
}

// build compiles the stack and shows that something moves.
func build(root, target string) error {
	if !exists(target) {
		fmt.Printf("The first start builds Temporal's server and Web UI from source: about %d MB in %d modules are\n"+
			"downloaded if this machine does not have them, and compiling takes about %d minutes on two cores.\n"+
			"Later starts take seconds.\n", firstMegabyte, firstModules, firstMinutes)
	}
	// No version stamp: a clone owned by another user would make git refuse.
	cmd := exec.Command("go", "build", "-buildvcs=false", "-v", "-o", target, "./cmd/demo/stack")
	cmd.Dir = root
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot run the go command: %w", err)
	}
	p := &progress{begun: begun, terminal: isTerminal(os.Stdout), out: os.Stdout}
	rest := p.follow(stderr)
	if err := cmd.Wait(); err != nil {
		fmt.Fprint(os.Stderr, rest)
		return errors.New("the build failed; what the go command said stands above")
	}
	p.done()
	return nil
}

// progress counts what the go command tells on its way.
type progress struct {
	begun                time.Time
	terminal             bool
	out                  io.Writer
	downloaded, compiled int
	linking, shown       bool
	last                 time.Time
}

// Plain lines come seldom enough to read, and often enough to see that
// something moves.
const (
	redrawEvery = time.Second
	lineEvery   = 10 * time.Second
)

// follow reads the go command's messages until it ends and returns those that
// are not about progress.
func (p *progress) follow(r io.Reader) string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			lines <- s.Text()
		}
	}()
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	var rest bytes.Buffer
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return rest.String()
			}
			if !p.count(line) {
				fmt.Fprintln(&rest, line)
			}
		case <-tick.C:
			p.show()
		}
	}
}

func (p *progress) count(line string) bool {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.downloaded++
	case strings.ContainsAny(line, " #:\t") || line == "":
		return false
	case strings.HasSuffix(line, "/cmd/demo/stack"):
		p.linking = true
	default:
		p.compiled++
	}
	return true
}

func (p *progress) show() {
	if !p.terminal && p.shown && time.Since(p.last) < lineEvery {
		return
	}
	p.shown, p.last = true, time.Now()
	what := "looking what is there"
	switch {
	case p.linking:
		what = "linking (about 20 s)"
	case p.compiled > 0:
		what = fmt.Sprintf("compiled %d packages of at most about %d", p.compiled, firstPackages)
	}
	if p.downloaded > 0 {
		what = fmt.Sprintf("downloaded %d modules of about %d, ", p.downloaded, firstModules) + what
	}
	text := fmt.Sprintf("building: %s, %d s", what, int(time.Since(p.begun).Seconds()))
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s", text)
		return
	}
	fmt.Fprintln(p.out, text)
}

func (p *progress) done() {
	if p.terminal && p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	if p.shown {
		fmt.Fprintf(p.out, "built in %d s\n", int(time.Since(p.begun).Seconds()))
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
