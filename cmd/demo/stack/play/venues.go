package play

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// venue is one restaurant of the demo: its till at Cluster, and its company in
// 7shifts.
type venue struct {
	ID, TradeName, Address, Zone, Language, Hours string
	Serial                                        string
	Company, Location                             int64
	TaxRate                                       int64 // in hundred-thousandths
	people                                        []string
	contact                                       clustersim.Contact
	// account names the token's owner.
	account string
}

// venuesOf are the restaurants of a size. Each company has a token of its own,
// as 7shifts wants it since 31 October 2026; a size may put all restaurants
// into one company, so that they share a token and its limit.
func venuesOf(size Size) []venue {
	list := slices.Clone(allVenues)
	for i := range list {
		list[i].account = list[i].ID
		if size.OneCompany {
			list[i].account, list[i].Company = list[0].ID, list[0].Company
		}
	}
	return list
}

var allVenues = []venue{
	{
		ID: "chez-marcel", TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis, Montreal", Zone: "America/Toronto", Language: "fr",
		Hours: "mon-sun 11:00-02:00", Serial: "CL-104233", Company: 31201, Location: 88101, TaxRate: 14975,
		people:  []string{"Amelie Gagnon", "Bruno Tremblay", "Chantal Roy", "Didier Cote", "Elise Bouchard"},
		contact: contact("Marcelline Thibodeau", "chez-marcel"),
	},
	{
		ID: "brasserie-laurier", TradeName: "Brasserie Laurier", Address: "355 avenue Laurier Ouest, Montreal", Zone: "America/Toronto", Language: "fr",
		Hours: "mon-sun 07:00-23:00", Serial: "CL-104871", Company: 31377, Location: 88214, TaxRate: 14975,
		people:  []string{"Fabien Gauthier", "Genevieve Morin", "Hugo Lavoie", "Isabelle Fortin"},
		contact: contact("Laurent Quesnel", "brasserie-laurier"),
	},
	{
		ID: "harbour-oyster-bar", TradeName: "Harbour Oyster Bar", Address: "12 Water Street, Halifax", Zone: "America/Halifax", Language: "en",
		Hours: "mon-sun 11:00-01:00", Serial: "CL-220019", Company: 31544, Location: 88377, TaxRate: 14000,
		people:  []string{"Jenna MacDonald", "Kyle Boudreau", "Laura Fraser", "Marcus Doucette"},
		contact: contact("Rosalind Zwicker", "harbour-oyster-bar"),
	},
}

// city is what stands after the comma of the address.
func (v venue) city() string {
	_, city, _ := strings.Cut(v.Address, ", ")
	return city
}

// staff are the people at the till. The tests look for them in
// every history.
func (v venue) staff() []clustersim.Employee {
	list := make([]clustersim.Employee, len(v.people))
	for i, name := range v.people {
		mail := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@" + v.ID + ".example"
		list[i] = clustersim.Employee{
			ID: wire.Text(fmt.Sprintf("E%02d", i+1)), Name: wire.Text(name), Active: true,
			Email: wire.Text(mail), Phone: wire.Text(fmt.Sprintf("514555%04d", v.Location%10000+int64(i))),
		}
	}
	return list
}

// zone is always known: the names are ours, and Go brings the database.
func (v venue) zone() *time.Location {
	zone, err := time.LoadLocation(v.Zone)
	if err != nil {
		panic(fmt.Sprintf("the demo's venue %s: %v", v.ID, err))
	}
	return zone
}

// secretOf makes a credential of the simulated companies: the same in each run,
// so that a second start finds the ones that the ledger keeps sealed.
func secretOf(what string) string {
	sum := sha256.Sum256([]byte("clusterbridge demo " + what))
	return hex.EncodeToString(sum[:16])
}

// The credentials: Cluster's API key, the token that clusterbridge is given,
// and the one with which the table reads back, so that it spends no permits of
// the worker's.
func (v venue) clusterKey() string  { return secretOf("key of " + v.ID) }
func (v venue) token() string       { return secretOf("token of " + v.account) }
func (v venue) readerToken() string { return secretOf("reader of " + v.account) }
