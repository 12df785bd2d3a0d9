package people

import (
	"cmp"
	"slices"
)

// Reconcile makes the plan.
func Reconcile(in Input) Plan {
	r := newReconciler(in)
	var open []Employee
	for _, e := range r.employees {
		if r.settle(e) {
			continue
		}
		open = append(open, e)
	}
	r.match(open)
	for _, m := range r.existing {
		if _, listed := r.faces[m.EmployeeID]; !listed {
			r.plan.Strangers = append(r.plan.Strangers, m)
		}
	}
	// Who has which user is known only now.
	for i, d := range r.plan.Drift {
		r.plan.Drift[i].Proposals = r.propose(r.employee[d.EmployeeID], d.Was)
	}
	for i, e := range r.plan.Exceptions {
		r.plan.Exceptions[i].Proposals = r.propose(r.employee[e.EmployeeID], r.answerOf[e.EmployeeID].UserID)
	}
	slices.SortFunc(r.plan.Create, func(a, b Creation) int { return cmp.Compare(a.EmployeeID, b.EmployeeID) })
	slices.SortFunc(r.plan.Exceptions, func(a, b Exception) int { return cmp.Compare(a.EmployeeID, b.EmployeeID) })
	return r.plan
}

type reconciler struct {
	in        Input
	employees []Employee // by id, each once
	users     []User     // by id, each once
	existing  []Mapping  // by employee
	faces     map[string]face
	userFaces map[int64]face
	userOf    map[int64]User
	mappingOf map[string]Mapping
	knownOf   map[string]Mapping
	answerOf  map[string]Answer
	employee  map[string]Employee
	holders   map[int64]string // who has a user, in 7shifts or by the plan
	plan      Plan
}

func newReconciler(in Input) *reconciler {
	r := &reconciler{
		in: in, faces: map[string]face{}, userFaces: map[int64]face{}, userOf: map[int64]User{}, employee: map[string]Employee{},
		mappingOf: map[string]Mapping{}, knownOf: map[string]Mapping{}, answerOf: map[string]Answer{}, holders: map[int64]string{},
	}
	r.employees = unique(in.Employees, func(a, b Employee) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), boolFirst(a.Active, b.Active), boolFirst(a.Sold, b.Sold),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Email, b.Email), cmp.Compare(a.Phone, b.Phone))
	}, func(e Employee) string { return e.ID })
	r.users = unique(in.Users, func(a, b User) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), boolFirst(a.Active, b.Active), cmp.Compare(a.FirstName, b.FirstName), cmp.Compare(a.LastName, b.LastName),
			cmp.Compare(a.Email, b.Email), cmp.Compare(a.Phone, b.Phone), cmp.Compare(a.PreferredFirstName, b.PreferredFirstName), cmp.Compare(a.PreferredLastName, b.PreferredLastName))
	}, func(u User) int64 { return u.ID })
	r.existing = unique(in.Existing, byEmployee, func(m Mapping) string { return m.EmployeeID })
	for _, e := range r.employees {
		r.faces[e.ID], r.employee[e.ID] = faceOfEmployee(e), e
	}
	for _, u := range r.users {
		r.userFaces[u.ID], r.userOf[u.ID] = faceOfUser(u), u
	}
	for _, m := range r.existing {
		r.mappingOf[m.EmployeeID] = m
	}
	// Also those of an employee with several: 7shifts should not have them, but
	// each of its users is taken.
	for _, m := range slices.SortedFunc(slices.Values(in.Existing), byEmployee) {
		if _, held := r.holders[m.UserID]; !held {
			r.holders[m.UserID] = m.EmployeeID
		}
	}
	for _, m := range unique(in.Known, byEmployee, func(m Mapping) string { return m.EmployeeID }) {
		r.knownOf[m.EmployeeID] = m
	}
	for _, a := range unique(in.Answers, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.EmployeeID, b.EmployeeID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.UserID, b.UserID))
	}, func(a Answer) string { return a.EmployeeID }) {
		r.answerOf[a.EmployeeID] = a
	}
	return r
}

func byEmployee(a, b Mapping) int {
	return cmp.Or(cmp.Compare(a.EmployeeID, b.EmployeeID), boolFirst(a.UserActive, b.UserActive), cmp.Compare(a.UserID, b.UserID))
}

