package pages_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/people"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// scene is one face of a page.
type scene struct {
	name    string
	purpose link.Purpose
	reader  link.Reader
	query   string // further parameters
	set     func(d *desk)
	status  int // 200 unless said
	fr, en  []string
	not     []string // in either language
}

// one leaves a single venue on the confirmation page, in a state.
func one(state pages.Answered, byOperator bool, change func(c *pages.Confirmation)) func(d *desk) {
	return func(d *desk) {
		d.confirmation.Venues = d.confirmation.Venues[:1]
		v := &d.confirmation.Venues[0]
		v.State, v.ByOperator = state, byOperator
		if state != pages.Open {
			v.At = d.clock.Now().Add(-24 * time.Hour).In(d.zone)
		}
		if change != nil {
			change(&d.confirmation)
		}
	}
}

func sevenShifts(c *pages.Confirmation) { c.Partner = work.SevenShifts }

func free(c *pages.Confirmation) { c.Venues[0].Fee = mail.Charge{} }

func both(all ...func(c *pages.Confirmation)) func(c *pages.Confirmation) {
	return func(c *pages.Confirmation) {
		for _, f := range all {
			f(c)
		}
	}
}

var confirmScenes = []scene{
	{name: "two venues", purpose: link.Confirm,
		fr: []string{
			"Acceptez-vous de partager vos ventes avec WISK?", "L'équipe de soutien de WISK demande", "Chaque vente des six derniers mois", "Rien n'est transmis sur vos clients",
			"Chez Marcel & Filles", "12, rue Principale, Montréal", "Le Coin Gourmand & Cie", "1 500,00 $", "TPS (5 %), nº 123456789 RT0001 75,00 $", "TVQ (9,975 %), nº 1234567890 TQ0001 149,63 $",
			"Total 1 724,63 $", "Confirmer pour 1 724,63 $", "Refuser…", "jusqu'au 24 décembre 2026, 14 h 30", "Votre réponse pour chaque établissement", "English",
		},
		en: []string{
			"Do you agree to share your sales with WISK?", "WISK's support team asks", "$1,500.00", "GST (5%), no. 123456789 RT0001 $75.00", "QST (9.975%)", "Total $1,724.63",
			"Confirm for $1,724.63", "until December 24, 2026, 2:30 p.m.", "Your answer for each venue", "Français",
		},
		not: []string{"Le nom de vos employés", "The names of your employees"}},
	{name: "7shifts, free, asked by the venue", purpose: link.Confirm,
		set: one(pages.Open, false, both(sevenShifts, free, func(c *pages.Confirmation) { c.AskedBy, c.Employees = mail.VenueAdmin, true })),
		fr:  []string{"Un administrateur de votre établissement demande", "Les articles vendus ne sont pas transmis", "Le nom de vos employés est aussi transmis", "cette intégration est sans frais", "Sans frais Confirmer", "Votre réponse"},
		en:  []string{"An administrator of your venue asks", "The items sold are not passed on", "The names of your employees", "free of charge", "Free of charge Confirm Decline…"},
		not: []string{"TPS", "GST", "$"}},
	{name: "confirmed, fee, WISK", purpose: link.Confirm, set: one(pages.Confirmed, false, nil),
		fr: []string{"Confirmé le 23 novembre 2026, 14 h 30", "La suite : vous recevez la facture par courriel", "la clé API pour WISK"},
		en: []string{"Confirmed on November 23, 2026, 2:30 p.m.", "you get the invoice by mail", "the API key for WISK"}, not: []string{"Confirmer pour", "Confirm for"}},
	{name: "confirmed, free, WISK", purpose: link.Confirm, set: one(pages.Confirmed, false, free),
		fr: []string{"La suite : nous activons l'accès"}, en: []string{"What comes next: we activate access"}, not: []string{"facture par", "invoice by"}},
	{name: "confirmed, fee, 7shifts", purpose: link.Confirm, set: one(pages.Confirmed, false, sevenShifts),
		fr: []string{"vous recevez la facture", "un jeton d'accès de votre compte 7shifts"}, en: []string{"you get the invoice", "an access token of your 7shifts account"}},
	{name: "confirmed, free, 7shifts, by an operator", purpose: link.Confirm, set: one(pages.Confirmed, true, both(sevenShifts, free)),
		fr: []string{"Confirmé en votre nom par notre équipe, le 23", "La suite : nous vous demandons par courriel un jeton"}, en: []string{"Confirmed on your behalf by our team", "we ask you by mail for an access token"}},
	{name: "declined", purpose: link.Confirm, set: one(pages.Declined, false, nil),
		fr: []string{"Refusé le 23", "Rien n'est transmis à WISK et rien n'est facturé", support}, en: []string{"Declined on November 23", "Nothing is passed on to WISK"}, not: []string{"TPS", "GST", "Vous pouvez répondre", "You can answer"}},
	{name: "declined by an operator", purpose: link.Confirm, set: one(pages.Declined, true, nil),
		fr: []string{"Refusé en votre nom par notre équipe"}, en: []string{"Declined on your behalf by our team"}},
	{name: "expired", purpose: link.Confirm, set: one(pages.Expired, false, nil),
		fr: []string{"Sans réponse, la demande a pris fin le 23", "Pour reprendre"}, en: []string{"Without an answer the request ended", "To take it up again"}},
	{name: "withdrawn", purpose: link.Confirm, set: one(pages.Withdrawn, false, nil),
		fr: []string{"La demande a été annulée"}, en: []string{"The request was cancelled"}},
	{name: "declining", purpose: link.Confirm, query: "&decline=le-coin",
		fr:  []string{"Refuser de partager vos ventes avec WISK?", "Le Coin Gourmand & Cie", "Pour quelle raison? (facultatif)", "Personne chez nous n'a demandé cela", "Revenir sans répondre"},
		en:  []string{"Decline to share your sales with WISK?", "For what reason? (optional)", "Nobody here asked for this", "Go back without answering"},
		not: []string{"Chez Marcel"}},
	{name: "declining what was answered", purpose: link.Confirm, query: "&decline=chez-marcel", set: one(pages.Confirmed, false, nil),
		fr: []string{"Confirmé le"}, en: []string{"Confirmed on"}},
}

