// Package docs_test keeps the documentation true: what a page names has to
// exist, and what it offers to paste has to be accepted.
package docs_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/clusterbridge/program"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const root = ".."

// pages are all written pages of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			name, err := filepath.Rel(root, file)
			require.NoError(t, err)
			found[name] = string(text)
		}
	}
	require.Contains(t, found, "README.md")
	require.Contains(t, found, "docs/seeds.md")
	return found
}

var (
	quoted    = regexp.MustCompile("`([^`\n]+)`")
	testName  = regexp.MustCompile(`^(Test|Fuzz|Benchmark|Example)[A-Z]\w*$`)
	testFunc  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)[A-Z]\w*)\(`)
	target    = regexp.MustCompile(`(?m)^([a-z-]+):`)
	ourFolder = regexp.MustCompile(`^(\.ci|cmd|docs|internal|scripts|tools|workflows|activities|workers)/[\w./*-]*$`)
	link      = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	fenced    = regexp.MustCompile("(?s)```(sh|text|json)\n(.*?)```")
)

func TestWhatThePagesNameExists(t *testing.T) {
	tests := testsOfTheHouse(t)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	var targets []string
	for _, m := range target.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, m[1])
	}
	for page, text := range pages(t) {
		for _, name := range named(text) {
			switch {
			case testName.MatchString(name):
				assert.Contains(t, tests, name, "%s names a test that does not exist", page)
			case strings.HasPrefix(name, "clusterbridge "):
				checkVerb(t, page, name)
			case strings.HasPrefix(name, "make "):
				assert.Contains(t, targets, strings.Fields(name)[1], "%s names a target that does not exist: %s", page, name)
			case ourFolder.MatchString(name):
				found, err := filepath.Glob(filepath.Join(root, name))
				require.NoError(t, err)
				assert.NotEmpty(t, found, "%s names a file that does not exist: %s", page, name)
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			assert.FileExists(t, filepath.Join(root, filepath.Dir(page), m[1]), "%s links to what does not exist", page)
		}
	}
}

var (
	setting = regexp.MustCompile(`\bCLUSTERBRIDGE_[A-Z0-9_]+`)
	alert   = regexp.MustCompile(`(?m)^      - alert: (\w+)$`)
	ringing = regexp.MustCompile("`(\\w+)` and\\s+`(\\w+)` ring")
)

// A setting that a page names is one.
func TestSettingsThatPagesNameExist(t *testing.T) {
	known := map[string]bool{}
	for _, s := range program.Describe() {
		known[s.Variable] = true
		known[s.Variable+"_FILE"] = s.Secret
	}
	seen := 0
	for page, text := range pages(t) {
		for _, name := range setting.FindAllString(text, -1) {
			if strings.HasSuffix(name, "_") { // a group of them, as in CLUSTERBRIDGE_MAIL_...
				continue
			}
			seen++
			assert.True(t, known[name], "%s names a setting that does not exist: %s", page, name)
		}
	}
	require.Greater(t, seen, 100)
}

// Whoever supports an onboarding finds every stage that waits, and the alerts that
// ring, in the guide.
func TestTheGuideKnowsEveryWait(t *testing.T) {
	guide := pages(t)["docs/onboarding.md"]
	_, support, found := strings.Cut(guide, "## What support does at each wait\n")
	require.True(t, found)
	way, _, _ := strings.Cut(guide, "## What support")
	support, _, _ = strings.Cut(support, "\n## ")
	for _, stage := range []work.Stage{
		work.StageMatch, work.StageContact, work.StageConfirmation, work.StagePayment, work.StageActivation, work.StageKey,
		work.StageEntry, work.StageToken, work.StageLocation, work.StagePreflight, work.StageFirstRun, work.StageRefund,
	} {
		for what, text := range map[string]string{"the way": way, "support": support} {
			assert.Contains(t, text, "\n| `"+string(stage)+"`", what)
		}
	}
	rules, err := os.ReadFile(filepath.Join(root, "deploy/prometheus/rules/alerts.yml"))
	require.NoError(t, err)
	var alerts []string
	for _, m := range alert.FindAllStringSubmatch(string(rules), -1) {
		alerts = append(alerts, m[1])
	}
	named := ringing.FindStringSubmatch(support)
	require.Len(t, named, 3)
	require.Subset(t, alerts, named[1:])
}

// named is what a page names: all that is quoted, and every line of its
// examples to type.
func named(text string) []string {
	var all []string
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		if m[1] == "sh" {
			for line := range strings.Lines(m[2]) {
				command, _, _ := strings.Cut(line, " #")
				command, _, _ = strings.Cut(command, " <")
				all = append(all, strings.TrimSpace(command))
			}
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		all = append(all, m[1])
	}
	return all
}

func testsOfTheHouse(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		return err
	})
	require.NoError(t, err)
	require.Contains(t, names, "TestWhatThePagesNameExists")
	return names
}

// checkVerb asks the program itself for help on the verb, and looks for each
// flag there.
func checkVerb(t *testing.T, page, line string) {
	t.Helper()
	var verb, flags []string
	for _, word := range strings.Fields(line)[1:] {
		switch {
		case strings.HasPrefix(word, "--"):
			flag, _, _ := strings.Cut(word, "=")
			flags = append(flags, flag)
		case len(flags) == 0 && regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(word):
			verb = append(verb, word)
		}
	}
	help, ok := helpOn(verb)
	for !ok && len(verb) > 1 { // the last words may be arguments
		verb = verb[:len(verb)-1]
		help, ok = helpOn(verb)
	}
	if !assert.True(t, ok, "%s: there is no verb: %s", page, line) {
		return
	}
	for _, flag := range flags {
		assert.Contains(t, help, flag, "%s: the verb has no such flag: %s", page, line)
	}
}

// helpOn asks for the help of exactly this verb: the program prints it as the
// first words of its usage.
func helpOn(verb []string) (string, bool) {
	var out bytes.Buffer
	code := program.Main(append(slices.Clone(verb), "--help"), strings.NewReader(""), &out, &out, nil)
	return out.String(), code == program.ExitOK && strings.HasPrefix(out.String(), strings.Join(append([]string{"Usage: clusterbridge"}, verb...), " "))
}

// In docs/seeds.md every sentence of a partner's page has a row, and every row
// says what becomes of it and where that can be seen.
func TestEverySeedRowIsAnswered(t *testing.T) {
	rows := 0
	for line := range strings.Lines(pages(t)["docs/seeds.md"]) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| the page says") {
			continue
		}
		rows++
		require.Len(t, cells, 3, "want: what the page says | verdict | where: %s", line)
		says, verdict, where := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		require.NotEmpty(t, says, line)
		switch verdict {
		case "shown":
			require.Regexp(t, quoted, where, "a shown row names a test, a command or a file: %s", line)
		case "later", "not ours", "for people":
			require.NotEmpty(t, where, line)
		default:
			t.Errorf("verdict %q; want shown, later, not ours or for people: %s", verdict, line)
		}
	}
	require.Greater(t, rows, 80, "the three pages have more sentences than that")
}

// inputs are the workflows that a person starts in the Web UI, and the Updates
// that one sends there.
var inputs = map[string]func() any{
	work.Backfill:          func() any { return &work.BackfillInput{} },
	work.ResolveUncertain:  func() any { return &work.ResolveInput{} },
	work.Onboarding:        func() any { return &work.OnboardingInput{} },
	work.Offboarding:       func() any { return &work.OffboardInput{} },
	work.RotateCredentials: func() any { return &work.RotateInput{} },
	work.ChangeConnection:  func() any { return &work.ChangeInput{} },
	work.ReleaseQuarantine: func() any { return &work.QuarantineInput{} },
	work.Resend:            func() any { return &work.ResendInput{} },
}

// updates are the Updates that a person sends, by workflow.
var updates = map[string]map[string]func() any{
	work.Backfill:   {work.UpdatePause: steer, work.UpdateResume: steer, work.UpdateCancel: steer},
	work.Onboarding: {work.UpdateCancelOnboarding: steer},
	work.LocationOnboarding: {
		work.UpdateChooseLocation: func() any { return &work.ChooseInput{} }, work.UpdateContactEntered: steer,
		work.UpdateDecide:        func() any { return &work.DecideInput{} },
		work.UpdateRecordPayment: func() any { return &work.PaymentInput{} }, work.UpdateWaiveFee: steer,
		work.UpdateRefundFee: func() any { return &work.PaymentInput{} }, work.UpdateCredentialsEntered: steer,
		work.UpdateRecordEntry:           func() any { return &work.EntryInput{} },
		work.UpdateChoosePartnerLocation: func() any { return &work.PlaceInput{} },
		work.UpdateRetry:                 steer, work.UpdateCancelOnboarding: steer,
	},
	work.RotateCredentials: {work.UpdateKeyEntered: steer, work.UpdateCancelOnboarding: steer},
}

func steer() any { return &work.SteerInput{} }

// update marks the input of a workflow's Update, which stands after it.
const update = "-update-"

// inputOf is what a file of docs/inputs holds, by its name: the workflow, the
// Update if it is one's, and what tells it from others.
func inputOf(t *testing.T, name string) (what string, v any) {
	t.Helper()
	workflow, rest, _ := strings.Cut(name, "-")
	if which, ok := strings.CutPrefix("-"+rest, update); ok {
		which, _, _ = strings.Cut(which, "-")
		require.Contains(t, updates[workflow], which, "%s is named after no Update", name)
		return workflow + update + which, updates[workflow][which]()
	}
	require.Contains(t, inputs, workflow, "%s is named after no workflow", name)
	return workflow, inputs[workflow]()
}

// The inputs to paste are accepted, and the operators' guide shows each of them
// as it is.
func TestInputsPasteIntoTheWebUI(t *testing.T) {
	files, err := filepath.Glob("inputs/*.json")
	require.NoError(t, err)
	guide, shown := pages(t)["docs/operations.md"]+pages(t)["docs/onboarding.md"], 0
	for _, m := range fenced.FindAllStringSubmatch(guide, -1) {
		if m[1] == "json" {
			shown++
		}
	}
	require.Equal(t, len(files), shown, "the guides show every input, and no other")
	seen := map[string]bool{}
	for _, file := range files {
		what, v := inputOf(t, strings.TrimSuffix(filepath.Base(file), ".json"))
		seen[what] = true
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, work.DecodeStrict(text, v), file)
		require.Contains(t, guide, "```json\n"+string(text)+"```\n", "no guide shows %s as it is", file)
	}
	for workflow := range inputs {
		require.True(t, seen[workflow], "no input to paste for %s", workflow)
	}
	for workflow, all := range updates {
		for which := range all {
			require.True(t, seen[workflow+update+which], "no input to paste for the Update %s of %s", which, workflow)
		}
	}
}

// The runbook names every code of the registry, with the registry's own words.
func TestRunbookKnowsEveryProblem(t *testing.T) {
	runbook := pages(t)["docs/operations.md"]
	for code, p := range work.Problems {
		row := regexp.MustCompile(`(?m)^\| .` + regexp.QuoteMeta(string(code)) + `. \|.*$`).FindString(runbook)
		if !assert.NotEmpty(t, row, "no row for %s", code) {
			continue
		}
		assert.Contains(t, row, p.Title, code)
		assert.Contains(t, row, strings.ReplaceAll(p.Next, "%s", "7shifts:chez-marcel"), code)
		assert.Contains(t, row, strings.ReplaceAll(string(p.Kind), "_", " "), code)
	}
}
