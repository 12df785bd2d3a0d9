package pages

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/words"
)

func catalogue(t *testing.T) *words.Catalogue {
	t.Helper()
	phrases, err := fs.Sub(files, "phrases")
	require.NoError(t, err)
	c, err := words.ReadCatalogue(phrases)
	require.NoError(t, err)
	return c
}

// A phrase that one language lacks, that nobody uses or that is not there.
func TestEveryPhraseIsThereInBothLanguagesAndUsed(t *testing.T) {
	problems, err := catalogue(t).Problems(os.DirFS("."))
	require.NoError(t, err)
	require.Empty(t, problems)
}

// What is passed on is said in the words of the mail that led to the page.
func TestThePageSaysWhatTheMailSaid(t *testing.T) {
	c := catalogue(t)
	for _, l := range words.Langs {
		mail, err := os.ReadFile("../../mail/templates/confirmation-request." + string(l) + ".txt")
		require.NoError(t, err)
		said := l.Typeset(strings.Join(strings.Fields(string(mail)), " "))
		for _, key := range []string{"confirm.data.wisk", "confirm.data.7shifts", "confirm.employees", "confirm.guests", "confirm.title"} {
			phrase, err := c.Say(l, key, "{{.Partner.Name}}")
			require.NoError(t, err)
			require.Contains(t, said, phrase, key)
		}
		mail, err = os.ReadFile("../../mail/templates/credentials." + string(l) + ".txt")
		require.NoError(t, err)
		said = l.Typeset(strings.Join(strings.Fields(string(mail)), " "))
		for _, step := range []string{"settings", "add", "type", "fields", "modifiers", "save"} {
			phrase, err := c.Say(l, "wisk.step."+step)
			require.NoError(t, err)
			require.Contains(t, said, phrase, step)
		}
	}
}

func TestEveryRefusalHasItsStatusAndWords(t *testing.T) {
	c := catalogue(t)
	for kind, status := range statuses {
		require.GreaterOrEqual(t, status, 400, kind)
		for _, l := range words.Langs {
			for _, part := range []string{".title", ".text", ".do"} {
				_, err := c.Say(l, "refused."+string(kind)+part, "")
				require.NoError(t, err)
			}
		}
	}
}
