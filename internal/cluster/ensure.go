package cluster

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// ourRequests begins every request id of ours, so that keys which were
	// issued by hand, or to others, are never touched.
	ourRequests = "clusterbridge:"
	// maxKeyAttempts bounds the turns of one call: after a crash two or three
	// are needed. What is left is remembered, and the next call goes on there.
	maxKeyAttempts = 5
)

// KeyIntent is what is remembered of the way to a key. It is written before the
// call that it speaks of, so that after a crash nobody has to guess.
type KeyIntent struct {
	// Attempt is the one whose request id is to be asked, from 1; 0 is none yet.
	Attempt int
	// Orphan is the id of a key that was issued and lost. It is revoked before
	// Attempt is asked.
	Orphan string
	// KeyID is the id of the key that is kept, empty until there is one.
	KeyID string
	// Withdrawn says that no key is wanted any more.
	Withdrawn bool
}

// KeyMemory remembers intents across crashes, one for each base request id.
// What a method has written is durable when it returns, and a write happens
// only if the intent is still the one that the caller saw: it tells false, and
// changes nothing, when another run was faster.
type KeyMemory interface {
	// Recall gives the intent under a base, the zero KeyIntent where there is
	// none.
	Recall(ctx context.Context, base string) (KeyIntent, error)
	// Advance replaces the intent. A Withdrawn one forgets the key that was
	// kept.
	Advance(ctx context.Context, base string, seen, next KeyIntent) (bool, error)
	// Keep seals the key and writes its id as the intent's KeyID, both or
	// neither.
	Keep(ctx context.Context, base string, seen KeyIntent, id string, key vault.Secret) (bool, error)
}

// KeyRequest says whose key is wanted. Base is the request's id: the same act
// has the same base, another act another.
type KeyRequest struct {
	Serial, Partner, Base string
	// Keep are the ids of keys of ours that stay, though they came by other
	// acts: a rotation names the key that still works, and withdraws its act
	// once the new one does. All others of ours for this till and partner are
	// revoked.
	Keep []string
}

