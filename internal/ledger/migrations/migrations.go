// Package migrations holds the ledger's schema, one numbered file a step.
package migrations

import "embed"

// Files are the goose migrations in order.
//
//go:embed *.sql
var Files embed.FS
