package mail_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/words"
)

const examples = "testdata/mails"

var update = flag.Bool("update", false, "write the examples again")

// Every mail as it goes out, to be read by whoever changes a text.
func TestEveryMailIsAsItsExample(t *testing.T) {
	c := composer(t)
	wanted := map[string]string{}
	for _, s := range samples(t) {
		for _, l := range words.Langs {
			got, err := c.Compose(s.message, l)
			require.NoError(t, err, "%s: %v", s.name, errors.Unwrap(err))
			file := filepath.Join(examples, s.name+"."+string(l))
			wanted[file+".txt"] = "Subject: " + got.Subject + "\n\n" + got.Text
			wanted[file+".html"] = got.HTML
		}
	}
	if *update {
		require.NoError(t, os.RemoveAll(examples))
		require.NoError(t, os.MkdirAll(examples, 0o755))
		for file, text := range wanted {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
	}
	for file, text := range wanted {
		held, err := os.ReadFile(file)
		require.NoError(t, err, "write it with: go test ./internal/mail -update")
		if want, got := differing(string(held), text); want != got {
			t.Errorf("%s: want\n%s\ngot\n%s\nIf it is meant so: go test ./internal/mail -update", file, want, got)
		}
	}
	held, err := filepath.Glob(filepath.Join(examples, "*"))
	require.NoError(t, err)
	require.Len(t, held, len(wanted), "an example of no mail is left in testdata")
}

// differing are the first lines that differ.
func differing(want, got string) (string, string) {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return w[i], g[i]
		}
	}
	return strconv.Itoa(len(w)) + " lines", strconv.Itoa(len(g)) + " lines"
}

func TestEveryKindHasAnExample(t *testing.T) {
	shown := map[mail.Kind]bool{}
	for _, s := range samples(t) {
		shown[s.message.Kind()] = true
	}
	for _, k := range mail.Kinds {
		require.True(t, shown[k], k)
	}
	require.Len(t, shown, len(mail.Kinds), "a message's kind is not in the list of kinds")
}
