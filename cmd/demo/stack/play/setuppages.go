package play

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
)

// What people click.

// grant is the venue's admin in Cluster, who grants and enables 7shifts.
func (p *people) grant(ctx context.Context, g guest) error {
	if err := p.visitor.open(ctx, p.sims.clusterURL+clustersim.PathIntegrations+"/"+g.Serial+"?lang="+g.Language); err != nil {
		return err
	}
	box := element{Tag: "input", Name: "grant"}
	if there, err := p.visitor.has(ctx, box); err != nil || !there {
		return err // enabled before this demo was interrupted
	}
	if err := p.visitor.choose(ctx, box); err != nil {
		return err
	}
	if err := p.visitor.press(ctx, element{Tag: "button"}); err != nil {
		return err
	}
	p.tell(g, "its admin enabled it on Cluster's Integrations page")
	return nil
}

// fillForm is WISK's support, who asks for several venues.
func (p *people) fillForm(ctx context.Context, venues []guest) error {
	if err := p.visitor.open(ctx, p.sims.clusterURL+clustersim.PathWISKSupport+"?lang=en"); err != nil {
		return err
	}
	for i, g := range venues {
		for id, text := range map[string]string{"name": g.Name, "address": g.Address} {
			if err := p.visitor.write(ctx, element{Tag: "input", ID: id + strconv.Itoa(i)}, text); err != nil {
				return err
			}
		}
	}
	if err := p.visitor.press(ctx, element{Tag: "button"}); err != nil {
		return err
	}
	for _, g := range venues {
		p.tell(g, "WISK's support asked for it on its form")
	}
	return nil
}

// mail is the newest mail to the venue's contact that is about the venue and has
// a link to a page; the link is empty while it is on its way.
func (p *people) mail(g guest, page string) (m mailboxsim.Mail, link string) {
	for _, m := range slices.Backward(p.sims.box.Mails(string(g.Contact.Email))) {
		if !strings.Contains(inOneLine(m.Text), g.Name) {
			continue
		}
		for _, link := range m.Links() {
			if strings.HasPrefix(link, "http://"+p.saved.Gateway+"/"+page+"/") {
				return m, link
			}
		}
	}
	return mailboxsim.Mail{}, ""
}

// openLink opens the page to which the venue's newest mail about it leads; there
// is false while the mail is on its way.
func (p *people) openLink(ctx context.Context, g guest, page string) (there bool, err error) {
	_, link := p.mail(g, page)
	if link == "" {
		return false, nil
	}
	return true, p.visitor.open(ctx, link)
}

var (
	yesButton     = element{Tag: "button", Name: "act", Value: "confirm"}
	declineButton = element{Tag: "button", Name: "act", Value: "decline"}
	pasteButton   = element{Tag: "button", Name: "act", Value: "paste"}
	chooseButton  = element{Tag: "button", Name: "act", Value: "choose"}
)

// answer is the venue's manager, who reads the mail and says yes or no on the
// page; of venues that share a page, one for each.
func (p *people) answer(ctx context.Context, g guest, c ledger.Case) error {
	if g.Answer == waits || c.Data.Decision != "" {
		return nil
	}
	there, err := p.openLink(ctx, g, "confirm")
	if err != nil || !there {
		return err
	}
	if g.Answer == declines {
		if err := p.decline(ctx); err != nil {
			return err
		}
		p.tell(g, "declined on its page")
		return nil
	}
	for {
		open, err := p.visitor.has(ctx, yesButton)
		if err != nil {
			return err
		}
		if !open {
			break
		}
		if err := p.visitor.press(ctx, yesButton); err != nil {
			return err
		}
	}
	p.tell(g, "confirmed on its page")
	return nil
}

// decline says no, which has a page of its own for the reason.
func (p *people) decline(ctx context.Context) error {
	if err := p.visitor.press(ctx, element{Tag: "a", Class: "button second"}); err != nil {
		return err
	}
	if err := p.visitor.choose(ctx, element{Tag: "input", ID: "reason-not_now"}); err != nil {
		return err
	}
	return p.visitor.press(ctx, declineButton)
}

// handToken is the venue's 7shifts admin, who pastes the token, chooses the
// location and ticks the workday.
func (p *people) handToken(ctx context.Context, g guest) error {
	there, err := p.openLink(ctx, g, "token")
	if err != nil || !there {
		return err
	}
	if paste, err := p.visitor.has(ctx, pasteButton); err != nil {
		return err
	} else if paste {
		if err := p.visitor.write(ctx, element{Tag: "input", ID: "token"}, g.Venue.token()); err != nil {
			return err
		}
		if err := p.visitor.press(ctx, pasteButton); err != nil {
			return err
		}
		p.tell(g, "its admin pasted the access token on its page")
	}
	if choose, err := p.visitor.has(ctx, chooseButton); err != nil || !choose {
		return err
	}
	for _, choice := range []element{
		{Tag: "input", Name: "location", Value: strconv.FormatInt(g.Venue.Location, 10)},
		{Tag: "input", ID: "receipt-opened"},
		{Tag: "input", ID: "workday"},
	} {
		if err := p.visitor.choose(ctx, choice); err != nil {
			return err
		}
	}
	if err := p.visitor.press(ctx, chooseButton); err != nil {
		return err
	}
	p.tell(g, "its manager chose the 7shifts location and ticked the workday")
	return nil
}

// revealKey is whoever enters the key in WISK, and opens the one-time page;
// empty where it was opened before this demo was interrupted.
func (p *people) revealKey(ctx context.Context, g guest) (key string, there bool, err error) {
	m, link := p.mail(g, "reveal")
	if link == "" {
		return "", false, nil
	}
	if !strings.Contains(m.Text, g.Serial) {
		return "", true, fmt.Errorf("the mail with the key does not tell the serial number %s", g.Serial)
	}
	if err := p.visitor.open(ctx, link); err != nil {
		return "", true, err
	}
	shown := element{Tag: "code", ID: "key"}
	if button, err := p.visitor.has(ctx, element{Tag: "button"}); err != nil || !button {
		return "", true, err
	}
	if err := p.visitor.press(ctx, element{Tag: "button"}); err != nil {
		return "", true, err
	}
	if key, err = p.visitor.text(ctx, shown); err == nil {
		p.handed = append(p.handed, key)
	}
	return key, true, err
}
