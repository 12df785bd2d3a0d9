package gateway

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/clustersystems/clusterbridge/internal/vault/codec"
)

func withCodec(t *testing.T) func(*Options) {
	keyset, err := codec.NewKeyset()
	require.NoError(t, err)
	c, err := codec.Open(keyset)
	require.NoError(t, err)
	return func(o *Options) {
		o.Codec = &CodecOptions{Codec: c, Tokens: []string{token}, Origins: []string{ui}}
	}
}

func bearer(t string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+t) }
}

func TestTheCodecEndpointSealsAndOpens(t *testing.T) {
	v := serve(t, newLedger(t), withCodec(t))
	plain := &commonpb.Payloads{Payloads: []*commonpb.Payload{{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`{"connection":"7shifts:chez-marcel"}`),
	}}}
	text, err := protojson.Marshal(plain)
	require.NoError(t, err)
	for _, way := range []struct {
		path string
		set  func(*http.Request)
	}{
		{"/codec", bearer(token)},
		{"/codec/" + token, nil}, // a Web UI without sign-in
	} {
		path := strings.ReplaceAll(way.path, " ", "%20")
		sealed := v.do(http.MethodPost, v.url+path+"/encode", string(text), way.set)
		require.Equal(t, http.StatusOK, sealed.status, sealed.body)
		require.NotContains(t, sealed.body, "json/plain")
		opened := v.do(http.MethodPost, v.url+path+"/decode?preserveStorageRefs=true", sealed.body, way.set)
		require.Equal(t, http.StatusOK, opened.status, opened.body)
		var back commonpb.Payloads
		require.NoError(t, protojson.Unmarshal([]byte(opened.body), &back))
		require.True(t, proto.Equal(plain, &back))
	}
	require.NotContains(t, v.logged.String(), token, "an address with a token is logged as its route")

	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: v.url + "/codec", ModifyRequest: func(r *http.Request) error { bearer(token)(r); return nil },
	})
	sealed, err := remote.Encode(plain.Payloads)
	require.NoError(t, err)
	require.False(t, bytes.Contains(sealed[0].Data, plain.Payloads[0].Data))
	opened, err := remote.Decode(sealed)
	require.NoError(t, err)
	require.True(t, proto.Equal(plain.Payloads[0], opened[0]))
}

func TestTheCodecEndpointLetsInOnlyWithAToken(t *testing.T) {
	v := serve(t, newLedger(t), withCodec(t))
	for name, set := range map[string]func(*http.Request){
		"none": nil, "empty": bearer(""), "another": bearer("a token of nobody, but long enough"), "longer": bearer(token + "x"),
		"basic": func(r *http.Request) { r.SetBasicAuth("a", token) },
	} {
		for _, act := range []string{"encode", "decode"} {
			a := v.do(http.MethodPost, v.url+"/codec/"+act, `{"payloads":[]}`, set)
			require.Equal(t, http.StatusUnauthorized, a.status, name)
		}
	}
	require.Equal(t, 401, v.do(http.MethodPost, v.url+"/codec/wrong/decode", `{"payloads":[]}`, nil).status)
	require.Equal(t, 401, v.do(http.MethodPost, v.url+"/codec/wrong/decode", `{"payloads":[]}`, bearer(token)).status, "one token, and the right one")
	require.Equal(t, 400, v.do(http.MethodPost, v.url+"/codec/decode", `nonsense`, bearer(token)).status)
	require.Equal(t, 413, v.do(http.MethodPost, v.url+"/codec/decode", strings.Repeat(" ", maxCodec+1), bearer(token)).status)
	require.Equal(t, 405, v.do(http.MethodGet, v.url+"/codec/decode", "", bearer(token)).status)
}

func TestOnlyTheWebUIsBrowserMayAsk(t *testing.T) {
	v := serve(t, newLedger(t), withCodec(t))
	from := func(origin string) func(*http.Request) {
		return func(r *http.Request) {
			bearer(token)(r)
			r.Header.Set("Origin", origin)
			r.Header.Set("Access-Control-Request-Method", "POST")
			r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-namespace")
		}
	}
	for _, path := range []string{"/codec/decode", "/codec/encode", "/codec/some-token/decode"} {
		a := v.do(http.MethodOptions, v.url+path, "", from(ui))
		require.Equal(t, http.StatusNoContent, a.status)
		require.Equal(t, ui, a.header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, codecHeaders, a.header.Get("Access-Control-Allow-Headers"))
		require.Equal(t, "POST, OPTIONS", a.header.Get("Access-Control-Allow-Methods"))
		require.Equal(t, "Origin", a.header.Get("Vary"))
		require.Empty(t, a.header.Get("Access-Control-Allow-Credentials"))
	}
	a := v.do(http.MethodPost, v.url+"/codec/decode", `{"payloads":[]}`, from(ui))
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, ui, a.header.Get("Access-Control-Allow-Origin"))
	for _, other := range []string{"http://127.0.0.1:8234", "https://127.0.0.1:8233", ui + ".example.com", "null"} {
		for _, method := range []string{http.MethodOptions, http.MethodPost} {
			a := v.do(method, v.url+"/codec/decode", `{"payloads":[]}`, from(other))
			require.Equal(t, http.StatusForbidden, a.status, other)
			require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
		}
	}
}

func TestWhatIsNotConfiguredIsNotThere(t *testing.T) {
	v := serve(t, newLedger(t), func(o *Options) { o.HookSecrets = nil })
	require.Equal(t, 404, v.do(http.MethodPost, v.url+"/codec/decode", `{"payloads":[]}`, bearer(token)).status)
	require.Equal(t, 404, v.hook(change(serial, "1"), "", november).status)
	require.Equal(t, 404, v.do(http.MethodGet, v.url+"/confirm/a-link", "", nil).status)
	require.Equal(t, 404, v.do(http.MethodGet, v.url+"/metrics", "", nil).status, "metrics are on the admin address only")
}
