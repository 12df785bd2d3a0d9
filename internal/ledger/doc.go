// Package ledger is the truth about what every partner should hold, has
// accepted and was seen to hold. It is PostgreSQL, and it is where sync,
// backfill, repair and resend become one act: mark what should be (RecordPage,
// MarkMissing, Retranslate, Resend), deliver what differs (Claim, Settle), look
// whether it arrived (DueForReadBack, SettleReadBack).
//
// A document's versions are a content hash and a resend counter. It is wanted in
// one version, was sent in one (the partner's 2xx seen) and confirmed in one
// (read back). The intent, the version on its way, is written by Claim; only
// Settle of that very attempt makes it the sent version, so that a change that
// arrives during the call is still wanted afterwards. An attempt whose end
// nobody wrote, or that failed without an answer, makes the document ambiguous:
// it stays due until an attempt is accepted, and is then read back twice, since
// the lost request may still arrive.
//
// The mechanics (leases, retries, settle times) are on PostgreSQL's clock and
// taken as durations; everything that people and partners read is on the
// business clock.
//
// Every statement locks rows in the order connection, sales, documents,
// quarantine, and within a table by id, so that none waits for one that waits
// for it.
//
// # Retention and partitions
//
// A busy venue has some 300 orders a day, each with a snapshot of about 2 KB and
// a document of about 1 KB: 10,000 venues fill 9 GB a day. Nothing is read but
// by its connection, and every key begins with it. So sales and documents are to
// be partitioned by hash of the connection (64 parts) once they pass a hundred
// million rows; keys, statements and this package stay as they are, since the
// primary keys hold the partition key, and vacuum then works part by part. They
// cannot be partitioned by time: a sale is one row under one key however its
// day changes. They are thinned instead, by connection and day in batches (both
// tables have that index): a snapshot may go 120 days after its business day,
// past the 90 days that a partner can be told about and read back with the
// re-reads that follow; a document's bodies may go with it, but its row with
// the versions stays 13 months, so that a very late edit is still an update and
// an audit finds last year's day. Healed, released and discarded quarantine
// loses its raw record after 30 days. The journal is never thinned: a few lines
// a month per connection; by range of its time it can be cut into years, which
// are detached and archived. Deleting is not built yet: the first row that may
// go is 120 days old.
package ledger
