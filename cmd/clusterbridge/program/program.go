// Package program is clusterbridge itself: its settings, its verbs and the
// wiring of everything below it. It is a package so that the demo can run the
// same program by executing itself again.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Exit codes of the program.
const (
	ExitOK     = 0 // it was done
	ExitFailed = 1 // it could not be done; the sentence says why
	ExitUsage  = 2 // the command line or the settings are wrong
)

// verbs is the command line.
type verbs struct {
	Worker   workerVerb   `cmd:"" help:"Do the work: serve all workflows and activities until stopped." group:"Run"`
	Gateway  gatewayVerb  `cmd:"" help:"Serve hooks, health, metrics and the payload codec's endpoint until stopped." group:"Run"`
	Health   healthVerb   `cmd:"" help:"Ask a running worker or gateway whether it is ready." group:"Run"`
	Migrate  migrateVerb  `cmd:"" help:"Bring the ledger's schema and Temporal's namespace and search attributes up to this program." group:"Run"`
	Simulate simulateVerb `cmd:"" help:"Serve simulated Cluster, 7shifts, WISK and a mailbox, for demos." group:"Run"`
	Settings settingsVerb `cmd:"" help:"Show every setting and its value; secrets are not printed." group:"Run"`
	Keyset   keysetVerb   `cmd:"" help:"The keyset that seals tokens and keys." group:"Run"`

	Onboard     onboardVerb     `cmd:"" help:"Bring venues to a partner: they are asked, charged and connected." group:"Connect"`
	Onboarding  onboardingVerb  `cmd:"" help:"Onboardings under way, and what people say to them." group:"Connect"`
	Credentials credentialsVerb `cmd:"" help:"API keys of onboardings, by hand." group:"Connect"`
	Rotate      rotateVerb      `cmd:"" help:"Replace a credential of a connection without losing a sale." group:"Connect"`
	Offboard    offboardVerb    `cmd:"" help:"End a connection for good: nothing of it runs, no secret of it is kept." group:"Connect"`

	Location   locationVerb   `cmd:"" help:"Venues' till installations." group:"Connect"`
	Connect    connectVerb    `cmd:"" help:"Connect a location to a partner." group:"Connect"`
	Connection connectionVerb `cmd:"" help:"A connection's choices." group:"Connect"`

	Status     statusVerb     `cmd:"" help:"How all connections are, or one in full." group:"Operate"`
	History    historyVerb    `cmd:"" help:"A connection's story, in sentences." group:"Operate"`
	Sync       syncVerb       `cmd:"" help:"Sync a connection." group:"Operate"`
	Pause      pauseVerb      `cmd:"" help:"Stop syncing a connection until it is resumed." group:"Operate"`
	Resume     resumeVerb     `cmd:"" help:"Sync a paused or called-off connection again." group:"Operate"`
	Resend     resendVerb     `cmd:"" help:"Send some business days again; nothing is doubled." group:"Operate"`
	Backfill   backfillVerb   `cmd:"" help:"Bring in the days before the connection." group:"Operate"`
	Quarantine quarantineVerb `cmd:"" help:"Records that were put aside." group:"Operate"`
	Uncertain  uncertainVerb  `cmd:"" help:"Uploads of unknown end, which wait for a person's word." group:"Operate"`
	Items      itemsVerb      `cmd:"" help:"What a venue's till sells, as WISK sees it." group:"Operate"`
	Findings   findingsVerb   `cmd:"" help:"What people should look at before it does harm." group:"Operate"`
	Export     exportVerb     `cmd:"" help:"Past sales as a table (CSV), for managers who import them into 7shifts by hand." group:"Operate"`

	Version kong.VersionFlag `help:"Show the version and leave."`
}

// needer is a verb that cannot work without some settings.
type needer interface{ needs() []string }

// lenient is a verb that works even when settings are malformed.
type lenient interface{ toleratesProblems() }

// exitRequest is how kong's wish to leave (--help, --version) reaches Main.
type exitRequest int

