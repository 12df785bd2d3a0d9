package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"sync"

	gomail "github.com/wneessen/go-mail"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// wire is the connection of one sending. The library bounds its steps, but
// not all of them together: whoever has waited long enough cuts the wire.
type wire struct {
	tls       *tls.Config
	encrypted bool // from the first byte on

	mu   sync.Mutex
	conn net.Conn
	gone bool
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.conn = conn
	gone := w.gone
	w.mu.Unlock()
	if gone {
		w.cut()
		return nil, net.ErrClosed
	}
	if !w.encrypted {
		return conn, nil
	}
	wrapped := tls.Client(conn, w.tls)
	return wrapped, wrapped.HandshakeContext(ctx)
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// notAdmitted is the error of a visit that ended before the first mail.
func notAdmitted(err error) *work.Error {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		if answer.Code/100 == 4 {
			return work.Errf(work.MailUnreachable, scrubbed(err), "answer %d", answer.Code)
		}
		return work.Errf(work.MailServerRefused, scrubbed(err), "answer %d before any mail", answer.Code)
	}
	_, network := errors.AsType[net.Error](err)
	if network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return work.Errf(work.MailUnreachable, scrubbed(err), "no connection")
	}
	return work.Errf(work.MailServerRefused, scrubbed(err), "it cannot be agreed how to sign in or to encrypt")
}

// notTaken is the error of a mail that the server has not taken, as far as we
// know.
func notTaken(err error) *work.Error {
	sent, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return work.Errf(work.MailUnreachable, scrubbed(err), "the connection ended")
	}
	answer := strings.TrimSpace(fmt.Sprintf("answer %d %s", sent.ErrorCode(), sent.EnhancedStatusCode()))
	switch {
	case sent.ErrorCode() == 0 && sent.Reason == gomail.ErrSMTPDataClose:
		return &work.Error{
			Code: work.MailUnreachable, Ambiguous: true, Cause: scrubbed(err),
			Detail: "the connection ended after the mail was sent and before the answer",
		}
	case sent.ErrorCode() == 0:
		return work.Errf(work.MailUnreachable, scrubbed(err), "the connection ended")
	case sent.ErrorCode() < 500:
		return work.Errf(work.MailUnreachable, scrubbed(err), "%s", answer)
	case sent.Reason == gomail.ErrSMTPMailFrom, sent.Reason == gomail.ErrSMTPRcptTo && aboutUs(sent):
		return work.Errf(work.MailServerRefused, scrubbed(err), "%s", answer)
	}
	return work.Errf(work.MailRefused, scrubbed(err), "%s", answer)
}

// aboutUs tells whether a recipient is refused for what we are: our own server
// that does not relay for us says so with 5.7.x (RFC 3463: security and policy).
func aboutUs(err *gomail.SendError) bool {
	return strings.HasPrefix(err.EnhancedStatusCode(), "5.7.") || err.ErrorCode() == 530
}

var anyAddress = regexp.MustCompile(`[^\s<>,;:"'()]+@[^\s<>,;:"'()]+`)

// scrubbed is what a server or the library said, without the addresses that
// both like to quote.
func scrubbed(err error) error {
	return errors.New(anyAddress.ReplaceAllString(err.Error(), "(address)"))
}
