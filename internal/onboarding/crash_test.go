package onboarding_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// leasesEnd lets time pass on PostgreSQL's clock: a dead sender's mail is free.
func (r *rig) leasesEnd() {
	r.Ledger.DB().MustExec(`UPDATE mails SET lease_until = '-infinity' WHERE lease_until IS NOT NULL`)
}

// mark is what a case left behind, without what differs from venue to venue and
// from moment to moment.
func (r *rig) mark(j joining) string {
	r.t.Helper()
	c := r.read(j.id)
	location := strings.TrimPrefix(c.Location, j.partner+":")
	var all []string
	add := func(what string, rows ...string) {
		for _, row := range rows {
			all = append(all, what+" "+row)
		}
	}
	rows := func(query string, args ...any) (found []string) {
		require.NoError(r.t, r.Ledger.DB().Select(&found, query, args...))
		return found
	}
	data, err := json.MarshalIndent(c, "", " ")
	require.NoError(r.t, err)
	add("case", strings.Split(string(data), "\n")...)
	for _, about := range []string{j.id, location} {
		if about != "" {
			add("story", rows(`SELECT act || ': ' || old || ' > ' || new || ' by ' || who FROM journal WHERE location = $1 ORDER BY number`, about)...)
		}
	}
	// Two workers that connect at the same moment both say so.
	add("connection's story", rows(`
		SELECT act || ': ' || old || ' > ' || new FROM journal
		WHERE connection = $1 AND (act <> 'connect again' OR old <> new) ORDER BY number`, c.Connection())...)
	add("connection", rows(`SELECT state || ' ' || secret || ' ' || settings::text || ' ' || partner_location_id FROM connections WHERE id = $1`, c.Connection())...)
	add("location", rows(`SELECT id || ' ' || trade_name || ' ' || address || ' ' || zone || ' ' || cluster_secret FROM locations WHERE serial = $1`, j.serial)...)
	add("charge", rows(`SELECT number || ' ' || state || ' ' || reference FROM charges WHERE case_id = $1`, j.id)...)
	add("key", rows(`SELECT holder || ' ' || generation || ' ' || (key_id <> '') || withdrawn || gone FROM till_keys WHERE serial = $1 ORDER BY holder, generation`, j.serial)...)
	add("reveal", rows(`SELECT reader || ' ' || round || ' ' || secret FROM reveals WHERE case_id = $1 ORDER BY reader`, j.id)...)
	add("mail", rows(`SELECT key || ' ' || state FROM mails WHERE starts_with(key, 'onboarding:' || $1) ORDER BY key`, j.request())...)
	add("active key", r.active(j.venue)...)
	about := append(rows(`SELECT base FROM till_keys WHERE serial = $1`, j.serial), j.id)
	add("secret", slices.DeleteFunc(r.secrets(), func(id string) bool {
		return !slices.ContainsFunc(about, func(k string) bool { return strings.HasSuffix(id, k) })
	})...)
	return r.anonymous(j, strings.Join(all, "\n"))
}

var (
	instants = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`)
	hashes   = regexp.MustCompile(`[0-9a-f]{16}`)
)

// anonymous leaves out who it is and when it was.
func (r *rig) anonymous(j joining, text string) string {
	text = instants.ReplaceAllString(text, "INSTANT")
	text = hashes.ReplaceAllString(text, "HASH")
	for what, known := range map[string]string{
		"CASE": j.id, "NUMBER": onboarding.InvoiceNumber(j.id), "ADDRESS": j.address(), "NAME": j.name, "LOCATION": fmt.Sprintf("chez-marcel-%d", j.n),
		"SERIAL": j.serial, "COMPANY": fmt.Sprint(j.company), "PLACE": fmt.Sprint(j.place), "REFERENCE": fmt.Sprintf("VIR-%d", j.n),
	} {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(known)+`\b`).ReplaceAllString(text, what)
	}
	return strings.ReplaceAll(text, j.request(), "REQUEST")
}

// troubled takes a step in a process that something happens to, and then again
// in one that is undisturbed; it tells whether the plan's moment came.
func (r *rig) troubled(room *onboarding.Room, s *storm, p plan, st step, j joining, meanwhile func()) (result any, struck bool) {
	r.t.Helper()
	s.comes(p, meanwhile)
	_, first := st.take(r, room, j)
	what, struck := s.goes()
	if first != nil {
		r.canaries.said(first.Error())
	}
	r.leasesEnd()
	result, err := st.take(r, r.Room, j)
	require.NoError(r.t, err, "%s of %s after %+v in %q (%v)", st.name, j.id, p, what, first)
	return result, struck
}

// Every step may be cut short between any two statements or calls, or be done by
// two workers at once: run again it goes on, and what is left behind in the end
// is what an undisturbed run leaves.
func TestEveryStepGoesOnWhateverCrashes(t *testing.T) {
	r := newRig(t)
	room, s := r.stormy()
	other, end := r.process(nil)
	defer end()
	for _, w := range ways {
		calm := r.start(w)
		var results []string
		for _, st := range w.steps() {
			results = append(results, r.anonymous(calm, fmt.Sprintf("%+v", r.does(st, calm))))
		}
		r.ends(calm, work.WentLive)
		want := r.mark(calm)
		for _, how := range []string{"dies", "loses the answer", "meanwhile"} {
			if how != "dies" && (w == report || w == upload) {
				continue // they share what is left with the others
			}
			moment := 1 - stride
			for more := true; more; {
				more = false
				moment += stride
				j := r.start(w)
				for i, st := range w.steps() {
					p := plan{moment: moment, after: true, dies: how == "dies"}
					var meanwhile func()
					if how == "meanwhile" && !st.byPerson {
						meanwhile = func() { _, _ = st.take(r, other, j) }
					}
					result, struck := r.troubled(room, s, p, st, j, meanwhile)
					more = more || struck
					require.Equal(t, results[i], r.anonymous(j, fmt.Sprintf("%+v", result)), "%s: %s, %s, moment %d", w, st.name, how, moment)
				}
				r.ends(j, work.WentLive)
				require.Equal(t, want, r.mark(j), "%s, %s, moment %d", w, how, moment)
			}
			require.Greater(t, moment, 6, "nothing happened")
		}
	}
	for id, copies := range r.box.Copies() {
		require.LessOrEqual(t, copies, 2, id)
	}
}