// Main runs the program and returns its exit code: ExitOK, ExitFailed or
// ExitUsage. It reads settings from environ only, never from the process.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) (code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exitRequest:
			code = int(r)
		default:
			// The value of a panic may hold anything, so only its kind is shown.
			_, _ = fmt.Fprintf(stderr, "clusterbridge met a state it does not know (%T at %s).\nNext: send this line to the developers.\n", r, panicPlace())
			code = ExitFailed
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	var cli verbs
	parser, err := kong.New(&cli,
		kong.Name("clusterbridge"),
		kong.Description("Brings what a Cluster POS till sold to 7shifts (order totals, tips, gratuities) and to WISK (items)."),
		kong.Vars{"version": Version(), "reasons": strings.Join(work.Reasons, ","), "note": unsaid},
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitRequest(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return complain(stderr, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return complain(stderr, usage(sentence(err.Error()), "clusterbridge --help"))
	}
	settings, err := Load(environ)
	d := &desk{settings: settings, stdin: stdin, out: stdout, err: stderr, environ: environ}
	defer d.close()
	if err := d.check(parsed.Selected().Target.Addr().Interface(), err); err != nil {
		return complain(stderr, err)
	}
	return complain(stderr, parsed.Run(d))
}

// check refuses malformed and missing settings, all at once.
func (d *desk) check(verb any, malformed error) error {
	var problems Problems
	_ = errors.As(malformed, &problems)
	if _, ok := verb.(lenient); ok {
		return nil
	}
	if v, ok := verb.(needer); ok {
		problems = append(problems, d.settings.missing(v.needs(), problems)...)
	}
	if len(problems) == 0 {
		return nil
	}
	return usage("Some settings are wrong:\n  "+strings.Join(problems, "\n  "), "clusterbridge settings")
}

// trouble is an error as a person reads it: what happened, and what to type.
type trouble struct {
	said, next string
	code       int
	cause      error
}

func (t *trouble) Error() string { return t.said }
func (t *trouble) Unwrap() error { return t.cause }

// failed is an act that could not be done.
func failed(cause error, next, format string, args ...any) error {
	return &trouble{said: fmt.Sprintf(format, args...), next: next, code: ExitFailed, cause: cause}
}

// usage is a command line or a setting that makes no sense.
func usage(said, next string) error { return &trouble{said: said, next: next, code: ExitUsage} }

// about turns an error from below into a sentence on a connection or location.
func about(err error, connection string) error {
	if err == nil {
		return nil
	}
	if isA[*trouble](err) {
		return err
	}
	if e, ok := errors.AsType[*work.Error](err); ok {
		said, next, _ := strings.Cut(e.Sentence(connection), " Next: ")
		code := ExitFailed
		switch {
		case e.Code == work.BadInput:
			code = ExitUsage
		case e.Code == work.LedgerUnavailable:
			next = "check DATABASE_URL, and that PostgreSQL runs"
		case e.Kind() == work.Transient, e.Kind() == work.Limited:
			next = "the same command again in a minute" // nobody retries a verb but a person
		}
		return &trouble{said: said, next: next, code: code, cause: err}
	}
	return err
}

// complain prints an error and gives the exit code.
func complain(w io.Writer, err error) int {
	if err == nil {
		return ExitOK
	}
	err = about(err, "")
	var t *trouble
	if !errors.As(err, &t) {
		t = &trouble{said: sentence(err.Error()), code: ExitFailed}
	}
	_, _ = fmt.Fprintln(w, t.said)
	if t.next != "" {
		_, _ = fmt.Fprintln(w, "Next: "+t.next)
	}
	return t.code
}

// sentence gives a library's message a capital and a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// panicPlace is where a panic that is being recovered happened.
func panicPlace() string {
	const deepest = 32 // frames looked at; the panic is near the top
	pcs := make([]uintptr, deepest)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	seen := false
	for {
		f, more := frames.Next()
		if seen && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		seen = seen || f.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}