func token(state pages.TokenState, change func(p *pages.TokenPage)) func(d *desk) {
	return func(d *desk) {
		d.token.State = state
		if change != nil {
			change(&d.token)
		}
	}
}

var tokenScenes = []scene{
	{name: "paste", purpose: link.Token,
		fr: []string{"Entrez un jeton d'accès 7shifts", "« Settings › Developer Tools »", "il doit rester un administrateur actif", "Nous le gardons chiffré", "jusqu'au 24 décembre 2026"},
		en: []string{"Enter a 7shifts access token", "“Settings › Developer Tools”", "has to stay an active administrator", "We keep it encrypted"}},
	{name: "choose", purpose: link.Token, set: token(pages.TokenChoose, nil),
		fr: []string{
			"Choisissez l'établissement dans 7shifts", "Fuseau horaire de votre caisse Cluster POS : America/Toronto. Il y est 14 h 30.", "L'horloge de la caisse indique 14 h 30, comme il se doit",
			"Chez Marcel, Montréal Fuseau horaire dans 7shifts : America/Toronto. Il y est 14 h 30.", "America/Vancouver. Il y est 11 h 30. Le fuseau horaire n'est pas le même",
			"Une autre intégration de caisse alimente déjà cet établissement", "La journée de travail va de 5 h à 5 h le lendemain", "Heure d'ouverture de la commande",
		},
		en: []string{"Choose the location in 7shifts", "It is 2:30 p.m. there", "America/Vancouver. It is 11:30 a.m. there. The time zone is not that of your till", "Another POS integration feeds this location", "5:00 a.m. to 5:00 a.m. the next day"}},
	{name: "choose, the till's clock is wrong", purpose: link.Token,
		set: token(pages.TokenChoose, func(p *pages.TokenPage) { p.Till = &pages.TillClock{Offset: -4 * time.Hour} }),
		fr:  []string{"L'horloge de la caisse indique 15 h 30, ce qui n'est pas l'heure de son fuseau"}, en: []string{"The till's clock shows 3:30 p.m., which is not the time of its zone"}},
	{name: "choose, nothing fits", purpose: link.Token,
		set: token(pages.TokenChoose, func(p *pages.TokenPage) {
			p.Till = nil
			p.Locations = []pages.TokenLocation{{ID: 9, Name: "X", Zone: "america/Nowhere", Hindrances: []pages.Hindrance{pages.ZoneDiffers, pages.Taken}}}
		}),
		fr: []string{"« america/Nowhere », que nous ne connaissons pas", "Un autre de vos établissements", "Aucun établissement ne peut être choisi", "Recharger"},
		en: []string{"“america/Nowhere”, which we do not know", "Another of your Cluster POS venues", "No location can be chosen", "Reload"}, not: []string{"Enregistrer", "Save", "La journée de travail"}},
	{name: "choose, but another token", purpose: link.Token, query: "&another=1", set: token(pages.TokenChoose, nil),
		fr: []string{"Entrez un jeton d'accès"}, en: []string{"Enter a 7shifts access token"}},
	{name: "done", purpose: link.Token, set: token(pages.TokenDone, func(p *pages.TokenPage) { p.Chosen, p.At = "Chez Marcel", november.In(p.Zone) }),
		fr: []string{"Relié à « Chez Marcel » dans 7shifts, le 24 novembre 2026, 14 h 30", "La suite"}, en: []string{"Connected to “Chez Marcel” in 7shifts", "What comes next"}},
	{name: "blocked", purpose: link.Token, set: token(pages.TokenBlocked, nil), status: http.StatusTooManyRequests,
		fr: []string{"Trop de jetons refusés", "Notre équipe est prévenue"}, en: []string{"Too many tokens refused", "Our team has been told"}, not: []string{"Vérifier le jeton", "Check the token"}},
}

