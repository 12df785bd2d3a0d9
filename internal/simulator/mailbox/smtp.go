package mailboxsim

import (
	"crypto/subtle"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	// maxMessage is what the server takes at most, as many servers do.
	maxMessage = 25 << 20
	// maxRecipients of one mail: the mail room writes to one reader at a time,
	// so that readers do not see each other.
	maxRecipients = 1
	// maxLine is the longest line of a mail (RFC 5322, 2.1.1), without its end.
	maxLine = 998
	// longestLine is where the server hangs up instead of answering.
	longestLine = 1 << 20
	// patience is how long the server waits for a silent client.
	patience = time.Minute
)

func (s *Sim) newServer() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{sim: s, conn: c, signedIn: s.options.User == ""}, nil
	}))
	server.Domain = "mailbox.invalid"
	server.MaxMessageBytes = maxMessage
	server.MaxRecipients = maxRecipients
	server.MaxLineLength = longestLine
	server.ReadTimeout, server.WriteTimeout = patience, patience
	server.ErrorLog = quiet{s}
	if s.options.StartTLS {
		server.TLSConfig = s.serverTLS()
	}
	return server
}

// quiet hands the server library's remarks to the log.
type quiet struct{ sim *Sim }

func (q quiet) Printf(format string, _ ...any) {
	q.sim.log.Debug("smtp", "remark", strings.TrimSpace(format))
}
func (q quiet) Println(...any) { q.sim.log.Debug("smtp") }

// session is one client's visit.
type session struct {
	sim      *Sim
	conn     *smtp.Conn
	signedIn bool
	from, to string
	leaving  bool // hangs up once the answer is out
}

// addressPattern is stricter than the standard: an ordinary ASCII address, as
// the mail room should only ever write to.
var addressPattern = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)

func no(code int, a, b, c int, why string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{a, b, c}, Message: why}
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signedIn {
		return s.refused(no(530, 5, 7, 0, "Sign in first"))
	}
	switch s.sim.takeFault("", FaultBusy, FaultSender).Kind {
	case FaultBusy:
		return no(421, 4, 3, 2, "Too busy, come back later")
	case FaultSender:
		return no(553, 5, 7, 1, "Sender "+from+" is not ours")
	}
	if !addressPattern.MatchString(from) {
		return s.refused(no(553, 5, 1, 7, "Malformed sender"))
	}
	s.from = from
	return nil
}

// Rcpt implements smtp.Session. Like many servers it quotes the address.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !addressPattern.MatchString(to) {
		return s.refused(no(553, 5, 1, 3, "Malformed recipient "+to))
	}
	switch s.sim.takeFault(to, FaultRefuse, FaultRelay, FaultTempfail).Kind {
	case FaultRefuse:
		return no(550, 5, 1, 1, "<"+to+">: no such person here")
	case FaultRelay:
		return no(550, 5, 7, 1, "<"+to+">: relay access denied")
	case FaultTempfail:
		return no(451, 4, 7, 1, "<"+to+">: try again later")
	}
	s.to = to
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	fault := s.sim.takeFault(s.to, FaultSpam, FaultFull, FaultDrop, FaultAcceptDrop, FaultSlow, FaultBye)
	if fault.Kind == FaultDrop {
		_, _ = io.CopyN(io.Discard, r, 100)
		return s.hangUp()
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch fault.Kind {
	case FaultSpam:
		return no(554, 5, 7, 1, "We do not like this mail to "+s.to)
	case FaultFull:
		return no(452, 4, 2, 2, "The box of "+s.to+" is full")
	}
	m, err := read(raw)
	if err != nil {
		return s.refused(no(550, 5, 6, 0, err.Error()))
	}
	m.EnvelopeFrom, m.EnvelopeTo = s.from, s.to
	_, m.TLS = s.conn.TLSConnectionState()
	s.sim.keep(m)
	switch fault.Kind {
	case FaultAcceptDrop:
		return s.hangUp()
	case FaultSlow:
		if !s.sim.pause(time.Duration(fault.Delay)) {
			return s.hangUp()
		}
	case FaultBye:
		s.leaving = true
	}
	return nil
}

func (s *session) hangUp() error {
	_ = s.conn.Conn().Close()
	return no(421, 4, 0, 0, "nobody reads this")
}

func (s *session) refused(err error) error {
	s.sim.mu.Lock()
	defer s.sim.mu.Unlock()
	s.sim.counters.Refused++
	s.sim.log.Info("refused", "why", err)
	return err
}

// Reset implements smtp.Session. The server calls it after the answer to a mail.
func (s *session) Reset() {
	s.from, s.to = "", ""
	if s.leaving {
		_ = s.conn.Conn().Close()
	}
}

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.sim.options.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		same := subtle.ConstantTimeCompare([]byte(user+"\x00"+password), []byte(s.sim.options.User+"\x00"+s.sim.options.Password))
		if same != 1 {
			return s.refused(smtp.ErrAuthFailed)
		}
		s.signedIn = true
		return nil
	}), nil
}

// pause is a real delay; false when Close has ended it.
func (s *Sim) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closing:
		return false
	}
}
