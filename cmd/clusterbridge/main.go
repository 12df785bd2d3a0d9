// Command clusterbridge brings what a Cluster POS till sold to the restaurant's
// other systems. Everything it can do is in package program.
package main

import (
	"os"

	"github.com/clustersystems/clusterbridge/cmd/clusterbridge/program"
)

func main() {
	os.Exit(program.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
