package clustersim

// words are those of the pages in one language.
type words struct {
	Simulated, OtherLanguage                       string
	LoginTitle, LoginText, Venue, LogIn            string
	Title, Serial, Address                         string
	PartnerText, Grant, Enable, TokenText          string
	EnabledSince, Sent, NotYetSent, SendAgain      string
	GrantFirst, NotSent                            string
	Access, NoKeys, Key, Partner, Created, LastUse string
	Revoked                                        string
	SupportTitle, SupportText, TradeName           string
	Language, French, English, MoreRows, Ask       string
	Incomplete, Asked, AskAnother                  string
}

// allWords are the pages' languages.
var allWords = map[string]words{
	"fr": {
		Simulated: "Cluster, simulé", OtherLanguage: "English",
		LoginTitle: "Connexion à Cluster POS", LoginText: "La connexion est simulée\u00a0: choisissez l’établissement dont vous êtes l’administrateur.",
		Venue: "Établissement", LogIn: "Se connecter",
		Title: "Intégrations", Serial: "Numéro de série", Address: "Adresse",
		PartnerText: "Le total de chaque addition est envoyé à 7shifts, sans le détail des articles.",
		Grant:       "J’autorise 7shifts à recevoir les ventes de cet établissement.", Enable: "Activer 7shifts",
		TokenText:    "Aucun jeton n’est demandé ici\u00a0: clusterbridge écrira au contact au dossier et lui montrera où le coller.",
		EnabledSince: "Autorisé le", Sent: "La demande est transmise\u00a0:", NotYetSent: "La demande n’est pas encore transmise\u00a0:", SendAgain: "Transmettre de nouveau",
		GrantFirst: "Cochez d’abord l’autorisation.", NotSent: "La demande n’a pas pu être transmise. Essayez de nouveau.",
		Access: "Clés API", NoKeys: "Aucune clé n’a été émise.", Key: "Clé", Partner: "Partenaire", Created: "Émise", LastUse: "Dernière utilisation", Revoked: "Révoquée",
		SupportTitle: "Soutien de WISK\u00a0: demander un accès à Cluster", SupportText: "Nommez les établissements à relier à WISK. N’inscrivez aucun nom de personne.",
		TradeName: "Nom commercial", Language: "Langue", French: "Français", English: "Anglais", MoreRows: "Plus de lignes", Ask: "Envoyer la demande",
		Incomplete: "Chaque établissement a besoin d’un nom et d’une adresse.", Asked: "La demande est transmise\u00a0:", AskAnother: "Faire une autre demande",
	},
	"en": {
		Simulated: "Cluster, simulated", OtherLanguage: "Français",
		LoginTitle: "Log in to Cluster POS", LoginText: "Logging in is simulated: choose the venue whose admin you are.",
		Venue: "Venue", LogIn: "Log in",
		Title: "Integrations", Serial: "Serial number", Address: "Address",
		PartnerText: "The total of each order is sent to 7shifts, without line items.",
		Grant:       "I allow 7shifts to receive this venue's sales.", Enable: "Enable 7shifts",
		TokenText:    "No token is asked for here: clusterbridge will write to the contact on record and show where to paste it.",
		EnabledSince: "Allowed on", Sent: "The request is passed on:", NotYetSent: "The request is not passed on yet:", SendAgain: "Pass on again",
		GrantFirst: "Tick the permission first.", NotSent: "The request could not be passed on. Try again.",
		Access: "API keys", NoKeys: "No key has been issued.", Key: "Key", Partner: "Partner", Created: "Issued", LastUse: "Last used", Revoked: "Revoked",
		SupportTitle: "WISK support: ask for access to Cluster", SupportText: "Name the venues to be connected to WISK. Enter no person's name.",
		TradeName: "Trade name", Language: "Language", French: "French", English: "English", MoreRows: "More rows", Ask: "Send the request",
		Incomplete: "Each venue needs a name and an address.", Asked: "The request is passed on:", AskAnother: "Make another request",
	},
}
