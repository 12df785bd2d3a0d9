package codec_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/vault/codec"
)

func open(t *testing.T) converter.PayloadCodec {
	t.Helper()
	keyset, err := codec.NewKeyset()
	require.NoError(t, err)
	c, err := codec.Open(keyset)
	require.NoError(t, err)
	return c
}

func TestWhatIsSealedOpensAsItWasAndShowsNothing(t *testing.T) {
	c := open(t)
	rapid.Check(t, func(r *rapid.T) {
		p := &commonpb.Payload{
			Metadata: map[string][]byte{"encoding": []byte(rapid.SampledFrom([]string{"json/plain", "binary/null", codec.Encoding}).Draw(r, "encoding"))},
			Data:     rapid.SliceOfN(rapid.Byte(), 8, 64).Draw(r, "data"),
		}
		sealed, err := c.Encode([]*commonpb.Payload{p})
		require.NoError(r, err)
		require.Equal(r, codec.Encoding, string(sealed[0].Metadata["encoding"]))
		require.Len(r, sealed[0].Metadata, 1)
		require.False(r, bytes.Contains(sealed[0].Data, p.Data))
		opened, err := c.Decode(sealed)
		require.NoError(r, err)
		require.True(r, proto.Equal(p, opened[0]))
	})
}

func TestWhatWasNeverSealedPasses(t *testing.T) {
	p := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"x"`)}
	opened, err := open(t).Decode([]*commonpb.Payload{p})
	require.NoError(t, err)
	require.True(t, proto.Equal(p, opened[0]))
}

func TestAnotherKeysetOrAChangedByteDoesNotOpen(t *testing.T) {
	c := open(t)
	sealed, err := c.Encode([]*commonpb.Payload{{Data: []byte("a secret")}})
	require.NoError(t, err)
	_, err = open(t).Decode(sealed)
	require.ErrorContains(t, err, "another codec keyset")
	sealed[0].Data[len(sealed[0].Data)-1] ^= 1
	_, err = c.Decode(sealed)
	require.Error(t, err)
}

func TestAMalformedKeysetIsRefusedUnquoted(t *testing.T) {
	for _, text := range []string{"", "not base64!", "aGFsbG8=", "e30="} {
		_, err := codec.Open(text)
		require.Error(t, err)
		if text != "" {
			require.NotContains(t, err.Error(), text)
		}
	}
}
