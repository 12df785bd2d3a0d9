package sevenshifts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// PayrollPeriodClosed is the topic of the webhook of that name (reference:
// 7shifts 10).
const PayrollPeriodClosed = "payroll_period.closed"

// Hook is what the headers of a webhook say (reference: 7shifts 10). Only
// webhooks that 7shifts itself set up for an OAuth partner are signed.
type Hook struct {
	Topic     string
	CompanyID int64
	Timestamp string // as signed; its form is not stated
	Signature string // empty: not signed
}

// ReadHook reads the headers of a webhook. They are a stranger's word until
// SignedBy.
func ReadHook(h http.Header) Hook {
	company, _ := strconv.ParseInt(h.Get("X-Company-Id"), 10, 64)
	return Hook{Topic: h.Get("X-Webhook-Topic"), CompanyID: company, Timestamp: h.Get("X-Hmac-Timestamp"), Signature: h.Get("X-Hmac-Signature")}
}

// SignedBy tells whether the payload was signed for the company's grant:
// HMAC-SHA-256 with the timestamp, "#" and the grant's GUID as key, in
// hexadecimal or base64 (which is not stated: reference 7shifts 10).
func (h Hook) SignedBy(guid string, payload []byte) bool {
	if guid == "" || h.Timestamp == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(h.Timestamp+"#"+guid))
	_, _ = mac.Write(payload) // never fails
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
		if given, err := decode(h.Signature); err == nil && hmac.Equal(given, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

// PayrollPeriod is the payload of PayrollPeriodClosed: a pay period that is
// closed at all locations of the company.
type PayrollPeriod struct {
	ID        int64    `json:"payroll_period_id"`
	CompanyID int64    `json:"company_id"`
	First     sale.Day `json:"start_date"`
	Last      sale.Day `json:"end_date"`
	Finalized bool     `json:"finalized"`
}

// ReadPayrollPeriod reads the payload of PayrollPeriodClosed.
func ReadPayrollPeriod(payload []byte) (PayrollPeriod, error) {
	var p PayrollPeriod
	if err := json.Unmarshal(payload, &p); err != nil {
		return PayrollPeriod{}, work.Errf(work.PartnerMalformed, err, "a pay period cannot be read")
	}
	if p.CompanyID == 0 || p.First.IsZero() || p.Last.Before(p.First) {
		return PayrollPeriod{}, work.Err(work.PartnerMalformed, "a pay period names no company or no days")
	}
	return p, nil
}
