package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const killAfter = 10 * time.Second

func serverAccount() (*account, error) { return nil, nil }
func (a *account) reaches(string) bool { return true }
func (a *account) own(string) error    { return nil }
func ours(string) bool                 { return true }
func alive(int) bool                   { return false }
func quit(int)                         {}

func (a *account) as(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func interrupt(_ int, bin binaries, data string) error {
	return exec.Command(bin.tool("pg_ctl"), "stop", "-D", data, "-m", "fast", "-W").Run()
}

// lockDir locks nothing: PostgreSQL itself refuses a second server in one
// directory.
func lockDir(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
}
