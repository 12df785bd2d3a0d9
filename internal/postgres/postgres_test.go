package postgres

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("POSTGRES_TEST_HOLD"); dir != "" {
		hold(dir)
	}
	Main(m)
}

// hold is another process with a server of its own, until it is killed.
func hold(dir string) {
	s, err := Start(context.Background(), Options{Dir: dir, Fast: true, NoDownload: true})
	if err != nil {
		_, _ = os.Stdout.WriteString("failed: " + err.Error() + "\n")
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("up " + s.URL() + "\n")
	select {}
}

func needBinaries(t *testing.T) {
	t.Helper()
	a, err := serverAccount()
	require.NoError(t, err)
	if len(onMachine(t.Context(), Options{}, a)) == 0 {
		t.Skip("this machine has no PostgreSQL binaries")
	}
}

// wanted is a directory whose cluster is removed after the test, wherever it
// was put.
func wanted(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "postgres")
	t.Cleanup(func() { require.NoError(t, Remove(dir)) })
	return dir
}

func open(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("postgres", url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestASecondStartResumesTheData(t *testing.T) {
	needBinaries(t)
	o := Options{Dir: wanted(t), Fast: true, NoDownload: true}
	first, err := Start(t.Context(), o)
	require.NoError(t, err)
	db := open(t, first.URL())
	db.MustExec("CREATE TABLE kept (n integer)")
	db.MustExec("INSERT INTO kept VALUES (42)")

	_, err = Start(t.Context(), o)
	require.ErrorIs(t, err, ErrInUse)

	began := time.Now()
	require.NoError(t, first.Stop(), "with a client still connected")
	require.Less(t, time.Since(began), 5*time.Second)
	require.NoError(t, first.Stop())

	// A stranger's process has got the number of the server that is gone.
	require.NoError(t, os.WriteFile(filepath.Join(first.DataDir(), "postmaster.pid"),
		[]byte(strconv.Itoa(os.Getpid())+"\n"+first.DataDir()+"\n"), 0o600))
	second, err := Start(t.Context(), o)
	require.NoError(t, err)
	defer func() { require.NoError(t, second.Stop()) }()
	require.Equal(t, first.DataDir(), second.DataDir())
	var n int
	require.NoError(t, open(t, second.URL()).Get(&n, "SELECT n FROM kept"))
	require.Equal(t, 42, n)
}

func TestItIsPrivateAndUnprivileged(t *testing.T) {
	needBinaries(t)
	s, err := Start(t.Context(), Options{Dir: wanted(t), Fast: true, NoDownload: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop()) }()
	db := open(t, s.URL())
	var listen, sockets string
	require.NoError(t, db.QueryRow("SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')").Scan(&listen, &sockets))
	require.Equal(t, "127.0.0.1", listen)
	require.Empty(t, sockets)
	var far int
	require.NoError(t, db.Get(&far, `SELECT count(*) FROM pg_hba_file_rules
		WHERE type = 'host' AND address NOT IN ('127.0.0.1', '::1')`))
	require.Zero(t, far, "trust on loopback only")
	info, err := os.Stat(s.DataDir())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.Contains(t, s.Describe(), s.DataDir())
	if os.Geteuid() == 0 {
		require.Contains(t, s.Describe(), "run as user ")
	}
}

func TestAsRootInAPrivateFolderTheDataLiesElsewhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root drops to another user")
	}
	a, err := serverAccount()
	require.NoError(t, err)
	private := t.TempDir()
	require.NoError(t, os.Chmod(private, 0o700))
	dir := filepath.Join(private, "clone", ".demo", "postgres")
	t.Cleanup(func() { require.NoError(t, Remove(dir)) })
	home, err := place(dir, a)
	require.NoError(t, err)
	require.False(t, strings.HasPrefix(home, private))
	require.True(t, a.reaches(home))
	again, err := place(dir, a)
	require.NoError(t, err)
	require.Equal(t, home, again, "the same place every time")
	other, err := place(dir+"2", a)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, Remove(dir+"2")) })
	require.NotEqual(t, home, other)

	open := filepath.Join("/var/tmp", "clusterbridge-place-"+strconv.Itoa(os.Getpid()))
	t.Cleanup(func() { require.NoError(t, Remove(open)) })
	home, err = place(open, a)
	require.NoError(t, err)
	require.Equal(t, open, home, "a folder that can be reached is used as it is")
}

