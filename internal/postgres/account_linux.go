package postgres

import "syscall"

// tieToParent makes the server shut down when the thread that started it ends,
// which is kept until the server has ended: so, when this process dies.
func tieToParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
