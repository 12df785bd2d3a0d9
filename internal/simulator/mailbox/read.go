package mailboxsim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Mail is one copy of a mail as the server took it.
type Mail struct {
	Number    int       `json:"number"` // from 1
	Copy      int       `json:"copy"`   // of its Message-ID, from 1
	Arrived   time.Time `json:"arrived"`
	TLS       bool      `json:"tls"` // came encrypted
	MessageID string    `json:"message_id"`
	Date      time.Time `json:"date"`

	EnvelopeFrom string `json:"envelope_from"`
	EnvelopeTo   string `json:"envelope_to"`

	From    string   `json:"from"`
	To      string   `json:"to"`
	Subject string   `json:"subject"`
	Headers []Header `json:"headers"` // decoded, in order
	Text    string   `json:"text"`
	HTML    string   `json:"html"`
	Files   []File   `json:"files,omitempty"`
	Source  []byte   `json:"source"`
}

// Header is one header, decoded.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// File is an attachment.
type File struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Data []byte `json:"data"`
}

// Header is the decoded value of the first header of a name, in any case.
func (m Mail) Header(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// needed headers stand exactly once.
var needed = []string{"From", "To", "Date", "Message-Id", "Subject", "Mime-Version"}

var messageIDPattern = regexp.MustCompile(`^<[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9.-]+>$`)

// read takes a mail apart; its error says what is wrong with it.
func read(raw []byte) (Mail, error) {
	if err := checkLines(raw); err != nil {
		return Mail{}, err
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, errors.New("the header cannot be read")
	}
	for _, name := range needed {
		if n := len(parsed.Header[name]); n != 1 {
			return Mail{}, fmt.Errorf("%d headers %s, want one", n, name)
		}
	}
	m := Mail{MessageID: parsed.Header.Get("Message-Id"), Source: raw}
	if !messageIDPattern.MatchString(m.MessageID) {
		return Mail{}, errors.New("malformed Message-ID")
	}
	if m.Date, err = parsed.Header.Date(); err != nil {
		return Mail{}, errors.New("malformed Date")
	}
	if m.From, err = oneAddress(parsed.Header, "From"); err != nil {
		return Mail{}, err
	}
	if m.To, err = oneAddress(parsed.Header, "To"); err != nil {
		return Mail{}, err
	}
	if m.Headers, err = headers(raw); err != nil {
		return Mail{}, err
	}
	m.Subject = m.Header("Subject")
	return m, m.readBody(textproto.MIMEHeader(parsed.Header), parsed.Body)
}

// checkLines refuses bare CR and LF, long lines, and bytes above ASCII in the
// header.
func checkLines(raw []byte) error {
	header := true
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			return errors.New("the last line has no end")
		}
		line := raw[:end]
		raw = raw[end+1:]
		switch body, crlf := bytes.CutSuffix(line, []byte("\r")); {
		case !crlf:
			return errors.New("bare LF")
		case bytes.IndexByte(body, '\r') >= 0:
			return errors.New("bare CR")
		case bytes.IndexByte(body, 0) >= 0:
			return errors.New("a NUL byte")
		case len(body) > maxLine:
			return fmt.Errorf("a line of %d bytes, at most %d", len(body), maxLine)
		case header && len(body) == 0:
			header = false
		case header && slices.ContainsFunc(body, func(b byte) bool { return b > 127 }):
			return errors.New("a header that is not encoded")
		}
	}
	if header {
		return errors.New("no body")
	}
	return nil
}

func oneAddress(h mail.Header, name string) (string, error) {
	list, err := h.AddressList(name)
	if err != nil || len(list) != 1 || !addressPattern.MatchString(list[0].Address) {
		return "", fmt.Errorf("%s is not one good address", name)
	}
	return list[0].Address, nil
}

// headers are the headers in order, unfolded and decoded.
func headers(raw []byte) ([]Header, error) {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	var out []Header
	decoder := mime.WordDecoder{}
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			if len(out) == 0 {
				return nil, errors.New("the header begins with a continuation")
			}
			out[len(out)-1].Value += " " + strings.TrimLeft(line, " \t")
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, " \t") {
			return nil, errors.New("a header without a name")
		}
		out = append(out, Header{name, strings.TrimSpace(value)})
	}
	for i := range out {
		decoded, err := decoder.DecodeHeader(strings.TrimSpace(out[i].Value))
		if err != nil {
			return nil, fmt.Errorf("header %s cannot be decoded", out[i].Name)
		}
		out[i].Value = decoded
	}
	return out, nil
}

func (m *Mail) readBody(header textproto.MIMEHeader, body io.Reader) error {
	media, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return errors.New("malformed Content-Type")
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, parameters["boundary"])
		for {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return errors.New("the parts cannot be told apart")
			}
			if err := m.readBody(part.Header, part); err != nil {
				return err
			}
		}
	}
	data, err := decodeBody(header.Get("Content-Transfer-Encoding"), body)
	if err != nil {
		return err
	}
	return m.take(media, parameters, header, data)
}

func (m *Mail) take(media string, parameters map[string]string, header textproto.MIMEHeader, data []byte) error {
	disposition, about, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	if disposition == "attachment" {
		name, err := (&mime.WordDecoder{}).DecodeHeader(about["filename"])
		if err != nil || name == "" {
			return errors.New("an attachment without a good name")
		}
		m.Files = append(m.Files, File{Name: name, Type: media, Data: data})
		return nil
	}
	if !strings.EqualFold(parameters["charset"], "utf-8") || !utf8.Valid(data) {
		return errors.New("a text that is not UTF-8")
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	switch {
	case media == "text/plain" && m.Text == "":
		m.Text = text
	case media == "text/html" && m.HTML == "":
		m.HTML = text
	default:
		return fmt.Errorf("a part of type %s that nobody expects", media)
	}
	return nil
}

func decodeBody(encoding string, body io.Reader) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "", "7bit":
	default:
		return nil, fmt.Errorf("the transfer encoding %q", encoding)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, errors.New("a part that cannot be decoded")
	}
	return data, nil
}
