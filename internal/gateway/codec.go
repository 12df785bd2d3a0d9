package gateway

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
	"slices"
	"strings"

	"go.temporal.io/sdk/converter"
)

// codecHeaders are the request headers that the Web UI sends across origins:
// Authorization and Authorization-Extras only when it is set to pass the
// signed-in person's token.
const codecHeaders = "Content-Type, X-Namespace, Authorization, Authorization-Extras"

// codecPreflightFor is how long, in seconds, a browser need not ask again.
const codecPreflightFor = "600"

// codecRoutes serves the payload codec's endpoint, also with a token in the
// path.
func (g *Gateway) codecRoutes(mux *http.ServeMux) {
	c := &codecEndpoint{o: *g.o.Codec, codec: converter.NewPayloadCodecHTTPHandler(g.o.Codec.Codec)}
	for _, act := range []string{"encode", "decode"} {
		for _, path := range []string{"/codec/" + act, "/codec/{token}/" + act} {
			mux.HandleFunc("POST "+path, g.paced(codecPace, c.serve))
			mux.HandleFunc("OPTIONS "+path, g.paced(codecPace, c.preflight))
		}
	}
}

type codecEndpoint struct {
	o     CodecOptions
	codec http.Handler
}

// allowOrigin marks the answer as readable by the Web UI, and refuses browsers
// of any other origin. What is no browser states none.
func (c *codecEndpoint) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(c.o.Origins, origin) {
		return origin == ""
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return true
}

func (c *codecEndpoint) preflight(w http.ResponseWriter, r *http.Request) {
	if !c.allowOrigin(w, r) || r.Header.Get("Origin") == "" {
		answer(w, http.StatusForbidden, "refused")
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", codecHeaders)
	h.Set("Access-Control-Max-Age", codecPreflightFor)
	w.WriteHeader(http.StatusNoContent)
}

func (c *codecEndpoint) serve(w http.ResponseWriter, r *http.Request) {
	if !c.allowOrigin(w, r) {
		answer(w, http.StatusForbidden, "refused")
		return
	}
	if !c.known(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		answer(w, http.StatusUnauthorized, "refused")
		return
	}
	body, ok := readJSON(w, r, maxCodec)
	if !ok {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.codec.ServeHTTP(w, r)
}

// known tells whether a request carries one of the tokens. Digests are
// compared, all of them, so that time tells neither length nor content.
func (c *codecEndpoint) known(r *http.Request) bool {
	given := r.PathValue("token")
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") && given == "" {
		given = token
	}
	digest, found := sha256.Sum256([]byte(given)), 0
	for _, token := range c.o.Tokens {
		want := sha256.Sum256([]byte(token))
		found |= subtle.ConstantTimeCompare(digest[:], want[:])
	}
	return found == 1
}
