// Package deploy holds what docker-compose.yml mounts, and the tests of it all:
// there may be no Docker engine where they run, so they read the file as
// Compose does and run its entrypoints as plain processes.
package deploy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// root is the repository, where docker-compose.yml stands.
const root = ".."

// binary is clusterbridge, built once without cgo, as the Dockerfile builds it.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "clusterbridge-deploy-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "clusterbridge")
	build := exec.Command("go", "build", "-o", binary, "./cmd/clusterbridge")
	build.Dir = root
	build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "clusterbridge does not build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// load reads docker-compose.yml as Compose does, with only the given
// environment (NAME=value), so that a developer's own changes nothing.
func load(t *testing.T, environ []string, profiles ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithWorkingDirectory(root), cli.WithEnv(environ), cli.WithProfiles(profiles))
	require.NoError(t, err)
	project, err := options.LoadProject(context.Background())
	require.NoError(t, err)
	return project
}

// everything is the project with all profiles.
func everything(t *testing.T) *types.Project { return load(t, nil, "demo", "cli") }

// isOurs tells whether a service runs clusterbridge itself, with its settings.
func isOurs(s types.ServiceConfig) bool {
	return s.Build != nil && s.Name != "secrets"
}

// output runs clusterbridge with an empty environment and returns all it says.
func output(t *testing.T, environ []string, args ...string) (string, error) {
	t.Helper()
	c := exec.Command(binary, args...)
	c.Env = environ
	out, err := c.CombinedOutput()
	return string(out), err
}
