package sevenshiftssim

import (
	"math"
	"slices"
)

// involves tells whether a role has a stake; a pool without stakes is everybody's.
func (p TipPool) involves(role int64) bool {
	return len(p.Stakes) == 0 || slices.ContainsFunc(p.Stakes, func(st Stake) bool { return st.RoleID == role })
}

func (p TipPool) stake(role int64, receives bool) float64 {
	for _, st := range p.Stakes {
		if st.RoleID == role && st.Receives == receives {
			return st.Amount
		}
	}
	return 0
}

// contributed is what counts of a row.
func (p TipPool) contributed(sums poolSums) int64 {
	if len(p.Sources) == 0 {
		return sums.card + sums.gratuity
	}
	var total int64
	for source, cents := range map[string]int64{"CREDIT_CARD": sums.card, "AUTO_GRATUITY": sums.gratuity, "DECLARED": sums.declared} {
		if slices.Contains(p.Sources, source) {
			total += cents
		}
	}
	return total
}

// share fills in who gives and gets what: all that is given is given out, to
// the cent, if there is anybody to get it.
func (p TipPool) share(day *poolDay) {
	var given int64
	for i := range day.unassigned {
		line := &day.unassigned[i]
		line.tipIn = percent(p.contributed(line.poolSums), p.UnassignedPercent)
		given += line.tipIn
	}
	weights := make([]float64, len(day.assigned))
	hours := map[int64]float64{}
	for _, line := range day.assigned {
		hours[line.punch.RoleID] += line.hours.Hours()
	}
	for i := range day.assigned {
		line := &day.assigned[i]
		role := line.punch.RoleID
		line.tipIn = percent(p.contributed(line.poolSums), p.stake(role, false))
		given += line.tipIn
		switch amount := p.stake(role, true); {
		case p.Distribution == "POINTS":
			weights[i] = line.hours.Hours() * amount
		case p.Distribution == "ROLE_PERCENT_HOURS_WORKED" && hours[role] > 0:
			weights[i] = amount * line.hours.Hours() / hours[role]
		case p.Distribution == "HOURS_WORKED" && amount > 0:
			weights[i] = line.hours.Hours()
		}
	}
	for i, cents := range split(given, weights) {
		day.assigned[i].tipOut = cents
	}
}

func percent(cents int64, of float64) int64 { return int64(math.Round(float64(cents) * of / 100)) }

// split shares an amount out by weight, in whole cents that add up to it.
func split(amount int64, weights []float64) []int64 {
	parts := make([]int64, len(weights))
	var all float64
	for _, w := range weights {
		all += w
	}
	if all == 0 {
		return parts
	}
	var sum float64
	var given int64
	for i, w := range weights {
		sum += w
		parts[i] = int64(math.Round(float64(amount)*sum/all)) - given
		given += parts[i]
	}
	return parts
}
