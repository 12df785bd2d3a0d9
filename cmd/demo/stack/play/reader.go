package play

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// reader reads receipts back over HTTP, as a stranger would: it shares no code
// with the client under test.
type reader struct {
	base, token string
	client      *http.Client
}

// receipt is what the table compares; amounts are cents.
type receipt struct {
	ID       string
	Date     time.Time
	Status   string
	Net      int64
	Tips     int64 // card tips
	Gratuity int64
	Employee string
}

const (
	readPage  = 100                    // the most that 7shifts gives (reference: 7shifts 3.7)
	readPause = 250 * time.Millisecond // four pages a second: the worker has the rest of the limit
	readWait  = 10 * time.Second
)

func newReader(base, token string) *reader {
	return &reader{base: base, token: token, client: &http.Client{Timeout: readWait}}
}

// receipts lists all receipts of a location dated between two instants, by
// id. A receipt that is listed twice is an error: ids are unique there.
func (r *reader) receipts(ctx context.Context, company, location int64, from, to time.Time) (map[string]receipt, error) {
	query := url.Values{
		"location_id":       {strconv.FormatInt(location, 10)},
		"receipt_date[gte]": {from.UTC().Format(time.RFC3339)},
		"receipt_date[lte]": {to.UTC().Format(time.RFC3339)},
		"limit":             {strconv.Itoa(readPage)},
	}
	all := map[string]receipt{}
	for {
		page, err := r.page(ctx, company, query)
		if err != nil {
			return nil, err
		}
		for _, w := range page.Data {
			if _, twice := all[w.ID]; twice {
				return nil, fmt.Errorf("7shifts lists receipt %s twice", w.ID)
			}
			all[w.ID] = w.receipt()
		}
		if page.Meta.Cursor.Next == "" {
			return all, nil
		}
		query.Set("cursor", page.Meta.Cursor.Next)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(readPause):
		}
	}
}

type wirePage struct {
	Data []wireReceipt `json:"data"`
	Meta struct {
		Cursor struct {
			Next string `json:"next"`
		} `json:"cursor"`
	} `json:"meta"`
}

type wireReceipt struct {
	ID         string    `json:"receipt_id"`
	Date       time.Time `json:"receipt_date"`
	Status     string    `json:"status"`
	Net        int64     `json:"net_total"`
	Employee   *string   `json:"external_user_id"`
	TipDetails []struct {
		Type  string `json:"type"`
		Value int64  `json:"value"`
	} `json:"tip_details"`
}

func (w wireReceipt) receipt() receipt {
	r := receipt{ID: w.ID, Date: w.Date, Status: w.Status, Net: w.Net}
	if w.Employee != nil {
		r.Employee = *w.Employee
	}
	for _, tip := range w.TipDetails {
		switch tip.Type {
		case "total":
			r.Tips += tip.Value
		case "gratuity":
			r.Gratuity += tip.Value
		}
	}
	return r
}

func (r *reader) page(ctx context.Context, company int64, query url.Values) (wirePage, error) {
	var page wirePage
	at := fmt.Sprintf("%s/company/%d/receipts?%s", r.base, company, query.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return page, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := r.client.Do(req)
	if err != nil {
		return page, fmt.Errorf("reading 7shifts back: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return page, fmt.Errorf("reading 7shifts back: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return page, fmt.Errorf("reading 7shifts back: %s: %.200s", res.Status, body)
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return page, fmt.Errorf("reading 7shifts back: %w", err)
	}
	return page, nil
}
