package mail_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	anna   = "anna.tremblay+canary@venue.example.com"
	longer = 10 * time.Second
)

var november = time.Date(2026, 11, 24, 19, 30, 0, 0, time.UTC)

// mailbox is a mail server on this machine.
type mailbox struct {
	*mailboxsim.Sim
	port int
}

func newMailbox(t testing.TB, o mailboxsim.Options) mailbox {
	t.Helper()
	o.Clock = clock.Fixed(november)
	sim, err := mailboxsim.New(o)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- sim.ServeSMTP(listener) }()
	t.Cleanup(func() {
		require.NoError(t, sim.Close())
		require.NoError(t, <-served)
	})
	return mailbox{sim, listener.Addr().(*net.TCPAddr).Port}
}

func (m mailbox) settings() mail.PostSettings {
	return mail.PostSettings{
		Host: "127.0.0.1", Port: m.port, TLS: mail.TLSNone,
		From: "Cluster POS <integrations@clusterpos.example>", ReplyTo: "support@clusterpos.example", Timeout: longer,
	}
}

func newPost(t testing.TB, s mail.PostSettings) *mail.Post {
	t.Helper()
	p, err := mail.NewPost(s)
	require.NoError(t, err)
	return p
}

func letter(c mail.Composed) mail.Letter {
	return mail.Letter{
		To: vault.NewSecret(anna), MessageID: mail.MessageID("onboarding:wisk:r-1/"+string(c.Kind), "clusterpos.example"),
		Date: november, Mail: c,
	}
}

func hello(t testing.TB) mail.Composed {
	t.Helper()
	c, err := composer(t).Compose(mail.Declined{Reader: mail.ToVenue, Partner: work.Wisk, Venues: []mail.Venue{marcel}}, words.French)
	require.NoError(t, err)
	return c
}

// requireCode finds the error's code and flag, and no address anywhere in it.
func requireCode(t testing.TB, err error, code work.Code, ambiguous bool) {
	t.Helper()
	e, ok := errors.AsType[*work.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, code, e.Code, "%v: %v", err, e.Cause)
	require.Equal(t, ambiguous, e.Ambiguous, "%v: %v", err, e.Cause)
	for _, text := range []string{fmt.Sprintf("%+v", err), fmt.Sprintf("%+v", e.Cause), e.Sentence("")} {
		require.NotContains(t, text, "anna")
		require.NotContains(t, text, "venue.example.com")
	}
}

func TestAMailArrivesAsItWasComposed(t *testing.T) {
	box := newMailbox(t, mailboxsim.Options{})
	c := hello(t)
	require.NoError(t, newPost(t, box.settings()).Send(t.Context(), letter(c)))
	all := box.Mails(anna)
	require.Len(t, all, 1)
	m := all[0]
	require.Equal(t, anna, m.To)
	require.Equal(t, "integrations@clusterpos.example", m.From)
	require.Equal(t, c.Subject, m.Subject)
	require.Equal(t, c.Text, m.Text)
	require.Equal(t, c.HTML, m.HTML)
	require.True(t, m.Date.Equal(november))
	for name, want := range map[string]string{
		"From": `"Cluster POS" <integrations@clusterpos.example>`, "Reply-To": "<support@clusterpos.example>",
		"Auto-Submitted": "auto-generated", "Content-Language": "fr-CA", "MIME-Version": "1.0",
		"Message-ID": "<" + mail.MessageID("onboarding:wisk:r-1/declined", "clusterpos.example") + ">",
	} {
		require.Equal(t, want, m.Header(name), name)
	}
	require.Len(t, m.Headers, 10, "and no other, such as a program's name: %v", m.Headers)
	require.Empty(t, box.Violations())
}

