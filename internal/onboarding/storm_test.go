package onboarding_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
)

// storm lies on all ways out of a process: to PostgreSQL, to other systems over
// HTTP, and to the mail server. It counts what has an effect, and at one moment
// of its plan something happens. What only reads is not counted, nor what runs
// inside a transaction, but its commit is: who is cut short there leaves behind
// what the effect before has left. Another process comes before an effect, and
// before a transaction.
type storm struct {
	plan plan
	// meanwhile is what another process does at that moment, instead.
	meanwhile func()

	mu    sync.Mutex
	armed bool
	count int
	dead  bool
	in    int // transactions that are open
	what  []string
}

// plan says at which moment, counted from 1, and how it goes wrong: before or
// after the effect; by the process's end or by a lost answer.
type plan struct {
	moment int
	after  bool
	dies   bool
}

var errCut = errors.New("the connection was cut")

// comes begins the counting anew, in a process that is alive again.
func (s *storm) comes(p plan, meanwhile func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan, s.meanwhile, s.armed, s.dead, s.count, s.what = p, meanwhile, true, false, 0, nil
}

// goes tells what went out since it came, and whether the plan's moment was
// among it; from here on nothing happens.
func (s *storm) goes() (what []string, struck bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed, s.dead = false, false
	return s.what, s.count >= s.plan.moment
}

// stormy is a process on whose ways out there is a storm.
func (r *rig) stormy() (*onboarding.Room, *storm) {
	r.t.Helper()
	s := &storm{}
	room, end := r.process(s)
	r.t.Cleanup(end)
	return room, s
}

// turn is one moment: it runs what goes out, unless the plan says otherwise.
func (s *storm) turn(what string, do func() error) error {
	now, err := s.next(what)
	switch {
	case err != nil:
		return err
	case now && s.meanwhile != nil:
		s.meanwhile()
		return do()
	case now && !s.plan.after:
		return s.strike()
	}
	if err := do(); err != nil || !now {
		return err
	}
	return s.strike()
}

func (s *storm) next(what string) (now bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.dead:
		return false, errCut
	case !s.armed || reads(what), s.meanwhile == nil && beginning(what), s.meanwhile != nil && s.in > 0: // another would wait for ours
		return false, nil
	}
	s.what = append(s.what, what)
	s.count++
	return s.count == s.plan.moment, nil
}

// reads tells whether something that goes out has no effect.
func reads(what string) bool {
	for _, prefix := range []string{"SELECT", "GET", "POST " + wire.PathLocationSearch, "POST " + wire.PathListKeys, "POST " + wire.PathPing, "POST " + wire.PathOrders} {
		if strings.HasPrefix(what, prefix) {
			return true
		}
	}
	return false
}

func beginning(what string) bool { return strings.HasPrefix(what, "BEGIN") }

func (s *storm) strike() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = s.plan.dies
	return errCut
}

func (s *storm) transport(base http.RoundTripper) http.RoundTripper {
	if s == nil {
		return base
	}
	return stormyTransport{base, s}
}

type stormyTransport struct {
	http.RoundTripper
	storm *storm
}

func (t stormyTransport) RoundTrip(req *http.Request) (res *http.Response, err error) {
	err = t.storm.turn(req.Method+" "+req.URL.Path, func() (err error) {
		res, err = t.RoundTripper.RoundTrip(req)
		return err
	})
	if err != nil && res != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, err
}

func (s *storm) sender(to mail.Sender) mail.Sender {
	if s == nil {
		return to
	}
	return stormySender{to, s}
}

type stormySender struct {
	mail.Sender
	storm *storm
}

func (t stormySender) Send(ctx context.Context, l mail.Letter) error {
	return t.storm.turn("a mail", func() error { return t.Sender.Send(ctx, l) })
}

// database is the way to PostgreSQL through a proxy of the storm's, which reads
// what is said.
func (s *storm) database(t testing.TB, address string) (through string, done func()) {
	if s == nil {
		return address, func() {}
	}
	u, err := url.Parse(address)
	require.NoError(t, err)
	if u.Query().Get("sslmode") != "disable" {
		t.Skip("the way to this PostgreSQL is encrypted, and nothing can stand in it")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var proxied sync.WaitGroup
	server := u.Host
	proxied.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			proxied.Go(func() { s.serve(client, server) })
		}
	})
	u.Host = listener.Addr().String()
	return u.String(), func() { _ = listener.Close(); proxied.Wait() }
}

