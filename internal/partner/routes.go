package partner

import "github.com/clustersystems/clusterbridge/internal/sale"

// The ways on which sales reach a partner that is given items (reference: WISK
// 1). A business day is served by one of them.
const (
	RouteUpload = "upload" // we push lines; the default
	RoutePull   = "pull"   // the partner reads Cluster by itself; we send nothing
	RouteReport = "report" // the daily mail
)

// FirstRoutes are the routes of a new connection. Reports begin with today's: of
// the history before it, whose first day is told, nothing is mailed.
func FirstRoutes(route string, history, today sale.Day) Choices {
	if route == RouteReport && history.Before(today) {
		return Choices{}.With(history, RoutePull).With(today, RouteReport)
	}
	return Choices{}.With(history, route)
}
