package clustersim

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// keeper writes the state file; without a name it keeps nothing. The file is
// small, so that each change writes it anew, beside the old one and then over
// it: a crash leaves one of the two.
type keeper struct {
	name string
	err  error // the first failure
}

// open reads the state file, where there is one, and goes on writing it.
func (f *office) open(name string) error {
	if name == "" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f.keeper.name = name
	content, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.save()
		return f.keeper.err
	case err != nil:
		return err
	}
	return json.Unmarshal(content, &f.held)
}

// save writes what is held. The caller holds the lock.
func (f *office) save() {
	k := &f.keeper
	if k.name == "" || k.err != nil {
		return
	}
	content, err := json.MarshalIndent(f.held, "", " ")
	if err == nil {
		const private = 0o600 // it holds simulated contacts
		err = os.WriteFile(k.name+".new", content, private)
	}
	if err == nil {
		err = os.Rename(k.name+".new", k.name)
	}
	k.err = err
}
