package clustersim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Gateway is clusterbridge's gateway, to which the pages send requests.
type Gateway struct {
	URL    string // of its root; empty is none
	Secret string // with which requests are signed
}

// How a request is sent. The headers are those of Cluster's hook; they are
// written here once more, and computed without clusterbridge's own code, so that
// this checks it.
const (
	pathRequests    = "/requests"
	headerTimestamp = "X-Cluster-Timestamp"
	headerSignature = "X-Cluster-Signature"
	// sendWithin bounds what a person waits for the page.
	sendWithin = 10 * time.Second
)

// Request asks clusterbridge to connect venues to a partner.
type Request struct {
	RequestID string `json:"requestId"`
	Partner   string `json:"partner"`
	// Requester is RequesterVenue or RequesterPartner.
	Requester string         `json:"requester"`
	Venues    []RequestVenue `json:"venues"`
}

// Who asks.
const (
	RequesterVenue   = "venue_admin"
	RequesterPartner = "partner_support"
)

// RequestVenue is one venue of a Request. No person's data is in it; a Serial
// only where the one who asks knows it.
type RequestVenue struct {
	TradeName string `json:"tradeName"`
	Address   string `json:"address"`
	Language  string `json:"language"` // fr or en
	Serial    string `json:"serial,omitempty"`
}

// SetGateway tells where requests go from now on.
func (s *Sim) SetGateway(g Gateway) {
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.gateway = g
}

// send signs a request and posts it; nil when the gateway took it, now or
// before.
func (s *Sim) send(ctx context.Context, q Request) error {
	s.office.mu.Lock()
	g := s.office.gateway
	s.office.mu.Unlock()
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(g.URL, "/")+pathRequests, bytes.NewReader(body))
	if err != nil {
		return err
	}
	// The signer's time is real, also where business time is not.
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(g.Secret))
	_, _ = mac.Write([]byte(timestamp + "." + string(body)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(headerTimestamp, timestamp)
	req.Header.Set(headerSignature, hex.EncodeToString(mac.Sum(nil)))
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	// 409: this very request was taken a moment ago, and its answer lost.
	if (res.StatusCode < 200 || res.StatusCode > 299) && res.StatusCode != http.StatusConflict {
		return fmt.Errorf("HTTP %d", res.StatusCode)
	}
	return nil
}
