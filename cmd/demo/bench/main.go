// Command bench measures clusterbridge: on the embedded Temporal server, a
// PostgreSQL of its own and simulators in a process of their own, beside a bare
// loop without any durability. What counts are the ratios: everything that is
// compared ran in turns on the same machine.
//
//	go run ./cmd/demo/bench
//
// Settings: BENCH_RECEIPTS (20000) and BENCH_PAIRS (5) make it smaller,
// BENCH_ONLY (names, comma separated) picks benchmarks, BENCH_PROFILE=<folder>
// writes a CPU profile of every process. Only a whole run of full size writes
// docs/performance.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/clustersystems/clusterbridge/cmd/clusterbridge/program"
)

// benchmarks is the registry: a file and a line for each.
func benchmarks() []benchmark {
	return []benchmark{
		{"bulk", bulk},
		{"limit", limited},
		{"hook", hook},
		{"backfill", backfill},
		{"freshness", freshness},
		{"memory", memory},
	}
}

// benchmark measures one thing and tells what came out.
type benchmark struct {
	name string
	run  func(ctx context.Context, r *rig) ([]result, error)
}

// roles are the processes that the command runs of itself.
func roles() map[string]func(args []string) error {
	return map[string]func(args []string) error{
		roleSimulators:   simulators,
		roleBare:         bareLoop,
		roleBareBackfill: bareBackfill,
		roleNaive:        naiveWorker,
		roleCeiling:      ceiling,
		roleProgram: func(args []string) error {
			if code := program.Main(args, os.Stdin, os.Stdout, os.Stderr, os.Environ()); code != program.ExitOK {
				return fmt.Errorf("clusterbridge ended with exit code %d", code)
			}
			return nil
		},
	}
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return measure()
	}
	role, known := roles()[args[0]]
	if !known {
		return fmt.Errorf("unknown argument %q", args[0])
	}
	// The process that started this one holds the other end: it closes when that
	// is gone, however that happened.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	end, err := profile(args[0])
	if err != nil {
		return err
	}
	return errors.Join(role(args[1:]), end())
}

// measure runs the benchmarks and writes what came out.
func measure() error {
	o, err := readOptions(os.Environ())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	begun := time.Now()
	r, err := startRig(ctx, o)
	if err != nil {
		return err
	}
	defer r.stop()
	var all []result
	for _, b := range benchmarks() {
		if !o.wants(b.name) {
			continue
		}
		r.say("\n%s", b.name)
		found, err := b.run(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		all = append(all, found...)
	}
	return report(os.Stdout, o, r.about(begun), all)
}
