// Stack is the demo itself: everything that clusterbridge needs, on one
// machine. cmd/demo builds and starts it. Started as "stack clusterbridge ..."
// it is the program clusterbridge, so that the worker and the verbs run as
// processes of their own without a second build.
package main

import (
	"os"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
)

func main() {
	os.Exit(play.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
