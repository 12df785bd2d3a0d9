package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/clustersystems/clusterbridge/internal/ledger/migrations"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const canary = "tok-canary-4711"

func TestMain(m *testing.M) {
	switch os.Getenv("VAULT_TEST_PANIC") {
	case "secret":
		panic(NewSecret(canary))
	case "wrapped":
		panic(fmt.Errorf("sending with %v: %w", NewSecret(canary), work.Errf(work.Internal, errors.New("no"), "%v", NewSecret(canary))))
	case "inside":
		panic(holder{Name: "x", token: NewSecret(canary)})
	}
	postgres.Main(m)
}

// holder keeps a secret in an unexported field, where fmt asks no methods.
type holder struct {
	Name  string
	token Secret
}

func database(t *testing.T) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("postgres", postgres.ForTest(t)+"&binary_parameters=yes")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, db.DB, migrations.Files)
	require.NoError(t, err)
	_, err = provider.Up(t.Context())
	require.NoError(t, err)
	return db
}

func newKeyset(t *testing.T) string {
	t.Helper()
	k, err := NewKeyset()
	require.NoError(t, err)
	return k
}

func opened(t *testing.T, keyset string, db *sqlx.DB) *Vault {
	t.Helper()
	v, err := Open(keyset, db)
	require.NoError(t, err)
	return v
}

func unreadable(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*work.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, work.SecretUnreadable, e.Code)
	require.NotContains(t, err.Error(), canary)
}

func TestASecretComesBackAndIsNotStoredInClear(t *testing.T) {
	db := database(t)
	v := opened(t, newKeyset(t), db)
	for _, value := range []string{"first", canary, "", "\x00\xff binary"} {
		require.NoError(t, v.Put(t.Context(), "7shifts:crescent", NewSecret(value)))
		got, err := v.Get(t.Context(), "7shifts:crescent")
		require.NoError(t, err)
		require.Equal(t, value, got.Reveal())
	}
	require.NoError(t, v.Put(t.Context(), "7shifts:crescent", NewSecret(canary)))
	var sealed []byte
	require.NoError(t, db.Get(&sealed, "SELECT sealed FROM secrets"))
	require.NotContains(t, string(sealed), canary)
	require.NotContains(t, base64.StdEncoding.EncodeToString(sealed), base64.StdEncoding.EncodeToString([]byte(canary))[:12])

	require.NoError(t, v.Delete(t.Context(), "7shifts:crescent"))
	require.NoError(t, v.Delete(t.Context(), "7shifts:crescent"))
	_, err := v.Get(t.Context(), "7shifts:crescent")
	unreadable(t, err)
}

func TestASecretOpensOnlyUnderItsId(t *testing.T) {
	db := database(t)
	v := opened(t, newKeyset(t), db)
	require.NoError(t, v.Put(t.Context(), "a:1", NewSecret(canary)))
	require.NoError(t, v.Put(t.Context(), "b:1", NewSecret("other")))
	db.MustExec(`UPDATE secrets s SET sealed = o.sealed FROM secrets o WHERE (s.id, o.id) IN (('a:1', 'b:1'), ('b:1', 'a:1'))`)
	for _, id := range []string{"a:1", "b:1"} {
		_, err := v.Get(t.Context(), id)
		unreadable(t, err)
	}
}

func TestWhatAnotherRoomKeepsOpensUnderItsIdOnly(t *testing.T) {
	v := opened(t, newKeyset(t), nil)
	sealed, err := v.Seal("mails:1", NewSecret(canary))
	require.NoError(t, err)
	require.NotContains(t, string(sealed), canary)
	got, err := v.Unseal("mails:1", sealed)
	require.NoError(t, err)
	require.Equal(t, canary, got.Reveal())
	_, err = v.Unseal("mails:2", sealed)
	unreadable(t, err)
	_, err = opened(t, newKeyset(t), nil).Unseal("mails:1", sealed)
	unreadable(t, err)
}

func TestAWrongKeysetOpensNothing(t *testing.T) {
	db := database(t)
	right := opened(t, newKeyset(t), db)
	require.NoError(t, right.Put(t.Context(), "a:1", NewSecret(canary)))
	_, err := right.CredentialHash(t.Context(), NewSecret(canary))
	require.NoError(t, err)
	wrong := opened(t, newKeyset(t), db)
	_, err = wrong.Get(t.Context(), "a:1")
	unreadable(t, err)
	_, err = wrong.CredentialHash(t.Context(), NewSecret(canary))
	unreadable(t, err)
	got, err := right.Get(t.Context(), "a:1")
	require.NoError(t, err, "and spoils nothing")
	require.Equal(t, canary, got.Reveal())
}

