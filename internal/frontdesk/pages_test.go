package frontdesk_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// visitor is a browser without script, on the pages of a rig's desk.
type visitor struct {
	r      *rig
	root   string
	client *http.Client
}

func (r *rig) visitor() *visitor {
	r.t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	r.t.Cleanup(server.Close)
	made, err := pages.New(pages.Options{
		Desk: r.Desk, Signer: r.room.Links, Clock: r.clock, Log: slog.New(slog.DiscardHandler),
		PublicURL: server.URL, House: "Cluster POS", Support: "support@clusterpos.example",
	})
	require.NoError(r.t, err)
	for _, route := range made.Routes() {
		mux.HandleFunc(route.Pattern, route.Serve)
	}
	jar, err := cookiejar.New(nil)
	require.NoError(r.t, err)
	client := &http.Client{Jar: jar, Transport: &http.Transport{}}
	r.t.Cleanup(client.CloseIdleConnections)
	return &visitor{r, server.URL, client}
}

// address is a page's, as a mail has it.
func (v *visitor) address(purpose link.Purpose, subject string, reader link.Reader) string {
	v.r.t.Helper()
	signed, err := v.r.room.Links.Sign(link.Claims{Purpose: purpose, Subject: subject, Reader: reader, Expires: v.r.clock.Now().Add(24 * time.Hour)})
	require.NoError(v.r.t, err)
	return v.root + link.Path(purpose, signed) + "?lang=en"
}

var formMark = regexp.MustCompile(`name="form" value="([^"]+)"`)

// open opens a page.
func (v *visitor) open(address string) (status int, text string) {
	v.r.t.Helper()
	return v.read(v.client.Get(address))
}

// send opens a page and sends its form.
func (v *visitor) send(address string, fields url.Values) (status int, text string) {
	v.r.t.Helper()
	_, page := v.open(address)
	mark := formMark.FindStringSubmatch(page)
	require.NotNil(v.r.t, mark, page)
	fields.Set("form", mark[1])
	return v.read(v.client.PostForm(address, fields))
}

func (v *visitor) read(answer *http.Response, err error) (int, string) {
	v.r.t.Helper()
	require.NoError(v.r.t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(v.r.t, err)
	require.NoError(v.r.t, answer.Body.Close())
	return answer.StatusCode, string(text)
}

// A person whose answer meets a fault is told to try again, and what was answered
// before stands.
func TestAFaultIsAPageThatSaysTryAgain(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	wisk := r.found(work.Wisk, "w", r.venue(2, "marie@marcel.example"))[0]
	confirm := v.address(link.Confirm, r.asks("c1", wisk), link.Venue)
	paste := v.address(link.Token, r.waitsForToken(), link.Venue)
	contact := v.address(link.Contact, r.found(work.Wisk, "n", r.venue(3, ""))[0], "")
	all := map[string]url.Values{
		confirm: {"act": {"confirm"}, "venue": {wisk}},
		paste:   {"act": {"paste"}, "token": {token}},
		contact: {"name": {"Anna Roy"}, "email": {"anna@marcel.example"}, "speaks": {"en"}, "called": {"yes"}, "by": {"lea"}, "note": {"called back"}},
	}
	r.temporal.be(away, nil, nil)
	for address, fields := range all {
		status, text := v.send(address, fields)
		require.Equal(t, http.StatusServiceUnavailable, status, text)
		require.Contains(t, text, "Try again in a few minutes")
		require.NotContains(t, text, token)
	}
	r.temporal.be(nil, nil, nil)
	for address, fields := range all {
		status, text := v.send(address, fields)
		require.Equal(t, http.StatusOK, status, text)
	}
	require.Equal(t, work.Confirm, r.read(wisk).Data.Decision)
	_, text := v.open(paste)
	require.Contains(t, text, "Chez Marcel", "the token was good: its locations are shown")
	require.NotRegexp(t, formMark, second(v.open(contact)), "the contact is entered")
	require.NotRegexp(t, formMark, second(v.open(confirm)), "the venue has answered")
}

func second(_ int, text string) string { return text }

// A reveal link is each reader's own, and shows its key once.
func TestAKeyOnItsPage(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	id := r.handsOver()
	for _, reader := range []link.Reader{link.Venue, link.Support} {
		address := v.address(link.Reveal, id, reader)
		require.Regexp(t, formMark, second(v.open(address)), "a look spends nothing")
		status, shown := v.send(address, url.Values{})
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, shown, "CL-1")
		require.NotRegexp(t, formMark, second(v.open(address)))
	}
	status, _ := v.open(v.root + "/people/" + "not-a-link")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = v.open(v.address(link.People, "7shifts:chez-marcel", link.Venue))
	require.Equal(t, http.StatusGone, status)
}
