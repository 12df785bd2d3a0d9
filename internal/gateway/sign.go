package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// Sign signs a hook: HMAC-SHA-256 over timestamp, "." and body, in lower-case
// hexadecimal.
func Sign(secret, timestamp string, body []byte) string {
	return hex.EncodeToString(mac(secret, timestamp, body))
}

// SignRequest puts both headers on a hook, signed at an instant.
func SignRequest(r *http.Request, secret string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set(HeaderTimestamp, timestamp)
	r.Header.Set(HeaderSignature, Sign(secret, timestamp, body))
}

func mac(secret, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = h.Write([]byte(timestamp))
	_, _ = h.Write([]byte{'.'})
	_, _ = h.Write(body)
	return h.Sum(nil)
}

// signedBy is who signs: the headers and the secrets.
type signedBy struct {
	timestamp, signature string // headers
	secrets              []string
}

// signed is what is wrong with a body's signature, or hookAccepted, with the
// signature's bytes.
func (g *Gateway) signed(by signedBy, header http.Header, body []byte) (outcome string, signature []byte) {
	timestamp := header.Get(by.timestamp)
	signature, err := hex.DecodeString(header.Get(by.signature))
	if err != nil || len(signature) != sha256.Size {
		return hookBadSignature, nil
	}
	good := false
	for _, secret := range by.secrets {
		// No early end: how long it takes tells nothing about the secrets.
		good = hmac.Equal(signature, mac(secret, timestamp, body)) || good
	}
	if !good {
		return hookBadSignature, nil
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return hookBadSignature, nil
	}
	age := g.o.Clock.Now().Sub(time.Unix(seconds, 0))
	if age.Abs() > g.o.HookTolerance {
		return hookOld, nil
	}
	return hookAccepted, signature
}
