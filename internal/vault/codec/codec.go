// Package codec seals the payloads of Temporal's histories. It is off unless a
// keyset is set; then clients, workers and the gateway's endpoint share it.
package codec

import (
	"bytes"
	"encoding/base64"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Encoding is how a sealed payload is marked in its metadata; Temporal's own
// samples and its Web UI know this word.
const Encoding = "binary/encrypted"

// purpose binds a sealed payload to its use: what was sealed with the same
// keyset for another one cannot be opened as a payload.
const purpose = "clusterbridge: payload"

// NewKeyset makes a keyset (AES256-GCM) in the form that Open reads.
func NewKeyset() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", work.Errf(work.Internal, err, "making a codec keyset")
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return "", work.Errf(work.Internal, err, "writing a codec keyset")
	}
	return base64.StdEncoding.EncodeToString(text.Bytes()), nil
}

// Open makes the codec of a keyset: base64 of tink's JSON. The keyset's primary
// key seals; all of its keys open, so that keys can be changed.
func Open(keysetText string) (converter.PayloadCodec, error) {
	raw, err := base64.StdEncoding.DecodeString(keysetText)
	if err != nil {
		return nil, work.Err(work.BadInput, "the codec keyset is not base64")
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, work.Err(work.BadInput, "the codec keyset is not a keyset")
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, work.Err(work.BadInput, "the codec keyset is not one for sealing (AEAD)")
	}
	return &sealer{primitive}, nil
}

type sealer struct{ aead tink.AEAD }

// Encode implements converter.PayloadCodec.
func (s *sealer) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	sealed := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, work.Errf(work.Internal, err, "codec: a payload cannot be written")
		}
		data, err := s.aead.Encrypt(plain, []byte(purpose))
		if err != nil {
			return nil, work.Errf(work.Internal, err, "codec: a payload cannot be sealed")
		}
		sealed[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(Encoding)}, Data: data,
		}
	}
	return sealed, nil
}

// Decode implements converter.PayloadCodec. What was never sealed passes as it
// is, so that the codec can be turned on while runs are under way.
func (s *sealer) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	opened := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != Encoding {
			opened[i] = p
			continue
		}
		plain, err := s.aead.Decrypt(p.GetData(), []byte(purpose))
		if err != nil {
			return nil, work.Errf(work.SecretUnreadable, err, "a payload; it was sealed with another codec keyset")
		}
		opened[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, opened[i]); err != nil {
			return nil, work.Errf(work.Internal, err, "codec: an opened payload cannot be read")
		}
	}
	return opened, nil
}
