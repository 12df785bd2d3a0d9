package devserver

import (
	"fmt"
	"net"

	ui "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// UIPort is where Temporal's Web UI is by custom.
const UIPort = 8233

// UI is a running Web UI.
type UI struct {
	server *ui.Server
	url    string
}

// StartUI serves the Web UI for a Temporal server: on UIPort, or on a free port
// when that is taken.
func StartUI(temporalAddress, namespace string) (*UI, error) {
	return StartUIWithCodec(temporalAddress, namespace, "")
}

// StartUIWithCodec is StartUI with the address at which the Web UI has sealed
// payloads opened; empty leaves them as they are.
func StartUIWithCodec(temporalAddress, namespace, codecEndpoint string) (*UI, error) {
	port := UIPort
	if l, err := net.Listen("tcp", address(UIPort)); err == nil {
		if err := l.Close(); err != nil {
			return nil, err
		}
	} else {
		free, err := freePorts(1)
		if err != nil {
			return nil, err
		}
		port = free[0]
	}
	srv := ui.NewServer(server_options.WithConfigProvider(&uiconfig.Config{
		Host:                loopback,
		Port:                port,
		TemporalGRPCAddress: temporalAddress,
		EnableUI:            true,
		DefaultNamespace:    namespace,
		HideLogs:            true,
		DisableNewsFetch:    true,                                // no page of ours asks another company's server
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on loopback
		Codec:               uiconfig.Codec{Endpoint: codecEndpoint},
	}))
	// Start blocks until Stop; it reports a failed listen, which shows as a
	// link that does not open, never as a demo that does not run.
	go func() { _ = srv.Start() }()
	return &UI{server: srv, url: fmt.Sprintf("http://%s", address(port))}, nil
}

// URL is the UI's address.
func (u *UI) URL() string { return u.url }

// Stop ends the UI.
func (u *UI) Stop() { u.server.Stop() }
