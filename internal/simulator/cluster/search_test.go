package clustersim_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

func TestTheSearchForgivesHowNamesAreWritten(t *testing.T) {
	s, office := newOffice(t, clustersim.OfficeSwitches{})
	for serial, v := range map[string][2]string{
		"CL-2": {"Chez Marcel (Vieux-Port)", "99, rue de la Commune Est, Montr\u00e9al (QC) H2Y 1J1"},
		"CL-3": {"L\u2019\u0152uf \u00e0 la c\u00f4t\u00e9", "12 av. du Parc, Montr\u00e9al"},
		"CL-4": {"Harbour Fish & Chips", "12 Water Street, Halifax NS"},
		"CL-5": {"Pizza 900", "1000 boul. Saint-Laurent, Montr\u00e9al"},
		"CL-6": {"Pizza 900", "5200 boul. Saint-Laurent, Montr\u00e9al"},
	} {
		s.sim.AddLocation(clustersim.Location{Serial: serial, TradeName: v[0], Address: v[1], Zone: "America/Toronto"})
	}
	s.sim.AddLocation(clustersim.Location{Serial: "CL-1", Key: "k1", TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis, Montr\u00e9al", Zone: "America/Toronto"})
	for name, c := range map[string]struct {
		query cluster.LocationQuery
		want  string
	}{
		"exact, one of two":      {cluster.LocationQuery{TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis, Montr\u00e9al"}, "CL-1"},
		"several":                {cluster.LocationQuery{TradeName: "chez  marcel"}, "CL-1 CL-2"},
		"told apart by address":  {cluster.LocationQuery{TradeName: "PIZZA-900", Address: "5200 Boulevard St-Laurent"}, "CL-6"},
		"without accents":        {cluster.LocationQuery{TradeName: "l'oeuf a la cote"}, "CL-3"},
		"decomposed accents":     {cluster.LocationQuery{TradeName: "L\u0153uf a\u0300 la co\u0302te\u0301"}, "CL-3"},
		"another apostrophe":     {cluster.LocationQuery{TradeName: "L`Oeuf \u00e0 la C\u00f4t\u00e9"}, "CL-3"},
		"without apostrophe":     {cluster.LocationQuery{TradeName: "LOEUF A LA COTE"}, "CL-3"},
		"ampersand written out":  {cluster.LocationQuery{TradeName: "Harbour Fish and Chips"}, "CL-4"},
		"abbreviated address":    {cluster.LocationQuery{Address: "12 avenue du parc"}, "CL-3"},
		"postal code more":       {cluster.LocationQuery{Address: "12, Water St., Halifax, NS B3J 1A1"}, "CL-4"},
		"direction in English":   {cluster.LocationQuery{Address: "99 de la Commune E."}, "CL-2"},
		"serial":                 {cluster.LocationQuery{Serial: " CL-4 "}, "CL-4"},
		"serial of another name": {cluster.LocationQuery{Serial: "CL-4", TradeName: "Chez Marcel"}, ""},
		"name of another place":  {cluster.LocationQuery{TradeName: "Chez Marcel", Address: "12 Water Street"}, ""},
		"another number":         {cluster.LocationQuery{Address: "4211 rue Saint-Denis, Montr\u00e9al"}, ""},
		"none":                   {cluster.LocationQuery{TradeName: "Chez Marcelle"}, ""},
		"punctuation only":       {cluster.LocationQuery{TradeName: "..."}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := office.FindLocations(context.Background(), c.query)
			require.NoError(t, err)
			var serials []string
			for _, v := range found.List {
				serials = append(serials, v.Serial)
			}
			require.Equal(t, c.want, strings.Join(serials, " "))
		})
	}
	for i := range 26 {
		s.sim.AddLocation(clustersim.Location{Serial: "M-" + string(rune('a'+i)), TradeName: "Le Comptoir", Zone: "America/Toronto"})
	}
	found, err := office.FindLocations(context.Background(), cluster.LocationQuery{TradeName: "le comptoir"})
	require.NoError(t, err)
	require.True(t, found.More)
	require.Len(t, found.List, 25)
}
