package mail

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/words"
)

func TestSignsBecomeTemplates(t *testing.T) {
	s, err := readSource(words.French, strings.Join([]string{
		"Subject: Bonjour : {{.A}}", "", "# Titre & suite", "", "Un **mot** et `{{.B}}`", "qui continue : 5 * 2.", "",
		"{{range .All}}", "- article {{.}}", "  encore", "{{end}}", "", "1. un", "2. deux", "", "| quoi | {{.C}}", "|| total | 3", "", "! remarque", "", "=> Ouvrir | {{.Link}}",
	}, "\n"))
	require.NoError(t, err)
	require.Equal(t, "Bonjour\u00a0: {{.A}}", s.subject)
	require.Equal(t, strings.Join([]string{
		"Titre & suite", "", "Un mot et {{.B}} qui continue\u00a0: 5 * 2.", "",
		"{{range .All}}- article {{.}} encore", "{{end}}", "\x01 un", "\x01 deux", "", "  quoi\u00a0: {{.C}}", "  total\u00a0: 3", "",
		"remarque", "", "Ouvrir\u00a0:", "{{.Link}}", "", "",
	}, "\n"), s.text)
	for _, part := range []string{
		">Titre &amp; suite</h1>", `<strong style="font-weight:700">mot</strong> et <code`, ">{{.B}}</code> qui continue\u00a0: 5 * 2.</p>",
		"{{range .All}}<li", ">article {{.}} encore</li>\n{{end}}</ul>", ">un</li>", "</ol>", ">{{.C}}</td>", "</table>", `href="{{.Link}}"`,
	} {
		require.Contains(t, s.html, part)
	}
}

func TestWrongSignsAreRefused(t *testing.T) {
	for says, body := range map[string]string{
		"Subject":                "# no subject",
		"does not end":           "Subject: x\n\nA **word",
		"` does not end":         "Subject: x\n\nA `word",
		"two parts":              "Subject: x\n\n| one part",
		"in one block":           "Subject: x\n\n- item\n| row | 1",
		"follows a row":          "Subject: x\n\n| a | 1\nand more",
		"follows a row or butto": "Subject: x\n\n=> a | 1\nand more",
		"do not end in it":       "Subject: x\n\n{{if .A}}\n- item\n\n{{end}}",
	} {
		_, err := readSource(words.English, body)
		require.ErrorContains(t, err, says)
	}
}

func TestTextIsFinished(t *testing.T) {
	long := strings.Repeat("word ", 30)
	got := finish("\n\n\x01 " + long + "\n\x01 two\n\n\n\n- " + long + "\n\nhttps://example.com/" + strings.Repeat("x", 100) + "\n\x01 one\n")
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "https") {
			require.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), textWidth)
		}
	}
	require.True(t, strings.HasPrefix(got, "1. word"), got)
	require.Contains(t, got, "\n   word", "continuations stand below the text")
	require.Contains(t, got, "\n2. two\n\n- word")
	require.Contains(t, got, "\n  word")
	require.NotContains(t, got, "\n\n\n")
	require.True(t, strings.HasSuffix(got, "1. one"), "a new list counts anew")
}
