package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// stopMeasured stops a child and tells the most memory that it held at once, in
// bytes. Linux tells it of a process that runs; what it tells of one that has
// ended counts the moment of its start too, when it still was a copy of this
// process. Other systems tell it at the end.
func (c *child) stopMeasured() (peak int64, err error) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid)) // only where there is one
	if err := c.stop(); err != nil {
		return 0, err
	}
	if peak = highWater(string(status)); peak == 0 {
		peak = mostResident(c.cmd.ProcessState)
	}
	if peak == 0 {
		err = fmt.Errorf("this system does not tell how much memory a process held")
	}
	return peak, err
}

// highWater reads VmHWM from the status of a process; 0 when it is not there.
func highWater(status string) int64 {
	const kibi = 1024
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err == nil {
				return n * kibi
			}
		}
	}
	return 0
}
