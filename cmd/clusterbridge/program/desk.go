package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/term"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/observe"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// desk is what a verb works with: the settings, the terminal, and the outside
// systems, each opened when it is first asked for.
type desk struct {
	settings Settings
	stdin    io.Reader
	out, err io.Writer
	environ  []string

	store   *ledger.Store
	secrets *vault.Vault
	remote  client.Client
	log     *slog.Logger
	watch   *watch // of worker and gateway; nil for short verbs
}

func (d *desk) close() {
	if d.remote != nil {
		d.remote.Close()
	}
	if d.store != nil {
		_ = d.store.Close()
	}
}

func (d *desk) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format+"\n", args...) }

// logger writes to standard error, as the settings say.
func (d *desk) logger() *slog.Logger {
	if d.log == nil {
		d.log = newLogger(d.err, d.settings.LogLevel, d.settings.LogFormat)
	}
	return d.log
}

func newLogger(w io.Writer, level, format string) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: least}
	if format == "text" {
		return slog.New(observe.WithTraceIDs(slog.NewTextHandler(w, options)))
	}
	return slog.New(observe.WithTraceIDs(slog.NewJSONHandler(w, options)))
}

// clock is business time; Load has already refused one that cannot be read.
func (d *desk) clock() clock.Clock {
	c, err := clock.Parse(d.settings.Clock)
	if err != nil {
		return clock.Real()
	}
	return c
}

// ledger opens the ledger once.
func (d *desk) ledger(ctx context.Context) (*ledger.Store, error) {
	if d.store != nil {
		return d.store, nil
	}
	store, err := ledger.Open(ctx, d.settings.DatabaseURL, d.clock(), d.ownLog())
	if err != nil {
		return nil, err
	}
	d.store = store
	return store, nil
}

// vault opens the vault once.
func (d *desk) vault(ctx context.Context) (*vault.Vault, error) {
	if d.secrets != nil {
		return d.secrets, nil
	}
	store, err := d.ledger(ctx)
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(d.settings.Keyset, store.DB())
	if err != nil {
		return nil, failed(err, "set CLUSTERBRIDGE_KEYSET to the line that this made: clusterbridge keyset new", "CLUSTERBRIDGE_KEYSET holds no keyset that can be read.")
	}
	d.secrets = v
	return v, nil
}

// seal keeps a token or key under an id of its own, so that an act that fails
// half-way leaves the one in force alone.
func (d *desk) seal(ctx context.Context, owner, secret string) (id string, err error) {
	v, err := d.vault(ctx)
	if err != nil {
		return "", err
	}
	id = owner + ":" + d.actNumber()
	return id, v.Put(ctx, id, vault.NewSecret(secret))
}

// unseal forgets one that is no longer in force. What cannot be removed stays
// sealed and unused.
func (d *desk) unseal(ctx context.Context, id string) {
	if err := d.secrets.Delete(ctx, id); err != nil {
		d.quiet().WarnContext(ctx, "an old credential stays sealed in the ledger", "secret", id)
	}
}

// quiet is the logger of short verbs: their answers are sentences, so only what
// is worse than information is logged.
func (d *desk) quiet() *slog.Logger { return newLogger(d.err, "warn", d.settings.LogFormat) }

// ownLog is what the systems below log to: all of it for what keeps running.
func (d *desk) ownLog() *slog.Logger {
	if d.watch != nil {
		return d.logger()
	}
	return d.quiet()
}

// connection finds a connection by "<partner>:<location>", or by the location
// alone when that has one connection only.
func (d *desk) connection(ctx context.Context, name string) (ledger.Connection, error) {
	if strings.Count(name, ":") > 1 {
		return ledger.Connection{}, usage(fmt.Sprintf("%q is an onboarding, not a connection.", name), "clusterbridge onboarding show "+name)
	}
	store, err := d.ledger(ctx)
	if err != nil {
		return ledger.Connection{}, err
	}
	if !strings.Contains(name, ":") && work.CheckLocationID(name) == nil {
		if name, err = onlyConnection(ctx, store, name); err != nil {
			return ledger.Connection{}, err
		}
	}
	c, err := store.Connection(ctx, name)
	return c, about(err, name)
}

