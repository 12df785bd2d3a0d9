package program

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/vault"
)

const cannedSecret = "postgres://clusterbridge:canary-password@127.0.0.1:5432/x"

func TestAllProblemsAtOnceInSentences(t *testing.T) {
	_, err := Load([]string{
		"DATABASE_URL=canary-password-of-no-url",
		"TEMPORAL_ADDRESS=temporal",
		"CLUSTERBRIDGE_SYNC_EVERY=5",
		"CLUSTERBRIDGE_REREAD_DAYS=many",
		"CLUSTERBRIDGE_CALLED_OFF_AFTER=-1",
		"CLUSTERBRIDGE_CLUSTER_ORDERS_BY_MODIFIED=perhaps",
		"CLUSTERBRIDGE_SEVENSHIFTS_URL=ftp://api",
		"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_FROM=16",
		"CLUSTERBRIDGE_CLOCK=tomorrow",
		"CLUSTERBRIDGE_LOG_FORMAT=xml",
		"CLUSTERBRIDGE_BY=Marie Tremblay",
		"CLUSTERBRIDGE_KEYSET_FILE=/nowhere/at/all",
	})
	var problems Problems
	require.ErrorAs(t, err, &problems)
	for _, variable := range []string{
		"DATABASE_URL", "TEMPORAL_ADDRESS", "CLUSTERBRIDGE_SYNC_EVERY", "CLUSTERBRIDGE_REREAD_DAYS",
		"CLUSTERBRIDGE_CALLED_OFF_AFTER", "CLUSTERBRIDGE_CLUSTER_ORDERS_BY_MODIFIED", "CLUSTERBRIDGE_SEVENSHIFTS_URL",
		"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_FROM", "CLUSTERBRIDGE_CLOCK", "CLUSTERBRIDGE_LOG_FORMAT",
		"CLUSTERBRIDGE_BY", "CLUSTERBRIDGE_KEYSET_FILE",
	} {
		require.True(t, problems.names(variable), "no sentence on %s in:\n%s", variable, err)
	}
	require.Len(t, problems, 12, "one sentence each:\n%s", err)
	require.NotContains(t, err.Error(), "canary")
	for _, p := range problems {
		require.True(t, strings.HasSuffix(p, "."), p)
	}
}

func TestDefaultsAreSoundAndThoseOf7shifts(t *testing.T) {
	s, err := Load(nil)
	require.NoError(t, err)
	require.Equal(t, sevenshifts.Defaults(), s.sevenShifts())
	require.Equal(t, clock.Real(), (&desk{settings: s}).clock())
	// A variable that is set but empty is not set.
	same, err := Load([]string{"CLUSTERBRIDGE_SYNC_EVERY=", "DATABASE_URL= "})
	require.NoError(t, err)
	require.Equal(t, s, same)
}

func newKeyset(t *testing.T) string {
	t.Helper()
	keyset, err := vault.NewKeyset()
	require.NoError(t, err)
	return keyset
}

func TestKeysetFromFile(t *testing.T) {
	inFile, direct := newKeyset(t), newKeyset(t)
	file := t.TempDir() + "/keyset"
	require.NoError(t, os.WriteFile(file, []byte(inFile+"\n"), 0o600))
	s, err := Load([]string{"CLUSTERBRIDGE_KEYSET_FILE=" + file})
	require.NoError(t, err)
	require.Equal(t, inFile, s.Keyset)
	s, err = Load([]string{"CLUSTERBRIDGE_KEYSET_FILE=" + file, "CLUSTERBRIDGE_KEYSET=" + direct})
	require.NoError(t, err)
	require.Equal(t, direct, s.Keyset)

	require.NoError(t, os.WriteFile(file, []byte("canary\n"), 0o600))
	_, err = Load([]string{"CLUSTERBRIDGE_KEYSET_FILE=" + file})
	require.ErrorContains(t, err, "CLUSTERBRIDGE_KEYSET_FILE holds no keyset")
	require.NotContains(t, err.Error(), "canary")
}

func TestEverySettingIsDocumented(t *testing.T) {
	for _, f := range Describe() {
		require.NotEmpty(t, f.Variable)
		require.NotEmpty(t, f.Group, f.Variable)
		require.Greater(t, len(f.Text), 20, f.Variable)
		require.True(t, f.Default != "" || f.Example != "", "%s has neither default nor example", f.Variable)
		if f.Form != "" && !strings.Contains(f.Form, "|") {
			require.Contains(t, forms, f.Form, f.Variable)
		}
		require.Equal(t, f.min == "", f.max == "", "%s has one bound only", f.Variable)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	keyset := newKeyset(t)
	s, err := Load([]string{"DATABASE_URL=" + cannedSecret, "CLUSTERBRIDGE_KEYSET=" + keyset, "CLUSTERBRIDGE_SYNC_EVERY=7s"})
	require.NoError(t, err)
	var out bytes.Buffer
	printSettings(&out, s)
	require.NotContains(t, out.String(), "canary")
	require.NotContains(t, out.String(), keyset)
	require.Contains(t, out.String(), "(set, not shown)")
	require.Contains(t, out.String(), "7s")
	require.Contains(t, out.String(), "(default 0s)")
}

// The page is written by: clusterbridge settings --markdown > docs/settings.md
func TestSettingsPageIsInStep(t *testing.T) {
	page, err := os.ReadFile("../../../docs/settings.md")
	if os.IsNotExist(err) {
		t.Skip("docs/settings.md is not written yet")
	}
	require.NoError(t, err)
	var out bytes.Buffer
	printMarkdown(&out)
	require.Equal(t, out.String(), string(page), "write it again: go run ./cmd/clusterbridge settings --markdown > docs/settings.md")
}

func TestUnknownVariablesAreNamed(t *testing.T) {
	require.Equal(t, []string{"CLUSTERBRIDGE_SYNCEVERY"}, Unknown([]string{"CLUSTERBRIDGE_SYNCEVERY=5m", "CLUSTERBRIDGE_SYNC_EVERY=5m", "PATH=/bin"}))
}
