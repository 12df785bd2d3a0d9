package activities_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/report"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// reported is WISK with reports beside uploads, as the program has it.
type reported struct {
	*wisk.Partner
	days *report.Partner
}

func (p reported) Whole(c partner.Connection, day sale.Day) bool { return p.days.Whole(c, day) }

func (p reported) TranslateDay(day sale.Day, sales []sale.Sale, known []string, c partner.Connection) ([]partner.Document, error) {
	return p.days.TranslateDay(day, sales, known, c)
}

func (p reported) Open(c partner.Connection, _ string, _ http.RoundTripper) partner.Session {
	return p.days.Open(c)
}

// letterbox keeps the reports that were sent; lose answers the next so many
// sendings with a failure that may have had its effect.
type letterbox struct {
	got  []report.Report
	lose int
}

func (l *letterbox) Send(_ context.Context, r report.Report) error {
	l.got = append(l.got, r)
	if l.lose > 0 {
		l.lose--
		problem := work.Errf(work.MailUnreachable, errors.New("gone"), "the answer was lost")
		problem.Ambiguous = true
		return problem
	}
	return nil
}

// rows are a report's lines without its header.
func rows(t *testing.T, r report.Report) string {
	t.Helper()
	_, lines, found := strings.Cut(strings.TrimSpace(string(r.File.Data)), "\n")
	require.True(t, found)
	return strings.ReplaceAll(strings.ReplaceAll(lines, "\r", ""), "\n", " ")
}

func newReported(t *testing.T) (*barRig, *letterbox) {
	t.Helper()
	box := &letterbox{}
	r := newBarBeside(t, wisk.SameIDReplaces, nil, func(p *wisk.Partner, clock *clock.Hand) partner.Partner {
		return reported{p, report.New(report.Defaults(), clock, box)}
	})
	return r, box
}

// The day on which the route changes is served by one of them, and so is every
// other; what was uploaded stays uploaded, corrections too.
func TestADayIsUploadedOrReportedNeverBoth(t *testing.T) {
	r, box := newReported(t)
	r.till.Put(serial, r.drinks("1", drink("gin", "2", 2100)))
	r.settled()
	_, err := call[work.ChangeInput, work.ActResult](r.rig, "ChangeConnection", work.ChangeInput{
		Connection: bar, Change: work.ChangeRoute, Value: partner.RouteReport, From: "2026-11-06", By: lea.Handle, Reason: "venue_asked", Note: "as agreed",
	})
	require.NoError(t, err)

	r.clock.Forward(24 * time.Hour) // the next afternoon
	r.till.Put(serial, r.drinks("2", drink("rum", "1", 900)))
	r.settled()
	require.Empty(t, box.got, "a day that is not over is not reported")
	require.Empty(t, r.sold(), "nor uploaded")

	r.clock.Forward(15 * time.Hour) // past 5 in the morning
	r.settled()
	require.Len(t, box.got, 1)
	require.Equal(t, sale.NewDay(2026, 11, 6), box.got[0].Day)
	require.Equal(t, 1, box.got[0].Revision)
	require.Equal(t, "rum,Drink rum,1,9.00", rows(t, box.got[0]))
	require.Equal(t, "text/csv", box.got[0].File.Type)

	r.till.Put(serial, r.drinks("3", drink("gin", "1", 1050)))
	r.settled()
	require.Len(t, box.got, 1, "one mail a day")
	sums, err := r.store.LineSums(r.ctx, bar, sale.NewDay(2026, 11, 1), sale.NewDay(2026, 11, 9))
	require.NoError(t, err)
	require.Len(t, sums, 1, "the first day stays uploaded")
	require.Equal(t, sale.NewDay(2026, 11, 5), sums[0].Day)
}

// A late edit has the whole day sent again, as the next revision; a sending
// whose end is not known is the same revision again.
func TestALateEditIsTheNextRevision(t *testing.T) {
	r, box := newReported(t)
	_, err := r.store.ChangeSettings(r.ctx, bar, ledger.ActRoute, func(s *partner.Settings) (was, now string, err error) {
		s.Routes = partner.Choices{}.With(sale.NewDay(2026, 1, 1), partner.RouteReport)
		return "", partner.RouteReport, nil
	}, lea)
	require.NoError(t, err)
	rum := r.drinks("2", drink("rum", "1", 900))
	r.till.Put(serial, rum)
	r.till.Put(serial, r.drinks("1", drink("gin", "2", 2100)))
	r.settled()
	box.lose = 1
	r.clock.Forward(15 * time.Hour)
	r.until("the day is reported", func() bool { return len(box.got) == 2 && r.backlog().Wanted == 0 })
	require.Equal(t, box.got[0], box.got[1], "whoever keeps both sees one")
	require.Equal(t, "gin,Drink gin,2,21.00 rum,Drink rum,1,9.00", rows(t, box.got[1]))

	rum.Status, rum.ModifiedAt = wire.StatusVoided, wire.At(r.clock.Now())
	r.till.Put(serial, rum)
	r.settled()
	require.Len(t, box.got, 3)
	require.Equal(t, 2, box.got[2].Revision)
	require.Equal(t, "gin,Drink gin,2,21.00", rows(t, box.got[2]))
	require.Zero(t, r.mustSync().Sent)
	require.Len(t, box.got, 3)
}
