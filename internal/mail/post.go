package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// TLSMode is how the way to the mail server is encrypted.
type TLSMode string

// The modes.
const (
	TLSNone  TLSMode = "none"     // not at all: for a server on this machine
	TLSStart TLSMode = "starttls" // STARTTLS, or no mail; usual on port 587
	TLSOnly  TLSMode = "tls"      // from the first byte on; usual on port 465
)

// quitWithin bounds the goodbye after the server has taken the mail: until it
// is recorded, a crash would cost a second copy.
const quitWithin = 2 * time.Second

// PostSettings say through which server mails go, and as whom. The setting of
// each is in brackets.
type PostSettings struct {
	Host string  // [CLUSTERBRIDGE_MAIL_HOST]
	Port int     // [CLUSTERBRIDGE_MAIL_PORT, 587]
	TLS  TLSMode // [CLUSTERBRIDGE_MAIL_TLS, starttls]
	// Roots are the authorities that may sign the server's certificate; nil
	// means the system's [CLUSTERBRIDGE_MAIL_CA_FILE, PEM].
	Roots *x509.CertPool
	// User and Password sign us in, over TLS only; no User, no signing in
	// [CLUSTERBRIDGE_MAIL_USER, CLUSTERBRIDGE_MAIL_PASSWORD].
	User     string
	Password vault.Secret
	// From is the sender, such as "Cluster POS <integrations@clusterpos.com>".
	// Its domain ends the Message-IDs [CLUSTERBRIDGE_MAIL_FROM].
	From string
	// ReplyTo is where answers go, if not to From [CLUSTERBRIDGE_MAIL_REPLY_TO].
	ReplyTo string
	// Helo is how we introduce ourselves, a host's name
	// [CLUSTERBRIDGE_MAIL_HELO, the From address's domain].
	Helo string
	// Timeout bounds the sending of one mail in all [CLUSTERBRIDGE_MAIL_TIMEOUT,
	// 30s; at most 50s, below the minute that a step of work has].
	Timeout time.Duration
}

// maxTimeout: see PostSettings.Timeout.
const maxTimeout = 50 * time.Second

// Post sends mails over SMTP, one connection each. It is safe for use by many
// goroutines.
type Post struct {
	settings PostSettings
	domain   string
	tls      *tls.Config
}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// NewPost checks the settings; its errors name the one that is wrong.
func NewPost(s PostSettings) (*Post, error) {
	from, err := mail.ParseAddress(s.From)
	if err != nil || CheckAddress(from.Address) != nil || hasControl(from.Name) {
		return nil, errors.New("CLUSTERBRIDGE_MAIL_FROM: want an address, such as Cluster POS <integrations@example.com>")
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	if s.Helo == "" {
		s.Helo = domain
	}
	switch {
	case s.Host == "" || net.ParseIP(s.Host) == nil && !hostPattern.MatchString(s.Host):
		return nil, errors.New("CLUSTERBRIDGE_MAIL_HOST: want a host's name")
	case s.Port < 1 || s.Port > 65535:
		return nil, errors.New("CLUSTERBRIDGE_MAIL_PORT: want 1 to 65535")
	case oneOf(s.TLS, TLSNone, TLSStart, TLSOnly) != nil:
		return nil, errors.New("CLUSTERBRIDGE_MAIL_TLS: want none, starttls or tls")
	case s.TLS == TLSNone && s.User != "":
		return nil, errors.New("CLUSTERBRIDGE_MAIL_TLS: a password does not travel without encryption")
	case (s.User == "") != s.Password.Empty():
		return nil, errors.New("CLUSTERBRIDGE_MAIL_USER, CLUSTERBRIDGE_MAIL_PASSWORD: want both or none")
	case s.ReplyTo != "" && CheckAddress(s.ReplyTo) != nil:
		return nil, errors.New("CLUSTERBRIDGE_MAIL_REPLY_TO: want a mail address")
	case !hostPattern.MatchString(s.Helo):
		return nil, errors.New("CLUSTERBRIDGE_MAIL_HELO: want a host's name")
	case s.Timeout <= 0 || s.Timeout > maxTimeout:
		return nil, fmt.Errorf("CLUSTERBRIDGE_MAIL_TIMEOUT: want more than 0 and at most %s", maxTimeout)
	}
	return &Post{settings: s, domain: domain, tls: &tls.Config{
		ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12,
	}}, nil
}

// Domain is what our Message-IDs end with.
func (p *Post) Domain() string { return p.domain }

// Send hands a mail to the server. It returns nil once the server has taken it,
// whatever happens to the connection afterwards. Errors are *work.Error without
// the address:
//
//   - MailUnreachable: no answer, or "try again later". With Ambiguous set the
//     connection ended after the whole mail had been sent and before the
//     answer: the server may have taken it.
//   - MailServerRefused: it does not want us; a setting is wrong.
//   - MailRefused: it does not know the recipient or does not want the mail.
//   - Internal: the letter is not one.
func (p *Post) Send(ctx context.Context, l Letter) error {
	msg, err := p.build(l)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.settings.Timeout)
	defer cancel()
	w := &wire{tls: p.tls, encrypted: p.settings.TLS == TLSOnly}
	defer w.cut()
	defer context.AfterFunc(ctx, w.cut)()
	client, err := gomail.NewClient(p.settings.Host, p.options(w)...)
	if err != nil {
		return work.Err(work.Internal, "the mail settings are not ones")
	}
	visit, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return notAdmitted(err)
	}
	if err := client.SendWithSMTPClient(visit, msg); err != nil {
		return notTaken(err)
	}
	hurry := time.AfterFunc(quitWithin, w.cut)
	defer hurry.Stop()
	_ = client.CloseWithSMTPClient(visit) // the mail is with the server, with or without a goodbye
	return nil
}

func (p *Post) options(w *wire) []gomail.Option {
	// Over a connection that is encrypted already, "opportunistic" only looks at
	// what it has.
	policy := map[TLSMode]gomail.TLSPolicy{
		TLSNone: gomail.NoTLS, TLSStart: gomail.TLSMandatory, TLSOnly: gomail.TLSOpportunistic,
	}[p.settings.TLS]
	o := []gomail.Option{
		gomail.WithPort(p.settings.Port), gomail.WithTimeout(p.settings.Timeout), gomail.WithHELO(p.settings.Helo),
		gomail.WithTLSConfig(p.tls), gomail.WithTLSPolicy(policy), gomail.WithDialContextFunc(w.dial),
		gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8(),
	}
	if p.settings.User != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(p.settings.User), gomail.WithPassword(p.settings.Password.Reveal()))
	}
	return o
}