var otherScenes = []scene{
	{name: "contact", purpose: link.Contact,
		fr: []string{"Entrez le contact de l'établissement", "Rappelez toujours l'établissement", "514 555-0142", "Votre identifiant d'équipe"}, en: []string{"Enter the venue's contact", "Always call the venue back", "Your staff handle"}},
	{name: "contact, no number", purpose: link.Contact, set: func(d *desk) { d.contact.Phone, d.contact.Lang = "", words.English },
		fr: []string{"Cluster n'a pas de numéro"}, en: []string{"Cluster has no number"}},
	{name: "contact, done", purpose: link.Contact, set: func(d *desk) { d.contact.Done, d.contact.By, d.contact.At = true, "lea", d.now() },
		fr: []string{"Contact entré par lea, le 24 novembre 2026"}, en: []string{"Contact entered by lea, on November 24, 2026"}, not: []string{"Courriel", "E-mail"}},
	{name: "reveal, venue", purpose: link.Reveal,
		fr: []string{"Afficher la clé API", "ne s'affiche qu'une seule fois", "Le soutien de WISK a son propre lien", "Afficher la clé maintenant"}, en: []string{"Show the API key", "once only", "WISK's support has a link of its own", "Show the key now"}, not: []string{apiKey, "A1B2C3D4"}},
	{name: "reveal, support", purpose: link.Reveal, reader: link.Support,
		fr: []string{"L'établissement a son propre lien"}, en: []string{"The venue has a link of its own"}, not: []string{apiKey}},
	{name: "reveal, opened", purpose: link.Reveal, set: func(d *desk) { d.reveal.State, d.reveal.Opened = pages.RevealOpened, d.now() },
		fr: []string{"La clé a déjà été affichée, le 24 novembre 2026, 14 h 30", "Si ce n'était pas vous, écrivez tout de suite à " + support}, en: []string{"The key was shown already, on November 24, 2026", "If that was not you, write to " + support}, not: []string{"Afficher la clé maintenant", "Show the key now"}},
	{name: "reveal, expired", purpose: link.Reveal, set: func(d *desk) { d.reveal.State = pages.RevealExpired },
		fr: []string{"Personne n'a affiché la clé avant le 24 décembre"}, en: []string{"Nobody showed the key before"}},
	{name: "reveal, withdrawn", purpose: link.Reveal, set: func(d *desk) { d.reveal.State = pages.RevealWithdrawn },
		fr: []string{"Cette clé n'est plus valable"}, en: []string{"This key is no longer good"}},
	{name: "people", purpose: link.People,
		fr: []string{
			"Associez vos employés à 7shifts", "3 employés à associer", "JF Tremblay", "Plusieurs correspondances sont possibles. Peut-être Jean-François Tremblay (diminutif). Numéro dans la caisse : e-1.", "Répondre plus tard",
			"Jean-François Tremblay (diminutif)", "Jean Tremblay (même téléphone, initiale, inactif dans 7shifts)", "Sofia <Rossi> (associé à Sofia R.)", "commandes à emporter", "Ignorer ce profil",
		},
		en: []string{"Match your employees with 7shifts", "3 employees to match", "Several matches are possible", "Answer later", "Jean-François Tremblay (short form)", "Jean Tremblay (same phone, initial, inactive in 7shifts)", "takeout orders", "Ignore this profile"}},
	{name: "people, answered", purpose: link.People, set: func(d *desk) {
		d.people.People = d.people.People[:2]
		d.people.People[0].Answer, d.people.People[0].UserID, d.people.People[0].At = people.Map, 502, d.now()
		d.people.People[1].Answer, d.people.People[1].At = people.Ignore, d.now()
	},
		fr: []string{"Vous avez répondu pour tout le monde", "2 réponses enregistrées", "Associé à Jean-François Tremblay, le 24 novembre", "Ignoré depuis le 24 novembre"}, en: []string{"You have answered for everybody", "2 answers recorded", "Matched with Jean-François Tremblay", "Ignored since"}, not: []string{"Répondre plus tard", "Answer later"}},
	{name: "people, nobody", purpose: link.People, set: func(d *desk) { d.people.People = nil },
		fr: []string{"Tous les employés sont associés"}, en: []string{"All employees are matched"}, not: []string{"Enregistrer", "Save"}},
	{name: "people, a reason of 7shifts' own", purpose: link.People, set: func(d *desk) { d.people.People[0].Reason = "user_is_a_robot" },
		fr: []string{"7shifts répond : « user_is_a_robot »"}, en: []string{"7shifts answers: “user_is_a_robot”"}},
	{name: "status, healthy", purpose: link.Status,
		fr: []string{"État de la connexion à 7shifts", "Les ventes arrivent dans 7shifts", "Dernière vente reçue 24 novembre 2026, 14 h 30", "Ventes passées, depuis le 26 août 2026 42 %", "Les projections paraissent", "Situation du 24 novembre 2026"},
		en: []string{"State of the connection to 7shifts", "Sales are arriving in 7shifts", "Last sale received November 24, 2026, 2:30 p.m.", "Past sales, from August 26, 2026 on 42%", "Projections show"}, not: []string{"Ce que nous attendons", "What we are waiting for"}},
	{name: "status, WISK on its way", purpose: link.Status, set: func(d *desk) {
		d.status = pages.StatusPage{Partner: work.Wisk, Venue: marcel, State: work.BeingOnboarded, Now: d.now(), Waits: &pages.Waiting{Step: pages.StepActivation, Since: d.now()}}
	},
		fr: []string{"La connexion à WISK est en préparation", "L'activation de l'accès aux données, qui prend de 24 à 48 heures Qui doit agir Cluster Depuis 24 novembre 2026, 14 h 30", "Aucune encore"}, en: []string{"The connection to WISK is being prepared", "Who has to act Cluster Since", "None yet"}, not: []string{"Ventes passées", "Past sales"}},
	{name: "status, WISK live", purpose: link.Status, set: func(d *desk) {
		d.status.Partner, d.status.History = work.Wisk, &pages.History{From: sale.NewDay(2026, 5, 24), Percent: 100}
	},
		fr: []string{"Associez dans WISK", "100 %"}, en: []string{"In WISK, map the POS items", "100%"}},
}

