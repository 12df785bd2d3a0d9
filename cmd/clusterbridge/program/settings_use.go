package program

import (
	"net/http"
	"net/netip"
	"strings"

	"go.temporal.io/sdk/converter"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/intake"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/report"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/vault/codec"
)

// sevenShifts is what the partner's package is set to.
func (s Settings) sevenShifts() sevenshifts.Config {
	return sevenshifts.Config{
		// 7shifts' own pages write the address with its version.
		BaseURL:    strings.TrimSuffix(strings.TrimRight(s.SevenShiftsURL, "/"), "/v2"),
		APIVersion: s.SevenShiftsVersion, CompanyGUID: s.SevenShiftsCompanyGUID,
		Timeout: s.SevenShiftsTimeout, Settle: s.SevenShiftsSettle, InFlight: s.SevenShiftsInFlight,
		HistoryDays: s.SevenShiftsHistoryDays, HistoryFrom: s.SevenShiftsHistoryFrom, HistoryUntil: s.SevenShiftsHistoryUntil,
		PerSecond: s.SevenShiftsPerSecond, PenaltyRest: s.SevenShiftsPenaltyRest, ListDays: s.SevenShiftsListDays,
		LiveShare: s.SevenShiftsLiveShare, PunchPage: s.SevenShiftsPunchPage,
	}
}

// wisk is what the partner's package is set to.
func (s Settings) wisk() wisk.Config {
	return wisk.Config{
		BaseURL: s.WiskURL, VenueHeader: s.WiskVenueHeader, SameID: s.WiskSameID, Refusal: s.WiskRefusal,
		Timeout: s.WiskTimeout, LinesAtOnce: s.WiskLinesAtOnce, InFlight: s.WiskInFlight,
		PerSecond: s.WiskPerSecond, PenaltyRest: s.WiskPenaltyRest, LiveShare: s.WiskLiveShare,
		HistoryMonths: s.WiskHistoryMonths, OpenOrders: s.WiskOpenOrders, ModifierPrefix: s.WiskModifiers,
	}
}

// partners are all partners. Every one has a line here; reports go to a post,
// which may be nil where none are sent.
func (s Settings) partners(c clock.Clock, reports report.Post) partner.Registry {
	return partner.NewRegistry(
		sevenshifts.New(s.sevenShifts(), c),
		wiskByRoute{wisk.New(s.wisk()), report.New(s.report(), c, reports)},
	)
}

// trustedProxies are the networks whose word on who calls is believed.
func (s Settings) trustedProxies() []netip.Prefix {
	var networks []netip.Prefix
	for _, one := range s.TrustedProxies {
		if n, err := network(one); err == nil { // Load has refused others
			networks = append(networks, n)
		}
	}
	return networks
}

// converter seals payloads, where a codec's keyset is set; nil is the SDK's
// own.
func (s Settings) converter() converter.DataConverter {
	if sealer := s.codec(); sealer != nil {
		return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), sealer)
	}
	return nil
}

func (s Settings) codec() converter.PayloadCodec {
	if s.CodecKeyset == "" {
		return nil
	}
	sealer, err := codec.Open(s.CodecKeyset)
	if err != nil {
		return nil // Load has refused it
	}
	return sealer
}

// cluster is what Cluster's client is set to.
func (s Settings) cluster(c clock.Clock) cluster.Config {
	return cluster.Config{
		BaseURL: s.ClusterURL, Timeout: s.ClusterTimeout, PageSize: s.ClusterPageSize, MaxBody: s.ClusterMaxBody,
		OrdersByModified: s.OrdersByModified, GiftCardCategories: s.GiftCardCategories, CardPaymentTypes: s.CardPaymentTypes,
		Clock: c,
	}
}

// office is Cluster's back office, nil when it is not set.
func (s Settings) office(transport http.RoundTripper) *cluster.Office {
	if s.OfficeURL == "" || s.OfficeKey == "" {
		return nil
	}
	return cluster.NewOffice(cluster.OfficeConfig{BaseURL: s.OfficeURL, Key: vault.NewSecret(s.OfficeKey), Timeout: s.ClusterTimeout, MaxBody: s.ClusterMaxBody}, transport)
}

// intake is how the till is read; what is no setting keeps its default.
func (s Settings) intake() intake.Config {
	config := intake.Defaults()
	config.Overlap, config.RereadDays, config.LeaseFor = s.Overlap, s.RereadDays, s.PullLease
	return config
}