// Every mail passes a strict server, in both languages and in both at once.
func TestEveryMailPassesAStrictServer(t *testing.T) {
	box, c := newMailbox(t, mailboxsim.Options{}), composer(t)
	post := newPost(t, box.settings())
	for _, s := range samples(t) {
		for _, langs := range [][]words.Lang{{words.French}, {words.English}, {words.French, words.English}} {
			composed, err := c.Compose(s.message, langs...)
			require.NoError(t, err)
			l := letter(composed)
			l.MessageID = mail.MessageID(fmt.Sprint(s.name, langs), "clusterpos.example")
			require.NoError(t, post.Send(t.Context(), l), s.name)
			got, err := box.WaitFor(t.Context(), anna, func(m mailboxsim.Mail) bool { return m.MessageID == "<"+l.MessageID+">" })
			require.NoError(t, err)
			require.Equal(t, composed.Text, got.Text)
			require.Equal(t, composed.HTML, got.HTML)
			require.Equal(t, composed.Subject, got.Subject)
			require.Len(t, got.Files, len(composed.Attachments))
			for i, a := range composed.Attachments {
				require.Equal(t, mailboxsim.File{Name: a.Name, Type: a.Type, Data: a.Data}, got.Files[i])
			}
			if s.link != "" {
				require.Contains(t, got.Links(), string(s.link))
			}
		}
	}
	require.Empty(t, box.Violations())
	require.Zero(t, box.State().Counters.Refused)
}

func TestTheWayIsEncryptedAsSet(t *testing.T) {
	for _, mode := range []mail.TLSMode{mail.TLSStart, mail.TLSOnly} {
		box := newMailbox(t, mailboxsim.Options{StartTLS: mode == mail.TLSStart, TLS: mode == mail.TLSOnly, User: "bridge", Password: "pass-canary"})
		s := box.settings()
		s.TLS, s.Roots, s.User, s.Password = mode, box.RootCAs(), "bridge", vault.NewSecret("pass-canary")
		require.NoError(t, newPost(t, s).Send(t.Context(), letter(hello(t))), mode)
		require.True(t, box.Mails(anna)[0].TLS)

		wrong := s
		wrong.Password = vault.NewSecret("wrong-canary")
		err := newPost(t, wrong).Send(t.Context(), letter(hello(t)))
		requireCode(t, err, work.MailServerRefused, false)
		require.NotContains(t, fmt.Sprintf("%+v %+v", err, errors.Unwrap(err)), "wrong-canary")

		stranger := s
		stranger.Roots = nil
		requireCode(t, newPost(t, stranger).Send(t.Context(), letter(hello(t))), work.MailServerRefused, false)

		unsigned := s
		unsigned.User, unsigned.Password = "", vault.Secret{}
		requireCode(t, newPost(t, unsigned).Send(t.Context(), letter(hello(t))), work.MailServerRefused, false)
		require.Len(t, box.Mails(""), 1, mode)
	}
}

func TestWithoutTheEncryptionAskedForNothingIsSent(t *testing.T) {
	box := newMailbox(t, mailboxsim.Options{})
	s := box.settings()
	s.TLS = mail.TLSStart
	requireCode(t, newPost(t, s).Send(t.Context(), letter(hello(t))), work.MailServerRefused, false)
	s.TLS = mail.TLSOnly
	require.Error(t, newPost(t, s).Send(t.Context(), letter(hello(t))))
	require.Empty(t, box.Mails(""))
}

func TestWhatTheServerDoesToAMail(t *testing.T) {
	for _, c := range []struct {
		kind      string
		code      work.Code
		ambiguous bool
		kept      int
	}{
		{mailboxsim.FaultBusy, work.MailUnreachable, false, 0},
		{mailboxsim.FaultSender, work.MailServerRefused, false, 0},
		{mailboxsim.FaultRefuse, work.MailRefused, false, 0},
		{mailboxsim.FaultRelay, work.MailServerRefused, false, 0},
		{mailboxsim.FaultTempfail, work.MailUnreachable, false, 0},
		{mailboxsim.FaultSpam, work.MailRefused, false, 0},
		{mailboxsim.FaultFull, work.MailUnreachable, false, 0},
		{mailboxsim.FaultAcceptDrop, work.MailUnreachable, true, 1},
	} {
		t.Run(c.kind, func(t *testing.T) {
			box := newMailbox(t, mailboxsim.Options{})
			require.NoError(t, box.Inject(mailboxsim.Fault{Kind: c.kind}))
			requireCode(t, newPost(t, box.settings()).Send(t.Context(), letter(hello(t))), c.code, c.ambiguous)
			require.Len(t, box.Mails(""), c.kept)
			require.NoError(t, newPost(t, box.settings()).Send(t.Context(), letter(hello(t))), "once the fault has passed")
		})
	}
}

