package mailboxsim_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/clustersystems/clusterbridge/internal/clock"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, time.November, 24, 19, 30, 0, 0, time.UTC)

const anna = "anna@venue.example.com"

// good is a mail in bare words; "%ID" is its Message-ID.
const good = "From: \"Cluster POS\" <bridge@cluster.example>\r\n" +
	"To: <anna@venue.example.com>\r\n" +
	"Date: Tue, 24 Nov 2026 19:30:00 +0000\r\n" +
	"Message-ID: <%ID@cluster.example>\r\n" +
	"Subject: =?utf-8?q?Caf=C3=A9?=\r\n" +
	" =?utf-8?q?_noir?=\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=m\r\n" +
	"\r\n" +
	"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n" +
	"--a\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9 https://bridge.example/t?a=3D1&b=3D2\r\n.dot\r\n" +
	"--a\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Caf=C3=A9 <a href=3D\"https://bridge.example/h?a=3D1&amp;b=3D2\">x</a><script>alert(1)</script></p>\r\n" +
	"--a--\r\n" +
	"--m\r\nContent-Type: text/csv; name=\"day.csv\"\r\nContent-Disposition: attachment; filename=\"day.csv\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiDQo=\r\n" +
	"--m--\r\n"

func mailOf(id string) string { return strings.ReplaceAll(good, "%ID", id) }

// stand is a simulator, spoken to with bare SMTP and HTTP.
type stand struct {
	*testing.T
	sim     *mailboxsim.Sim
	address string
	url     string
	client  *http.Client
}

func newStand(t *testing.T, o mailboxsim.Options) *stand {
	t.Helper()
	o.Clock = clock.Fixed(now)
	sim, err := mailboxsim.Open(o)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- sim.ServeSMTP(listener) }()
	pages := httptest.NewServer(sim)
	s := &stand{t, sim, listener.Addr().String(), pages.URL, &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		pages.Close()
		require.NoError(t, sim.Close())
		require.NoError(t, <-served)
	})
	return s
}

// send says a mail to the server, and gives back the answer's code; 0 when
// there was none.
func (s *stand) send(to, raw string) (code int, answer string) {
	s.Helper()
	c, err := smtp.Dial(s.address)
	require.NoError(s, err)
	defer c.Close()
	if err := c.Mail("bridge@cluster.example"); err != nil {
		return codeOf(err)
	}
	if err := c.Rcpt(to); err != nil {
		return codeOf(err)
	}
	id, err := c.Text.Cmd("DATA")
	require.NoError(s, err)
	c.Text.StartResponse(id)
	_, _, err = c.Text.ReadResponse(354)
	c.Text.EndResponse(id)
	require.NoError(s, err)
	// By hand, as Go's own writer would mend what is wrong with a mail.
	_, err = io.WriteString(c.Text.W, strings.ReplaceAll(raw, "\r\n.", "\r\n..")+".\r\n")
	if err == nil {
		err = c.Text.W.Flush()
	}
	if err != nil {
		return 0, err.Error()
	}
	code, answer, err = c.Text.ReadResponse(250)
	if err != nil {
		return codeOf(err)
	}
	return code, answer
}

func codeOf(err error) (int, string) {
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return e.Code, e.Msg
	}
	return 0, err.Error()
}

