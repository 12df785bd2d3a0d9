package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

const (
	// pinned is the version that is downloaded.
	pinned      = embedded.V18
	pinnedMajor = 18
	// mavenCentral is where the library's binaries are published.
	mavenCentral = "https://repo1.maven.org/maven2"
	// reachWithin is how long the repository may take to answer at all: a
	// machine without a way to it is told so within 10 seconds.
	reachWithin = 7 * time.Second
	// fetchWithin is for 10 to 60 MB on a slow line.
	fetchWithin = 10 * time.Minute
	// tellEvery is how often a long download says that it is still at work.
	tellEvery = 10 * time.Second
)

// downloadDir is the folder of what is downloaded, and the one in it for what
// is unpacked.
func downloadDir(o Options) (cache, home string, err error) {
	cache = o.cache
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", "", fmt.Errorf("there is no folder for a download (%w)", err)
		}
		cache = filepath.Join(base, "clusterbridge")
	}
	return cache, filepath.Join(cache, "postgres-"+string(pinned)), nil
}

// kept gives the binaries of an earlier download.
func kept(ctx context.Context, o Options, a *account) (binaries, error) {
	_, home, err := downloadDir(o)
	if err != nil {
		return binaries{}, err
	}
	for _, dir := range places(home, a) {
		if !ours(dir) {
			continue
		}
		if b, err := tryBinaries(ctx, filepath.Join(dir, "bin"), a); err == nil {
			return b, nil
		}
	}
	return binaries{}, errors.New("nothing was downloaded before")
}

// downloaded fetches the pinned binaries by the usual library. That library
// would also run the server, but not as another user and not tied to us.
func downloaded(ctx context.Context, o Options, a *account) (binaries, error) {
	if o.NoDownload {
		return binaries{}, errors.New("a download is not wanted here")
	}
	cache, wanted, err := downloadDir(o)
	if err != nil {
		return binaries{}, err
	}
	home, err := place(wanted, a)
	if err != nil {
		return binaries{}, err
	}
	repository := o.repository
	if repository == "" {
		repository = mavenCentral
	}
	if err := reachable(ctx, repository); err != nil {
		return binaries{}, refused(repository, err)
	}
	fmt.Fprintf(o.Log, "Downloading PostgreSQL %s, once (10 to 60 MB from %s into %s)\n", pinned, hostOf(repository), home)
	if err := fetch(ctx, o.Log, repository, cache, home, a); err != nil {
		return binaries{}, refused(repository, err)
	}
	b, err := tryBinaries(ctx, filepath.Join(home, "bin"), a)
	if err != nil {
		return binaries{}, fmt.Errorf("the downloaded server is not usable (%w)", err)
	}
	return b, nil
}

func refused(repository string, err error) error {
	return fmt.Errorf("PostgreSQL %s could not be downloaded from %s (%w)", pinned, hostOf(repository), err)
}

func hostOf(repository string) string {
	if u, err := url.Parse(repository); err == nil {
		return u.Host
	}
	return "the repository"
}

// reachable asks for any answer; what exactly is there the library finds out.
func reachable(ctx context.Context, repository string) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, repository+"/", nil)
	if err != nil {
		return errors.New("its address cannot be read")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("no answer")
		}
		return fmt.Errorf("no way to it: %w", err)
	}
	return resp.Body.Close()
}

// fetch lets the library download and unpack. What it does after that is made
// to fail at once, by a data directory with a version and nothing else.
func fetch(ctx context.Context, log io.Writer, repository, cache, home string, a *account) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	empty := filepath.Join(scratch, "data")
	if err := os.Mkdir(empty, 0o700); err != nil {
		return err
	}
	version, _, _ := strings.Cut(string(pinned), ".")
	if err := os.WriteFile(filepath.Join(empty, "PG_VERSION"), []byte(version), 0o600); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	library := embedded.NewDatabase(embedded.DefaultConfig().
		Version(pinned).
		BinaryRepositoryURL(repository).
		CachePath(cache).
		BinariesPath(home).
		RuntimePath(filepath.Join(scratch, "runtime")).
		DataPath(empty).
		Port(uint32(port)).
		Logger(io.Discard))
	done := make(chan error, 1)
	go func() { done <- library.Start() }()
	if err := await(ctx, log, done); err != nil && !isFile(tool(filepath.Join(home, "bin"), "postgres")) {
		return err
	}
	return a.opened(home)
}

// await waits for the download, which itself knows no end, and shows that
// something moves.
func await(ctx context.Context, log io.Writer, done <-chan error) error {
	began := time.Now()
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	late := time.After(fetchWithin)
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			fmt.Fprintf(log, "  still downloading PostgreSQL (%d s)\n", int(time.Since(began).Seconds()))
		case <-late:
			return fmt.Errorf("it took longer than %s", fetchWithin)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// opened lets the account read and run what root has unpacked, whatever
// root's umask.
func (a *account) opened(dir string) error {
	if a == nil {
		return nil
	}
	return filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.Mode()&os.ModeSymlink != 0 {
			return err
		}
		mode := info.Mode().Perm() | 0o044
		if info.IsDir() || mode&0o100 != 0 {
			mode |= 0o011
		}
		return os.Chmod(path, mode)
	})
}