// basePattern keeps request ids plain and short: with what is added they stay
// below 128 characters.
var basePattern = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,96}$`)

func (r KeyRequest) check() error {
	if r.Serial == "" || r.Partner == "" || !basePattern.MatchString(r.Base) {
		return work.Err(work.Internal, "a request for a key needs a serial number, a partner and a plain request id of at most 96 characters")
	}
	return nil
}

// requestID is that of an attempt.
func (r KeyRequest) requestID(attempt int) string {
	return ourRequests + r.Base + ":" + strconv.Itoa(attempt)
}

// attemptOf reads a request id: ours tells whether it is one of ours, and
// attempt is 0 when it belongs to another act.
func (r KeyRequest) attemptOf(requestID string) (attempt int, ours bool) {
	rest, ours := strings.CutPrefix(requestID, ourRequests)
	if number, ok := strings.CutPrefix(rest, r.Base+":"); ours && ok {
		attempt, _ = strconv.Atoi(number) // what is no number is another act's
	}
	return attempt, ours
}

// EnsureKey makes sure that the partner has exactly one key of ours to the
// till, kept in memory, and gives its id. It may be called again after any
// failure, and by two runs of one act at once: while it works and whatever
// crashes, at most one key of ours is active, besides those that the request
// keeps. Different acts for one till and partner come one after the other.
//
// A key is shown once, so one whose answer was lost, or that was not kept, is
// an orphan. It is found by asking again under the same request id: either
// nothing was issued and a key comes now, or its id comes and it is revoked
// before the next attempt is asked. A request that arrives late finds its id
// taken and changes nothing. The list of keys is a second look only, as it may
// lag: it finds what an interrupted act left behind, and what a back office
// that is not idempotent (assumed) issued twice.
//
// Errors: those of Office and of memory; LeaseHeld when other runs were faster
// each time; Internal for a request that makes no sense or was withdrawn.
// ClusterNotActivated where access has to be active first: nothing was issued.
func (o *Office) EnsureKey(ctx context.Context, memory KeyMemory, in KeyRequest) (string, error) {
	if err := in.check(); err != nil {
		return "", err
	}
	intent, err := memory.Recall(ctx, in.Base)
	if err != nil {
		return "", err
	}
	if intent.KeyID == "" {
		if err := o.sweep(ctx, memory, in, everyAct); err != nil {
			return "", err
		}
	}
	id, err := o.obtain(ctx, memory, in)
	if err != nil {
		return "", err
	}
	return id, o.sweep(ctx, memory, in, everyAct)
}

func (o *Office) obtain(ctx context.Context, memory KeyMemory, in KeyRequest) (string, error) {
	for range maxKeyAttempts {
		intent, err := memory.Recall(ctx, in.Base)
		switch {
		case err != nil:
			return "", err
		case intent.Withdrawn:
			return "", work.Err(work.Internal, "the request for a key was withdrawn")
		case intent.KeyID != "":
			return intent.KeyID, nil
		case intent.Attempt == 0:
			_, err = memory.Advance(ctx, in.Base, intent, KeyIntent{Attempt: 1})
		default:
			err = o.attempt(ctx, memory, in, intent)
		}
		if err != nil {
			return "", err
		}
	}
	return "", work.Err(work.LeaseHeld, "it asks for the same key")
}

// attempt asks for the key of an intent, and leaves a kept key or the next
// intent behind; neither, when another run was faster.
func (o *Office) attempt(ctx context.Context, memory KeyMemory, in KeyRequest, intent KeyIntent) error {
	if intent.Orphan != "" {
		if err := o.revoke(ctx, in.Serial, intent.Orphan); err != nil {
			return err
		}
	}
	issued, err := o.IssueKey(ctx, in.Serial, in.Partner, in.requestID(intent.Attempt))
	if err != nil {
		return err
	}
	if !issued.Key.Empty() {
		_, err = memory.Keep(ctx, in.Base, intent, issued.ID, issued.Key)
		return err
	}
	// The intent moves on before the orphan is revoked, so that no other run can
	// keep the key that is about to die.
	_, err = memory.Advance(ctx, in.Base, intent, KeyIntent{Attempt: intent.Attempt + 1, Orphan: issued.ID})
	return err
}

// WithdrawKey undoes EnsureKey, also one that is under way or was never heard of
// again: afterwards no key of this act is active, and none will be. It may be
// called again after any failure; keys of other acts stay.
// Errors: those of Office and of memory; LeaseHeld when other runs were faster
// each time; Internal for a request that makes no sense.
func (o *Office) WithdrawKey(ctx context.Context, memory KeyMemory, in KeyRequest) error {
	if err := in.check(); err != nil {
		return err
	}
	for range maxKeyAttempts {
		intent, err := memory.Recall(ctx, in.Base)
		if err != nil {
			return err
		}
		if intent.Withdrawn {
			if err := o.settle(ctx, in, intent); err != nil {
				return err
			}
			return o.sweep(ctx, memory, in, thisAct)
		}
		next := KeyIntent{Attempt: intent.Attempt, Orphan: cmp.Or(intent.KeyID, intent.Orphan), Withdrawn: true}
		if _, err := memory.Advance(ctx, in.Base, intent, next); err != nil {
			return err
		}
	}
	return work.Err(work.LeaseHeld, "it asks for the same key")
}

// settle revokes what was issued for a withdrawn intent. The last attempt is
// asked once more: that takes its request id for good, so that a request which
// is still on its way cannot issue a key later.
func (o *Office) settle(ctx context.Context, in KeyRequest, intent KeyIntent) error {
	if intent.Orphan != "" {
		if err := o.revoke(ctx, in.Serial, intent.Orphan); err != nil {
			return err
		}
	}
	if intent.Attempt == 0 {
		return nil
	}
	issued, err := o.IssueKey(ctx, in.Serial, in.Partner, in.requestID(intent.Attempt))
	if hasCode(err, work.ClusterNotActivated) || hasCode(err, work.ClusterNoSerial) {
		return nil // one that had been issued would be told before such a refusal
	}
	if err != nil {
		return err
	}
	return o.revoke(ctx, in.Serial, issued.ID)
}

func hasCode(err error, code work.Code) bool {
	e, ok := errors.AsType[*work.Error](err)
	return ok && e.Code == code
}

// reach is how far a sweep goes.
type reach bool

const (
	thisAct  reach = false // keys of this base only
	everyAct reach = true  // and of all others that the request does not keep
)

// sweep revokes what the list shows of keys that nobody will keep any more. The
// intent is read after the list: an attempt that had been left behind by then
// is over for good, while the key of a newer one may yet be kept.
func (o *Office) sweep(ctx context.Context, memory KeyMemory, in KeyRequest, far reach) error {
	keys, err := o.Keys(ctx, in.Serial)
	if far == thisAct && hasCode(err, work.ClusterNoSerial) {
		return nil // a till that was never known has no keys
	}
	if err != nil {
		return err
	}
	intent, err := memory.Recall(ctx, in.Base)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if !k.Active() || k.Partner != in.Partner || k.ID == intent.KeyID || slices.Contains(in.Keep, k.ID) {
			continue
		}
		attempt, ours := in.attemptOf(k.RequestID)
		over := attempt < intent.Attempt || attempt == intent.Attempt && (intent.KeyID != "" || intent.Withdrawn)
		if attempt == 0 {
			// An act that was withdrawn meanwhile has no say about others.
			over = far == everyAct && !intent.Withdrawn
		}
		if !ours || !over {
			continue
		}
		if err := o.revoke(ctx, in.Serial, k.ID); err != nil {
			return err
		}
	}
	return nil
}
