package program

import "time"

// OnboardingSettings are those of joining and leaving a partner, and of the
// mails that go with it. Without CLUSTERBRIDGE_MAIL_HOST nobody is onboarded by
// workflow; everything else works.
type OnboardingSettings struct {
	GatewayURL  string   `env:"CLUSTERBRIDGE_GATEWAY_URL" group:"Onboarding" form:"url" example:"https://bridge.example.com" desc:"The gateway's address for people outside the team: links in mails begin with it."`
	LinkSecrets []string `env:"CLUSTERBRIDGE_LINK_SECRETS" group:"Onboarding" secret:"true" form:"secrets" example:"(what openssl rand -hex 32 prints)" desc:"Secrets that sign the links in mails, at least 32 characters each; the same for worker and gateway. The first one signs; put a new one before it and leave the old one until its links have expired. Without any the gateway serves no pages."`

	GatherFor    time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_GATHER_FOR" envDefault:"2m" min:"1s" max:"1h" group:"Onboarding" desc:"How long the venues of one contact are waited for, so that they share a mail."`
	RemindAfter  []string      `env:"CLUSTERBRIDGE_ONBOARDING_REMIND_AFTER" envDefault:"72h,168h" form:"durations" group:"Onboarding" desc:"When a contact that has not answered is reminded, after it was asked. Comma separated."`
	ExpireAfter  time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_EXPIRE_AFTER" envDefault:"720h" min:"1s" max:"8760h" group:"Onboarding" desc:"When a question that nobody answered ends."`
	CheckEvery   time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_CHECK_EVERY" envDefault:"30m" min:"1s" max:"24h" group:"Onboarding" desc:"How often Cluster is asked whether API access is active, which takes 24 to 48 hours."`
	PollEvery    time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_POLL_EVERY" envDefault:"1m" min:"1s" max:"1h" group:"Onboarding" desc:"How often a new connection's first run is looked at."`
	TroubleFirst time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_RETRY_FIRST" envDefault:"5m" min:"1s" max:"24h" group:"Onboarding" desc:"How soon a stage of an onboarding that failed is tried again by itself; then after twice as long, and so on."`
	TroubleMost  time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_RETRY_MOST" envDefault:"6h" min:"1s" max:"48h" group:"Onboarding" desc:"The longest such pause."`
	TokenTries   int           `env:"CLUSTERBRIDGE_ONBOARDING_TOKEN_TRIES" envDefault:"3" min:"1" max:"20" group:"Onboarding" desc:"After how many wrong 7shifts tokens an operator is asked."`
	RevealFor    time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_REVEAL_FOR" envDefault:"168h" min:"1m" max:"8760h" group:"Onboarding" desc:"How long an API key waits behind its one-time link."`
	TokenFor     time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_TOKEN_FOR" envDefault:"1440h" min:"1m" max:"8760h" group:"Onboarding" desc:"How long the link to the page for the 7shifts token is good, after the venue said yes."`
	StatusFor    time.Duration `env:"CLUSTERBRIDGE_ONBOARDING_STATUS_FOR" envDefault:"8760h" min:"1m" max:"43800h" group:"Onboarding" desc:"How long the link to a venue's read-only status page is good."`
	DefaultZone  string        `env:"CLUSTERBRIDGE_ONBOARDING_ZONE" envDefault:"America/Toronto" form:"zone" group:"Onboarding" desc:"A venue's IANA time zone where Cluster's record tells none."`
	Keys         string        `env:"CLUSTERBRIDGE_ONBOARDING_KEYS" envDefault:"api" form:"api|manual" group:"Onboarding" desc:"How API keys to tills are issued: by Cluster's back office (assumed), or by hand with clusterbridge credentials put. Without CLUSTERBRIDGE_CLUSTER_OFFICE_URL always by hand."`
	KeyInMail    bool          `env:"CLUSTERBRIDGE_ONBOARDING_KEY_IN_MAIL" envDefault:"false" group:"Onboarding" desc:"Send API keys in the mail itself, instead of behind one-time links."`

	WiskSupport         string `env:"CLUSTERBRIDGE_WISK_SUPPORT_ADDRESS" group:"Onboarding" form:"mail" example:"support@wisk.example.com" desc:"WISK's support, who gets acknowledgements and credentials. Left out, only the venue gets them."`
	WiskSupportLang     string `env:"CLUSTERBRIDGE_WISK_SUPPORT_LANGUAGE" envDefault:"en" form:"fr|en" group:"Onboarding" desc:"The language in which WISK's support is written to."`
	SevenShiftsSupport  string `env:"CLUSTERBRIDGE_SEVENSHIFTS_SUPPORT_ADDRESS" group:"Onboarding" form:"mail" example:"support@7shifts.example.com" desc:"7shifts' support, who gets acknowledgements of its requests."`
	SevenShiftsSupportL string `env:"CLUSTERBRIDGE_SEVENSHIFTS_SUPPORT_LANGUAGE" envDefault:"en" form:"fr|en" group:"Onboarding" desc:"The language in which 7shifts' support is written to."`

	WiskFee        string   `env:"CLUSTERBRIDGE_FEE_WISK" group:"Fees" form:"amount" example:"150.00" desc:"The one-time fee of a location for WISK, before tax. 0 for none. It has to be set before anybody is onboarded to WISK: no page tells the amount."`
	SevenShiftsFee string   `env:"CLUSTERBRIDGE_FEE_7SHIFTS" envDefault:"0" group:"Fees" form:"amount" desc:"The one-time fee of a location for 7shifts, before tax. 0 for none."`
	Currency       string   `env:"CLUSTERBRIDGE_BILLING_CURRENCY" envDefault:"CAD" group:"Fees" form:"CAD" desc:"The fees' currency. Mails write amounts in Canadian dollars, so there is no other yet."`
	Billing        string   `env:"CLUSTERBRIDGE_BILLING" envDefault:"manual" form:"manual|hook" group:"Fees" desc:"How a payment becomes known: an operator records it, or the billing system calls the gateway."`
	BillingSecrets []string `env:"CLUSTERBRIDGE_BILLING_SECRETS" group:"Fees" secret:"true" form:"secrets" example:"(what openssl rand -hex 32 prints)" desc:"Secrets with which the billing system signs its calls, at least 32 characters each. Without any the endpoint is not served."`
	GSTRate        string   `env:"CLUSTERBRIDGE_BILLING_GST_RATE" envDefault:"5" group:"Fees" form:"rate" desc:"GST (TPS) in per cent."`
	GSTNumber      string   `env:"CLUSTERBRIDGE_BILLING_GST_NUMBER" group:"Fees" example:"123456789 RT0001" desc:"Our GST registration number, on invoices. Needed beside a fee."`
	QSTRate        string   `env:"CLUSTERBRIDGE_BILLING_QST_RATE" envDefault:"9.975" group:"Fees" form:"rate" desc:"QST (TVQ) in per cent."`
	QSTNumber      string   `env:"CLUSTERBRIDGE_BILLING_QST_NUMBER" group:"Fees" example:"1234567890 TQ0001" desc:"Our QST registration number, on invoices. Needed beside a fee."`
	HowToPayFr     string   `env:"CLUSTERBRIDGE_BILLING_HOW_TO_PAY_FR" group:"Fees" example:"Par virement Interac à paiements@example.com." desc:"How an invoice is paid, in French. Needed beside a fee."`
	HowToPayEn     string   `env:"CLUSTERBRIDGE_BILLING_HOW_TO_PAY_EN" group:"Fees" example:"By Interac transfer to payments@example.com." desc:"How an invoice is paid, in English. Needed beside a fee."`
	PayURL         string   `env:"CLUSTERBRIDGE_BILLING_PAY_URL" group:"Fees" form:"url" example:"https://pay.example.com/invoices/{number}" desc:"The page where an invoice is paid; {number} stands for the invoice's."`

	MailHost         string        `env:"CLUSTERBRIDGE_MAIL_HOST" group:"Mail" form:"word" example:"smtp.example.com" desc:"The mail server. Without it nobody is onboarded and no mail is sent."`
	MailPort         int           `env:"CLUSTERBRIDGE_MAIL_PORT" envDefault:"587" min:"1" max:"65535" group:"Mail" desc:"The mail server's port."`
	MailTLS          string        `env:"CLUSTERBRIDGE_MAIL_TLS" envDefault:"starttls" form:"none|starttls|tls" group:"Mail" desc:"How the way to the mail server is encrypted: STARTTLS (587), from the first byte on (465), or not at all, for a server on this machine."`
	MailCAFile       string        `env:"CLUSTERBRIDGE_MAIL_CA_FILE" group:"Mail" example:"/etc/ssl/mail-ca.pem" desc:"Authorities that may sign the mail server's certificate, in PEM; otherwise the machine's."`
	MailUser         string        `env:"CLUSTERBRIDGE_MAIL_USER" group:"Mail" example:"clusterbridge" desc:"The user who signs in at the mail server; left out, nobody signs in."`
	MailPassword     string        `env:"CLUSTERBRIDGE_MAIL_PASSWORD" group:"Mail" secret:"true" example:"(the mail server's)" desc:"That user's password."`
	MailFrom         string        `env:"CLUSTERBRIDGE_MAIL_FROM" group:"Mail" example:"Cluster POS <integrations@clusterpos.com>" desc:"The sender. Its domain ends the Message-IDs."`
	MailReplyTo      string        `env:"CLUSTERBRIDGE_MAIL_REPLY_TO" group:"Mail" form:"mail" example:"support@clusterpos.com" desc:"Where answers go, if not to the sender."`
	MailHelo         string        `env:"CLUSTERBRIDGE_MAIL_HELO" group:"Mail" form:"word" example:"bridge.example.com" desc:"How we introduce ourselves to the mail server; otherwise by the sender's domain."`
	MailTimeout      time.Duration `env:"CLUSTERBRIDGE_MAIL_TIMEOUT" envDefault:"30s" min:"1s" max:"50s" group:"Mail" desc:"How long the sending of one mail may take. Below the minute that a step of work has."`
	MailHouseName    string        `env:"CLUSTERBRIDGE_MAIL_HOUSE_NAME" envDefault:"Cluster POS" group:"Mail" desc:"Who signs mails and pages."`
	MailHouseAddress string        `env:"CLUSTERBRIDGE_MAIL_HOUSE_ADDRESS" group:"Mail" example:"1 Place Ville Marie, Montréal (Québec) H3B 1A1" desc:"Our postal address, on one line, which Canada's law on electronic messages wants in every mail. Needed beside a mail server."`
	SupportAddress   string        `env:"CLUSTERBRIDGE_SUPPORT_ADDRESS" envDefault:"support@clusterpos.com" form:"mail" group:"Mail" desc:"Whom venues ask, in mails and on pages."`
}
