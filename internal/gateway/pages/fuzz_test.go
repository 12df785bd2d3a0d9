package pages_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
)

// Whatever is sent with a form's mark is answered by a page or leads back to
// one, and is no fault of ours.
func FuzzForms(f *testing.F) {
	all := []link.Purpose{link.Confirm, link.Token, link.Contact, link.Reveal, link.People}
	for i, purpose := range all {
		values := make([]string, 0, len(forms[purpose])/2)
		for j := 0; j < len(forms[purpose]); j += 2 {
			values = append(values, forms[purpose][j]+"="+strings.ReplaceAll(forms[purpose][j+1], " ", "+"))
		}
		f.Add(uint8(i), strings.Join(values, "&"))
	}
	f.Add(uint8(1), "act=choose&location=70&receipt_date=opened&workday=yes")
	f.Add(uint8(4), "who.e-1=-1&who.e-1=%00")
	v, n := serve(f, nil), 0
	fresh := newDesk(f, v.clock)
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		v.t, n = t, n+1
		v.desk.change(func(d *desk) {
			d.token, d.contact, d.reveal = fresh.token, fresh.contact, fresh.reveal
			d.confirmation.Venues[1].State = pages.Open
		})
		// A link and a remote of its own, or the limits would answer.
		path := v.pathOf(link.Claims{Purpose: all[int(which)%len(all)], Subject: "wisk:" + strconv.Itoa(n)})
		v.do(http.MethodGet, path, "", remote(n))
		a := v.do(http.MethodPost, path, body+"&form="+v.fill().Get("form"), remote(n))
		require.Less(t, a.status, http.StatusInternalServerError, a.text)
		if a.status == http.StatusSeeOther {
			require.Regexp(t, `^\?lang=fr(&saved=[^&#]+)?(#v\d+)?$`, a.header.Get("Location"))
		}
	})
}
