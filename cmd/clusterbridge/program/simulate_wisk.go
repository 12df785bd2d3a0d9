package program

import (
	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// simulatedVenue is the venue of WISK that several simulated sites share.
const simulatedVenue = "Les Tavernes du Canal"

// openWisk makes the simulated WISK, which can read the simulated Cluster, too.
func (v *simulateVerb) openWisk(d *desk, clusterURL string) (*wisksim.Sim, error) {
	stock, err := wisksim.Open(wisksim.Options{
		Clock: d.clock(), Log: d.logger(), StateFile: v.file("wisk.jsonl"), ClusterURL: clusterURL,
	})
	if err != nil {
		return nil, failed(err, "use another --state folder", "What the simulated WISK held cannot be read.")
	}
	return stock, nil
}

// addSites makes one venue of WISK for all sites, whose order numbers and item
// codes are the same, and tells how to connect them, each with another choice for
// modifiers.
func (v *simulateVerb) addSites(d *desk, stock *wisksim.Sim, sites []traffic.Venue) error {
	venue := simulatedSecret("venue " + simulatedVenue)
	for i, site := range sites {
		if i == 0 {
			stock.AddVenue(wisksim.Venue{ID: venue, Name: simulatedVenue, Zone: site.Location.Zone})
		}
		id, from, err := v.add(d, site.Location, "WISK's identifier of the venue "+simulatedVenue, venue, ".venue")
		if err != nil {
			return err
		}
		d.say("  clusterbridge connect wisk --location %s --no-cluster-integration --modifiers %s --venue-file %s",
			id, items.Modes[i%len(items.Modes)], from)
	}
	return nil
}
