package gateway

import "time"

// What Cluster's hook looks like is not published. Every assumed name stands
// here (reference: cluster.md 3, last item; assumed).
const (
	// PathOrderChanged is where Cluster posts "order changed".
	PathOrderChanged = "/hooks/cluster/order-changed"
	// HeaderTimestamp says when the hook was signed, in Unix seconds.
	HeaderTimestamp = "X-Cluster-Timestamp"
	// HeaderSignature holds the HMAC-SHA-256 of timestamp, "." and body, in
	// hexadecimal.
	HeaderSignature = "X-Cluster-Signature"
)

// orderChanged is the hook's body. It is a hint: what changed is read from
// Cluster's API.
type orderChanged struct {
	Serial  string `json:"serial"`
	OrderID string `json:"orderId"`
}

// PathReceiptFailed is where 7shifts puts its failure callback. How it is
// registered is agreed with 7shifts (reference: 7shifts 3.2).
const PathReceiptFailed = "/hooks/7shifts/receipt-failed"

// receiptFailed is the callback's body (reference: 7shifts 3.2).
type receiptFailed struct {
	UUID    string `json:"uuid"`
	Message string `json:"message"`
}

const (
	// maxHook bounds the body of both hooks: each is a few hundred bytes.
	maxHook = 16 << 10
	// maxCodec bounds a request of the codec endpoint: Temporal's own limit of
	// a whole message is 4 MiB.
	maxCodec = 4 << 20
	// maxSerial and maxOrderID bound what is looked up and logged; ids of tills
	// have some 10 to 40 characters.
	maxSerial  = 64
	maxOrderID = 128
	// maxUUID bounds the partner's reference, a UUID of 36 characters.
	maxUUID = 64
	// hookWithin bounds what a hook waits for the ledger before it answers.
	hookWithin = 3 * time.Second
)