// serve passes on what a client says, question by question, with the answers.
func (s *storm) serve(client net.Conn, server string) {
	defer client.Close()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	p := &postgresProxy{storm: s, client: client, upstream: upstream, asked: bufio.NewReader(client), told: bufio.NewReader(upstream), status: idle}
	if p.begin() == nil {
		for p.exchange() == nil {
		}
	}
	p.is(idle)
}

// idle is the status of a connection that is in no transaction.
const idle = 'I'

// postgresProxy is one connection: PostgreSQL's protocol, version 3.
type postgresProxy struct {
	storm            *storm
	client, upstream net.Conn
	asked, told      *bufio.Reader
	status           byte
}

// is notes the connection's status.
func (p *postgresProxy) is(status byte) {
	p.storm.mu.Lock()
	defer p.storm.mu.Unlock()
	switch {
	case p.status == idle && status != idle:
		p.storm.in++
	case p.status != idle && status == idle:
		p.storm.in--
	}
	p.status = status
}

// begin passes on how a connection begins, up to the first ReadyForQuery.
func (p *postgresProxy) begin() error {
	start, err := readSized(p.asked, nil)
	if err == nil {
		_, err = p.upstream.Write(start)
	}
	for err == nil {
		var kind byte
		var message []byte
		if kind, message, err = readMessage(p.told); err != nil {
			break
		}
		if _, err = p.client.Write(message); err != nil || kind == 'Z' {
			return err
		}
		if kind != 'R' || !wantsAnswer(message) {
			continue
		}
		if _, message, err = readMessage(p.asked); err == nil {
			_, err = p.upstream.Write(message)
		}
	}
	return err
}

// wantsAnswer tells whether the client has to answer: to all that is said of
// the password, but that it was good (0), and the last word of SASL (12).
func wantsAnswer(authentication []byte) bool {
	kind := binary.BigEndian.Uint32(authentication[5:9])
	return kind != 0 && kind != 12
}

// exchange passes on one question, up to Sync or a simple query, and its answer.
func (p *postgresProxy) exchange() error {
	question, text, err := p.question()
	if err != nil {
		return err
	}
	var answer []byte
	ask := func() (err error) {
		answer, err = p.answer(question)
		return err
	}
	if p.status == idle || text == "COMMIT" {
		err = p.storm.turn(text[:min(len(text), 60)], ask)
	} else {
		err = ask()
	}
	if err != nil {
		return err
	}
	_, err = p.client.Write(answer)
	return err
}

func (p *postgresProxy) question() (question []byte, text string, err error) {
	for {
		kind, message, err := readMessage(p.asked)
		if err != nil {
			return nil, "", err
		}
		question = append(question, message...)
		switch kind {
		case 'P':
			_, statement, _ := strings.Cut(string(message[5:]), "\x00")
			text = plain(statement)
		case 'Q':
			return question, plain(string(message[5:])), nil
		case 'S':
			return question, text, nil
		case 'X':
			return nil, "", io.EOF
		}
	}
}

// plain is a statement on one line.
func plain(statement string) string {
	statement, _, _ = strings.Cut(statement, "\x00")
	return strings.Join(strings.Fields(strings.TrimSuffix(statement, ";")), " ")
}

func (p *postgresProxy) answer(question []byte) (answer []byte, err error) {
	if _, err := p.upstream.Write(question); err != nil {
		return nil, err
	}
	for {
		kind, message, err := readMessage(p.told)
		if err != nil {
			return nil, err
		}
		answer = append(answer, message...)
		if kind == 'Z' {
			p.is(message[5])
			return answer, nil
		}
	}
}

// readMessage reads one message, which begins with its kind.
func readMessage(from *bufio.Reader) (kind byte, message []byte, err error) {
	if kind, err = from.ReadByte(); err != nil {
		return 0, nil, err
	}
	message, err = readSized(from, []byte{kind})
	return kind, message, err
}

// readSized reads what begins with its own size, behind a head.
func readSized(from *bufio.Reader, head []byte) ([]byte, error) {
	const size = 4
	message := append(head, make([]byte, size)...)
	if _, err := io.ReadFull(from, message[len(head):]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(message[len(head):])-size)
	_, err := io.ReadFull(from, body)
	return append(message, body...), err
}
