package sevenshiftssim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ClosePayrollPeriod says that a company's pay period, first and last day as
// YYYY-MM-DD, was closed at all its locations, and tells Switches.HookURL so
// (reference: 7shifts 10).
func (s *Sim) ClosePayrollPeriod(company int64, first, last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.switches.HookURL == "" {
		return
	}
	s.counters.Hooks++
	body, _ := json.Marshal(map[string]any{
		"payroll_period_id": s.staff.id(0), "company_id": company, "start_date": first, "end_date": last, "finalized": true,
	})
	header := http.Header{
		"X-Webhook-Id": {newUUID()}, "X-Webhook-Topic": {"payroll_period.closed"}, "X-Company-Id": {strconv.FormatInt(company, 10)},
	}
	if !s.switches.HookUnsigned {
		timestamp := strconv.FormatInt(s.clock.Now().Unix(), 10)
		header.Set("X-Hmac-Timestamp", timestamp)
		header.Set("X-Hmac-Signature", s.switches.signature(timestamp, s.companies[company].GUID, body))
	}
	s.tell(http.MethodPost, s.switches.HookURL, header, body)
}

// signature is HMAC-SHA-256 of the payload with the timestamp, "#" and the
// grant's GUID as key. Its encoding is not stated (reference: 7shifts 10).
func (w Switches) signature(timestamp, guid string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(timestamp+"#"+guid))
	_, _ = mac.Write(body) // never fails
	if w.HookBase64 {
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// callTimeout bounds one call to somebody outside.
const callTimeout = 5 * time.Second

// tell calls an address outside, once and without waiting for it.
func (s *Sim) tell(method, address string, header http.Header, body []byte) {
	s.calls.Go(func() {
		client := http.Client{Timeout: callTimeout}
		defer client.CloseIdleConnections()
		req, err := http.NewRequestWithContext(context.Background(), method, address, bytes.NewReader(body))
		if err != nil {
			s.log.Warn("call to the outside", "err", err)
			return
		}
		req.Header = header
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		if err != nil {
			s.log.Warn("call to the outside", "err", err)
			return
		}
		_ = res.Body.Close()
	})
}
