//go:build unix && !linux

package postgres

import "syscall"

// tieToParent can do nothing here: a server that outlives us is found and
// ended by the next start in its directory.
func tieToParent(*syscall.SysProcAttr) {}
