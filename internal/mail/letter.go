package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Letter is a mail and whom it goes to.
type Letter struct {
	To        vault.Secret // a bare address
	MessageID string       // as MessageID gives it
	Date      time.Time
	Mail      Composed
}

// MessageID is the Message-ID of a step's mail, without its brackets: a pure
// function of the step's key, so that every copy carries the same one. It does
// not tell the key.
func MessageID(key, domain string) string {
	sum := sha256.Sum256([]byte("mail\x00" + key))
	return hex.EncodeToString(sum[:16]) + "@" + domain
}

var (
	// addressPattern takes ordinary ASCII addresses. An address in quotes or in
	// another script is more often a mistake than a person.
	addressPattern   = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	messageIDPattern = regexp.MustCompile(`^[0-9a-f]{32}@[A-Za-z0-9.-]+$`)
)

// maxAddress is the longest address that SMTP knows (RFC 5321, 4.5.3.1.3).
const maxAddress = 254

// CheckAddress refuses what is not one bare mail address. The error does not
// quote it.
func CheckAddress(address string) error {
	if len(address) > maxAddress || !addressPattern.MatchString(address) {
		return work.Err(work.MailRefused, "the address is malformed")
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar })
}

// build makes the message. Nothing of a letter can become a header of its own:
// what could is refused here, whoever composed it.
func (p *Post) build(l Letter) (*gomail.Msg, error) {
	if err := CheckAddress(l.To.Reveal()); err != nil {
		return nil, err
	}
	if !messageIDPattern.MatchString(l.MessageID) || l.Date.IsZero() || l.Mail.Subject == "" || len(l.Mail.Langs) == 0 || hasControl(l.Mail.Subject) {
		return nil, work.Err(work.Internal, "a mail that cannot be put into headers")
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(p.settings.From), msg.To(l.To.Reveal())); err != nil {
		return nil, work.Err(work.Internal, "a mail without sender or recipient")
	}
	if p.settings.ReplyTo != "" {
		if err := msg.ReplyTo(p.settings.ReplyTo); err != nil {
			return nil, work.Err(work.Internal, "a mail without a reply address")
		}
	}
	tags := make([]string, len(l.Mail.Langs))
	for i, lang := range l.Mail.Langs {
		tags[i] = lang.Tag()
	}
	msg.Subject(l.Mail.Subject)
	msg.SetMessageIDWithValue(l.MessageID)
	msg.SetDateWithValue(l.Date)
	msg.SetGenHeader(gomail.HeaderContentLang, tags...)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office replies, please (RFC 3834)
	msg.SetBodyString(gomail.TypeTextPlain, l.Mail.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, l.Mail.HTML)
	for _, a := range l.Mail.Attachments {
		if err := checkAttachment(a); err != nil {
			return nil, work.Err(work.Internal, "an attachment "+err.Error())
		}
		if err := msg.AttachReader(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.Type))); err != nil {
			return nil, work.Err(work.Internal, "an attachment that cannot be read")
		}
	}
	return msg, nil
}