// A connection that ends in the middle of a mail leaves nothing behind. What
// the sender sees depends on how much of the mail was under way; it never
// believes that the mail was taken.
func TestAMailThatBrokeOffIsNotTaken(t *testing.T) {
	box := newMailbox(t, mailboxsim.Options{})
	require.NoError(t, box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultDrop}))
	err := newPost(t, box.settings()).Send(t.Context(), letter(hello(t)))
	e, ok := errors.AsType[*work.Error](err)
	require.True(t, ok)
	require.Equal(t, work.MailUnreachable, e.Code)
	require.Empty(t, box.Mails(""))
}

func TestAMailThatWasTakenIsSentWhateverFollows(t *testing.T) {
	box := newMailbox(t, mailboxsim.Options{})
	require.NoError(t, box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultBye}))
	require.NoError(t, newPost(t, box.settings()).Send(t.Context(), letter(hello(t))))
	require.Len(t, box.Mails(""), 1)
}

func TestAnAnswerThatDoesNotComeIsAmbiguous(t *testing.T) {
	box := newMailbox(t, mailboxsim.Options{})
	require.NoError(t, box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultSlow, Delay: mailboxsim.Duration(time.Hour)}))
	s := box.settings()
	s.Timeout = 300 * time.Millisecond
	requireCode(t, newPost(t, s).Send(t.Context(), letter(hello(t))), work.MailUnreachable, true)

	require.NoError(t, box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultSlow, Delay: mailboxsim.Duration(time.Hour)}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = box.WaitFor(ctx, "", func(m mailboxsim.Mail) bool { return m.Number == 2 })
		cancel()
	}()
	requireCode(t, newPost(t, box.settings()).Send(ctx, letter(hello(t))), work.MailUnreachable, true)
}

func TestAServerThatIsNotThereOrSaysNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	silent := mailbox{port: listener.Addr().(*net.TCPAddr).Port}
	s := silent.settings()
	s.Timeout = 200 * time.Millisecond
	requireCode(t, newPost(t, s).Send(t.Context(), letter(hello(t))), work.MailUnreachable, false)
	require.NoError(t, listener.Close())
	requireCode(t, newPost(t, s).Send(t.Context(), letter(hello(t))), work.MailUnreachable, false)

	s.Host = "no-such-host.invalid"
	requireCode(t, newPost(t, s).Send(t.Context(), letter(hello(t))), work.MailUnreachable, false)
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for variable, spoil := range map[string]func(*mail.PostSettings){
		"MAIL_HOST":     func(s *mail.PostSettings) { s.Host = "" },
		"MAIL_PORT":     func(s *mail.PostSettings) { s.Port = 0 },
		"MAIL_TLS":      func(s *mail.PostSettings) { s.TLS = "ssl" },
		"MAIL_FROM":     func(s *mail.PostSettings) { s.From = "Cluster POS" },
		"MAIL_REPLY_TO": func(s *mail.PostSettings) { s.ReplyTo = "nobody" },
		"MAIL_HELO":     func(s *mail.PostSettings) { s.Helo = "a b\r\nRSET" },
		"MAIL_TIMEOUT":  func(s *mail.PostSettings) { s.Timeout = time.Hour },
		"MAIL_USER":     func(s *mail.PostSettings) { s.TLS, s.User = mail.TLSOnly, "bridge" },
		"encryption":    func(s *mail.PostSettings) { s.User, s.Password = "bridge", vault.NewSecret("x") },
	} {
		s := mailbox{port: 25}.settings()
		spoil(&s)
		_, err := mail.NewPost(s)
		require.ErrorContains(t, err, variable)
	}
}

