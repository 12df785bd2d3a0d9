package play

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/clustersystems/clusterbridge/internal/vault"
)

// Names inside the state folder; cmd/demo's clean knows the first.
const (
	pidFile       = "pid"
	postgresDir   = "postgres"
	stateFile     = "state.json"
	keysetFile    = "keyset"
	journalFile   = "7shifts.jsonl"
	wiskFile      = "wisk.jsonl"
	mailFile      = "mails.jsonl"
	officeFile    = "office.json"
	temporalFile  = "temporal.sqlite"
	workerLog     = "worker.log"
	gatewayLog    = "gateway.log"
	temporalLog   = "temporal.log"
	secretsFolder = "secrets"
)

// saved is what a second start goes on from.
type saved struct {
	Size Size `json:"size"`
	// Business is the instant from which business time goes on.
	Business time.Time `json:"business"`
	// Done are the verbs that made locations and connections.
	Done []string `json:"done,omitempty"`
	// Gateway is the gateway's address, to which links in mails lead.
	Gateway string `json:"gateway,omitempty"`
	// Killed says that the worker was killed in the middle already.
	Killed bool `json:"killed,omitempty"`
}

// folder is the state folder of one demo, held by one process.
type folder struct{ path string }

func openFolder(path string) (*folder, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// PostgreSQL's user has to reach its data in there; secrets it must not.
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the state folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(abs, secretsFolder), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the state folder: %w", err)
	}
	f := &folder{path: abs}
	if text, err := os.ReadFile(f.file(pidFile)); err == nil {
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil && pid != os.Getpid() && alive(pid) {
			return nil, fmt.Errorf("a demo is already running on %s as process %d; end it first, or set DEMO_STATE to another folder", abs, pid)
		}
	}
	return f, f.write(pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"))
}

func (f *folder) close() error { return os.Remove(f.file(pidFile)) }

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

// write replaces a file whole: a reader sees the old one or the new one.
func (f *folder) write(name string, content []byte) error {
	fresh := f.file(name) + ".new"
	if err := os.WriteFile(fresh, content, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, f.file(name))
}

// load reads what an earlier start left; found is false on a first start.
func (f *folder) load() (s saved, found bool, err error) {
	text, err := os.ReadFile(f.file(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, false, fmt.Errorf("the state in %s cannot be read (%w); remove it with: make demo-clean", f.path, err)
	}
	return s, true, nil
}

func (f *folder) save(s saved) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return f.write(stateFile, append(text, '\n'))
}

// keyset is made once; without it the tokens in the ledger cannot be opened.
func (f *folder) keyset() (string, error) {
	text, err := os.ReadFile(f.file(keysetFile))
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	keyset, err := vault.NewKeyset()
	if err != nil {
		return "", err
	}
	return keyset, f.write(keysetFile, []byte(keyset+"\n"))
}

// own is a secret of the demo's own, made once: of links and hooks, and the key
// to Cluster's back office.
func (f *folder) own(name string) (string, error) {
	at := filepath.Join(secretsFolder, name)
	text, err := os.ReadFile(f.file(at))
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	secret := hex.EncodeToString(random)
	return secret, f.write(at, []byte(secret+"\n"))
}

func alive(pid int) bool {
	process, err := os.FindProcess(pid)
	return err == nil && process.Signal(syscall.Signal(0)) == nil
}
