package program

import (
	"bytes"
	"net/netip"
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

func TestSecretsFromFiles(t *testing.T) {
	for _, f := range Describe() {
		if f.Secret {
			_, err := Load([]string{f.Variable + "_FILE=/nowhere/at/all"})
			require.ErrorContains(t, err, f.Variable+"_FILE names a file that cannot be read.")
			_, err = Load([]string{f.Variable + "_FILE=/nowhere/at/all", f.Variable + "=canary"})
			require.ErrorContains(t, err, f.Variable+"_FILE is given and so is "+f.Variable+"; want one of them.")
			require.NotContains(t, err.Error(), "canary")
		}
	}

	keyset, file := newKeyset(t), t.TempDir()+"/secret"
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(keyset + "\n")
	s, err := Load([]string{"CLUSTERBRIDGE_KEYSET_FILE=" + file})
	require.NoError(t, err)
	require.Equal(t, keyset, s.Keyset)
	var out bytes.Buffer
	printSettings(&out, s)
	require.NotContains(t, out.String(), keyset)
	require.Contains(t, out.String(), "(set, not shown)")

	write("canary\n")
	for variable, sentence := range map[string]string{
		"CLUSTERBRIDGE_KEYSET_FILE":       "CLUSTERBRIDGE_KEYSET_FILE holds no keyset",
		"CLUSTERBRIDGE_CODEC_KEYSET_FILE": "CLUSTERBRIDGE_CODEC_KEYSET_FILE holds no keyset of a codec",
		"DATABASE_URL_FILE":               "DATABASE_URL_FILE is not of the right form",
		"CLUSTERBRIDGE_HOOK_SECRETS_FILE": "CLUSTERBRIDGE_HOOK_SECRETS_FILE is not of the right form",
	} {
		_, err = Load([]string{variable + "=" + file})
		require.ErrorContains(t, err, sentence)
		require.NotContains(t, err.Error(), "canary")
	}
	write(" \n")
	_, err = Load([]string{"CLUSTERBRIDGE_KEYSET_FILE=" + file})
	require.ErrorContains(t, err, "CLUSTERBRIDGE_KEYSET_FILE names a file that is empty.")

	// A verb that needs the setting does not call it missing too.
	r := run([]string{"CLUSTERBRIDGE_KEYSET_FILE=/nowhere/at/all"}, "", "keyset", "add-key")
	require.Equal(t, ExitUsage, r.code)
	require.NotContains(t, r.err, "CLUSTERBRIDGE_KEYSET is not set")
}

func TestListsOfTheGateway(t *testing.T) {
	one, two := strings.Repeat("1", 32), strings.Repeat("2", 32)
	file := t.TempDir() + "/secrets"
	require.NoError(t, os.WriteFile(file, []byte(one+"\n"+two+"\n"), 0o600))
	s, err := Load([]string{
		"CLUSTERBRIDGE_HOOK_SECRETS=" + one + ",, " + two + ",", "CLUSTERBRIDGE_CODEC_TOKENS_FILE=" + file,
		"CLUSTERBRIDGE_GATEWAY_TRUSTED_PROXIES=10.0.0.0/8, 192.0.2.7", "CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN=off",
		"CLUSTERBRIDGE_GATEWAY_LISTEN=:0", "OTEL_EXPORTER_OTLP_HEADERS=api-key=a%20b",
	})
	require.NoError(t, err)
	require.Equal(t, []string{one, two}, s.HookSecrets)
	require.Equal(t, []string{one, two}, s.CodecTokens)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")}, s.trustedProxies())
	require.Equal(t, map[string]string{"api-key": "a b"}, s.traceHeaders())
	require.Equal(t, "cluster", Settings{ClusterURL: "https://relay.example.com/pos"}.systems()["relay.example.com"])

	_, err = Load([]string{
		"CLUSTERBRIDGE_HOOK_SECRETS=" + one + ",canary", "CLUSTERBRIDGE_GATEWAY_TRUSTED_PROXIES=proxy",
		"CLUSTERBRIDGE_CODEC_ORIGINS=http://127.0.0.1:8233/", "CLUSTERBRIDGE_WORKER_LISTEN=9091", "CLUSTERBRIDGE_HOOK_DEBOUNCE=1h",
	})
	var problems Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 5, err.Error())
	require.NotContains(t, err.Error(), "canary")
}

func TestTheCodecIsOffUnlessSet(t *testing.T) {
	off, err := Load(nil)
	require.NoError(t, err)
	require.Nil(t, off.converter())
	r := run(nil, "", "keyset", "new", "--codec")
	require.Equal(t, ExitOK, r.code, r.err)
	on, err := Load([]string{"CLUSTERBRIDGE_CODEC_KEYSET=" + strings.TrimSpace(r.out)})
	require.NoError(t, err)
	sealed, err := on.converter().ToPayload(map[string]string{"connection": "7shifts:canary"})
	require.NoError(t, err)
	require.NotContains(t, sealed.String(), "canary")
	var opened map[string]string
	require.NoError(t, on.converter().FromPayload(sealed, &opened))
	require.Equal(t, "7shifts:canary", opened["connection"])
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
