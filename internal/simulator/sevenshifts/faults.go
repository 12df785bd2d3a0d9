package sevenshiftssim

import "github.com/clustersystems/clusterbridge/internal/simulator/kit"

// Fault spoils requests; its Source is the company's id.
type Fault = kit.Fault

// The kinds of fault, explained in package kit.
const (
	FaultStatus         = kit.FaultStatus
	FaultSlow           = kit.FaultSlow
	FaultDrop           = kit.FaultDrop
	FaultGarbage        = kit.FaultGarbage
	FaultCommitStatus   = kit.FaultCommitStatus
	FaultCommitTimeout  = kit.FaultCommitTimeout
	FaultCommitDrop     = kit.FaultCommitDrop
	FaultCommitGarbage  = kit.FaultCommitGarbage
	FaultCommitTruncate = kit.FaultCommitTruncate
	FaultStray          = kit.FaultStray
)

// Inject queues faults; one that makes no sense refuses them all.
func (s *Sim) Inject(faults ...Fault) error { return s.faults.Inject(faults...) }

// ClearFaults drops the faults that are still queued.
func (s *Sim) ClearFaults() { s.faults.Clear() }
