package wire

// What is assumed of Cluster's back office (reference: Cluster section 3, all
// assumed): who a venue is, who may read its till, and with which keys. As in
// names.go, this file alone changes when a reference appears.

// The back office's paths below its base URL, POST with a JSON body as well.
// What changes something is idempotent by its requestId.
const (
	PathLocationSearch = "/locations/search"
	PathActivate       = "/api-access/activate"
	PathIssueKey       = "/api-keys"
	PathListKeys       = "/api-keys/list"
	PathRevokeKey      = "/api-keys/revoke"
)

// HeaderOfficeKey carries our own program's key to the back office; it opens no
// till.
const HeaderOfficeKey = "x-backoffice-key"

// The words of Access.Status. There is no path of its own to ask for it: asking
// to activate once more, under the same requestId, answers how it is.
const (
	AccessPending = "pending" // for 24 to 48 hours
	AccessActive  = "active"
)

// The words of IssuedKey.Status.
const (
	KeyIssued        = "issued"         // here is the key, this once
	KeyAlreadyIssued = "already_issued" // under this requestId; it is not shown again
)

// The codes of Refusal.Error that only the back office gives, next to
// CodeBadRequest, CodeNotActivated and CodeNoSerial.
const (
	CodeBadOfficeKey  = "bad_backoffice_key" // 401
	CodeNoKey         = "unknown_key"        // 404
	CodeRequestReused = "request_id_reused"  // 409, for something else than before
)

// LocationSearch is the body of PathLocationSearch. Every field that is given
// has to fit; at least one is.
type LocationSearch struct {
	TradeName string `json:"tradeName,omitempty"`
	Address   string `json:"address,omitempty"`
	Serial    string `json:"serial,omitempty"`
}

// Candidates is the answer of PathLocationSearch. More says that there are
// others besides.
type Candidates struct {
	Candidates []Candidate `json:"candidates"`
	More       bool        `json:"more,omitempty"`
}

// Candidate is a venue as the back office knows it. Contact is null where none
// is on record.
type Candidate struct {
	Serial    Text     `json:"serial"`
	TradeName Text     `json:"tradeName"`
	Address   Text     `json:"address"`
	Zone      Text     `json:"zone"`     // IANA
	Language  Text     `json:"language"` // fr or en
	Contact   *Contact `json:"contact"`
}

// Contact is the person whom Cluster has on record for a venue.
type Contact struct {
	Name  Text `json:"name"`
	Email Text `json:"email"`
}

// AccessRequest is the body of PathActivate and of PathIssueKey.
type AccessRequest struct {
	Serial    string `json:"serial"`
	Partner   string `json:"partner"`
	RequestID string `json:"requestId"`
}

// Access is the answer of PathActivate.
type Access struct {
	Status Text `json:"status"`
}

// IssuedKey is the answer of PathIssueKey. Key is left out when it was shown
// before.
type IssuedKey struct {
	Status Text   `json:"status"`
	KeyID  Text   `json:"keyId"`
	Key    string `json:"key,omitempty"`
}

// Keys is the answer of PathListKeys, whose body is a SerialRequest.
type Keys struct {
	Keys []APIKey `json:"keys"`
}

// APIKey is what the back office tells of a key, which is never the key itself.
// LastUsedAt and RevokedAt are null until then.
type APIKey struct {
	KeyID      Text    `json:"keyId"`
	Partner    Text    `json:"partner"`
	RequestID  Text    `json:"requestId"`
	CreatedAt  Instant `json:"createdAt"`
	LastUsedAt Instant `json:"lastUsedAt"`
	RevokedAt  Instant `json:"revokedAt"`
}

// RevokeRequest is the body of PathRevokeKey. Revoking twice is once.
type RevokeRequest struct {
	Serial    string `json:"serial"`
	KeyID     string `json:"keyId"`
	RequestID string `json:"requestId"`
}

// RevokedKey is the answer of PathRevokeKey.
type RevokedKey struct {
	KeyID     Text    `json:"keyId"`
	RevokedAt Instant `json:"revokedAt"`
}
