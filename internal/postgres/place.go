package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// account is the unprivileged user as whom the server runs; nil stands for
// ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// places are the directories that may hold what is wanted in dir, best first.
// Without an account to drop to it is dir alone.
func places(dir string, a *account) []string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	if a == nil {
		return []string{abs}
	}
	sum := sha256.Sum256([]byte(abs))
	name := filepath.Base(abs) + "-" + hex.EncodeToString(sum[:5])
	all := []string{abs}
	if cache, err := os.UserCacheDir(); err == nil {
		all = append(all, filepath.Join(cache, "clusterbridge", name))
	}
	return append(all,
		filepath.Join("/var/tmp", "clusterbridge-"+name),
		filepath.Join(os.TempDir(), "clusterbridge-"+name))
}

// place makes the best directory that the account can reach. It belongs to us,
// not to the account: only what is made inside is handed over.
func place(dir string, a *account) (string, error) {
	if dir == "" {
		return "", fmt.Errorf("no directory is given for PostgreSQL's data")
	}
	all := places(dir, a)
	if a == nil {
		return all[0], os.MkdirAll(all[0], 0o755)
	}
	for _, p := range all {
		if !a.reaches(existing(filepath.Dir(p))) {
			continue
		}
		if err := os.MkdirAll(p, 0o755); err != nil {
			continue
		}
		if !ours(p) || os.Chmod(p, 0o755) != nil || !a.reaches(p) {
			continue
		}
		return p, nil
	}
	return "", fmt.Errorf("user %s, as whom PostgreSQL runs because root may not, reaches none of %q: set TMPDIR to a folder it can enter", a.name, all)
}

// existing is the nearest directory above that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}
