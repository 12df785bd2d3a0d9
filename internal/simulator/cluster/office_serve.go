package clustersim

import (
	"crypto/subtle"
	"net/http"
	"regexp"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// What the back office takes: plain requestIds, partners by their short word,
// and no field that is longer than a name or an address ever is.
var (
	requestPattern = regexp.MustCompile(`^[!-~]{1,128}$`)
	partnerPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
)

const (
	maxField = 200
	// maxFound is how many candidates a search shows at most.
	maxFound = 25
)

func (s *Sim) officeRoutes(mux *http.ServeMux) {
	handleOffice(s, mux, wire.PathLocationSearch, func(q wire.LocationSearch) string { return q.Serial }, s.search)
	handleOffice(s, mux, wire.PathActivate, func(q wire.AccessRequest) string { return q.Serial }, s.activate)
	handleOffice(s, mux, wire.PathIssueKey, func(q wire.AccessRequest) string { return q.Serial }, s.issueKey)
	handleOffice(s, mux, wire.PathListKeys, func(q wire.SerialRequest) string { return q.Serial }, s.listKeys)
	handleOffice(s, mux, wire.PathRevokeKey, func(q wire.RevokeRequest) string { return q.Serial }, s.revokeKey)
	mux.HandleFunc("POST /_sim/office", s.serveSwitches)
	mux.HandleFunc("POST /_sim/contact", s.serveContact)
}

// handleOffice routes one call of the back office: after the request's form
// comes clusterbridge's own key, then the answer.
func handleOffice[Q any](s *Sim, mux *http.ServeMux, path string, serial func(Q) string, answer func(Q) (any, *no)) {
	serve(s, mux, path, serial, func(header http.Header, q Q) ([]byte, *no) {
		given := header.Get(wire.HeaderOfficeKey)
		if s.office.key == "" || subtle.ConstantTimeCompare([]byte(given), []byte(s.office.key)) != 1 {
			return nil, &no{http.StatusUnauthorized, wire.CodeBadOfficeKey, "the back office does not know this key"}
		}
		return encode(answer(q))
	})
}

func (s *Sim) search(q wire.LocationSearch) (any, *no) {
	switch {
	case q.Serial == "" && q.TradeName == "" && q.Address == "":
		return nil, badRequest("tradeName, address or serial")
	case len(q.Serial) > maxField || len(q.TradeName) > maxField || len(q.Address) > maxField:
		return nil, badRequest("a field is too long")
	}
	found := s.candidates(q)
	answer := wire.Candidates{Candidates: found, More: len(found) > maxFound}
	answer.Candidates = found[:min(len(found), maxFound)]
	return answer, nil
}

func (s *Sim) activate(q wire.AccessRequest) (any, *no) {
	if err := checkAccess(q); err != nil {
		return nil, err
	}
	if err := s.knownNow(q.Serial); err != nil {
		return nil, err
	}
	return s.office.activate(q, s.now())
}

func (s *Sim) issueKey(q wire.AccessRequest) (any, *no) {
	if err := checkAccess(q); err != nil {
		return nil, err
	}
	return s.office.issue(q, s.knownNow(q.Serial), s.now())
}

func (s *Sim) listKeys(q wire.SerialRequest) (any, *no) {
	if q.Serial == "" {
		return nil, badRequest("serial is missing")
	}
	keys := s.office.list(q.Serial, s.now())
	if keys == nil {
		if err := s.knownNow(q.Serial); err != nil {
			return nil, err
		}
		keys = []wire.APIKey{}
	}
	return wire.Keys{Keys: keys}, nil
}

func (s *Sim) revokeKey(q wire.RevokeRequest) (any, *no) {
	if q.Serial == "" || q.KeyID == "" || !requestPattern.MatchString(q.RequestID) {
		return nil, badRequest("serial, keyId and a requestId of at most 128 plain characters")
	}
	return s.office.revoke(q, s.now())
}

func checkAccess(q wire.AccessRequest) *no {
	if q.Serial == "" || !partnerPattern.MatchString(q.Partner) || !requestPattern.MatchString(q.RequestID) {
		return badRequest("serial, partner and a requestId of at most 128 plain characters")
	}
	return nil
}

// knownNow refuses a serial number that is no till's today.
func (s *Sim) knownNow(serial string) *no {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tills[serial]; t == nil || !t.known(s.now()) {
		return &no{http.StatusNotFound, wire.CodeNoSerial, "the serial number is not known"}
	}
	return nil
}
