package vault

import "github.com/clustersystems/clusterbridge/internal/work"

// Seal encrypts what another room keeps in a table of its own, such as the
// address that a mail goes to. It opens under the same id only; ids of
// different tables must not meet, so they begin with their table's name.
func (v *Vault) Seal(id string, s Secret) ([]byte, error) {
	sealed, err := v.box.Encrypt([]byte(s.Reveal()), []byte(id))
	if err != nil {
		return nil, work.Errf(work.Internal, err, "sealing a secret")
	}
	return sealed, nil
}

// Unseal opens what Seal gave. Errors: SecretUnreadable when this keyset or
// this id does not open it.
func (v *Vault) Unseal(id string, sealed []byte) (Secret, error) {
	value, err := v.box.Decrypt(sealed, []byte(id))
	if err != nil {
		return Secret{}, work.Errf(work.SecretUnreadable, err, "kept as %s", id)
	}
	return NewSecret(string(value)), nil
}
