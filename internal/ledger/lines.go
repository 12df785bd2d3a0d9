package ledger

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// UploadState is what is known of an upload's end.
type UploadState string

// The states of an upload.
const (
	UploadIntended   UploadState = "intended"    // on its way, or its end is unknown
	UploadAccepted   UploadState = "accepted"    // the partner's 2xx was seen
	UploadUnsent     UploadState = "unsent"      // it certainly had no effect
	UploadUncertain  UploadState = "uncertain"   // waits for a person
	UploadApplied    UploadState = "applied"     // a person said that it had its effect
	UploadNotApplied UploadState = "not_applied" // a person said that it had none
)

// HeldLine is a line that was minted for a document, with the state of the
// upload that carried it last.
type HeldLine struct {
	partner.Line
	Upload int64
	State  UploadState
	// Refused says why the partner refused the line, empty when it did not.
	Refused string
}

// Counts tells whether the partner counts the line, as far as is known.
func (l HeldLine) Counts() bool {
	return l.Refused == "" && (l.State == UploadAccepted || l.State == UploadApplied)
}

type lineRow struct {
	Document string      `json:"document"`
	Seq      int         `json:"seq"`
	Date     time.Time   `json:"date"`
	Day      sale.Day    `json:"day"`
	Item     string      `json:"item"`
	Title    string      `json:"title"`
	Quantity string      `json:"quantity"`
	Total    sale.Cents  `json:"total"`
	Reverses *int        `json:"reverses"`
	Upload   int64       `json:"upload"`
	State    UploadState `json:"state"`
	Refused  string      `json:"refused"`
}

func (r lineRow) line() partner.Line {
	l := partner.Line{
		Document: r.Document, Seq: r.Seq, Date: r.Date.UTC(), Day: r.Day,
		Item: r.Item, Title: r.Title, Quantity: r.Quantity, Total: r.Total,
	}
	if r.Reverses != nil {
		l.Reverses = *r.Reverses
	}
	return l
}

// Lines are all lines that were ever minted for some documents, by document, in
// the order of their Seq. Their ids are the partner's to make.
func (s *Store) Lines(ctx context.Context, connection string, documents []string) (map[string][]HeldLine, error) {
	rows, err := selectJSON[lineRow](ctx, s.often, `
		SELECT json_build_object('document', l.document, 'seq', l.seq, 'date', l.date, 'day', l.day, 'item', l.item,
			'title', l.title, 'quantity', l.quantity::text, 'total', l.total, 'reverses', l.reverses,
			'upload', l.upload, 'state', u.state, 'refused', l.refused)
		FROM unnest($2::text[]) AS d(id) CROSS JOIN LATERAL (
			SELECT * FROM lines l WHERE l.connection = $1 AND l.document = d.id OFFSET 0
		) l JOIN uploads u ON u.number = l.upload
		ORDER BY l.document, l.seq`, connection, textArray(documents))
	if err != nil {
		return nil, failed("reading lines", err)
	}
	held := map[string][]HeldLine{}
	for _, r := range rows {
		held[r.Document] = append(held[r.Document], HeldLine{Line: r.line(), Upload: r.Upload, State: r.State, Refused: r.Refused})
	}
	return held, nil
}

// Attempt names one attempt of a document.
type Attempt struct {
	ID      string
	Attempt int64
}

// Minting is what is about to be uploaded.
type Minting struct {
	// Attempts are those of the documents whose lines these are.
	Attempts []Attempt
	// Uploads are the lines of each upload: new ones, and such as were minted
	// before and are sent once more as they are.
	Uploads [][]MintLine
}

// MintLine is a line of an upload to be. Was is the state of a line that was
// minted before; empty for a new one. A line that the partner counts already
// stays where it is: it is sent once more, but nothing about it is in doubt.
type MintLine struct {
	partner.Line
	Was UploadState
}

// Settled tells whether the partner is known to count the line already.
func (l MintLine) Settled() bool { return l.Was == UploadAccepted || l.Was == UploadApplied }

// placed is a line in the upload of this number, from 1 on.
type placed struct {
	partner.Line
	ordinal int
}

// Minted is what MintUploads wrote.
type Minted struct {
	// Numbers are those of the uploads, in their order.
	Numbers []int64
	// Lost are documents whose attempt is no longer ours: their lines were not
	// minted and must not be sent.
	Lost map[string]bool
}

