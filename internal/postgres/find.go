package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oldestMajor is the oldest PostgreSQL that is used: DROP DATABASE ... WITH
// (FORCE) came with it.
const oldestMajor = 13

// askWithin bounds the question for a binary's version.
const askWithin = 5 * time.Second

// usualPlaces are where packages put the server's binaries, which are often
// not on PATH: Debian, Red Hat, Homebrew, Postgres.app, Windows' installer.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	`C:\Program Files\PostgreSQL\*\bin`,
}

// binaries is a directory with initdb and postgres in it that really run.
type binaries struct {
	dir     string
	version string // "15.13"
	major   int
}

func (b binaries) tool(name string) string { return tool(b.dir, name) }

func tool(dir, name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

// binariesFor finds binaries for data of a major version (0: any), the newest
// first, else downloads them.
func binariesFor(ctx context.Context, o Options, a *account, major int) (binaries, error) {
	found := onMachine(ctx, o, a)
	if b, err := kept(ctx, o, a); err == nil {
		found = append(found, b)
	}
	for _, b := range found {
		if major == 0 || b.major == major {
			return b, nil
		}
	}
	if major == 0 || major == pinnedMajor {
		b, err := downloaded(ctx, o, a)
		if err == nil {
			return b, nil
		}
		return binaries{}, errors.New(noServer(err))
	}
	return binaries{}, fmt.Errorf("the data kept in %s is of PostgreSQL %d, which this machine no longer has: install that version again, set DATABASE_URL, or remove the data (make demo-clean) and start anew", o.Dir, major)
}

// noServer is the one sentence at the end of the chain.
func noServer(why error) string {
	return fmt.Sprintf("No PostgreSQL was found and %v: set DATABASE_URL to a server you have, or install the system's package "+
		"(Debian, Ubuntu: apt install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql@18), or run docker compose up.", why)
}

func onMachine(ctx context.Context, o Options, a *account) []binaries {
	if o.globs == nil {
		o.globs, o.path = usualPlaces, os.Getenv("PATH")
	}
	var dirs []string
	for _, dir := range filepath.SplitList(o.path) {
		dirs = append(dirs, realDir(dir))
	}
	for _, glob := range o.globs {
		matches, _ := filepath.Glob(glob) // the patterns are constants
		for _, dir := range matches {
			dirs = append(dirs, realDir(dir))
		}
	}
	var found []binaries
	var seen []string
	for _, dir := range dirs {
		if dir == "" || slices.Contains(seen, dir) {
			continue
		}
		seen = append(seen, dir)
		if b, err := tryBinaries(ctx, dir, a); err == nil {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(x, y binaries) int { return y.major - x.major })
	return found
}

// realDir is the directory that a link to postgres leads to, if initdb is
// there too; else dir itself; empty when there is no postgres.
func realDir(dir string) string {
	if !filepath.IsAbs(dir) {
		return ""
	}
	target, err := filepath.EvalSymlinks(tool(dir, "postgres"))
	if err != nil {
		return ""
	}
	if real := filepath.Dir(target); isFile(tool(real, "initdb")) {
		return real
	}
	return dir
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

var versionText = regexp.MustCompile(`\) (\d+)[.0-9a-z]*`)

// tryBinaries asks the binaries for their version as the account that will
// run them.
func tryBinaries(ctx context.Context, dir string, a *account) (binaries, error) {
	if !isFile(tool(dir, "initdb")) || !isFile(tool(dir, "postgres")) {
		return binaries{}, fmt.Errorf("no initdb and postgres in %s", dir)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool(dir, "postgres"), "--version")
	cmd.Dir = rootDir()
	a.as(cmd)
	out, err := cmd.Output()
	if err != nil {
		return binaries{}, fmt.Errorf("%s does not run: %w", tool(dir, "postgres"), err)
	}
	match := versionText.FindStringSubmatch(string(out))
	if match == nil {
		return binaries{}, fmt.Errorf("%s does not tell its version", tool(dir, "postgres"))
	}
	major, err := strconv.Atoi(match[1])
	if err != nil || major < oldestMajor {
		return binaries{}, fmt.Errorf("PostgreSQL %s in %s is too old", match[1], dir)
	}
	return binaries{dir: dir, version: strings.TrimPrefix(match[0], ") "), major: major}, nil
}

// rootDir is a working directory that every user may be in.
func rootDir() string {
	return filepath.VolumeName(os.TempDir()) + string(filepath.Separator)
}
