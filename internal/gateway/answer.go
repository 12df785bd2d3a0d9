package gateway

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// answer writes a small JSON answer: {"status": word}.
func answer(w http.ResponseWriter, status int, word string) {
	writeJSON(w, status, map[string]string{"status": word})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller is gone: nobody to tell
}

// readJSON reads a request's whole body, at most limit bytes of JSON. When it
// cannot it answers and returns false.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		answer(w, http.StatusUnsupportedMediaType, "want application/json")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		answer(w, http.StatusRequestEntityTooLarge, "too large")
		return nil, false
	}
	if err != nil {
		answer(w, http.StatusBadRequest, "not whole")
		return nil, false
	}
	return body, true
}