const mintUploads = `
	WITH mine AS MATERIALIZED (
		SELECT d.id FROM (SELECT * FROM unnest($2::text[], $5::bigint[]) AS a(id, attempt) ORDER BY id) a
		CROSS JOIN LATERAL (
			SELECT d.id FROM documents d WHERE d.connection = $1 AND d.id = a.id
				AND d.attempt = a.attempt AND d.lease_until > clock_timestamp() FOR UPDATE
		) d
	), made AS (
		INSERT INTO uploads (connection, minted_at)
		SELECT $1, $3::timestamptz FROM generate_series(1, $4::integer) RETURNING number
	), numbered AS (
		SELECT number, row_number() OVER (ORDER BY number) AS ordinal FROM made
	), minted AS (
		INSERT INTO lines (connection, document, seq, upload, date, day, item, title, quantity, total, reverses)
		SELECT $1, l.document, l.seq, n.number, l.date, l.day, l.item, l.title, l.quantity::numeric, l.total, l.reverses
		FROM unnest($6::text[], $7::bigint[], $8::bigint[], $9::timestamptz[], $10::date[], $11::text[], $12::text[],
			$13::text[], $14::bigint[], $15::bigint[])
			AS l(document, seq, ordinal, date, day, item, title, quantity, total, reverses)
		JOIN mine ON mine.id = l.document JOIN numbered n ON n.ordinal = l.ordinal
	), again AS (
		UPDATE lines l SET upload = n.number
		FROM unnest($16::text[], $17::bigint[], $18::bigint[]) AS a(document, seq, ordinal)
		JOIN mine ON mine.id = a.document JOIN numbered n ON n.ordinal = a.ordinal
		WHERE l.connection = $1 AND l.document = a.document AND l.seq = a.seq
	)
	SELECT json_build_object('numbers', (SELECT coalesce(json_agg(number ORDER BY ordinal), '[]') FROM numbered),
		'mine', (SELECT coalesce(json_agg(id), '[]') FROM mine))`

// MintUploads writes the intent to upload: new lines are minted, lines of
// before move to these uploads. One round trip. Documents whose attempt has
// ended or was taken over are left out and told.
func (s *Store) MintUploads(ctx context.Context, connection string, m Minting) (Minted, error) {
	var fresh, again []placed
	for i, upload := range m.Uploads {
		for _, l := range upload {
			switch {
			case l.Settled():
			case l.Was != "":
				again = append(again, placed{l.Line, i + 1})
			default:
				fresh = append(fresh, placed{l.Line, i + 1})
			}
		}
	}
	document := func(l placed) string { return l.Document }
	seq := func(l placed) int { return l.Seq }
	ordinal := func(l placed) int { return l.ordinal }
	answers, err := selectJSON[struct {
		Numbers []int64  `json:"numbers"`
		Mine    []string `json:"mine"`
	}](ctx, s.often, mintUploads, connection, texts(m.Attempts, func(a Attempt) string { return a.ID }), s.clock.Now(), len(m.Uploads),
		integers(m.Attempts, func(a Attempt) int64 { return a.Attempt }),
		texts(fresh, document), integers(fresh, seq), integers(fresh, ordinal),
		instants(fresh, func(l placed) time.Time { return l.Date }),
		days(fresh, func(l placed) sale.Day { return l.Day }),
		texts(fresh, func(l placed) string { return clip(l.Item, maxID) }),
		texts(fresh, func(l placed) string { return clip(l.Title, maxID) }),
		texts(fresh, func(l placed) string { return l.Quantity }),
		integers(fresh, func(l placed) int64 { return int64(l.Total) }),
		positives(fresh, func(l placed) int { return l.Reverses }),
		texts(again, document), integers(again, seq), integers(again, ordinal))
	if err != nil {
		return Minted{}, failed("minting lines", err)
	}
	lost := make(map[string]bool, len(m.Attempts))
	for _, a := range m.Attempts {
		lost[a.ID] = true
	}
	for _, id := range answers[0].Mine {
		delete(lost, id)
	}
	return Minted{Numbers: answers[0].Numbers, Lost: lost}, nil
}
