package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bare is a machine without PostgreSQL whose repository is given.
func bare(t *testing.T, repository string) Options {
	t.Helper()
	cache := filepath.Join(t.TempDir(), "cache")
	a, err := serverAccount()
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, p := range places(filepath.Join(cache, "postgres-"+string(pinned)), a) {
			require.NoError(t, os.RemoveAll(p))
		}
	})
	return Options{Dir: wanted(t), Fast: true, globs: []string{}, cache: cache, repository: repository}
}

func TestWithoutAnyPostgreSQLOneSentenceSaysWhatToDo(t *testing.T) {
	t.Parallel() // mostly waiting
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	defer refusing.Close()
	for name, repository := range map[string]string{
		"nobody listens": "http://" + closed.Addr().String(),
		"no answer":      "http://" + silent.Addr().String(),
		"forbidden":      refusing.URL,
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := Start(t.Context(), bare(t, repository))
			require.Less(t, time.Since(began), 10*time.Second)
			require.Error(t, err)
			for _, word := range []string{"DATABASE_URL", "apt install postgresql", "docker compose", strings.TrimPrefix(repository, "http://")} {
				require.ErrorContains(t, err, word)
			}
			require.NotContains(t, err.Error(), "\n", "one sentence")
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestADownloadedServerRunsAndIsKept(t *testing.T) {
	a, err := serverAccount()
	require.NoError(t, err)
	real := onMachine(t.Context(), Options{}, a)
	if len(real) == 0 {
		t.Skip("this machine has no PostgreSQL binaries to put into the package")
	}
	jar := packageOf(t, real[0].dir)
	sum := sha256.Sum256(jar)
	var fetched atomic.Int64
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, string(pinned)+".jar"):
			fetched.Add(1)
			_, _ = w.Write(jar)
		case strings.HasSuffix(r.URL.Path, string(pinned)+".jar.sha256"):
			_, _ = w.Write([]byte(hex.EncodeToString(sum[:])))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer repository.Close()
	o := bare(t, repository.URL)
	var log bytes.Buffer
	o.Log = &log
	for range 2 {
		s, err := Start(t.Context(), o)
		require.NoError(t, err)
		require.NoError(t, open(t, s.URL()).Ping())
		require.NoError(t, s.Stop())
	}
	require.EqualValues(t, 1, fetched.Load(), "the second start uses what is kept")
	require.Contains(t, log.String(), "Downloading PostgreSQL "+string(pinned))
	http.DefaultClient.CloseIdleConnections()
}

// packageOf is a package as the library expects it (an xz archive inside a
// zip), whose binaries are links to real ones.
func packageOf(t *testing.T, bin string) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range []string{"initdb", "postgres", "pg_ctl"} {
		require.NoError(t, w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: filepath.Join(bin, name), Mode: 0o755,
		}))
	}
	require.NoError(t, w.Close())
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	f, err := z.Create("postgres.txz")
	require.NoError(t, err)
	_, err = f.Write(stored(archive.Bytes()))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return jar.Bytes()
}

// stored wraps bytes as an xz stream without compressing them (the format's
// specification, version 1.2.0: LZMA2 chunks of type 1, no check).
func stored(content []byte) []byte {
	sealed := func(b []byte) []byte {
		return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	}
	number := func(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }
	padded := func(b []byte) []byte {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return b
	}
	flags := []byte{0, 0}
	out := append([]byte{0xFD, '7', 'z', 'X', 'Z', 0}, sealed(flags)...)
	// Header of 12 bytes; one filter, LZMA2 (0x21), with a 4 MiB dictionary.
	header := sealed([]byte{2, 0, 0x21, 1, 20, 0, 0, 0})
	block := header
	for first := true; len(content) > 0; first = false {
		n := min(len(content), 1<<16)
		kind := byte(2)
		if first {
			kind = 1
		}
		block = append(block, kind, byte((n-1)>>8), byte(n-1))
		block = append(block, content[:n]...)
		content = content[n:]
	}
	block = append(block, 0)
	size := len(block)
	out = append(out, padded(block)...)
	unpacked := 0
	for at := len(header); block[at] != 0; {
		n := int(block[at+1])<<8 + int(block[at+2]) + 1
		unpacked += n
		at += 3 + n
	}
	index := sealed(padded(number(number(number([]byte{0}, 1), size), unpacked)))
	out = append(out, index...)
	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(footer))
	return append(append(out, footer...), 'Y', 'Z')
}
