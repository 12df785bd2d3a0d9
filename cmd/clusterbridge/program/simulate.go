package program

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

type simulateVerb struct {
	ClusterListen     string `help:"Address of the simulated Cluster." default:"127.0.0.1:8201" placeholder:"HOST:PORT"`
	SevenShiftsListen string `name:"sevenshifts-listen" help:"Address of the simulated 7shifts." default:"127.0.0.1:8202" placeholder:"HOST:PORT"`
	WiskListen        string `help:"Address of the simulated WISK." default:"127.0.0.1:8203" placeholder:"HOST:PORT"`
	MailboxListen     string `help:"Address of the page with the mails that were sent." default:"127.0.0.1:8204" placeholder:"HOST:PORT"`
	SMTPListen        string `name:"smtp-listen" help:"Address of the simulated mail server." default:"127.0.0.1:8205" placeholder:"HOST:PORT"`

	Gateway        string        `help:"clusterbridge's gateway, to which Cluster's pages send requests." default:"http://127.0.0.1:8080" placeholder:"URL"`
	HookSecretFile string        `help:"File with the secret that signs them, CLUSTERBRIDGE_HOOK_SECRETS of the gateway; without it one is told." type:"path" placeholder:"FILE"`
	OfficeKeyFile  string        `help:"File with the key to Cluster's back office, CLUSTERBRIDGE_CLUSTER_OFFICE_KEY; without it one is told." type:"path" placeholder:"FILE"`
	Activation     time.Duration `help:"How long Cluster takes to activate API access; the real one takes 24 to 48 hours." default:"0s"`

	State string `help:"Folder for what the simulators hold and for the credentials' files; without it nothing is kept." type:"path" placeholder:"DIR"`
	Seed  uint64 `help:"Another seed sells other meals." default:"20261103"`
}

const (
	// simulatedPast and simulatedFuture are the business days that the tills
	// know: what 7shifts asks for at least, and a month to play with. Those that
	// sell for WISK know simulatedMonths, as it asks for.
	simulatedPast, simulatedFuture = 93, 31
	simulatedMonths                = 6
	// simulatedReads bounds how long a client may take to send a request.
	simulatedReads = 10 * time.Second
	// ids of the first simulated company and location at 7shifts.
	firstCompany, firstPartnerLocation = 30001, 70001
)

// simulation is what a state folder keeps, so that a second start goes on with
// the same tills.
type simulation struct {
	Seed  uint64   `json:"seed"`
	Today sale.Day `json:"today"`
}

// Run serves simulated Cluster, 7shifts, WISK and a mailbox until it is stopped.
func (v *simulateVerb) Run(ctx context.Context, d *desk) error {
	kept, err := v.load(d.clock())
	if err != nil {
		return err
	}
	shifts, err := sevenshiftssim.Open(sevenshiftssim.Options{Clock: d.clock(), Log: d.logger(), StateFile: v.file("7shifts.jsonl")})
	if err != nil {
		return failed(err, "use another --state folder", "What the simulated 7shifts held cannot be read.")
	}
	defer shifts.Close()
	box, err := v.openMailbox(d)
	if err != nil {
		return err
	}
	defer box.Close()
	tills, err := v.openCluster(d)
	if err != nil {
		return err
	}
	venues, sites := traffic.DemoVenues(), traffic.ItemVenues()
	v.sell(tills, kept, traffic.DemoMinimums(), venues, sites)
	newVenues, newSites := traffic.Newcomers()
	v.sell(tills, kept, traffic.Minimums{}, newVenues, newSites)
	addresses, err := listenAll(ctx, v.ClusterListen, v.SevenShiftsListen, v.WiskListen, v.MailboxListen, v.SMTPListen)
	if err != nil {
		return err
	}
	stock, err := v.openWisk(d, "http://"+addresses[0].Addr().String())
	if err != nil {
		return errors.Join(err, closeAll(addresses))
	}
	defer stock.Close()
	v.tell(d, kept, addresses)
	for i, venue := range venues {
		if err := v.open(d, shifts, venue.Location, int64(i)); err != nil {
			return errors.Join(err, closeAll(addresses))
		}
	}
	if err := v.addSites(d, stock, sites); err != nil {
		return errors.Join(err, closeAll(addresses))
	}
	v.welcome(d, shifts, stock, int64(len(venues)))
	d.say("\nready")
	return serveBeside(ctx, box, addresses[4], func(ctx context.Context) error {
		return serveAll(ctx, map[net.Listener]http.Handler{addresses[0]: tills, addresses[1]: shifts, addresses[2]: stock, addresses[3]: box})
	})
}

// sell loads what venues sell: those for 7shifts, and the sites for WISK.
func (*simulateVerb) sell(tills *clustersim.Sim, kept simulation, least traffic.Minimums, venues, sites []traffic.Venue) {
	traffic.New(kept.Seed, venues, kept.Today.Plus(-simulatedPast), kept.Today, simulatedFuture, least).Load(tills)
	traffic.New(kept.Seed, sites, kept.Today.PlusMonths(-simulatedMonths), kept.Today, simulatedFuture, traffic.Minimums{}).Load(tills)
}