// What could become a header is refused by the post itself, whoever composed it.
func TestTheServerNeverSeesALetterThatIsNone(t *testing.T) {
	box := newMailbox(t, mailboxsim.Options{})
	for name, spoil := range map[string]func(*mail.Letter){
		"subject":    func(l *mail.Letter) { l.Mail.Subject = "a\r\nBcc: evil@example.com" },
		"no subject": func(l *mail.Letter) { l.Mail.Subject = "" },
		"language":   func(l *mail.Letter) { l.Mail.Langs = nil },
		"Message-ID": func(l *mail.Letter) { l.MessageID = "a@b>\r\nBcc: evil@example.com" },
		"date":       func(l *mail.Letter) { l.Date = time.Time{} },
		"file": func(l *mail.Letter) {
			l.Mail.Attachments = []mail.Attachment{{Name: "a\".csv", Type: mail.CSV, Data: []byte("x")}}
		},
		"recipient":  func(l *mail.Letter) { l.To = vault.NewSecret("anna@venue.example.com>\r\nRCPT TO:<evil@example.com") },
		"recipients": func(l *mail.Letter) { l.To = vault.NewSecret("anna@venue.example.com,evil@example.com") },
	} {
		l := letter(hello(t))
		spoil(&l)
		require.Error(t, newPost(t, box.settings()).Send(t.Context(), l), name)
	}
	require.Empty(t, box.Mails(""))
	require.Zero(t, box.State().Counters.Refused)
}

func TestMessageIDsAreOfTheKey(t *testing.T) {
	require.Equal(t, "8ecff71376ffe0e14b559d3e26520327@x.example", mail.MessageID("a", "x.example"), "in every version: copies may be years apart")
	require.NotEqual(t, mail.MessageID("a", "x.example"), mail.MessageID("b", "x.example"))
	require.NotContains(t, mail.MessageID("secret-step", "x.example"), "secret")
}

// FuzzNothingBecomesAHeader tries to write headers, recipients and commands
// through everything of a letter that comes from outside.
func FuzzNothingBecomesAHeader(f *testing.F) {
	for _, nasty := range []string{
		"plain", "a\r\nBcc: evil@example.com", "a\nBcc: evil@example.com", "\r\n\r\nbody", "a\x00b", "=?utf-8?q?=0d=0aBcc:_evil@example.com?=",
		strings.Repeat("long", 400), strings.Repeat("é", 300), ".\r\n.\r\nRSET", "\u2028Bcc: x", "\u202egnp.exe", `"quoted" <evil@example.com>`,
	} {
		f.Add(nasty, nasty, "file.csv", anna)
		f.Add("Chez Marcel", "x", nasty, anna)
		f.Add("Chez Marcel", "x", "file.csv", nasty)
	}
	box, c := newMailbox(f, mailboxsim.Options{}), composer(f)
	post := newPost(f, box.settings())
	z := zone(f)
	f.Fuzz(func(t *testing.T, name, subject, file, to string) {
		composed, err := c.Compose(mail.Offboarded{Partner: work.Wisk, Venue: mail.Venue{Name: name, Address: subject}, Ended: november.In(z)}, words.English)
		if err != nil {
			return
		}
		for _, change := range []func(*mail.Composed){
			func(*mail.Composed) {},
			func(c *mail.Composed) { c.Subject = subject },
			func(c *mail.Composed) {
				c.Attachments = []mail.Attachment{{Name: file, Type: mail.CSV, Data: []byte("x")}}
			},
		} {
			changed := composed
			change(&changed)
			l := letter(changed)
			l.To = vault.NewSecret(to)
			before := len(box.Mails(""))
			if err := post.Send(t.Context(), l); err != nil {
				require.Len(t, box.Mails(""), before, "refused, and yet there: %v", err)
				continue
			}
			all := box.Mails("")
			require.Len(t, all, before+1)
			m := all[before]
			require.Equal(t, to, m.EnvelopeTo)
			require.Equal(t, to, m.To)
			require.Len(t, m.Headers, 10, "%v", m.Headers)
			require.Empty(t, m.Header("Bcc"))
			require.Equal(t, changed.Text, m.Text)
			require.Len(t, m.Files, len(changed.Attachments))
		}
	})
}