func TestRotation(t *testing.T) {
	db := database(t)
	first := newKeyset(t)
	require.NoError(t, opened(t, first, db).Put(t.Context(), "old:1", NewSecret("old")))
	name, err := opened(t, first, db).CredentialHash(t.Context(), NewSecret(canary))
	require.NoError(t, err)

	both, err := AddKey(first)
	require.NoError(t, err)
	v := opened(t, both, db)
	got, err := v.Get(t.Context(), "old:1")
	require.NoError(t, err)
	require.Equal(t, "old", got.Reveal())
	again, err := v.CredentialHash(t.Context(), NewSecret(canary))
	require.NoError(t, err)
	require.Equal(t, name, again)

	require.NoError(t, v.Put(t.Context(), "new:1", NewSecret("new")))
	_, err = opened(t, first, db).Get(t.Context(), "new:1")
	unreadable(t, err) // it is the new key that seals
}

func TestCredentialHashIsOneForAllProcesses(t *testing.T) {
	db := database(t)
	keyset := newKeyset(t)
	const processes = 8
	names := make([]string, processes)
	var group errgroup.Group
	for i := range processes {
		v := opened(t, keyset, db)
		group.Go(func() (err error) {
			names[i], err = v.CredentialHash(t.Context(), NewSecret(canary))
			return err
		})
	}
	require.NoError(t, group.Wait())
	for _, name := range names {
		require.Equal(t, names[0], name)
		require.Len(t, name, 64)
		require.NotContains(t, name, canary)
	}
	other, err := opened(t, keyset, db).CredentialHash(t.Context(), NewSecret("another"))
	require.NoError(t, err)
	require.NotEqual(t, names[0], other)
	elsewhere, err := opened(t, keyset, database(t)).CredentialHash(t.Context(), NewSecret(canary))
	require.NoError(t, err)
	require.NotEqual(t, names[0], elsewhere, "no table of known hashes helps")
}

func TestWrongKeysetSettings(t *testing.T) {
	good := newKeyset(t)
	inner, err := base64.StdEncoding.DecodeString(good)
	require.NoError(t, err)
	for _, bad := range []string{"", "!!", "e30=", base64.StdEncoding.EncodeToString(inner[:len(inner)-9]), string(inner)} {
		_, err := Open(bad, nil)
		require.ErrorContains(t, err, "keyset")
		if len(bad) > 8 {
			require.NotContains(t, err.Error(), bad[4:8])
		}
	}
	_, err = Open(good+"\n", nil)
	require.NoError(t, err, "a file's last line end does no harm")
}

func TestUnreachableDatabase(t *testing.T) {
	db := database(t)
	v := opened(t, newKeyset(t), db)
	require.NoError(t, db.Close())
	_, err := v.Get(t.Context(), "a:1")
	e, ok := errors.AsType[*work.Error](err)
	require.True(t, ok)
	require.Equal(t, work.LedgerUnavailable, e.Code)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, v.Put(ctx, "a:1", NewSecret(canary)), context.Canceled)
}

func TestASecretNeverPrints(t *testing.T) {
	s := NewSecret(canary)
	h := holder{Name: "x", token: s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10.3s", "%w"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", &h)
		fmt.Fprintf(&out, verb+"\n", []Secret{s})
		fmt.Fprintf(&out, verb+"\n", map[string]any{"k": s})
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("sending", "token", s, "holder", h, "all", []Secret{s}, slog.Group("g", "t", &s))
	}
	for _, value := range []any{s, &s, h, map[string]any{"k": s}, map[string]Secret{"k": s}} {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		out.Write(text)
	}
	fmt.Fprintln(&out, fmt.Errorf("failed with %v: %w", s, work.Errf(work.Internal, nil, "%s", s)))
	printed := out.String()
	require.Contains(t, printed, redacted)
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), base64.StdEncoding.EncodeToString([]byte(canary))} {
		require.NotContains(t, printed, form)
	}
	require.Error(t, json.Unmarshal([]byte(`"`+canary+`"`), &s), "a secret does not come in from a payload either") //nolint:staticcheck // that it decodes from nothing is the point
	require.Equal(t, canary, s.Reveal())
	require.True(t, Secret{}.Empty())
}

func TestAPanicShowsNoSecret(t *testing.T) {
	for _, kind := range []string{"secret", "wrapped", "inside"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "VAULT_TEST_PANIC="+kind, "GOTRACEBACK=all")
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "panic:")
		require.NotContains(t, string(out), canary)
	}
}
