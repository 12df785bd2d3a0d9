package program

import (
	"context"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type locationVerb struct {
	Add         locationAddVerb         `cmd:"" help:"Add a venue's till installation; its API key is tried at once."`
	Credentials locationCredentialsVerb `cmd:"" help:"Store another API key, or another serial number after new hardware."`
}

type locationAddVerb struct {
	ID       string `arg:"" help:"Short id of ours, a slug of the trade name such as chez-marcel."`
	Name     string `help:"The venue's trade name." required:""`
	Address  string `help:"Street and city."`
	Zone     string `help:"IANA time zone, such as America/Toronto." required:""`
	Language string `help:"Language of mails to the venue: ${enum}." enum:"fr,en" default:"fr"`
	Serial   string `help:"Serial number of the till: on the terminal, Settings, Serial #." required:""`
	Hours    string `help:"Opening hours, such as \"mon-fri 11:00-23:00, sat 10:00-02:00, sun closed\"." placeholder:"HOURS"`
	KeyFile  string `help:"File with Cluster's API key; without it the key is read from standard input." type:"path" placeholder:"FILE"`
	act
}

func (locationAddVerb) needs() []string {
	return []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"}
}

// Run adds a location once the till has answered.
func (v *locationAddVerb) Run(ctx context.Context, d *desk) error {
	actor, err := d.actor(v.act)
	if err != nil {
		return err
	}
	if err := work.CheckLocationID(v.ID); err != nil {
		return err
	}
	zone, err := loadZone(v.Zone)
	if err != nil {
		return err
	}
	hours, err := parseHours(v.Hours)
	if err != nil {
		return err
	}
	key, err := d.secret(v.KeyFile, "Cluster's API key", "--key-file")
	if err != nil {
		return err
	}
	if err := d.tryTill(ctx, cluster.Credential{Serial: v.Serial, Key: key}, zone, v.ID); err != nil {
		return err
	}
	secret, err := d.seal(ctx, "cluster:"+v.ID, key)
	if err != nil {
		return about(err, v.ID)
	}
	err = d.store.AddLocation(ctx, ledger.Location{
		ID: v.ID, TradeName: v.Name, Address: v.Address, Zone: v.Zone, Language: v.Language,
		Serial: v.Serial, Secret: secret, Hours: hours,
	}, actor)
	if err != nil {
		d.unseal(ctx, secret)
		return about(err, v.ID)
	}
	d.say("Location %s added: %s, %s.", v.ID, v.Name, v.Zone)
	d.say("Next: clusterbridge connect 7shifts --location %s", v.ID)
	return nil
}

type locationCredentialsVerb struct {
	ID      string `arg:"" help:"The location's id (a connection is understood too)."`
	Serial  string `help:"The new serial number, when the hardware was replaced."`
	KeyFile string `help:"File with Cluster's API key; without it the key is read from standard input." type:"path" placeholder:"FILE"`
	act
}

func (locationCredentialsVerb) needs() []string {
	return []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"}
}

// Run stores another key, once the till has answered to it.
func (v *locationCredentialsVerb) Run(ctx context.Context, d *desk) error {
	actor, err := d.actor(v.act)
	if err != nil {
		return err
	}
	store, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	id := locationOf(v.ID)
	loc, err := store.Location(ctx, id)
	if err != nil {
		return about(err, id)
	}
	zone, err := loadZone(loc.Zone)
	if err != nil {
		return err
	}
	key, err := d.secret(v.KeyFile, "Cluster's API key", "--key-file")
	if err != nil {
		return err
	}
	serial := loc.Serial
	if v.Serial != "" {
		serial = v.Serial
	}
	if err := d.tryTill(ctx, cluster.Credential{Serial: serial, Key: key}, zone, id); err != nil {
		return err
	}
	secret, err := d.seal(ctx, "cluster:"+id, key)
	if err != nil {
		return about(err, id)
	}
	if err := store.SetLocationSecret(ctx, id, secret, actor); err != nil {
		d.unseal(ctx, secret)
		return about(err, id)
	}
	d.unseal(ctx, loc.Secret)
	if serial != loc.Serial {
		if err := store.ReplaceSerial(ctx, id, serial, actor); err != nil {
			return about(err, id)
		}
		d.say("Serial number replaced; sales of the old hardware stay as they are.")
	}
	d.say("API key of %s stored; the next sync uses it.", id)
	return nil
}

// locationOf is the id of a location, also where the connection is named, as
// the registry's sentences do.
func locationOf(id string) string {
	if _, location, err := work.SplitConnection(id); err == nil {
		return location
	}
	return id
}

// loadZone refuses what is no IANA zone, and "Local", which is this machine's.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, usage(fmt.Sprintf("%q is no time zone. Zones are written as in America/Toronto.", name), "add --zone <IANA zone>")
	}
	return zone, nil
}

// tryTill pings Cluster with a credential and compares the till's clock with
// the location's zone.
func (d *desk) tryTill(ctx context.Context, cred cluster.Credential, zone *time.Location, location string) error {
	client := cluster.New(d.settings.cluster(d.clock()), nil)
	defer client.Close()
	ping, err := client.Ping(ctx, cred)
	if err != nil {
		return about(err, location)
	}
	if said := onboarding.OffsetDiffers(ping.PosTime, zone); said != "" {
		return failed(nil, "correct --zone, or have the venue correct the till's clock", "%s", sentence(said))
	}
	d.say("The till answers: serial %s, its clock fits %s.", cred.Serial, zone)
	return nil
}
