package people

import "slices"

// candidate is an employee without a mapping on the way through the criteria.
type candidate struct {
	Employee
	face
	reason Reason // the worst found so far
}

// match maps who meets an exact criterion, and makes exceptions of the rest.
// The criteria are tried in 7shifts' order, each for all employees at once: an
// employee who meets an earlier one has the user, and two who meet the same
// one with the same user both have to be decided by a person.
func (r *reconciler) match(open []Employee) {
	left := make([]*candidate, len(open))
	for i, e := range open {
		left[i] = &candidate{Employee: e, face: r.faces[e.ID]}
	}
	for _, by := range []Criterion{ByUserID, ByEmail, ByNamesAndPhone, ByNames} {
		index := r.index(by)
		claims := map[int64]int{}
		found := make([][]int64, len(left))
		for i, c := range left {
			found[i] = r.matching(c, by, index)
			if len(found[i]) == 1 {
				claims[found[i][0]]++
			}
		}
		var later []*candidate
		for i, c := range left {
			if !r.try(c, by, found[i], claims) {
				later = append(later, c)
			}
		}
		left = later
	}
	for _, c := range left {
		r.except(c)
	}
}

// try takes the candidate further by what matched: false leaves it to the next
// criterion.
func (r *reconciler) try(c *candidate, by Criterion, found []int64, claims map[int64]int) bool {
	switch {
	case len(found) > 1:
		c.reason = Ambiguous
		return false
	case len(found) == 0:
		return r.said(c, by)
	}
	user := found[0]
	_, held := r.holders[user]
	many := r.in.ManyPerUser && by == ByUserID
	switch {
	case claims[user] > 1 && !many:
		c.reason = Ambiguous
	case held && !many:
		c.reason = AlreadyMapped
	default:
		r.holders[user] = c.ID
		r.plan.Create = append(r.plan.Create, r.creation(c, by, r.userOf[user]))
		return true
	}
	r.except(c)
	return true
}

// said makes an exception of a person's word that cannot be done; nothing else
// may then decide instead of that person.
func (r *reconciler) said(c *candidate, by Criterion) bool {
	answer := r.answerOf[c.ID]
	if by != ByUserID || answer.Kind != Map {
		return false
	}
	if _, listed := r.userOf[answer.UserID]; listed {
		c.reason = InactiveUser
	}
	r.except(c)
	return true
}

// index finds active users by what the criterion compares.
func (r *reconciler) index(by Criterion) map[string][]int64 {
	index := map[string][]int64{}
	for _, u := range r.users {
		if !u.Active {
			continue
		}
		if key := keysOf(r.userFaces[u.ID], by); len(key) == 1 {
			index[key[0]] = append(index[key[0]], u.ID)
		}
	}
	return index
}

// keysOf is what the criterion compares of a face; one key per way of splitting
// the name.
func keysOf(f face, by Criterion) []string {
	var keys []string
	switch by {
	case ByEmail:
		if f.email != "" {
			keys = append(keys, f.email)
		}
	case ByNamesAndPhone, ByNames:
		phone := ""
		if by == ByNamesAndPhone {
			if phone = f.phone; phone == "" {
				return nil
			}
		}
		for _, n := range f.names {
			if n.first.text != "" && n.last.text != "" {
				keys = append(keys, n.first.text+"\x00"+n.last.text+"\x00"+phone)
			}
		}
	case ByUserID:
	}
	return keys
}

// matching are the active users who meet the criterion, whoever has them.
func (r *reconciler) matching(c *candidate, by Criterion, index map[string][]int64) []int64 {
	if by == ByUserID {
		answer := r.answerOf[c.ID]
		if u, listed := r.userOf[answer.UserID]; answer.Kind == Map && listed && u.Active {
			return []int64{u.ID}
		}
		return nil
	}
	var found []int64
	for _, key := range keysOf(c.face, by) {
		found = append(found, index[key]...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (r *reconciler) creation(c *candidate, by Criterion, u User) Creation {
	creation := Creation{EmployeeID: c.ID, UserID: u.ID, By: by}
	switch by {
	case ByEmail:
		creation.Email = u.Email
	case ByNamesAndPhone:
		creation.FirstName, creation.LastName, creation.Phone = u.FirstName, u.LastName, Phone(u.Phone)
	case ByNames:
		creation.FirstName, creation.LastName = u.FirstName, u.LastName
	case ByUserID:
	}
	return creation
}

// except makes an exception; its proposals come when all is matched.
func (r *reconciler) except(c *candidate) {
	if c.reason == "" {
		c.reason = NotFound
		for _, u := range r.users {
			if !u.Active && exactly(c.face, r.userFaces[u.ID]) {
				c.reason = InactiveUser
			}
		}
	}
	r.plan.Exceptions = append(r.plan.Exceptions, Exception{EmployeeID: c.ID, Reason: c.reason})
}

// exactly tells whether a user meets one of the criteria but that of a
// person's word.
func exactly(employee, user face) bool {
	for _, by := range []Criterion{ByEmail, ByNames} {
		for _, key := range keysOf(employee, by) {
			if slices.Contains(keysOf(user, by), key) {
				return true
			}
		}
	}
	return false
}