func (s *stand) get(path string) (*http.Response, string) {
	s.Helper()
	res, err := s.client.Get(s.url + path)
	require.NoError(s, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(s, err)
	return res, string(body)
}

func (s *stand) post(path, body string) (int, string) {
	s.Helper()
	res, err := s.client.Post(s.url+path, "application/json", strings.NewReader(body))
	require.NoError(s, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s, err)
	return res.StatusCode, string(text)
}

func TestAMailIsTakenApart(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	code, answer := s.send(anna, mailOf("1"))
	require.Equal(t, 250, code, answer)
	all := s.sim.Mails(anna)
	require.Len(t, all, 1)
	m := all[0]
	require.Equal(t, "<1@cluster.example>", m.MessageID)
	require.Equal(t, "Café noir", m.Subject)
	require.Equal(t, "Café noir", m.Header("subject"))
	require.Equal(t, "bridge@cluster.example", m.From)
	require.Equal(t, anna, m.To)
	require.True(t, m.Date.Equal(now))
	require.WithinDuration(t, now, m.Arrived, time.Minute, "business time")
	require.Equal(t, "Café https://bridge.example/t?a=1&b=2\n.dot", m.Text)
	require.Contains(t, m.HTML, "<p>Café")
	require.Equal(t, []mailboxsim.File{{Name: "day.csv", Type: "text/csv", Data: []byte("a,b\r\n")}}, m.Files)
	require.Equal(t, []string{"https://bridge.example/h?a=1&b=2", "https://bridge.example/t?a=1&b=2"}, m.Links())
	require.Empty(t, s.sim.Mails("bella@venue.example.com"))
	require.Empty(t, s.sim.Violations())
}

func TestStrictness(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	without := func(name string) string {
		var kept []string
		for _, line := range strings.SplitAfter(mailOf("x"), "\r\n") {
			if !strings.HasPrefix(line, name+":") {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "")
	}
	change := func(from, into string) string {
		require.Contains(t, mailOf("x"), from)
		return strings.Replace(mailOf("x"), from, into, 1)
	}
	for says, raw := range map[string]string{
		"0 headers From":         without("From"),
		"0 headers To":           without("To"),
		"0 headers Date":         without("Date"),
		"0 headers Message-Id":   without("Message-ID"),
		"0 headers Mime-Version": without("MIME-Version"),
		"2 headers Date":         change("Date:", "Date: Tue, 24 Nov 2026 19:30:00 +0000\r\nDate:"),
		"malformed Date":         change("Tue, 24 Nov 2026", "yesterday"),
		"malformed Message-ID":   change("<x@cluster.example>", "x@cluster.example"),
		"From is not one good":   change("<bridge@cluster.example>", "<bridge@cluster.example>, <b@cluster.example>"),
		"To is not one good":     change("<anna@venue.example.com>", "<anna@localhost>"),
		"bare LF":                change("MIME-Version: 1.0\r\n", "MIME-Version: 1.0\n"),
		"bare CR":                change("Caf=C3=A9 https", "Caf\r=C3=A9 https"),
		"NUL":                    change("Caf=C3=A9 https", "Caf\x00=C3=A9 https"),
		"a line of 999":          change("Caf=C3=A9 https", strings.Repeat("x", 999-len("://bridge.example/t?a=3D1&b=3D2")-5)+"https"),
		"not encoded":            change("=?utf-8?q?Caf=C3=A9?=", "Café"),
		"cannot be decoded":      change("=?utf-8?q?Caf=C3=A9?=", "=?klingon?q?Caf=C3=A9?="),
		"not UTF-8":              change("=C3=A9 https", "=C3=28 https"),
		"text that is not UTF-8": change("text/plain; charset=UTF-8", "text/plain; charset=latin1"),
		"nobody expects":         change("text/plain", "text/calendar"),
		"transfer encoding":      change("quoted-printable", "8bit"),
		"a part that cannot":     change("--m--", "--n--"),
	} {
		code, answer := s.send(anna, raw)
		require.Equal(t, 550, code, says)
		require.Contains(t, answer, says)
	}
	for _, to := range []string{"anna", "anna@localhost", "a..b@venue.example.com", `"a b"@venue.example.com`, "é@venue.example.com"} {
		code, _ := s.send(to, mailOf("x"))
		require.NotEqual(t, 250, code, to)
		require.NotZero(t, code, to)
	}
	require.Empty(t, s.sim.Mails(""))
	require.Positive(t, s.sim.State().Counters.Refused)
}

func TestOneReaderPerMail(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	c, err := smtp.Dial(s.address)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Mail("bridge@cluster.example"))
	require.NoError(t, c.Rcpt(anna))
	code, _ := codeOf(c.Rcpt("bella@venue.example.com"))
	require.Equal(t, 452, code)
}

func TestCopiesAreCountedAndCompared(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	for _, raw := range []string{mailOf("1"), strings.NewReplacer("boundary=a", "boundary=q", "--a", "--q").Replace(mailOf("1")), mailOf("2")} {
		code, answer := s.send(anna, raw)
		require.Equal(t, 250, code, answer)
	}
	require.Equal(t, map[string]int{"<1@cluster.example>": 2, "<2@cluster.example>": 1}, s.sim.Copies())
	require.Equal(t, 2, s.sim.Mails(anna)[1].Copy)
	require.Empty(t, s.sim.Violations(), "boundaries may differ")

	for _, change := range [][2]string{{"Caf=C3=A9 https", "The https"}, {"Tue, 24", "Wed, 25"}, {"YSxiDQo=", "YSxjDQo="}, {"day.csv\"\r\nContent-Tr", "night.csv\"\r\nContent-Tr"}, {"=C3=A9 <a", " <a"}} {
		code, answer := s.send(anna, strings.Replace(mailOf("1"), change[0], change[1], 1))
		require.Equal(t, 250, code, answer)
	}
	broken := s.sim.Violations()
	require.Len(t, broken, 1)
	require.Equal(t, 5, broken[0].Times)
	require.Contains(t, broken[0].What, "different content (<1@cluster.example>)")
	require.WithinDuration(t, now, broken[0].At, time.Minute)
}

func TestAnEnvelopeThatLiesIsAViolation(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	code, _ := s.send("bella@venue.example.com", mailOf("1"))
	require.Equal(t, 250, code)
	require.Contains(t, s.sim.Violations()[0].What, "envelope")
}

func TestFaults(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	for kind, want := range map[string]struct{ code, kept int }{
		mailboxsim.FaultBusy: {421, 0}, mailboxsim.FaultSender: {553, 0}, mailboxsim.FaultRefuse: {550, 0}, mailboxsim.FaultRelay: {550, 0},
		mailboxsim.FaultTempfail: {451, 0}, mailboxsim.FaultSpam: {554, 0}, mailboxsim.FaultFull: {452, 0}, mailboxsim.FaultDrop: {0, 0},
		mailboxsim.FaultAcceptDrop: {0, 1}, mailboxsim.FaultBye: {250, 1},
	} {
		before := len(s.sim.Mails(""))
		require.NoError(t, s.sim.Inject(mailboxsim.Fault{Kind: kind}))
		code, answer := s.send(anna, mailOf(kind))
		require.Equal(t, want.code, code, "%s: %s", kind, answer)
		require.Len(t, s.sim.Mails(""), before+want.kept, kind)
		code, _ = s.send(anna, mailOf(kind))
		require.Equal(t, 250, code, "%s is over", kind)
	}
	require.Equal(t, 10, s.sim.State().Counters.Faults)
}

func TestFaultsChooseTheirMails(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	require.NoError(t, s.sim.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultRefuse, To: "bella@", Skip: 1, Times: 2}))
	to := func(who string) int {
		code, _ := s.send(who, strings.Replace(mailOf(fmt.Sprint("n", len(s.sim.Mails("")))), anna, who, 1))
		return code
	}
	require.Equal(t, 250, to(anna))
	for _, want := range []int{250, 550, 550, 250} {
		require.Equal(t, want, to("bella@venue.example.com"))
	}
	for _, f := range []mailboxsim.Fault{{Kind: "explode"}, {Kind: mailboxsim.FaultSpam, Skip: -1}, {Kind: mailboxsim.FaultSpam, Chance: 2}} {
		require.Error(t, s.sim.Inject(f))
	}
}

