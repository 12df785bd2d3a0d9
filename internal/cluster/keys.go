package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/vault"
)

// IssuedKey is the answer to a request for a key. Key is Empty when it was
// issued under this request id before: it is shown once only.
type IssuedKey struct {
	ID  string
	Key vault.Secret
}

// IssueKey asks for a key with which a partner reads a till, idempotent by
// request id. ClusterNotActivated: some back offices want API access to be
// active first (assumed). Whoever has to have exactly one key asks EnsureKey.
func (o *Office) IssueKey(ctx context.Context, serial, partner, requestID string) (IssuedKey, error) {
	var answer wire.IssuedKey
	call := exchange{
		path: wire.PathIssueKey, answer: &answer, write: true,
		request: wire.AccessRequest{Serial: serial, Partner: partner, RequestID: requestID},
	}
	if err := o.do(ctx, call); err != nil {
		return IssuedKey{}, err
	}
	id := string(answer.KeyID)
	switch {
	case id == "":
		return IssuedKey{}, call.malformed("the key has no id")
	case answer.Status == wire.KeyIssued && answer.Key != "":
		return IssuedKey{ID: id, Key: vault.NewSecret(answer.Key)}, nil
	case answer.Status == wire.KeyAlreadyIssued && answer.Key == "":
		return IssuedKey{ID: id}, nil
	}
	return IssuedKey{}, call.malformed("the status does not go with the key")
}

// KeyRecord is what the back office tells of a key, which is never the key
// itself. LastUsedAt and RevokedAt are zero until then; all are on Cluster's
// clock, in UTC.
type KeyRecord struct {
	ID         string
	Partner    string
	RequestID  string
	CreatedAt  time.Time
	LastUsedAt time.Time
	RevokedAt  time.Time
}

// Active says that the key still opens the till.
func (k KeyRecord) Active() bool { return k.RevokedAt.IsZero() }

// Keys lists all keys of a till, revoked ones too. The list may lag behind what
// was issued or revoked a moment ago (assumed).
func (o *Office) Keys(ctx context.Context, serial string) ([]KeyRecord, error) {
	var answer wire.Keys
	call := exchange{path: wire.PathListKeys, answer: &answer, request: wire.SerialRequest{Serial: serial}}
	if err := o.do(ctx, call); err != nil {
		return nil, err
	}
	if answer.Keys == nil {
		return nil, call.malformed("no list of keys")
	}
	keys := make([]KeyRecord, 0, len(answer.Keys))
	for _, k := range answer.Keys {
		// A wrong instant must not pass for "never": it would hide a use, or
		// show a dead key as alive.
		if k.KeyID == "" || k.CreatedAt.Bad || k.LastUsedAt.Bad || k.RevokedAt.Bad {
			return nil, call.malformed("a key without id, or with an instant that cannot be read")
		}
		keys = append(keys, KeyRecord{
			ID: string(k.KeyID), Partner: string(k.Partner), RequestID: string(k.RequestID),
			CreatedAt: utc(k.CreatedAt), LastUsedAt: utc(k.LastUsedAt), RevokedAt: utc(k.RevokedAt),
		})
	}
	return keys, nil
}

// KeysInUse lists a partner's active keys of a till that were used at an
// instant or later: the partner still pulls with them. Every call at the till
// counts, also a check of the credential.
func (o *Office) KeysInUse(ctx context.Context, serial, partner string, since time.Time) ([]KeyRecord, error) {
	keys, err := o.Keys(ctx, serial)
	if err != nil {
		return nil, err
	}
	var used []KeyRecord
	for _, k := range keys {
		if k.Partner == partner && k.Active() && !k.LastUsedAt.IsZero() && !k.LastUsedAt.Before(since) {
			used = append(used, k)
		}
	}
	return used, nil
}

// RevokeKey makes a key open nothing any more, idempotent by request id and by
// key. A key that the back office does not know opens nothing already.
func (o *Office) RevokeKey(ctx context.Context, serial, keyID, requestID string) error {
	var answer wire.RevokedKey
	call := exchange{
		path: wire.PathRevokeKey, answer: &answer, write: true,
		request: wire.RevokeRequest{Serial: serial, KeyID: keyID, RequestID: requestID},
	}
	err := o.do(ctx, call)
	switch r, ok := errors.AsType[*refusal](err); {
	case ok && r.code == wire.CodeNoKey:
		return nil
	case err == nil && (string(answer.KeyID) != keyID || answer.RevokedAt.IsZero()):
		return call.malformed("it does not say that the key is revoked")
	}
	return err
}

// revoke is RevokeKey under a request id that is a function of the key.
func (o *Office) revoke(ctx context.Context, serial, keyID string) error {
	return o.RevokeKey(ctx, serial, keyID, ourRequests+"revoke:"+keyID)
}
