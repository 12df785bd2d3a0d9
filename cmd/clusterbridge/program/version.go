package program

import "runtime/debug"

// Version tells which build this is: the module's version where it was
// installed as one, otherwise the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				changed = " with changes"
			}
		}
	}
	const short = 12 // digits that tell commits apart
	if len(revision) < short {
		return "development"
	}
	return revision[:short] + changed
}