// tell says where everything is.
func (v *simulateVerb) tell(d *desk, kept simulation, at []net.Listener) {
	d.say("Cluster, simulated:  CLUSTERBRIDGE_CLUSTER_URL=http://%s", at[0].Addr())
	d.say("7shifts, simulated:  CLUSTERBRIDGE_SEVENSHIFTS_URL=http://%s (open it in a browser)", at[1].Addr())
	d.say("WISK, simulated:     CLUSTERBRIDGE_WISK_URL=http://%s (open it in a browser)", at[2].Addr())
	v.tellOffice(d, at[0].Addr(), at[3].Addr(), at[4].Addr())
	d.say("The tills sell until %s.", kept.Today.Plus(simulatedFuture-1))
}

// open makes a venue's company at 7shifts and tells how to connect it.
func (v *simulateVerb) open(d *desk, shifts *sevenshiftssim.Sim, l clustersim.Location, i int64) error {
	token := addCompany(shifts, l, i)
	id, tokenFrom, err := v.add(d, l, "7shifts token", token, ".token")
	if err == nil {
		d.say("  clusterbridge connect 7shifts --location %s --token-file %s", id, tokenFrom)
	}
	return err
}

// addCompany makes a venue's company at 7shifts, and gives the token that opens
// it.
func addCompany(shifts *sevenshiftssim.Sim, l clustersim.Location, i int64) (token string) {
	company := sevenshiftssim.Company{ID: firstCompany + i, Name: l.TradeName}
	shifts.AddCompany(company)
	shifts.AddLocation(sevenshiftssim.Location{ID: firstPartnerLocation + i, CompanyID: company.ID, Name: l.TradeName, City: "", Timezone: l.Zone})
	token = simulatedSecret("token of " + l.Serial)
	shifts.AddToken(sevenshiftssim.Token{Value: token, Companies: []int64{company.ID}})
	return token
}

// add writes a location's credentials, its key at Cluster and the partner's, into
// the state folder, or tells them where there is none, and tells how to add the
// location. It returns the location's id and where the partner's credential is.
func (v *simulateVerb) add(d *desk, l clustersim.Location, name, secret, suffix string) (id, from string, err error) {
	id = onboarding.Slug(l.TradeName)
	key, from := v.file(id+".key"), v.file(id+suffix)
	if v.State == "" {
		d.say("\n%s: API key %s, %s %s (simulated, so no secrets)", l.TradeName, l.Key, name, secret)
		key, from = "<file>", "<file>"
	} else {
		const private = 0o600 // as a real credential's file should be
		if err := errors.Join(os.WriteFile(key, []byte(l.Key+"\n"), private), os.WriteFile(from, []byte(secret+"\n"), private)); err != nil {
			return id, from, failed(err, "use another --state folder", "The credentials' files cannot be written.")
		}
		d.say("\n%s:", l.TradeName)
	}
	d.say("  clusterbridge location add %s --name %q --zone %s --language %s --serial %s --key-file %s", id, l.TradeName, l.Zone, l.Language, l.Serial, key)
	return id, from, nil
}

// simulatedSecret makes a credential that is the same in each run.
func simulatedSecret(of string) string {
	sum := sha256.Sum256([]byte("simulated " + of))
	return hex.EncodeToString(sum[:])
}

// load reads the state folder, or begins one today.
func (v *simulateVerb) load(c clock.Clock) (simulation, error) {
	fresh := simulation{Seed: v.Seed, Today: sale.DayOf(c.Now(), time.UTC)}
	if v.State == "" {
		return fresh, nil
	}
	const private = 0o700
	if err := os.MkdirAll(v.State, private); err != nil {
		return fresh, failed(err, "use another --state folder", "The state folder cannot be made.")
	}
	content, err := os.ReadFile(v.file("simulate.json"))
	if err == nil {
		var kept simulation
		if err := json.Unmarshal(content, &kept); err != nil || kept.Today.IsZero() {
			return fresh, failed(err, "use another --state folder", "The state folder's simulate.json cannot be read.")
		}
		return kept, nil
	}
	content, _ = json.Marshal(fresh) // a struct of a number and a text
	if err := os.WriteFile(v.file("simulate.json"), content, 0o600); err != nil {
		return fresh, failed(err, "use another --state folder", "The state folder cannot be written.")
	}
	return fresh, nil
}

// file is a path in the state folder, or nothing without one.
func (v *simulateVerb) file(name string) string {
	if v.State == "" {
		return ""
	}
	return filepath.Join(v.State, name)
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, failed(err, "give another address, such as 127.0.0.1:0", "Nothing can listen on %s.", address)
	}
	return l, nil
}

// listenAll listens on several addresses, or on none.
func listenAll(ctx context.Context, addresses ...string) ([]net.Listener, error) {
	var list []net.Listener
	for _, address := range addresses {
		l, err := listen(ctx, address)
		if err != nil {
			return nil, errors.Join(err, closeAll(list))
		}
		list = append(list, l)
	}
	return list, nil
}

func closeAll(list []net.Listener) error {
	var errs []error
	for _, l := range list {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// serveAll serves until the context ends.
func serveAll(ctx context.Context, handlers map[net.Listener]http.Handler) error {
	group, ctx := errgroup.WithContext(ctx)
	for l, h := range handlers {
		server := &http.Server{Handler: h, ReadHeaderTimeout: simulatedReads}
		group.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("a simulator stopped: %w", err)
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			return server.Close() // delayed answers are part of the play, not worth waiting for
		})
	}
	return group.Wait()
}