func allScenes() []scene {
	all := append(append(append([]scene{}, confirmScenes...), tokenScenes...), otherScenes...)
	for _, state := range []work.ConnectionState{work.BeingOnboarded, work.Initializing, work.Healthy, work.Failing, work.CalledOff, work.Paused, work.Disconnected} {
		all = append(all, scene{name: "status, " + string(state), purpose: link.Status, set: func(d *desk) { d.status.State = state }})
	}
	for _, step := range pages.Steps {
		all = append(all, scene{name: "status, waiting for " + string(step), purpose: link.Status, set: func(d *desk) {
			d.status.Waits = &pages.Waiting{Step: step, Since: d.now()}
		}, fr: []string{"Ce que nous attendons", "Depuis 24 novembre"}, en: []string{"What we are waiting for", "Since November 24"}})
	}
	for _, reason := range []string{"not_found", "already_mapped", "ambiguous", "inactive", "vanished", "inactive_user", "unknown_user", "changed_by_hand"} {
		all = append(all, scene{name: "people, " + reason, purpose: link.People, set: func(d *desk) { d.people.People[0].Reason = reason }, not: []string{"7shifts répond", "7shifts answers"}})
	}
	for _, why := range whys {
		all = append(all, scene{name: "people, " + string(why), purpose: link.People, set: func(d *desk) {
			d.people.People[0].Proposals[0].Why = []people.Why{why}
		}, not: []string{"people.why"}})
	}
	return all
}

// Every face of every page, in both languages: what it says, its headers, and
// whether it is HTML.
func TestEveryPageSaysWhatItShould(t *testing.T) {
	for _, s := range allScenes() {
		t.Run(s.name, func(t *testing.T) {
			v := serve(t, nil)
			if s.set != nil {
				v.desk.change(s.set)
			}
			path := v.pathOf(link.Claims{Purpose: s.purpose, Reader: s.reader})
			for l, says := range map[words.Lang][]string{words.French: s.fr, words.English: s.en} {
				a := v.open(in(l, path) + s.query)
				require.Equal(t, max(s.status, http.StatusOK), a.status, a.text)
				require.Equal(t, l.Tag(), a.header.Get("Content-Language"))
				require.Contains(t, a.body, `<html lang="`+l.Tag()+`">`)
				for _, text := range says {
					require.Contains(t, a.text, text)
				}
				for _, text := range s.not {
					require.NotContains(t, a.text, text)
				}
			}
			require.Zero(t, v.desk.told(), "a page that is opened changes nothing")
			require.Contains(t, v.desk.subjects, "wisk:20261124-7f3a")
		})
	}
}
