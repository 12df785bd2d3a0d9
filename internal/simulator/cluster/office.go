package clustersim

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// office is the back office. Its lock is taken after Sim.mu.
type office struct {
	key string

	mu       sync.Mutex
	switches OfficeSwitches
	gateway  Gateway
	held     held
	keeper   keeper
}

// held is what the back office holds, and what its state file keeps.
type held struct {
	Access []*access `json:"access"`
	Keys   []*apiKey `json:"keys"`
	Grants []*grant  `json:"grants"`
	// Requests tells for what each requestId was used.
	Requests map[string]string `json:"requests"`
	// Contacts are those that changed since the location was added, by serial.
	Contacts map[string]*Contact `json:"contacts"`
}

// access is a partner's API access to a till; a zero ActiveAt is never.
type access struct {
	Serial   string    `json:"serial"`
	Partner  string    `json:"partner"`
	AskedAt  time.Time `json:"askedAt"`
	ActiveAt time.Time `json:"activeAt,omitzero"`
}

func (a *access) active(now time.Time) bool {
	return a != nil && !a.ActiveAt.IsZero() && !now.Before(a.ActiveAt)
}

// apiKey is an issued key, of which only the hash is kept, as a careful back
// office does.
type apiKey struct {
	Serial    string    `json:"serial"`
	ID        string    `json:"id"`
	Hash      string    `json:"hash"`
	Partner   string    `json:"partner"`
	RequestID string    `json:"requestId"`
	Created   time.Time `json:"created"`
	LastUsed  time.Time `json:"lastUsed,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
}

func newOffice(o Options) *office {
	switches := DefaultOfficeSwitches()
	if o.Office != nil {
		switches = *o.Office
	}
	if err := switches.check(); err != nil {
		panic("clustersim: " + err.Error())
	}
	return &office{
		key: o.OfficeKey, switches: switches, gateway: o.Gateway,
		held: held{Requests: map[string]string{}, Contacts: map[string]*Contact{}},
	}
}

// issued names an active key that was found.
type issued struct{ id, serial string }

// find looks for the active key with this text.
func (f *office) find(key string) (issued, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	hash := hashOf(key)
	for _, k := range f.held.Keys {
		if k.Hash == hash && k.Revoked.IsZero() {
			return issued{k.ID, k.Serial}, true
		}
	}
	return issued{}, false
}

// use notes that a key was used, and tells whether its partner's access is
// active.
func (f *office) use(found issued, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.keyOf(found.serial, found.id)
	// Uses come often, so that the state file learns of each minute's first.
	news := now.Sub(k.LastUsed) >= time.Minute
	k.LastUsed = now
	if news {
		f.save()
	}
	return f.accessOf(k.Serial, k.Partner).active(now)
}

func (f *office) keyOf(serial, id string) *apiKey {
	i := slices.IndexFunc(f.held.Keys, func(k *apiKey) bool { return k.Serial == serial && k.ID == id })
	if i < 0 {
		return nil
	}
	return f.held.Keys[i]
}

func (f *office) accessOf(serial, partner string) *access {
	i := slices.IndexFunc(f.held.Access, func(a *access) bool { return a.Serial == serial && a.Partner == partner })
	if i < 0 {
		return nil
	}
	return f.held.Access[i]
}

func (f *office) setActivated(serial string, activated bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.held.Access {
		if a.Serial == serial {
			a.ActiveAt = time.Time{}
			if activated {
				a.ActiveAt = now
			}
		}
	}
	f.save()
}

// claim takes a requestId for one purpose; used for another, it is refused.
func (f *office) claim(requestID, purpose string) *no {
	if before, used := f.held.Requests[requestID]; used && before != purpose {
		return &no{http.StatusConflict, wire.CodeRequestReused, "the requestId was used for something else"}
	}
	f.held.Requests[requestID] = purpose
	return nil
}

// activate asks for access, or tells how it stands.
func (f *office) activate(q wire.AccessRequest, now time.Time) (wire.Access, *no) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.claim(q.RequestID, "activate "+q.Serial+" "+q.Partner); err != nil {
		return wire.Access{}, err
	}
	a := f.accessOf(q.Serial, q.Partner)
	if a == nil {
		a = &access{Serial: q.Serial, Partner: q.Partner, AskedAt: now}
		f.held.Access = append(f.held.Access, a)
	}
	if a.ActiveAt.IsZero() && !f.switches.NeverActivate {
		a.ActiveAt = now.Add(f.switches.delay(q.Serial, q.Partner))
	}
	f.save()
	if a.active(now) {
		return wire.Access{Status: wire.AccessActive}, nil
	}
	return wire.Access{Status: wire.AccessPending}, nil
}

// issue issues a key, and shows it this once. A requestId that was used before
// is answered first: whatever has changed since, it tells what was issued.
func (f *office) issue(q wire.AccessRequest, till *no, now time.Time) (wire.IssuedKey, *no) {
	f.mu.Lock()
	defer f.mu.Unlock()
	purpose := "issue " + q.Serial + " " + q.Partner
	i := slices.IndexFunc(f.held.Keys, func(k *apiKey) bool { return k.RequestID == q.RequestID })
	switch {
	case i >= 0 && f.held.Requests[q.RequestID] == purpose && !f.switches.RepeatIssues:
		return wire.IssuedKey{Status: wire.KeyAlreadyIssued, KeyID: wire.Text(f.held.Keys[i].ID)}, nil
	case till != nil:
		return wire.IssuedKey{}, till
	case f.switches.KeysNeedAccess && !f.accessOf(q.Serial, q.Partner).active(now):
		return wire.IssuedKey{}, &no{http.StatusForbidden, wire.CodeNotActivated, "API access is not activated yet"}
	}
	if err := f.claim(q.RequestID, purpose); err != nil {
		return wire.IssuedKey{}, err
	}
	key := random("ck_", 24)
	k := &apiKey{
		Serial: q.Serial, ID: random("key_", 8), Hash: hashOf(key), Partner: q.Partner, RequestID: q.RequestID, Created: now,
	}
	f.held.Keys = append(f.held.Keys, k)
	f.save()
	return wire.IssuedKey{Status: wire.KeyIssued, KeyID: wire.Text(k.ID), Key: key}, nil
}

// list shows a till's keys as they were a lag ago, oldest first; it is nil when
// there never were any.
func (f *office) list(serial string, now time.Time) []wire.APIKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	var shown []wire.APIKey
	asOf := now.Add(-f.switches.ListLag)
	for _, k := range f.held.Keys {
		if k.Serial != serial {
			continue
		}
		if shown == nil {
			shown = []wire.APIKey{}
		}
		if k.Created.After(asOf) {
			continue
		}
		view := wire.APIKey{
			KeyID: wire.Text(k.ID), Partner: wire.Text(k.Partner), RequestID: wire.Text(k.RequestID),
			CreatedAt: wire.At(k.Created), LastUsedAt: wire.At(k.LastUsed), RevokedAt: wire.At(k.Revoked),
		}
		if k.Revoked.After(asOf) {
			view.RevokedAt = wire.Instant{}
		}
		shown = append(shown, view)
	}
	return shown
}

// revoke revokes a key, once.
func (f *office) revoke(q wire.RevokeRequest, now time.Time) (wire.RevokedKey, *no) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.keyOf(q.Serial, q.KeyID)
	if k == nil {
		return wire.RevokedKey{}, &no{http.StatusNotFound, wire.CodeNoKey, "the till has no such key"}
	}
	if err := f.claim(q.RequestID, "revoke "+q.Serial+" "+q.KeyID); err != nil {
		return wire.RevokedKey{}, err
	}
	if k.Revoked.IsZero() {
		k.Revoked = now
	}
	f.save()
	return wire.RevokedKey{KeyID: wire.Text(k.ID), RevokedAt: wire.At(k.Revoked)}, nil
}

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func random(prefix string, bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return prefix + hex.EncodeToString(b)
}
