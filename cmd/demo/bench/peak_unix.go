//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// mostResident is what the system says of a process that has ended, in bytes.
func mostResident(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	const kibi = 1024
	unit := int64(kibi)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return int64(usage.Maxrss) * unit //nolint:unconvert // 32 bits on some systems
}