// boolFirst puts true before false.
func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// unique sorts and keeps the first of every id, so that the plan depends on
// the set and not on its order.
func unique[T any, K comparable](all []T, order func(a, b T) int, id func(T) K) []T {
	sorted := slices.SortedFunc(slices.Values(all), order)
	return slices.CompactFunc(sorted, func(a, b T) bool { return id(a) == id(b) })
}

// settle puts an employee who needs no new mapping into the plan.
func (r *reconciler) settle(e Employee) bool {
	mapping, mapped := r.mappingOf[e.ID]
	known, wasKnown := r.knownOf[e.ID]
	answer := r.answerOf[e.ID]
	kind := noDrift
	switch {
	case mapped:
		kind = r.driftOf(mapping)
		if kind == noDrift {
			r.plan.Mapped = append(r.plan.Mapped, mapping)
			return true
		}
	case answer.Kind == Ignore || answer.Kind == Unmap:
		r.plan.Settled = append(r.plan.Settled, e.ID)
		return true
	case wasKnown:
		kind = Vanished
	case answer.Kind == Map:
		return false
	}
	if e.leaver() && kind != ByHand {
		r.plan.Settled = append(r.plan.Settled, e.ID)
		return true
	}
	if kind == noDrift {
		return false
	}
	was := known.UserID
	if !wasKnown && answer.Kind == Map {
		was = answer.UserID
	}
	if _, held := r.holders[was]; kind == Vanished && !held {
		r.holders[was] = e.ID // until a person has decided
	}
	r.plan.Drift = append(r.plan.Drift, Drift{EmployeeID: e.ID, Kind: kind, Was: was, Is: mapping.UserID})
	return true
}

// driftOf tells what is wrong with a mapping that 7shifts holds.
func (r *reconciler) driftOf(m Mapping) DriftKind {
	known, wasKnown := r.knownOf[m.EmployeeID]
	answer, answered := r.answerOf[m.EmployeeID]
	user, listed := r.userOf[m.UserID]
	switch {
	case wasKnown && known.UserID != m.UserID:
		return ByHand
	case !wasKnown && answered && (answer.Kind != Map || answer.UserID != m.UserID):
		return ByHand
	case listed && !user.Active, !listed && !m.UserActive:
		return Inactive
	case !listed:
		return UserGone
	}
	return noDrift
}

// propose lists who may be the employee; one whom the employee had, or whom a
// person named, is among them also when nothing is alike.
func (r *reconciler) propose(e Employee, was int64) []Proposal {
	var all []Proposal
	for _, u := range r.users {
		why := alike(r.faces[e.ID], r.userFaces[u.ID])
		if len(why) == 0 && u.ID != was {
			continue
		}
		p := Proposal{UserID: u.ID, Why: why, Active: u.Active}
		if holder := r.holders[u.ID]; holder != e.ID {
			p.Taken = holder
		}
		if len(why) > 0 && r.recreated(e, u, p.Taken) {
			p.Why = append(p.Why, Recreated)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Proposal) int {
		return cmp.Or(strength(a)-strength(b), boolFirst(a.Active, b.Active), boolFirst(a.Taken == "", b.Taken == ""), cmp.Compare(a.UserID, b.UserID))
	})
	return all[:min(len(all), maxProposals)]
}

// strength is the place of the strongest likeness.
func strength(p Proposal) int {
	if len(p.Why) == 0 {
		return len(strengths)
	}
	return slices.Index(strengths, p.Why[0])
}

// recreated tells whether the person seems to have a new profile: in 7shifts,
// where an inactive user bears the name of an active one; or at the till, where
// the employee who has the user bears the name of this one and has left.
func (r *reconciler) recreated(e Employee, u User, taken string) bool {
	if holder, ok := r.employee[taken]; ok && taken != "" && !holder.Active && r.faces[taken].whole == r.faces[e.ID].whole {
		return true
	}
	return u.Active && slices.ContainsFunc(r.users, func(other User) bool {
		return other.ID != u.ID && !other.Active && r.userFaces[other.ID].whole == r.userFaces[u.ID].whole
	})
}
