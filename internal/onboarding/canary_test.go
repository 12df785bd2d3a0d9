package onboarding_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// canaries are what nobody may find: persons, keys, tokens; and where it is
// looked for: what was logged, and what the room's results and errors said.
type canaries struct {
	mu      sync.Mutex
	secrets map[string]string // what each is, by its text
	logged  bytes.Buffer
	results strings.Builder
}

// Write takes the log.
func (c *canaries) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logged.Write(p)
}

func (c *canaries) log() io.Writer { return c }

// plant makes a text one that nobody may find.
func (c *canaries) plant(what, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secrets == nil {
		c.secrets = map[string]string{}
	}
	c.secrets[text] = what
}

// said notes what results and errors say, however they are printed.
func (c *canaries) said(values ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range values {
		text, err := json.Marshal(v)
		fmt.Fprintf(&c.results, "%s %v %+v %v\n", text, v, v, err)
	}
}

// found tells where a text holds canaries.
func (c *canaries) found(where, text string) (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text = strings.ToLower(text)
	for secret, what := range c.secrets {
		if strings.Contains(text, strings.ToLower(secret)) {
			all = append(all, what+" in "+where)
		}
	}
	return all
}

// everywhere is where canaries are found.
func (r *rig) everywhere() []string {
	r.canaries.mu.Lock()
	logged, results := r.canaries.logged.String(), r.canaries.results.String()
	r.canaries.mu.Unlock()
	all := append(r.canaries.found("the log", logged), r.canaries.found("results", results)...)
	for table, text := range r.dump() {
		all = append(all, r.canaries.found(table, text)...)
	}
	return all
}

// dump is all that the database's tables hold, as anybody sees it who has them:
// each row as text, with its bytes as they are.
func (r *rig) dump() map[string]string {
	r.t.Helper()
	db := r.Ledger.DB()
	var tables []struct{ Name, Bytes string }
	require.NoError(r.t, db.Select(&tables, `
		SELECT t.table_name AS name, coalesce(string_agg(' || ' || 'encode(coalesce(x.' || c.column_name || ', ''''), ''escape'')', ''), '') AS bytes
		FROM information_schema.tables t
		LEFT JOIN information_schema.columns c ON c.table_name = t.table_name AND c.table_schema = t.table_schema AND c.data_type = 'bytea'
		WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' GROUP BY 1`))
	var queries []string
	for _, table := range tables {
		queries = append(queries, fmt.Sprintf(`SELECT '%s' AS name, x::text%s AS row FROM "%s" x`, table.Name, table.Bytes, table.Name))
	}
	var rows []struct{ Name, Row string }
	require.NoError(r.t, db.Select(&rows, strings.Join(queries, " UNION ALL ")))
	texts := map[string]string{}
	for _, row := range rows {
		texts[row.Name] += row.Row + "\n"
	}
	return texts
}

// search is made when a test ends.
func (r *rig) search() {
	require.Empty(r.t, r.everywhere(), "secrets or persons, where everybody can read them")
}

// listening learns the keys that Cluster issues, so that they can be looked for.
type listening struct {
	http.RoundTripper
	canaries *canaries
}

func (l *listening) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(req)
	if err != nil || req.URL.Path != wire.PathIssueKey {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	var issued wire.IssuedKey
	if json.Unmarshal(body, &issued) == nil && issued.Key != "" {
		l.canaries.plant("a till's key", issued.Key)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// The search that every test of this package ends with finds what is planted, in
// each place; and a whole onboarding leaves nothing to be found.
func TestNothingSecretIsFoundAnywhere(t *testing.T) {
	r := newRig(t)
	for _, way := range []way{pull, upload, token} {
		c := r.start(way)
		r.whole(c)
		r.canaries.said(r.read(c.id))
		if way == pull {
			_, err := r.Revealing(r.ctx, c.id, link.Venue)
			require.NoError(t, err)
		}
	}
	require.Empty(t, r.everywhere())

	dump := r.dump()
	for _, table := range []string{"cases", "charges", "till_keys", "reveals", "mails", "secrets", "journal", "locations", "connections", "serials"} {
		require.NotEmpty(t, dump[table], "%s: nothing to look through", table)
	}
	db := r.Ledger.DB()
	for where, plant := range map[string]func(secret string){
		"cases": func(s string) { db.MustExec(`UPDATE cases SET data = data || jsonb_build_object('why', $1::text)`, s) },
		"mails": func(s string) { db.MustExec(`UPDATE mails SET recipient = convert_to($1, 'UTF8')`, s) },
		"secrets": func(s string) {
			db.MustExec(`UPDATE secrets SET sealed = convert_to($1, 'UTF8') WHERE id <> 'pepper'`, s)
		},
		"journal": func(s string) {
			db.MustExec(`INSERT INTO journal (at, who, act, note) VALUES (now(), 'lea', 'test', $1)`, s)
		},
		"the log": func(s string) { r.Log.Info("said", "text", s) },
		"results": func(s string) { r.canaries.said(work.Err(work.BadInput, s)) },
	} {
		secret := "canary-planted-in-" + strings.ReplaceAll(where, " ", "-")
		r.canaries.plant("a plant", secret)
		plant(secret)
		require.Contains(t, r.everywhere(), "a plant in "+where)
	}
	r.canaries = canaries{} // they were planted to be found
}

// person is a contact of whom nothing may be found.
func (r *rig) person(n int) (name, email string) {
	name, email = fmt.Sprintf("Odile Canari-%d", n), fmt.Sprintf("odile.canari.%d@venue.example", n)
	r.canaries.plant("a contact's name", name)
	r.canaries.plant("a contact's address", email)
	return name, email
}

func (r *rig) secret(what, text string) vault.Secret {
	r.canaries.plant(what, text)
	return vault.NewSecret(text)
}
