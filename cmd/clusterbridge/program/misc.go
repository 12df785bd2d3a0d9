package program

import (
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/vault/codec"
)

type settingsVerb struct {
	Markdown bool `help:"Write the documentation of all settings instead (docs/settings.md)."`
}

func (settingsVerb) toleratesProblems() {}

// Run shows the settings, and what is wrong with them.
func (v *settingsVerb) Run(d *desk) error {
	if v.Markdown {
		printMarkdown(d.out)
		return nil
	}
	printSettings(d.out, d.settings)
	d.warnUnknown()
	_, err := Load(d.environ)
	return d.check(nil, err)
}

// warnUnknown names variables that are no settings, such as misspelled ones.
func (d *desk) warnUnknown() {
	for _, name := range Unknown(d.environ) {
		d.logger().Warn("this variable is not a setting of this version; is it misspelled?", "variable", name)
	}
}

type keysetVerb struct {
	New    keysetNewVerb    `cmd:"" help:"Print a new keyset, for CLUSTERBRIDGE_KEYSET."`
	AddKey keysetAddKeyVerb `cmd:"" help:"Print the keyset in force with a new key added, which seals from then on."`
}

type keysetNewVerb struct {
	Codec bool `help:"Make one for CLUSTERBRIDGE_CODEC_KEYSET, which seals Temporal's payloads."`
}

func (keysetNewVerb) toleratesProblems() {}

// Run prints a keyset: it is the verb's whole purpose, so here it is shown.
func (v *keysetNewVerb) Run(d *desk) error {
	newKeyset := vault.NewKeyset
	if v.Codec {
		newKeyset = codec.NewKeyset
	}
	keyset, err := newKeyset()
	if err != nil {
		return failed(err, "try again", "No keyset could be made.")
	}
	d.say("%s", keyset)
	return nil
}

type keysetAddKeyVerb struct{}

func (keysetAddKeyVerb) needs() []string { return []string{"CLUSTERBRIDGE_KEYSET"} }

// Run prints the keyset with a new key; what older keys sealed stays readable.
func (v *keysetAddKeyVerb) Run(d *desk) error {
	keyset, err := vault.AddKey(d.settings.Keyset)
	if err != nil {
		return failed(err, "check CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_KEYSET holds no keyset that can be read.")
	}
	d.say("%s", keyset)
	return nil
}
