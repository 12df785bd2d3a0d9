package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// NewKeyset makes the setting CLUSTERBRIDGE_KEYSET: a Tink keyset with one new
// AES-256-GCM key, as JSON in base64. Whoever has it and the database has all
// secrets.
func NewKeyset() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("making a keyset: %w", err)
	}
	return encode(handle)
}

// AddKey gives a keyset a new key that seals from now on; the old ones still
// open what they sealed. Every worker must have it before the first one uses
// it.
func AddKey(encoded string) (string, error) {
	handle, err := decode(encoded)
	if err != nil {
		return "", err
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("adding a key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return "", fmt.Errorf("adding a key: %w", err)
	}
	if handle, err = manager.Handle(); err != nil {
		return "", fmt.Errorf("adding a key: %w", err)
	}
	return encode(handle)
}

func encode(handle *keyset.Handle) (string, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return "", fmt.Errorf("writing a keyset: %w", err)
	}
	return base64.StdEncoding.EncodeToString(text.Bytes()), nil
}

// decode keeps the reasons to itself: a parser's message may quote the key.
func decode(encoded string) (*keyset.Handle, error) {
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return nil, errors.New("the keyset is not base64")
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("the keyset is not a Tink keyset in JSON")
	}
	return handle, nil
}
