package play

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A page as the real ones are: hidden fields, a cookie, boxes, a choice that is
// made already, one that cannot be made, several buttons, a link.
const formPage = `<!doctype html><html><head><style>p{}</style></head><body><main><p id="said">%s</p>
<form method="post" action="/take?lang=fr"><input type="hidden" name="form" value="mark">
<input id="name" name="name"><select name="language"><option value="fr">f</option><option value="en" selected>e</option></select>
<input type="radio" name="place" id="p1" value="1" checked><input type="radio" name="place" id="p2" value="2">
<input type="radio" name="place" id="p3" value="3" disabled><input type="checkbox" name="agreed" id="agreed" value="yes">
<button name="act" value="yes">Yes</button><button name="act" value="no">No</button></form>
<a class="button second" href="/other">other</a></main></body></html>`

func servePages(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "form", Value: "c", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		fmt.Fprintf(w, formPage, "Type  something")
	})
	mux.HandleFunc("POST /take", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("form")
		if err != nil || r.ParseForm() != nil {
			http.Error(w, "no cookie", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, formPage, cookie.Value+" "+r.Form.Encode())
	})
	mux.HandleFunc("GET /other", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not here", http.StatusGone)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// Both ways through a page send the same.
func TestABrowserAndPlainHTTPSendTheSame(t *testing.T) {
	for _, plain := range []bool{true, false} {
		v, err := newVisitor(t.Context(), plain)
		require.NoError(t, err)
		t.Cleanup(v.close)
		t.Run(v.what(), func(t *testing.T) {
			ctx := t.Context()
			if !plain && v.what() == newPlainVisitor().what() {
				t.Skip("a page in a real browser: none is installed (Debian: apt-get install chromium fonts-liberation)")
			}
			require.NoError(t, v.open(ctx, servePages(t)))
			said := element{Tag: "p", ID: "said"}
			text, err := v.text(ctx, said)
			require.NoError(t, err)
			require.Equal(t, "Type something", text)
			require.NoError(t, v.write(ctx, element{Tag: "input", ID: "name"}, "Chez Marcel"))
			require.NoError(t, v.choose(ctx, element{Tag: "input", Name: "place", Value: "2"}))
			require.NoError(t, v.choose(ctx, element{Tag: "input", ID: "agreed"}))
			require.NoError(t, v.press(ctx, element{Tag: "button", Name: "act", Value: "no"}))
			text, err = v.text(ctx, said)
			require.NoError(t, err)
			require.Equal(t, "c act=no&agreed=yes&form=mark&lang=fr&language=en&name=Chez+Marcel&place=2", text)
			there, err := v.has(ctx, element{Tag: "button", Name: "act", Value: "perhaps"})
			require.NoError(t, err)
			require.False(t, there)
			require.NoError(t, v.press(ctx, element{Tag: "button", Name: "act", Value: "yes"}))
			text, err = v.text(ctx, said)
			require.NoError(t, err)
			require.Equal(t, "c act=yes&form=mark&lang=fr&language=en&name=&place=1", text, "what was typed on the page before is gone")
			require.ErrorContains(t, v.press(ctx, element{Tag: "a"}), "410")
			if plain {
				require.NoError(t, v.open(ctx, servePages(t)))
				require.Error(t, v.choose(ctx, element{Tag: "input", ID: "p3"}), "disabled")
				require.Error(t, v.press(ctx, element{Tag: "button", ID: "nowhere"}))
			}
		})
	}
}