// onlyConnection is the one connection of a location.
func onlyConnection(ctx context.Context, store *ledger.Store, location string) (string, error) {
	all, err := store.Connections(ctx)
	if err != nil {
		return "", about(err, location)
	}
	var ids []string
	for _, c := range all {
		if c.LocationID == location {
			ids = append(ids, c.ID)
		}
	}
	switch len(ids) {
	case 0:
		return work.ConnectionID(work.SevenShifts, location), nil // which is then not found
	case 1:
		return ids[0], nil
	}
	return "", usage(fmt.Sprintf("%s has several connections.", location), "the same command with one of: "+strings.Join(ids, ", "))
}

// actor is who acts, and why. Handles come from the flag, the setting or the
// operating system.
func (d *desk) actor(a act) (ledger.Actor, error) {
	by := a.By
	if by == "" {
		by = d.settings.By
	}
	if by == "" {
		by = systemHandle(d.environ)
	}
	if work.CheckHandle(by) != nil {
		return ledger.Actor{}, usage(fmt.Sprintf("%q is no staff handle: want lower-case letters, digits, '.', '_' or '-', at most 32.", by), "add --by <handle>, or set CLUSTERBRIDGE_BY")
	}
	if e, wrong := errors.AsType[*work.Error]((work.SteerInput{By: by, Reason: a.Reason, Note: a.Note}).Validate()); wrong {
		return ledger.Actor{}, usage(sentence(e.Detail), "the same command with another --note")
	}
	return ledger.Actor{Handle: by, Reason: a.Reason, Note: a.Note}, nil
}

// unsaid is the note of who gave none; stories leave it out.
const unsaid = "from the command line"

// act is the flags of every verb that changes a live connection.
type act struct {
	By     string `help:"Your staff handle, for the journal (default: CLUSTERBRIDGE_BY, or your user name)." placeholder:"HANDLE"`
	Reason string `help:"Why, as a listed code: ${enum}." enum:"${reasons}" default:"other"`
	Note   string `help:"Why, in a few words; no names of persons." default:"${note}"`
}

// systemHandle makes a staff handle of the operating system's user name.
func systemHandle(environ []string) string {
	name := ""
	for _, line := range environ {
		if key, value, _ := strings.Cut(line, "="); key == "USER" || (key == "LOGNAME" && name == "") {
			name = value
		}
	}
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	return sanitise(name)
}

// sanitise keeps what a staff handle may hold.
func sanitise(name string) string {
	if at := strings.LastIndexByte(name, '\\'); at >= 0 { // DOMAIN\user
		name = name[at+1:]
	}
	name, _, _ = strings.Cut(name, "@")
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') || (b.Len() > 0 && strings.ContainsRune("._-", r)) {
			b.WriteRune(r)
		}
	}
	const longest = 32 // work.CheckHandle
	return b.String()[:min(b.Len(), longest)]
}

// maxSecret bounds what is read as a token or key; real ones are far shorter.
const maxSecret = 8 << 10

// secret reads a token or key from a file, or from standard input, where it is
// not shown as it is typed.
func (d *desk) secret(file, what, flag string) (string, error) {
	lines, err := d.lines(file, what, flag)
	if err != nil {
		return "", err
	}
	return lines[0], nil
}

// lines reads lines that are nobody else's to see: at least one, none empty.
func (d *desk) lines(file, what, flag string) ([]string, error) {
	read := func() ([]byte, error) {
		if f, ok := terminal(d.stdin); ok && file == "" {
			_, _ = fmt.Fprintf(d.err, "%s (not shown): ", what)
			defer func() { _, _ = fmt.Fprintln(d.err) }()
			return term.ReadPassword(int(f.Fd())) //nolint:gosec // descriptors are small
		}
		if file == "" {
			return io.ReadAll(io.LimitReader(d.stdin, maxSecret))
		}
		return os.ReadFile(file) //nolint:gosec // the operator names the file
	}
	content, err := read()
	if err != nil {
		return nil, usage(what+" could not be read.", "give it by "+flag+" <file>, or on standard input")
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 || len(content) > maxSecret {
		return nil, usage(what+" is missing; it is never an argument.", "give it by "+flag+" <file>, or on standard input")
	}
	return lines, nil
}

func terminal(r io.Reader) (*os.File, bool) {
	f, ok := r.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // descriptors are small
}

func terminalOut(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // descriptors are small
}

// patience is how long a verb waits for an outside system to answer at all.
const patience = 10 * time.Second
