package tips

import (
	"cmp"
	"slices"
)

// Share is the percentage of its tips that a role contributes to one pool.
type Share struct {
	Pool    string
	RoleID  int64
	Percent float64
}

// OverShared are the roles that contribute more than all of their tips over
// all pools, by role: 7shifts takes it and inflates the tips (complaint 19).
func OverShared(shares []Share) []Share {
	sums := map[int64]*Share{}
	for _, s := range shares {
		e := entry(sums, s.RoleID)
		e.RoleID = s.RoleID
		e.Percent += s.Percent
	}
	all := sorted(sums, func(a, b *Share) int { return cmp.Compare(a.RoleID, b.RoleID) })
	// A hair above, since thirds of a percent are added.
	const full = 100 + 1e-6
	return slices.DeleteFunc(all, func(s Share) bool { return s.Percent <= full })
}