func TestASlowAnswerEndsWithTheServer(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	require.NoError(t, s.sim.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultSlow, Delay: mailboxsim.Duration(time.Hour)}))
	answered := make(chan int, 1)
	go func() {
		code, _ := s.send(anna, mailOf("1"))
		answered <- code
	}()
	_, err := s.sim.WaitFor(t.Context(), anna, func(mailboxsim.Mail) bool { return true })
	require.NoError(t, err)
	require.NoError(t, s.sim.Close())
	require.Zero(t, <-answered)
}

func TestWaitFor(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	found := make(chan mailboxsim.Mail, 1)
	go func() {
		m, _ := s.sim.WaitFor(t.Context(), anna, func(m mailboxsim.Mail) bool { return m.Number == 2 })
		found <- m
	}()
	s.send(anna, mailOf("1"))
	s.send(anna, mailOf("2"))
	require.Equal(t, "<2@cluster.example>", (<-found).MessageID)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.sim.WaitFor(ended, "nobody@venue.example.com", func(mailboxsim.Mail) bool { return true })
	require.ErrorIs(t, err, context.Canceled)
}

func TestEncryptionAndSigningIn(t *testing.T) {
	s := newStand(t, mailboxsim.Options{StartTLS: true, User: "bridge", Password: "pass"})
	c, err := smtp.Dial(s.address)
	require.NoError(t, err)
	defer c.Close()
	code, _ := codeOf(c.Mail("bridge@cluster.example"))
	require.Equal(t, 530, code, "sign in first")
	require.NoError(t, c.StartTLS(&tls.Config{RootCAs: s.sim.RootCAs(), ServerName: "127.0.0.1"}))
	code, _ = codeOf(c.Auth(smtp.PlainAuth("", "bridge", "wrong", "127.0.0.1")))
	require.Equal(t, 535, code)

	c, err = smtp.Dial(s.address)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.StartTLS(&tls.Config{RootCAs: s.sim.RootCAs(), ServerName: "127.0.0.1"}))
	require.NoError(t, c.Auth(smtp.PlainAuth("", "bridge", "pass", "127.0.0.1")))
	require.NoError(t, c.Mail("bridge@cluster.example"))
	_, err = tls.Dial("tcp", s.address, &tls.Config{ServerName: "127.0.0.1"})
	require.Error(t, err, "not from the first byte on")
}

func TestTheStateFileBringsMailsBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mailbox", "state.jsonl")
	s := newStand(t, mailboxsim.Options{StateFile: file})
	s.send(anna, mailOf("1"))
	s.send(anna, mailOf("1"))
	s.send(anna, strings.Replace(mailOf("1"), "Caf=C3=A9 https", "The https", 1))
	before := s.sim.Mails("")
	require.NoError(t, s.sim.Close())

	cut, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = cut.WriteString(`{"mail":{"number`)
	require.NoError(t, err)
	require.NoError(t, cut.Close())

	again := newStand(t, mailboxsim.Options{StateFile: file})
	after := again.sim.Mails("")
	require.Len(t, after, 3)
	for i := range after {
		require.True(t, before[i].Arrived.Equal(after[i].Arrived))
		before[i].Arrived, before[i].Date = after[i].Arrived, after[i].Date
	}
	require.Equal(t, before, after)
	require.Equal(t, 3, again.sim.Copies()["<1@cluster.example>"])
	require.Len(t, again.sim.Violations(), 1)
	again.send(anna, mailOf("2"))
	require.NoError(t, again.sim.Close())
	require.Len(t, newStand(t, mailboxsim.Options{StateFile: file}).sim.Mails(""), 4, "the cut line is gone")

	require.NoError(t, os.WriteFile(file, []byte("nonsense\n"), 0o644))
	_, err = mailboxsim.Open(mailboxsim.Options{StateFile: file})
	require.ErrorContains(t, err, "line 1")
}

func TestPages(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	_, list := s.get("/")
	require.Contains(t, list, "No mails yet")
	s.send(anna, mailOf("1"))
	s.send(anna, mailOf("1"))
	_, list = s.get("/?to=" + anna)
	require.Contains(t, list, "Café noir")
	require.Contains(t, list, "copy 2")
	_, other := s.get("/?to=bella@venue.example.com")
	require.NotContains(t, other, "Café noir")

	res, page := s.get("/mails/1")
	require.Contains(t, page, `<iframe sandbox title="HTML part" src="/mails/1/html">`)
	require.Contains(t, page, `href="https://bridge.example/h?a=1&amp;b=2"`)
	require.Contains(t, page, "Message-ID")
	require.NotContains(t, page, "<script>")
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'")

	res, html := s.get("/mails/1/html")
	require.Contains(t, html, "<script>", "as it came")
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "sandbox;", "but it does not run")

	res, source := s.get("/mails/1/source")
	require.Equal(t, mailOf("1"), source)
	require.Equal(t, "text/plain; charset=utf-8", res.Header.Get("Content-Type"))

	res, file := s.get("/mails/1/files/0")
	require.Equal(t, "a,b\r\n", file)
	require.Equal(t, `attachment; filename="day.csv"`, res.Header.Get("Content-Disposition"))
	for _, path := range []string{"/mails/0", "/mails/3", "/mails/x", "/mails/1/files/1", "/mails/1/files/-1", "/mails/3/html", "/mails/3/source"} {
		res, _ := s.get(path)
		require.Equal(t, http.StatusNotFound, res.StatusCode, path)
	}
}

func TestJSON(t *testing.T) {
	s := newStand(t, mailboxsim.Options{})
	s.send(anna, mailOf("1"))
	_, body := s.get("/_sim/mails?to=" + anna)
	var mails []struct {
		mailboxsim.Mail
		Links []string `json:"links"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &mails))
	require.Len(t, mails, 1)
	require.Equal(t, "Café noir", mails[0].Subject)
	require.Len(t, mails[0].Links, 2)
	_, body = s.get("/_sim/mails?to=nobody@venue.example.com")
	require.JSONEq(t, "[]", body)

	code, body := s.post("/_sim/faults", `{"faults":[{"kind":"slow","delay":"1h","times":3}]}`)
	require.Equal(t, http.StatusOK, code)
	var state mailboxsim.State
	require.NoError(t, json.Unmarshal([]byte(body), &state))
	require.Equal(t, 1, state.Mails)
	require.Equal(t, []mailboxsim.Fault{{Kind: "slow", Times: 3, Delay: mailboxsim.Duration(time.Hour)}}, state.Faults)
	for _, bad := range []string{`{"faults":[{"kind":"explode"}]}`, `{"colour":"red"}`, `{"faults":[{"kind":"slow","delay":"soon"}]}`} {
		code, _ = s.post("/_sim/faults", bad)
		require.Equal(t, http.StatusBadRequest, code, bad)
	}
	code, _ = s.post("/_sim/faults", `{"clear":true}`)
	require.Equal(t, http.StatusOK, code)
	require.Empty(t, s.sim.State().Faults)
}