func TestTheServerDiesWithItsStarter(t *testing.T) {
	needBinaries(t)
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a process to its parent")
	}
	dir := wanted(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POSTGRES_TEST_HOLD="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line := make([]byte, 512)
	n, err := out.Read(line)
	require.NoError(t, err)
	first, url, _ := strings.Cut(strings.TrimSpace(string(line[:n])), " ")
	require.Equal(t, "up", first, string(line[:n]))
	require.NoError(t, open(t, url).Ping())
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()

	// Whether it is already gone or still going, the next start takes over.
	s, err := Start(t.Context(), Options{Dir: dir, Fast: true, NoDownload: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop()) }()
	require.Error(t, open(t, url).Ping(), "the orphan is gone")
}

func TestForTestGivesFreshDatabases(t *testing.T) {
	needBinaries(t)
	var first string
	t.Run("one", func(t *testing.T) {
		first = ForTest(t)
		open(t, first).MustExec("CREATE TABLE here (n integer)")
	})
	second := ForTest(t)
	require.NotEqual(t, first, second)
	var tables int
	require.NoError(t, open(t, second).Get(&tables, "SELECT count(*) FROM pg_tables WHERE tablename = 'here'"))
	require.Zero(t, tables)
	require.Error(t, open(t, first).Ping(), "dropped when its test ended")
}

func TestWithDatabase(t *testing.T) {
	require.Equal(t, "postgres://u:p@h:5432/x?sslmode=disable", withDatabase("postgres://u:p@h:5432/main?sslmode=disable", "x"))
	require.Equal(t, "host=h dbname=main dbname=x", withDatabase("host=h dbname=main", "x"))
}

func TestAGivenDatabaseThatDoesNotAnswer(t *testing.T) {
	t.Parallel() // mostly waiting
	// It takes the connection and never says a word.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	began := time.Now()
	_, err = Start(t.Context(), Options{DatabaseURL: "postgres://me:hunter2@" + l.Addr().String() + "/db?sslmode=disable"})
	require.ErrorContains(t, err, "DATABASE_URL")
	require.ErrorContains(t, err, l.Addr().String())
	require.NotContains(t, err.Error(), "hunter2")
	require.Less(t, time.Since(began), 10*time.Second)

	_, err = Start(t.Context(), Options{DatabaseURL: "postgres://me:hunter2@%zz/db"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestAGivenDatabaseIsUsedAndLeftAlone(t *testing.T) {
	needBinaries(t)
	url := ForTest(t)
	s, err := Start(t.Context(), Options{DatabaseURL: url})
	require.NoError(t, err)
	require.Equal(t, url, s.URL())
	require.Empty(t, s.DataDir())
	require.NoError(t, s.Stop())
	require.NoError(t, open(t, url).Ping())
}

func TestDataOfAnotherVersionIsNotTouched(t *testing.T) {
	dir := wanted(t)
	a, err := serverAccount()
	require.NoError(t, err)
	home, err := place(dir, a)
	require.NoError(t, err)
	data := filepath.Join(home, "data")
	require.NoError(t, os.Mkdir(data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("11\n"), 0o600))
	var log bytes.Buffer
	_, err = Start(t.Context(), Options{Dir: dir, Log: &log})
	require.ErrorContains(t, err, "PostgreSQL 11")
	require.ErrorContains(t, err, "DATABASE_URL")
	require.Equal(t, 11, dataVersion(home))
}
