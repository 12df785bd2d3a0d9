package devserver_test

import (
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/devserver"
)

func TestTheEmbeddedServerAndItsUIComeBackOnTheSameFile(t *testing.T) {
	o := devserver.Options{File: filepath.Join(t.TempDir(), "temporal.sqlite"), Namespace: "default", SearchAttributes: []string{"Connection"}, Log: t.Output()}
	for range 2 {
		begun := time.Now()
		s, err := devserver.Start(t.Context(), o)
		require.NoError(t, err)
		t.Log("ready after", time.Since(begun))
		c, err := client.Dial(client.Options{HostPort: s.Address(), Namespace: o.Namespace, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		attributes, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: o.Namespace})
		require.NoError(t, err)
		require.Contains(t, attributes.GetCustomAttributes(), "Connection")
		c.Close()
		ui, err := devserver.StartUI(s.Address(), o.Namespace)
		require.NoError(t, err)
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			res, err := http.Get(ui.URL())
			require.NoError(t, err)
			page, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Contains(t, string(page), "<html")
		}, 10*time.Second, 50*time.Millisecond)
		ui.Stop()
		require.NoError(t, s.Stop())
	}
}
