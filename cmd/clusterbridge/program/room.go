package program

import (
	"context"
	"net/http"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
)

// room wires the room where venues join and leave partners; nil where the
// settings say that nobody does.
func (d *desk) room(ctx context.Context, base http.RoundTripper) (*onboarding.Room, error) {
	if !d.settings.onboards() {
		return nil, nil
	}
	secrets, err := d.vault(ctx)
	if err != nil {
		return nil, err
	}
	post, err := d.settings.post()
	if err != nil {
		return nil, err
	}
	composer, err := mail.NewComposer(d.settings.house())
	if err != nil {
		return nil, usage(sentence(err.Error()), "clusterbridge settings")
	}
	links, err := d.settings.signer()
	if err != nil {
		return nil, usage(sentence(err.Error()), "clusterbridge settings")
	}
	log := d.ownLog()
	return &onboarding.Room{
		Ledger: d.store, Vault: secrets, Office: d.settings.office(base), Till: cluster.New(d.settings.cluster(d.clock()), base),
		Partners: d.settings.partners(d.clock(), nil), Limiter: limit.New(d.store.DB(), log), Base: base, Clock: d.clock(),
		Outbox: mail.NewOutbox(d.store.DB(), secrets, post, d.clock(), log), Composer: composer, Links: links,
		Settings: d.settings.room(), Log: log,
	}, nil
}

// needRoom is room for verbs that cannot do without.
func (d *desk) needRoom(ctx context.Context) (*onboarding.Room, error) {
	room, err := d.room(ctx, http.DefaultTransport)
	if err == nil && room == nil {
		return nil, usage("Onboarding is not set up here: CLUSTERBRIDGE_MAIL_HOST is not set.", "see the groups Onboarding, Fees and Mail of: clusterbridge settings")
	}
	return room, err
}
