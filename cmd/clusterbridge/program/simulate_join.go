package program

import (
	"context"
	"net"

	"golang.org/x/sync/errgroup"

	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// openMailbox makes the simulated mail server.
func (v *simulateVerb) openMailbox(d *desk) (*mailboxsim.Sim, error) {
	box, err := mailboxsim.Open(mailboxsim.Options{Clock: d.clock(), Log: d.logger(), StateFile: v.file("mails.jsonl")})
	if err != nil {
		return nil, failed(err, "use another --state folder", "The mails of the simulated mailbox cannot be read.")
	}
	return box, nil
}

// openCluster makes the simulated Cluster, with its back office and the pages on
// which a venue's admin and WISK's support ask for a connection.
func (v *simulateVerb) openCluster(d *desk) (*clustersim.Sim, error) {
	key, err := v.shared(d, v.OfficeKeyFile, "office key", "The key to the back office", "--office-key-file")
	if err != nil {
		return nil, err
	}
	secret, err := v.shared(d, v.HookSecretFile, "hook secret", "The secret that signs requests", "--hook-secret-file")
	if err != nil {
		return nil, err
	}
	if v.Activation < 0 {
		return nil, usage("Access cannot be activated before it was asked for.", "the same command with another --activation")
	}
	tills, err := clustersim.Open(clustersim.Options{
		Clock: d.clock(), OfficeKey: key, StateFile: v.file("cluster.json"), Gateway: clustersim.Gateway{URL: v.Gateway, Secret: secret},
		Office: &clustersim.OfficeSwitches{ActivationMin: v.Activation, ActivationMax: v.Activation},
	})
	if err != nil {
		return nil, failed(err, "use another --state folder", "What the simulated Cluster held cannot be read.")
	}
	return tills, nil
}

// shared is what Cluster and clusterbridge share: from a file, or simulated.
func (v *simulateVerb) shared(d *desk, file, of, what, flag string) (string, error) {
	if file == "" {
		return simulatedSecret(of), nil
	}
	return d.secret(file, what, flag)
}

// tellOffice says how clusterbridge finds the back office and the mail server,
// and where the pages are.
func (v *simulateVerb) tellOffice(d *desk, cluster, mailbox, smtp net.Addr) {
	host, port, _ := net.SplitHostPort(smtp.String()) // a listener's address has both
	d.say("Back office:         CLUSTERBRIDGE_CLUSTER_OFFICE_URL=http://%s", cluster)
	if v.OfficeKeyFile == "" {
		d.say("                     CLUSTERBRIDGE_CLUSTER_OFFICE_KEY=%s (simulated, so no secret)", simulatedSecret("office key"))
	}
	if v.HookSecretFile == "" {
		d.say("                     CLUSTERBRIDGE_HOOK_SECRETS=%s (simulated, so no secret)", simulatedSecret("hook secret"))
	}
	d.say("Mail, simulated:     CLUSTERBRIDGE_MAIL_HOST=%s CLUSTERBRIDGE_MAIL_PORT=%s CLUSTERBRIDGE_MAIL_TLS=none", host, port)
	d.say("Mails that were sent: http://%s", mailbox)
	d.say("Cluster's Integrations page: http://%s%s", cluster, clustersim.PathIntegrations)
	d.say("WISK's support asks:  http://%s%s", cluster, clustersim.PathWISKSupport)
}

// welcome makes the accounts at the partners of venues that wait to be
// onboarded, and tells what their people know.
func (v *simulateVerb) welcome(d *desk, shifts *sevenshiftssim.Sim, stock *wisksim.Sim, firstCompany int64) {
	receipts, items := traffic.Newcomers()
	d.say("\nTo be onboarded:")
	for i, venue := range receipts {
		token := addCompany(shifts, venue.Location, firstCompany+int64(i))
		d.say("  %s, %s, to 7shifts; its admin's access token there is %s (simulated, so no secret)", venue.Location.TradeName, venue.Location.Address, token)
	}
	for _, venue := range items {
		stock.AddVenue(wisksim.Venue{ID: simulatedSecret("venue " + venue.Location.TradeName), Name: venue.Location.TradeName, Zone: venue.Location.Zone})
		d.say("  %s, %s, to WISK", venue.Location.TradeName, venue.Location.Address)
	}
}

// serveBeside takes mails until the context ends, beside what else is served.
func serveBeside(ctx context.Context, box *mailboxsim.Sim, smtp net.Listener, serve func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx) })
	group.Go(func() error { return box.ServeSMTP(smtp) })
	group.Go(func() error {
		<-ctx.Done()
		return box.Close()
	})
	return group.Wait()
}
