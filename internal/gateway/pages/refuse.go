package pages

import (
	"context"
	"errors"
	"net/http"

	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// refusal is why there is no page, as part of its phrases' keys.
type refusal string

// The refusals.
const (
	refusedExpired   refusal = "expired"
	refusedInvalid   refusal = "invalid"
	refusedGone      refusal = "gone"
	refusedDone      refusal = "done"
	refusedTooMany   refusal = "too-many"
	refusedBusy      refusal = "busy" // nothing of ours is broken; later it works
	refusedFailed    refusal = "failed"
	refusedSite      refusal = "site"
	refusedMethod    refusal = "method"
	refusedType      refusal = "type"
	refusedSize      refusal = "size"
	refusedMalformed refusal = "malformed"
)

var statuses = map[refusal]int{
	refusedExpired: http.StatusGone, refusedInvalid: http.StatusNotFound, refusedGone: http.StatusGone,
	refusedDone: http.StatusConflict, refusedTooMany: http.StatusTooManyRequests, refusedBusy: http.StatusServiceUnavailable,
	refusedFailed: http.StatusInternalServerError, refusedSite: http.StatusForbidden, refusedMethod: http.StatusMethodNotAllowed,
	refusedType: http.StatusUnsupportedMediaType, refusedSize: http.StatusRequestEntityTooLarge, refusedMalformed: http.StatusBadRequest,
}

// Error implements error.
func (r refusal) Error() string { return "refused: " + string(r) }

// retryAfter is when to come again, in seconds.
const (
	retryTooMany = "10"
	retryBusy    = "60"
)

// refusalOf says what people are told about an error. A link that was forged and
// one that is for another page are the same to them.
func refusalOf(err error) refusal {
	if r, ok := errors.AsType[refusal](err); ok {
		return r
	}
	switch {
	case errors.Is(err, link.ErrExpired):
		return refusedExpired
	case errors.Is(err, link.ErrForged), errors.Is(err, link.ErrPurpose):
		return refusedInvalid
	case errors.Is(err, ErrGone):
		return refusedGone
	case errors.Is(err, ErrDone):
		return refusedDone
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return refusedBusy
	}
	switch kind := work.KindOf(err); kind {
	case work.Transient, work.Limited:
		return refusedBusy
	default:
		return refusedFailed
	}
}

// refusedView is what the page of a refusal shows.
type refusedView struct {
	Kind string
	// Request is the number by which we find a fault in the log.
	Request string
	// Own: the link is good, and its page can be opened again.
	Own bool
}

// refuse answers with a page that says why there is none.
func (v *visit) refuse(err error) {
	kind := refusalOf(err)
	shown := refusedView{Kind: string(kind), Own: v.claims.Purpose != "" && kind != refusedGone}
	switch kind {
	case refusedTooMany:
		v.w.Header().Set("Retry-After", retryTooMany)
	case refusedBusy, refusedFailed:
		v.w.Header().Set("Retry-After", retryBusy)
		shown.Request = v.w.Header().Get("X-Request-Id")
		// A refusal by itself was told to the log by who found the fault.
		if _, told := errors.AsType[refusal](err); !told && v.r.Context().Err() == nil {
			v.complain("desk", err)
		}
	default:
	}
	v.status, v.problems = statuses[kind], nil
	if err := v.show("refused", shown); err != nil {
		v.complain("wording", err)
		v.headers()
		http.Error(v.w, http.StatusText(v.status), v.status)
	}
}

// complain tells the log of a fault.
func (v *visit) complain(what string, err error) {
	v.p.o.Log.ErrorContext(v.r.Context(), "a page failed", "request", v.w.Header().Get("X-Request-Id"),
		"route", v.r.Pattern, "at", what, "problem", err.Error())
}
